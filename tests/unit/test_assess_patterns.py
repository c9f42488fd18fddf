"""Metrics by the layers that samples have: which pairs count, and when there are too few."""

import numpy as np
import pandas as pd
import pytest

from omicsfusion.assess.patterns import (
    INCOMPARABLE,
    LEAST_EVENTS,
    LEAST_SAMPLES,
    REPORTED,
    metrics_by_pattern,
    patterns_of,
)
from omicsfusion.assess.predictions import PredictionsError
from omicsfusion.assess.summary import assess
from omicsfusion.tables.outcome import TASKS
from tests.predictions_table import layers_of, predictions_table

FIRST, SECOND = [5.0, 4.0, 3.0, 2.0, 1.0], [105.0, 104.0, 103.0, 101.0, 102.0]
"""Risks of two folds of five samples who die one after the other: 10 and 9 of 10 pairs in order.
Were the folds pooled, the samples of the second would seem to die first."""


def fold(number, layers, risk, time=(1.0, 2.0, 3.0, 4.0, 5.0), event=1):
    """Test predictions of one outer fold, all samples with the same layers."""
    names = [f"{layers}-{number}-{i}" for i in range(len(risk))]
    ids = {"permutation": 0, "target": "os", "model": "fused", "scope": "test"}
    table = pd.DataFrame({"sample": names, "patient": names, "layers": layers, "risk": risk})
    return table.assign(
        **ids, repeat=1, fold=number, inner="outer", time=list(time), event=event
    ).assign(**{"s_2.0": 0.5})


def told(*folds, task="survival"):
    """The rows of the headline metric, by pattern."""
    table = pd.concat(folds, ignore_index=True)
    samples = table[["sample", "layers"]]
    found = metrics_by_pattern(table.drop(columns="layers"), patterns_of(samples), task, seed=1)
    return found[found["metric"] == REPORTED[task][0]].set_index("pattern")


def test_a_pattern_is_its_layers_whatever_their_order():
    samples = pd.DataFrame({"sample": ["a", "b"], "layers": ["rna;cnv", "cnv;rna"]})
    assert patterns_of(samples).tolist() == ["cnv;rna"] * 2


def test_a_c_index_counts_the_pairs_of_a_pattern_within_folds():
    # The samples with rna only are all in the wrong order: counted in, they would pull it down.
    wrong = fold(1, "rna", [1.0, 2.0, 3.0, 4.0, 5.0])
    found = told(fold(1, "cnv;rna", FIRST), fold(2, "cnv;rna", SECOND), wrong)
    row = found.loc["cnv;rna"]
    assert row["estimate"] == pytest.approx(19 / 20)
    assert row["ci_low"] <= 19 / 20 <= row["ci_high"] <= 1
    assert (row["n"], row["n_events"], row["reason"]) == (10, 10, "")


def test_one_sample_less_than_enough_is_told_with_its_number_and_why():
    assert LEAST_SAMPLES == 10
    enough = fold(1, "cnv;rna", FIRST), fold(2, "cnv;rna", SECOND)
    found = told(*enough, fold(1, "rna", FIRST), fold(2, "rna", SECOND).iloc[:4])
    assert found.index.tolist() == ["cnv;rna", "rna"]
    row = found.loc["rna"]
    assert row[["estimate", "ci_low", "ci_high"]].isna().all()
    assert (row["n"], row["n_events"], row["reason"]) == (9, 9, "fewer than 10 samples")


@pytest.mark.parametrize(("events", "reason"), [(4, "fewer than 5 events"), (5, "")])
def test_too_few_events_are_told_too(events, reason):
    assert LEAST_EVENTS == 5
    first = fold(1, "rna", FIRST, event=[1, 1, 0, 0, 0])
    second = fold(2, "rna", SECOND, event=[1] * (events - 2) + [0] * (7 - events))
    row = told(first, second).loc["rna"]
    assert (row["n"], row["n_events"], row["reason"]) == (10, events, reason)
    assert np.isnan(row["estimate"]) == bool(reason)


