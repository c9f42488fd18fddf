"""D-calibration: bins by hand, the test on curves that are right and wrong, and the own time.

The paper is that of Haider, Hoehn, Davis and Greiner, JMLR 21(85), 2020.
"""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare

from omicsfusion.assess.d_calibration import (
    LEAST_SAMPLES,
    d_calibration,
    own_survival,
    spread_over_bins,
)
from omicsfusion.assess.kaplan_meier import kaplan_meier
from omicsfusion.assess.summary import assess
from omicsfusion.models.baseline_hazard import survival_at
from omicsfusion.models.fit import asked_times, survival_columns
from omicsfusion.models.heads.choice import head_for
from omicsfusion.models.heads.discrete_hazards import survival_between
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.network_cohort import SCOPES, open_cohort, write_cohort
from tests.predictions_table import predictions_table
from tests.unit.test_assess_metrics import held_out


def sets_of(survival, event, time=None, fold=1):
    time = np.ones(len(survival)) if time is None else time
    return held_out({"own_survival": list(survival), "event": list(event), "time": time}, fold=fold)


def by_the_paper(survival: Fraction, event: bool) -> list[Fraction]:
    """A sample's part in each bin, in exact fractions, bin by bin (Haider et al. 2020).

    Of a sample censored at a survival S, between low and low + 1/10, that bin gets (S - low) / S,
    and each bin below it (1/10) / S.
    """
    tenth, parts = Fraction(1, 10), []
    for low in (Fraction(k, 10) for k in range(10)):
        in_it = low <= survival < low + tenth or (survival == 1 and low == Fraction(9, 10))
        if event:
            parts.append(Fraction(int(in_it)))
        elif in_it:
            parts.append((survival - low) / survival if survival else Fraction(1))
        else:
            parts.append(tenth / survival if low + tenth <= survival else Fraction(0))
    return parts


@pytest.mark.parametrize("event", [True, False])
def test_each_sample_lies_in_its_bin_or_is_spread_over_those_up_to_it(event):
    """Bins of a tenth, and censored samples spread over them, as Haider et al. 2020 have it."""
    values = [Fraction(k, 40) for k in range(41)] + [Fraction(1, 3), Fraction(999, 1000)]
    found = spread_over_bins(np.array([float(v) for v in values]), np.full(len(values), event))
    expected = [[float(part) for part in by_the_paper(v, event)] for v in values]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)


def test_a_censored_sample_by_hand():
    """Haider et al. 2020: of .25 at censoring .1 lies in each of two bins, .05 in the third."""
    found = spread_over_bins(np.array([0.25, 1.0]), np.array([False, False]))
    np.testing.assert_allclose(found[0], [0.4, 0.4, 0.2, *[0] * 7], atol=1e-12)
    np.testing.assert_allclose(found[1], [0.1] * 10, atol=1e-12)


def test_the_test_is_pearsons_over_all_folds_and_repeats_do_not_count_as_more_samples():
    """Haider et al. 2020: Pearson's chi-square of ten equal bins, 9 degrees of freedom."""
    rng = np.random.default_rng(3)
    survival, event = rng.uniform(size=80) ** 2, rng.random(80) < 0.6
    parts = [by_the_paper(Fraction(s), bool(e)) for s, e in zip(survival, event, strict=True)]
    counts = np.array([float(sum(bin_)) for bin_ in zip(*parts, strict=True)])
    folds = [sets_of(survival[:30], event[:30]), sets_of(survival[30:], event[30:], fold=2)]
    found = d_calibration("fused", folds)
    expected = chisquare(counts)
    assert found["statistic"] == pytest.approx(expected.statistic, abs=1e-8)
    assert found["p"] == pytest.approx(expected.pvalue, abs=1e-8)
    assert found["n"] == 80
    shares = [found[f"share_{i}"] for i in range(1, 11)]
    np.testing.assert_allclose(shares, counts / 80, atol=1e-12)
    again = d_calibration("fused", [*folds, *(replace(held, repeat=2) for held in folds)])
    assert again == pytest.approx(found)


def test_few_samples_have_a_statistic_and_no_p():
    few = d_calibration("fused", [sets_of([0.55] * 10, [1] * 10)])
    assert few["statistic"] == pytest.approx(90)
    assert np.isnan(few["p"])
    assert few["reason"] == "fewer than 50 samples"
    enough = d_calibration("fused", [sets_of([0.55] * LEAST_SAMPLES, [1] * LEAST_SAMPLES)])
    assert enough["p"] < 1e-20
    assert enough["reason"] == ""


