"""Calibration, average precision and the integrated Brier score on cases reckoned by hand."""

import numpy as np
import pytest

from omicsfusion.assess.calibration_slope import Answers, logistic_slope
from omicsfusion.assess.classification import classification_metrics
from omicsfusion.assess.cox_slope import cox_slope, stratum
from omicsfusion.assess.held_out import held_out_sets
from omicsfusion.assess.regression import regression_metrics
from omicsfusion.assess.survival import survival_metrics
from tests.predictions_table import predictions_table
from tests.unit.test_assess_metrics import evaluate, held_out, without_predictions

METRICS = {
    "classification": classification_metrics,
    "survival": survival_metrics,
    "regression": regression_metrics,
}


def of_table(table, task):
    patients = sorted(table["patient"].unique())
    values = METRICS[task](held_out_sets(table, "test", patients), np.ones((1, len(patients))))
    return {name: found[0] for name, found in values.items()}


def slope_of(odds, truth, weights=None):
    odds, truth = np.array(odds, dtype=float), np.array(truth, dtype=bool)
    weights = np.ones((1, len(odds))) if weights is None else np.array(weights, dtype=float)
    return logistic_slope([Answers(odds, truth, weights)])


def test_a_table_of_two_by_two_has_the_log_of_its_odds_ratio_as_slope():
    # Of 4 with log odds 0 one is a member, of 4 with log odds 1 three: an odds ratio of 9.
    slope = slope_of([0] * 4 + [1] * 4, [1, 0, 0, 0, 1, 1, 1, 0])
    assert slope == pytest.approx(np.log(9), abs=1e-9)


def test_the_slope_is_not_defined_where_no_finite_one_fits_best():
    assert np.isnan(slope_of([0, 1, 2, 3], [0, 0, 1, 1]))
    assert np.isnan(slope_of([0, 1, 2, 3], [1, 1, 0, 0]))
    assert np.isnan(slope_of([0, 1, 1, 3], [0, 0, 1, 1]))
    assert np.isnan(slope_of([0, 1, 2, 3], [1, 1, 1, 1]))


def test_only_the_replicates_that_have_a_finite_slope_have_one():
    odds, truth = [0, 1, 2, 3, 4], [0, 1, 0, 1, 1]
    slopes = slope_of(odds, truth, [[1, 1, 1, 1, 1], [1, 0, 1, 1, 1], [0, 1, 0, 0, 2]])
    assert slopes[0] == pytest.approx(slope_of(odds, truth)[0], abs=1e-9)
    assert np.isnan(slopes[1:]).all()


def test_one_log_odds_for_all_is_a_slope_of_0():
    assert slope_of([0.3, 0.3, 0.3], [0, 1, 0]) == 0


def test_a_fold_of_one_class_does_not_move_the_slope_of_the_others():
    first = Answers(np.array([0, 1, 0, 1, 2.0]), np.array([0, 1, 1, 0, 1]) > 0, np.ones((1, 5)))
    second = Answers(np.array([9, -9.0]), np.array([True, True]), np.ones((1, 2)))
    assert logistic_slope([first, second]) == pytest.approx(logistic_slope([first]), abs=1e-9)


def test_probabilities_that_are_too_extreme_have_a_slope_below_1():
    rows = {"p_a": [0.9] * 4 + [0.1] * 4, "truth": list("aaab") + list("abbb")}
    rows["p_b"] = [1 - p for p in rows["p_a"]]
    training = {"truth": ["a", "b"]}
    slope = evaluate(classification_metrics, held_out(rows, training))["calibration_slope"]
    assert slope == pytest.approx(np.log(3) / np.log(9), abs=1e-9)


def test_a_risk_that_always_or_never_meets_the_event_has_no_finite_slope():
    time, event, once = np.array([1.0, 2.0, 3.0]), np.array([True, True, False]), np.ones((1, 3))
    assert np.isnan(cox_slope([stratum(time, event, np.array([3.0, 2.0, 1.0]), once)]))
    assert np.isnan(cox_slope([stratum(time, event, np.array([1.0, 2.0, 3.0]), once)]))
    assert cox_slope([stratum(time, event, np.array([1.0, 1.0, 1.0]), once)]) == 0


def test_the_cox_slope_of_three_patients_is_the_root_of_its_score():
    # Risks 0, 1, 0 in order of death: e^b = sqrt(2) solves e^b / (2 + e^b) + e^b / (1 + e^b) = 1.
    one = stratum(np.arange(1.0, 4.0), np.ones(3, bool), np.array([0.0, 1.0, 0.0]), np.ones((1, 3)))
    assert cox_slope([one]) == pytest.approx(np.log(2) / 2, abs=1e-9)


@pytest.mark.parametrize("task", list(METRICS))
def test_a_failed_fold_counts_as_a_slope_of_0_for_its_samples(task):
    table = predictions_table(task, patients=90, models=("fused",))
    table = table[table["repeat"] == 1]
    predicted = table.columns[table.columns.str.match("p_|s_|risk$|mean$")]
    rest = of_table(table[table["fold"] != 2], task)["calibration_slope"]
    table.loc[table["fold"] == 2, predicted] = np.nan
    assert of_table(table, task)["calibration_slope"] == pytest.approx(rest * 2 / 3, abs=1e-9)


@pytest.mark.parametrize("task", list(METRICS))
def test_a_model_all_of_whose_fits_failed_has_a_slope_of_0(task):
    sets = without_predictions(task)
    assert METRICS[task](sets, np.ones((1, 36)))["calibration_slope"] == 0


