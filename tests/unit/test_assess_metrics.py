"""Metrics on cases small enough to be reckoned by hand, and on cases without an answer."""

import numpy as np
import pandas as pd
import pytest

from omicsfusion.assess.bootstrap import patient_weights, percentile_interval
from omicsfusion.assess.classification import classification_metrics, corrected_probabilities
from omicsfusion.assess.held_out import HeldOut, held_out_sets
from omicsfusion.assess.kaplan_meier import kaplan_meier
from omicsfusion.assess.regression import regression_metrics
from omicsfusion.assess.survival import survival_metrics
from tests.predictions_table import predictions_table


def held_out(rows, training=None, fold=1):
    """Make a held-out set of columns; every row is another patient."""
    table = pd.DataFrame(rows)
    training = table if training is None else pd.DataFrame(training)
    return HeldOut(1, fold, (1, 0), table, training, np.arange(len(table)))


def evaluate(metrics, *sets):
    """Return each metric's value with every patient once."""
    n = max(len(held.rows) for held in sets)
    return {name: values[0] for name, values in metrics(sets, np.ones((1, n))).items()}


def without_predictions(task):
    """Return the held-out sets of a model all of whose fits failed."""
    table = predictions_table(task, models=("fused",))
    ids_and_outcome = ("permutation", "target", "model", "scope", "repeat", "fold", "inner")
    ids_and_outcome += ("sample", "patient", "truth", "time", "event")
    lost = [name for name in table.columns if name not in ids_and_outcome]
    table[lost] = np.nan
    return held_out_sets(table, "test", sorted(table["patient"].unique()))


def test_risks_of_different_folds_are_never_compared():
    first = held_out({"risk": [2.0, 1.0], "time": [1.0, 2.0], "event": [1, 1]})
    second = held_out({"risk": [200.0, 100.0], "time": [3.0, 4.0], "event": [1, 1]}, fold=2)
    assert evaluate(survival_metrics, first, second)["c_index"] == 1


def test_folds_count_by_their_pairs():
    right = held_out({"risk": [3.0, 2.0, 1.0], "time": [1.0, 2.0, 3.0], "event": [1, 1, 1]})
    wrong = held_out({"risk": [1.0, 2.0], "time": [1.0, 2.0], "event": [1, 1]}, fold=2)
    assert evaluate(survival_metrics, right, wrong)["c_index"] == 3 / 4


def test_equal_risks_count_half_and_censored_patients_only_as_the_longer_lived():
    rows = {"risk": [1.0, 1.0, 5.0], "time": [1.0, 2.0, 0.5], "event": [1, 1, 0]}
    assert evaluate(survival_metrics, held_out(rows))["c_index"] == 0.5


def test_a_fold_without_comparable_pairs_adds_nothing():
    empty = held_out({"risk": [1.0, 2.0], "time": [1.0, 2.0], "event": [0, 0]})
    full = held_out({"risk": [2.0, 1.0], "time": [1.0, 2.0], "event": [1, 1]}, fold=2)
    assert np.isnan(evaluate(survival_metrics, empty)["c_index"])
    assert evaluate(survival_metrics, empty, full)["c_index"] == 1


def test_without_training_samples_censoring_is_unknown_and_so_are_the_metrics_that_need_it():
    rows = {"risk": [2.0, 1.0], "s_1": [0.2, 0.8], "time": [1.0, 2.0], "event": [1, 1]}
    values = evaluate(survival_metrics, held_out(rows, training={"time": [], "event": []}))
    assert values["c_index"] == 1
    assert np.isnan(values["uno_c"])
    assert np.isnan(values["brier@1"])


def test_without_censoring_the_brier_score_is_the_mean_squared_error():
    rows = {"risk": [1.0, 1.0], "s_2": [0.2, 0.7], "time": [1.0, 3.0], "event": [1, 1]}
    value = evaluate(survival_metrics, held_out(rows))["brier@2"]
    assert value == pytest.approx((0.2**2 + 0.3**2) / 2)


def test_a_model_without_survival_predictions_counts_as_chance():
    sets = without_predictions("survival")
    values = {k: v[0] for k, v in survival_metrics(sets, np.ones((1, 36))).items()}
    assert values["c_index"] == 0.5
    assert values["uno_c"] == pytest.approx(0.5)
    for held in sets:
        curve = kaplan_meier(held.training["time"].to_numpy(), held.training["event"].to_numpy())
        held.rows["s_3.0"] = float(curve.at(3.0))
    same = survival_metrics(sets, np.ones((1, 36)))
    assert values["brier@3.0"] == pytest.approx(same["brier@3.0"][0])


def test_a_model_without_class_predictions_counts_as_chance():
    values = classification_metrics(without_predictions("classification"), np.ones((1, 36)))
    for name in ("balanced_accuracy", "accuracy", "recall:basal", "recall:her2"):
        assert values[name] == pytest.approx(1 / 3)
    assert values["auroc"] == 0.5
    assert values["mcc"] == pytest.approx(0, abs=1e-12)
    assert values["log_loss"] == pytest.approx(np.log(3))
    assert values["brier"] == pytest.approx(2 / 3)


def test_a_model_without_numeric_predictions_counts_as_chance():
    values = regression_metrics(without_predictions("regression"), np.ones((1, 36)))
    assert values["pearson"] == 0
    assert values["spearman"] == 0
    assert values["r2"] <= 0