def test_curves_that_are_right_pass_and_those_that_are_too_hopeful_or_too_sure_do_not():
    """Haider et al. 2020: survival at the time of the event is uniform if the curve is right."""
    rng = np.random.default_rng(1)
    rate = np.exp(rng.normal(size=600))
    death, end = rng.exponential(1 / rate), rng.exponential(1.0, size=600)
    time, event = np.minimum(death, end), death <= end
    assert 0.3 < event.mean() < 0.8
    right = np.exp(-rate * time)
    curves = {"right": right, "hopeful": right**0.5, "sure": np.exp(-(rate**2) * time)}
    p = {
        name: d_calibration("fused", [sets_of(own, event, time)])["p"]
        for name, own in curves.items()
    }
    assert p["right"] > 0.05
    assert p["hopeful"] < 1e-4
    assert p["sure"] < 1e-4


def test_a_failed_fit_has_the_curve_of_its_training_samples():
    rows = {"own_survival": [np.nan, 0.3], "time": [2.0, 2.0], "event": [1, 1]}
    training = {"time": [1.0, 2.0, 3.0, 4.0], "event": [1, 1, 0, 1]}
    held = held_out(rows, training)
    curve = kaplan_meier(np.array(training["time"]), np.array(training["event"]) == 1)
    assert own_survival(held).tolist() == [float(curve.at(2.0)), 0.3]
    nothing = held_out({**rows, "own_survival": [np.nan] * 2}, training)
    nobody = d_calibration("fused", [replace(nothing, training=nothing.training.iloc[:0])])
    assert np.isnan(nobody["statistic"])
    assert nobody["n"] == 0


def test_the_table_is_of_test_predictions_of_the_real_outcome():
    table = predictions_table("survival", patients=60, external=6)
    found = assess(table, "survival", seed=1)["d_calibration"]
    assert found["model"].tolist() == ["clinical", "fused"]
    assert found["n"].tolist() == [60, 60]
    elsewhere = table["scope"] != "test"
    table.loc[elsewhere, "own_survival"] = 0.01
    permuted = table.assign(permutation=1, own_survival=0.5)
    again = assess(pd.concat([table, permuted]), "survival", seed=1)["d_calibration"]
    pd.testing.assert_frame_equal(again, found)


def test_the_own_time_is_asked_of_the_same_curves_as_the_horizons(tmp_path):
    write_cohort(tmp_path, "survival", SCOPES[:1])
    reader, outcome = open_cohort(tmp_path, "survival")
    data = reader.load(SCOPES[0], ("rna",))
    risk = np.random.default_rng(2).normal(size=len(data.samples))
    rows = data.rows("test")
    own = outcome.table.loc[[data.samples[row] for row in rows], "time"].to_numpy()
    columns = survival_columns(data, risk, outcome, sorted(set(own)))
    found = [columns[f"s_{time:g}"][place] for place, time in enumerate(own)]
    np.testing.assert_array_equal(columns["own_survival"], found)
    head = head_for(outcome, sorted(set(own)), "discrete_hazard")
    raw = np.random.default_rng(4).normal(size=(2, len(data.samples), head.units))
    columns = head.columns(raw.astype(np.float32), risk[:, None], data, head.targets(data))
    found = [columns[f"s_{time:g}"][place] for place, time in enumerate(own)]
    np.testing.assert_array_equal(columns["own_survival"], found)
    assert np.ptp(columns["own_survival"]) > 0.1


def test_an_unknown_outcome_has_no_own_survival(tmp_path):
    write_cohort(tmp_path, "survival", SCOPES[:1])
    reader, _ = open_cohort(tmp_path, "survival")
    data = reader.load(SCOPES[0], ())
    first, second, *_ = (data.samples[row] for row in data.rows("test"))
    samples = read_tsv(tmp_path / "samples.tsv")
    samples.loc[samples["sample"] == first, ["time", "event"]] = np.nan
    samples.loc[samples["sample"] == second, "event"] = np.nan
    write_tsv(samples, tmp_path / "samples.tsv")
    _, outcome = open_cohort(tmp_path, "survival")
    asked = asked_times(data, outcome, [1.0])
    assert asked[:, 0].tolist() == [1.0] * len(asked)
    assert np.isnan(asked[:2, 1]).all()
    assert np.isfinite(asked[2:, 1]).all()
    risk = np.zeros(len(data.samples))
    columns = survival_columns(data, risk, outcome, [1.0])
    assert np.isnan(columns["own_survival"]).tolist() == [True, True] + [False] * (len(asked) - 2)
    assert np.isfinite(columns["s_1"]).all()


def test_curves_at_times_of_their_own():
    times, hazard = np.array([1.0, 2.0]), np.array([0.1, 0.4])
    found = survival_at(np.array([0.0, np.log(2)]), times, hazard, np.array([[0.5, 2.0], [1, 9]]))
    np.testing.assert_allclose(found, np.exp(-np.array([[0, 0.4], [0.2, 0.8]])), rtol=1e-12)
    hazards = np.array([[0.2, 0.6], [0.0, 1.0]])
    asked = np.array([[1.0, np.nan], [3.0, 9.0]])
    found = survival_between(hazards, np.array([2.0, 4.0]), asked)
    np.testing.assert_allclose(found, np.exp(-np.array([[0.1, np.nan], [0.5, 1.0]])), rtol=1e-12)