def test_where_no_two_samples_of_a_fold_can_be_compared_it_is_said():
    alone = [fold(number, "rna", [1.0], time=[3.0]) for number in range(1, 12)]
    row = told(*alone).loc["rna"]
    assert np.isnan(row["estimate"])
    assert (row["n"], row["reason"]) == (11, INCOMPARABLE)


def test_one_class_only_says_nothing_of_telling_classes_apart():
    table = predictions_table("classification", patients=36)
    samples = table[["sample", "truth"]].drop_duplicates("sample")
    layers = np.where(samples["truth"] == "basal", "rna", "cnv;rna")
    found = metrics_by_pattern(
        table, patterns_of(samples.assign(layers=layers)), "classification", seed=1
    )
    basal = found[found["pattern"] == "rna"]
    assert set(basal["reason"]) == {"all of one class"}
    assert basal["estimate"].isna().all()
    assert set(basal["n"]) == {12}
    assert found.loc[found["pattern"] == "cnv;rna", "estimate"].notna().all()


@pytest.mark.parametrize("task", TASKS)
def test_with_one_pattern_the_metrics_are_those_of_all_samples(task):
    table = predictions_table(task, external=4, samples_per_patient=2)
    samples = layers_of(table).assign(layers="rna")
    found = metrics_by_pattern(table, patterns_of(samples), task, seed=1)
    metrics = assess(table, task, seed=1)["metrics"]
    metrics = metrics[(metrics["scope"] == "test") & metrics["metric"].isin(REPORTED[task])]
    assert found["metric"].tolist() == [*REPORTED[task]] * 2
    assert found[["model", "n"]].to_numpy().tolist() == metrics[["model", "n"]].to_numpy().tolist()
    for column in ("estimate", "ci_low", "ci_high"):
        np.testing.assert_allclose(found[column], metrics[column], rtol=1e-9)


def test_r2_of_a_pattern_is_around_the_mean_of_all_samples_of_the_fold():
    # Each fold has truths 0 … 5 (mean 2.5) and every prediction errs by 1. The ten samples of the
    # pattern are the ends, 0 and 5: squared errors 10, squares around 2.5 are 10 x 6.25. Around
    # their own means there would be none: each fold has one of them.
    parts = []
    for number in range(1, 11):
        truth = np.arange(6.0)
        end = 0 if number % 2 else 5
        names = [f"{number}-{i}" for i in range(6)]
        layers = ["rna" if i == end else "cnv" for i in range(6)]
        part = pd.DataFrame({"sample": names, "patient": names, "layers": layers, "truth": truth})
        ids = {"permutation": 0, "target": "y", "model": "linear", "scope": "test"}
        parts.append(part.assign(**ids, repeat=1, fold=number, inner="outer", mean=truth + 1, sd=1))
    found = told(*parts, task="regression")
    assert found.loc["rna", "estimate"] == pytest.approx(1 - 10 / 62.5)
    assert found.loc["cnv", "estimate"] == pytest.approx(1 - 50 / (175 - 62.5))


def test_the_pattern_of_most_samples_comes_first_and_all_models_are_there():
    table = predictions_table("survival")
    found = metrics_by_pattern(table, patterns_of(layers_of(table)), "survival", seed=1)
    firsts = found.drop_duplicates(["model", "pattern"])
    assert firsts["model"].tolist() == ["clinical", "clinical", "fused", "fused"]
    assert firsts["pattern"].tolist() == ["cnv;rna", "rna"] * 2
    assert firsts["n"].tolist() == [24, 12] * 2
    assert set(found["scope"]) == {"test"}


def test_permuted_outcomes_and_external_cohorts_stay_out():
    table = predictions_table("survival", external=4, models=("fused",))
    both = pd.concat([table, table.assign(permutation=1)], ignore_index=True)
    patterns = patterns_of(layers_of(table))
    found = metrics_by_pattern(both, patterns, "survival", seed=1)
    assert set(found["permutation"]) == {0}
    assert found.drop_duplicates("pattern")["n"].sum() == 36


def test_a_sample_without_known_layers_is_an_error():
    table = predictions_table("survival", models=("fused",))
    with pytest.raises(PredictionsError, match=r"S000-0\."):
        metrics_by_pattern(table, patterns_of(layers_of(table).iloc[1:]), "survival", seed=1)