def test_a_failed_fold_is_not_left_out_but_drags_the_model_down():
    table = predictions_table("survival", models=("fused",))
    patients = sorted(table["patient"].unique())
    whole = survival_metrics(held_out_sets(table, "test", patients), np.ones((1, 36)))
    table.loc[table["fold"] == 2, "risk"] = np.nan
    failed = survival_metrics(held_out_sets(table, "test", patients), np.ones((1, 36)))
    assert 0.5 < failed["c_index"] < whole["c_index"]


def test_probabilities_are_corrected_to_those_of_the_population_of_the_training_samples():
    # Two classes seen through one number, N(-1, 1) and N(1, 1), nine of ten samples of the first.
    x = np.linspace(-2, 2, 9)
    density = np.stack([np.exp(-0.5 * (x + 1) ** 2), np.exp(-0.5 * (x - 1) ** 2)], axis=1)
    balanced = density / density.sum(axis=1, keepdims=True)
    bayes = density * [0.9, 0.1] / (density * [0.9, 0.1]).sum(axis=1, keepdims=True)
    rows = {"p_a": balanced[:, 0], "p_b": balanced[:, 1], "truth": ["a"] * 9}
    held = held_out(rows, training={"truth": ["a"] * 9 + ["b"]})
    np.testing.assert_allclose(corrected_probabilities(held, ["a", "b"]), bayes, rtol=1e-12)
    values = evaluate(classification_metrics, held)
    assert values["log_loss"] == pytest.approx(-np.log(bayes[:, 0]).mean())
    assert values["brier"] == pytest.approx(2 * np.mean((1 - bayes[:, 0]) ** 2))
    # What the class of a sample is called is the choice among equally common classes.
    assert values["recall:a"] == np.mean((x < 0) + 0.5 * (x == 0))


def test_probabilities_stay_where_no_training_sample_is_known():
    rows = {"p_a": [0.7], "p_b": [0.3], "truth": ["a"]}
    held = held_out(rows, training={"truth": []})
    np.testing.assert_array_equal(corrected_probabilities(held, ["a", "b"]), [[0.7, 0.3]])


def test_a_tie_for_the_highest_probability_is_split():
    rows = {"p_a": [0.5, 0.9], "p_b": [0.5, 0.1], "truth": ["b", "a"]}
    values = evaluate(classification_metrics, held_out(rows))
    assert values["recall:b"] == 0.5
    assert values["balanced_accuracy"] == 0.75


def test_a_class_that_does_not_occur_has_no_recall_and_leaves_the_mean():
    rows = {"p_a": [0.9, 0.2], "p_b": [0.1, 0.7], "p_c": [0.0, 0.1], "truth": ["a", "b"]}
    values = evaluate(classification_metrics, held_out(rows))
    assert np.isnan(values["recall:c"])
    assert values["balanced_accuracy"] == 1


def test_a_fold_of_one_class_has_no_auroc():
    rows = {"p_a": [0.9, 0.8], "p_b": [0.1, 0.2], "truth": ["a", "a"]}
    values = evaluate(classification_metrics, held_out(rows))
    assert np.isnan(values["auroc"])
    assert values["mcc"] == 0


def test_a_sure_error_costs_much_but_not_infinitely_much():
    rows = {"p_a": [0.0], "p_b": [1.0], "truth": ["a"]}
    assert 30 < evaluate(classification_metrics, held_out(rows))["log_loss"] < 40


def test_equal_predictions_have_correlation_0_and_equal_truths_have_none():
    flat = held_out({"mean": [0.1, 0.1, 0.1], "truth": [1.0, 2.0, 4.0]})
    assert evaluate(regression_metrics, flat)["pearson"] == 0
    same = held_out({"mean": [1.0, 2.0, 4.0], "truth": [0.1, 0.1, 0.1]})
    assert np.isnan(evaluate(regression_metrics, same)["spearman"])
    assert np.isnan(evaluate(regression_metrics, same)["r2"])


def test_training_samples_of_a_fit_are_those_of_the_inner_predictions():
    table = predictions_table("survival", patients=12, external=2, models=("fused",))
    patients = sorted(table["patient"].unique())
    for held in held_out_sets(table, "test", patients):
        assert set(held.training["sample"]) == {f"S{n:03d}-0" for n in range(12)} - set(
            held.rows["sample"]
        )
    for held in held_out_sets(table, "inner", patients):
        assert not set(held.training["sample"]) & set(held.rows["sample"])
        assert len(held.training) + len(held.rows) == 8
    (final,) = held_out_sets(table, "external", patients)
    assert len(final.training) == 12
    assert len(final.rows) == 2


def test_every_replicate_draws_as_many_patients_as_there_are():
    weights = patient_weights(17, seed=1, scope="test")
    assert weights.shape == (1000, 17)
    assert (weights.sum(axis=1) == 17).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(17), abs=0.2)


def test_scopes_draw_differently_and_the_same_scope_alike():
    first = patient_weights(17, seed=1, scope="test")
    assert (patient_weights(17, seed=1, scope="test") == first).all()
    assert (patient_weights(17, seed=1, scope="inner") != first).any()


def test_an_interval_needs_a_metric_that_most_replicates_define():
    """Percentiles 2.5 and 97.5 of the replicates (Efron & Tibshirani 1993, chapter 13)."""
    found = percentile_interval(np.append(np.arange(101.0), [np.nan] * 20))
    assert found == pytest.approx((2.5, 97.5))
    assert np.isnan(percentile_interval(np.append(np.arange(10.0), [np.nan] * 20))).all()