def test_a_model_without_predictions_has_the_other_metrics_of_chance():
    values = classification_metrics(without_predictions("classification"), np.ones((1, 36)))
    assert values["auprc"] == pytest.approx(values["auprc_base"])
    sets = without_predictions("survival")
    values = {k: v[0] for k, v in survival_metrics(sets, np.ones((1, 36))).items()}
    for name in ("antolini_c", "auc@1.5", "auc@3.0"):
        assert values[name] == 0.5
    assert values["ibs"] == pytest.approx((values["brier@1.5"] + values["brier@3.0"]) / 2)
    assert abs(values["mean_calibration@3.0"]) < 0.05


def test_average_precision_is_the_mean_precision_of_the_members():
    rows = {"p_a": [0.9, 0.8, 0.7, 0.6], "truth": ["a", "b", "a", "b"]}
    rows["p_b"] = [1 - p for p in rows["p_a"]]
    values = evaluate(classification_metrics, held_out(rows))
    of_a, of_b = (1 + 2 / 3) / 2, (1 + 2 / 3) / 2
    assert values["auprc"] == pytest.approx((of_a + of_b) / 2)
    assert values["auprc_base"] == 0.5


def test_mean_calibration_is_what_is_predicted_less_what_is_seen():
    rows = {"p_a": [0.6, 0.8], "p_b": [0.4, 0.2], "truth": ["b", "b"]}
    values = evaluate(classification_metrics, held_out(rows, {"truth": ["a", "b"]}))
    assert values["mean_calibration:a"] == pytest.approx(0.7)
    assert values["mean_calibration:b"] == pytest.approx(-0.7)
    rows = {"risk": [1.0, 0.0], "s_2": [0.2, 0.7], "time": [1.0, 3.0], "event": [1, 1]}
    value = evaluate(survival_metrics, held_out(rows))["mean_calibration@2"]
    assert value == pytest.approx(0.45 - 0.5)


def test_a_fold_whose_follow_up_ends_before_the_horizon_says_nothing_of_calibration_there():
    rows = {"risk": [1.0, 0.0], "s_2": [0.2, 0.7], "time": [1.0, 1.5], "event": [1, 0]}
    assert np.isnan(evaluate(survival_metrics, held_out(rows))["mean_calibration@2"])


def brier_rows(horizons):
    """Ten patients without censoring, one dying each year, and curves from 0.9 down."""
    rows = {"risk": np.arange(10.0), "time": np.arange(1.0, 11), "event": np.ones(10)}
    return rows | {f"s_{h}": 1 - h / 10 + np.linspace(-0.1, 0.1, 10) for h in horizons}


def test_the_integrated_brier_score_is_the_area_over_the_width():
    values = evaluate(survival_metrics, held_out(brier_rows([2, 3, 6])))
    area = (values["brier@2"] + values["brier@3"]) / 2
    area += 3 * (values["brier@3"] + values["brier@6"]) / 2
    assert values["ibs"] == pytest.approx(area / 4)


def test_the_integral_ends_with_the_last_horizon_before_tau():
    # The 90 % quantile of 1 to 10 is 9.1.
    beyond = evaluate(survival_metrics, held_out(brier_rows([2, 6, 9.5])))
    within = evaluate(survival_metrics, held_out(brier_rows([2, 6])))
    assert beyond["ibs"] == pytest.approx(within["ibs"])
    training = {"time": np.arange(1.0, 6), "event": np.ones(5)}
    early = evaluate(survival_metrics, held_out(brier_rows([2, 4, 6]), training))
    assert early["ibs"] == pytest.approx((early["brier@2"] + early["brier@4"]) / 2)


def test_the_integral_ends_with_the_last_patient_of_the_replicate():
    held = held_out(brier_rows([2, 4, 6]))
    weights = np.array([[1.0] * 5 + [0.0] * 5])
    values = {name: found[0] for name, found in survival_metrics([held], weights).items()}
    assert values["ibs"] == pytest.approx((values["brier@2"] + values["brier@4"]) / 2)


def test_one_horizon_has_no_integral():
    assert np.isnan(evaluate(survival_metrics, held_out(brier_rows([2])))["ibs"])


def test_the_auc_at_a_horizon_compares_the_dead_with_those_who_lived_on():
    rows = {"risk": [0.0] * 4, "time": [1.0, 2.0, 3.0, 4.0], "event": [1, 0, 1, 1]}
    rows |= {"s_2.5": [0.5, 0.1, 0.6, 0.4]}
    held = held_out(rows, {"time": [5.0], "event": [1]})
    # The first against the last two: below 0.6, above 0.4. The second was censored.
    assert evaluate(survival_metrics, held)["auc@2.5"] == 0.5


def test_antolinis_c_follows_curves_that_cross_where_one_risk_cannot():
    rows = {
        "risk": [1.0, 2.0, 0.0],
        "s_1": [0.5, 0.8, 0.9],
        "s_2": [0.4, 0.1, 0.2],
        "time": [1.0, 2.0, 3.0],
        "event": [1, 1, 0],
    }
    # At 1 the first is lowest (two pairs right); at 2 the second is below the third.
    values = evaluate(survival_metrics, held_out(rows))
    assert values["antolini_c"] == 1
    assert values["c_index"] == pytest.approx(2 / 3)
