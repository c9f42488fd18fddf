"""Numbers and names as the page writes them, and what the first screen says of them."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omicsfusion.assess.held_out import held_out_sets
from omicsfusion.assess.summary import METRICS as ASSESSED
from omicsfusion.report.chapters.risk import at_risk, survival_at, times_at_risk
from omicsfusion.report.figures.frame import as_json, label, values
from omicsfusion.report.metric_words import (
    AT_A_TIME,
    METRICS,
    chance_of,
    is_of_a_class,
    metric_in_words,
)
from omicsfusion.report.verdict import against_chance
from omicsfusion.report.words import (
    MISSING,
    count,
    decimals_to_tell,
    interval,
    listed,
    lowered,
    model_name,
    model_order,
    number,
    p_value,
    quantity,
    score,
    share,
    shortened,
    span,
)
from tests.predictions_table import predictions_table


def row(estimate, low, high):
    return pd.Series({"estimate": estimate, "ci_low": low, "ci_high": high})


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.00412, 2, "0.0041"),
        (-0.5, 2, "−0.50"),
        (12345.6, 3, "12,346"),
        (3.14159, 3, "3.14"),
        (0, 3, "0"),
        (1e-9, 2, "1.0e−09"),
        (math.nan, 3, MISSING),
        (math.inf, 3, MISSING),
    ],
)
def test_a_number_has_as_many_digits_as_asked_for(value, digits, text):
    assert number(value, digits) == text


def test_a_quantity_has_no_zeros_at_its_end():
    assert quantity(1.5) == "1.5"
    assert quantity(3.0) == "3"
    assert quantity(1200.0) == "1,200"


def test_a_score_that_rounds_to_zero_has_no_sign():
    assert score(-0.001) == "0.00"
    assert score(-0.25) == "−0.25"


def test_an_interval_close_to_chance_gets_the_decimals_that_tell_them_apart():
    assert decimals_to_tell([0.504, 0.5]) == 3
    assert decimals_to_tell([0.52, 0.5]) == 2
    assert decimals_to_tell([0.5, 0.5]) == 2, "equal numbers need not be told apart"


def test_an_interval_without_ends_says_so():
    assert interval(math.nan, 0.7) == "no interval"
    assert interval(0.5, 0.7) == "0.50 to 0.70"


def test_a_share_is_never_rounded_to_none_or_all():
    assert share(1, 1000) == "under 1 %"
    assert share(999, 1000) == "over 99 %"
    assert share(0, 10) == "0 %"
    assert share(10, 10) == "100 %"
    assert share(1, 0) == MISSING


def test_counts_have_the_right_number_of_their_noun():
    assert count(1, "patient") == "1 patient"
    assert count(1024, "class", "classes") == "1,024 classes"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["a"]) == "a"
    assert span([3, 5, 4]) == "3–5"
    assert span([3, 3]) == "3"


def test_small_p_values_are_bounds():
    assert p_value(0.0000001) == "p < 0.001"
    assert p_value(0.034) == "p = 0.034"
    assert p_value(math.nan) == "p not defined"


@given(st.text(min_size=1, max_size=200))
def test_a_shortened_name_fits_and_keeps_both_ends(name):
    short = shortened(name, 40)
    assert len(short) <= 40
    assert short[0] == name[0]
    assert short[-1] == name[-1]


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("fused", "Fused network, all omics"),
        ("fused+clinical", "Fused network, all omics and clinical"),
        ("fused-minus-rna", "Fused network, all omics but rna"),
        ("linear-only-rna", "Linear model, rna only"),
        ("forest+clinical", "Random forest, all omics and clinical"),
        ("mask", "Which layers a patient has"),
        ("clinical", "Clinical covariates only"),
        ("clinical-only-age", "Clinical covariate age only"),
        ("new", "new"),
    ],
)
def test_a_model_is_called_what_its_name_means(model, name):
    assert model_name(model) == name


def test_the_plain_network_comes_first_and_unknown_models_last():
    models = ["new", "clinical", "forest", "linear+clinical", "linear", "fused+clinical", "fused"]
    ordered = sorted(models, key=model_order)
    known = ["fused", "fused+clinical", "linear", "linear+clinical", "forest", "clinical"]
    assert ordered == [*known, "new"]


def test_a_name_in_a_sentence_begins_small_unless_it_is_written_large():
    assert lowered("Fused network") == "fused network"
    assert lowered("C-index") == "C-index"
    assert lowered("AUROC") == "AUROC"


def test_every_metric_is_explained_in_a_sentence():
    names = [*METRICS, *(f"{name}@365.0" for name in AT_A_TIME), "recall:Her2"]
    names.append("mean_calibration:Her2")
    assert all(metric_in_words(name).meaning.endswith(".") for name in names)
    assert metric_in_words("brier@365.0").label == "Brier score at 365"
    assert metric_in_words("auc@365.0").label == "AUC at 365"
    assert "time 365 minus" in metric_in_words("mean_calibration@365.0").meaning
    assert metric_in_words("recall:a:b").label == "Recall of a:b"
    assert metric_in_words("mean_calibration:{}@1").label == "Mean calibration of {}@1"


@pytest.mark.parametrize("task", ["classification", "survival", "regression"])
def test_every_metric_that_assess_computes_has_words(task):
    table = predictions_table(task, models=("fused",))
    patients = sorted(table["patient"].unique())
    sets = held_out_sets(table, "test", patients)
    names = ASSESSED[task](sets, np.ones((1, len(patients))))
    assert all(metric_in_words(name).meaning for name in names)
    assert {name for name in names if is_of_a_class(name)} == {n for n in names if ":" in n}


def test_chance_is_what_knowing_nothing_reaches():
    assert chance_of("balanced_accuracy", 5) == 0.2
    assert chance_of("c_index", 0) == 0.5
    assert chance_of("r2", 0) == 0.0


def test_only_an_interval_wholly_above_chance_is_above_it():
    assert against_chance(row(0.6, 0.51, 0.7), 0.5) == "above"
    assert against_chance(row(0.6, 0.5, 0.7), 0.5) == "level"
    assert against_chance(row(0.4, 0.3, 0.49), 0.5) == "below"
    assert against_chance(row(0.6, math.nan, math.nan), 0.5) == "unknown"


def test_what_is_not_defined_is_null_in_a_figure():
    assert values([0.123456789, math.nan]) == [0.12346, None]


@given(st.text())
def test_json_in_the_page_cannot_end_its_element_and_reads_back(text):
    import json

    written = as_json({"name": text})
    assert "<" not in written
    assert "&" not in written
    assert json.loads(written) == {"name": text}


def test_a_name_in_a_figure_is_no_markup():
    assert label("<b>A & B</b>") == "&lt;b&gt;A &amp; B&lt;/b&gt;"


def test_numbers_at_risk_and_heights_are_read_off_the_curve():
    curve = pd.DataFrame(
        {"time": [0.0, 2.0, 5.0], "survival": [1.0, 0.8, 0.4], "at_risk": [10, 9, 4]}
    )
    assert [at_risk(curve, time) for time in (0, 1, 2, 3, 6)] == [10, 9, 9, 4, 0]
    assert survival_at(curve, 3) == 0.8
    assert math.isnan(survival_at(curve, 6))


@given(st.floats(1e-3, 1e6))
def test_times_at_risk_are_few_and_within_observation(last):
    times = times_at_risk(pd.DataFrame({"time": [0.0, last]}))
    assert times[0] == 0
    assert times[-1] <= last
    assert 2 <= len(times) <= 8
