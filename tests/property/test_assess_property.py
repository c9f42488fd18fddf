"""What holds of the metrics whatever the predictions."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omicsfusion.assess.average_precision import precision_sums
from omicsfusion.assess.bootstrap import patient_weights
from omicsfusion.assess.classification import classification_metrics
from omicsfusion.assess.held_out import held_out_sets
from omicsfusion.assess.pairs import class_pairs, event_pairs
from omicsfusion.assess.patterns import metrics_by_pattern, patterns_of
from omicsfusion.assess.regression import regression_metrics
from omicsfusion.assess.risk_groups import cut_points, risk_groups
from omicsfusion.assess.summary import assess
from omicsfusion.assess.survival import survival_metrics
from tests.predictions_table import layers_of, predictions_table

METRICS = {
    "classification": classification_metrics,
    "survival": survival_metrics,
    "regression": regression_metrics,
}
SEEDS = st.integers(0, 10_000)
NOT_OF_COPIES = ("auprc", "auprc_base")
"""Here copies of a sample are not among the others that its precision is about."""


def resampled(held, weights):
    """Return a held-out set in which each row stands as often as its patient's weight says."""
    times = weights[held.patients].astype(int)
    rows = held.rows.loc[held.rows.index.repeat(times)].reset_index(drop=True)
    return replace(held, rows=rows, patients=np.arange(len(rows)))


@pytest.mark.parametrize("task", list(METRICS))
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_weighting_patients_is_the_same_as_repeating_their_rows(task, seed):
    table = predictions_table(task, patients=18, samples_per_patient=2, seed=seed)
    table = table[table["model"] == "fused"]
    patients = sorted(table["patient"].unique())
    weights = np.random.default_rng(seed).multinomial(18, np.full(18, 1 / 18), size=3).astype(float)
    sets = held_out_sets(table, "test", patients)
    by_weight = METRICS[task](sets, weights)
    for replicate, drawn in enumerate(weights):
        copies = [copy for held in sets if len((copy := resampled(held, drawn)).rows)]
        n = max(len(copy.rows) for copy in copies)
        by_row = METRICS[task](copies, np.ones((1, n)))
        for name, values in by_row.items():
            if name in NOT_OF_COPIES:
                continue
            found = by_weight[name][replicate]
            assert found == pytest.approx(values[0], abs=1e-9, nan_ok=True), name


@settings(max_examples=30, deadline=None)
@given(
    seed=SEEDS,
    shift=st.floats(-1e3, 1e3),
    fold=st.sampled_from([1, 2, 3]),
    transform=st.sampled_from([np.exp, np.arctan, lambda risk: risk, lambda risk: risk**3]),
)
def test_c_indices_do_not_change_when_one_fold_has_another_scale(seed, shift, fold, transform):
    table = predictions_table("survival", seed=seed, models=("fused",))
    patients = sorted(table["patient"].unique())
    weights = np.ones((1, len(patients)))
    before = survival_metrics(held_out_sets(table, "test", patients), weights)
    here = table["fold"] == fold
    # Rounded: the table's risks have one decimal, and equal risks must stay equal.
    table.loc[here, "risk"] = transform(table.loc[here, "risk"] / 8).round(9) + round(shift)
    after = survival_metrics(held_out_sets(table, "test", patients), weights)
    assert after["c_index"] == before["c_index"]
    assert after["uno_c"] == pytest.approx(before["uno_c"], abs=1e-12)


@given(seed=SEEDS, score=st.sampled_from([0.2, 0.0, 1.0]))
def test_equal_scores_have_the_average_precision_of_the_base_rate_in_every_replicate(seed, score):
    rng = np.random.default_rng(seed)
    is_class, weights = rng.random(15) < 0.4, rng.integers(0, 4, (5, 15)).astype(float)
    reached, base, members = precision_sums(is_class, np.full(15, score), weights)
    assert reached == pytest.approx(base, abs=1e-12)
    assert members == pytest.approx(weights @ is_class)


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_replicates_of_the_average_precision_lie_around_the_estimate(seed):
    rng = np.random.default_rng(seed)
    is_class = np.arange(60) < 20
    score = rng.normal(size=60) + is_class
    drawn = patient_weights(60, seed, "test")
    once, replicates = (precision_sums(is_class, score, w) for w in (np.ones((1, 60)), drawn))
    for part in (0, 1):
        estimate, values = once[part] / once[2], replicates[part] / replicates[2]
        assert values.mean() == pytest.approx(estimate[0], abs=0.015)


SCORES = st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4, np.nan]), min_size=12, max_size=12)


@given(scores=SCORES, seed=SEEDS)
def test_reversed_scores_turn_the_auc_and_the_c_index_around(scores, seed):
    rng = np.random.default_rng(seed)
    score, time = np.array(scores), rng.integers(1, 6, 12).astype(float)
    weights = rng.integers(0, 4, (5, 12)).astype(float)
    flags = rng.random(12) < 0.5
    forward, back = class_pairs(flags, score, weights), class_pairs(flags, -score, weights)
    assert back.share == pytest.approx(1 - forward.share, nan_ok=True)
    forward = event_pairs(time, flags, score, weights)
    back = event_pairs(time, flags, -score, weights)
    assert back.share == pytest.approx(1 - forward.share, nan_ok=True)


@pytest.mark.parametrize("task", list(METRICS))
@settings(max_examples=2, deadline=None)
@given(seed=SEEDS)
def test_no_table_depends_on_the_order_of_rows(task, seed):
    table = predictions_table(task, patients=15, external=4, seed=seed)
    shuffled = table.sample(frac=1, random_state=seed).reset_index(drop=True)
    expected, found = assess(table, task, seed=1), assess(shuffled, task, seed=1)
    samples = layers_of(table)
    for tables, rows, known in (
        (expected, table, samples),
        (found, shuffled, samples.sample(frac=1, random_state=seed)),
    ):
        tables["by_pattern"] = metrics_by_pattern(rows, patterns_of(known), task, seed=1)
    for name in expected:
        pd.testing.assert_frame_equal(found[name], expected[name], check_exact=True)


@pytest.mark.parametrize("task", list(METRICS))
@settings(max_examples=2, deadline=None)
@given(seed=SEEDS)
def test_a_metric_of_identical_patients_has_an_interval_without_width(task, seed):
    table = predictions_table(task, patients=12, seed=seed, models=("fused",))
    for column in table.columns.difference(
        ["sample", "patient", "repeat", "fold", "inner", "scope"]
    ):
        table[column] = table[column].iloc[0]
    metrics = assess(table, task, seed=1)["metrics"].dropna(subset=["estimate", "ci_low"])
    assert len(metrics)
    assert metrics["ci_low"].to_numpy() == pytest.approx(metrics["estimate"].to_numpy())
    assert metrics["ci_high"].to_numpy() == pytest.approx(metrics["estimate"].to_numpy())


# What is learnt from predictions: the cut between high and low risk.


def garbage(how, n, rng):
    if how == "random":
        return rng.normal(size=n) * 50
    if how == "extreme":
        return rng.choice([-3e38, 3e38, 1e-38], size=n)
    return np.full(n, 7.0)


def spoilt(table, repeat, fold, how, share, seed):
    """Spoil some of a fold's test samples: risk and outcome in it, and all that other fits say.

    Where these samples are trained on, other models come of it: all predictions of the other folds
    and of the final scope may change. What this fold's fits say of its other samples cannot.
    """
    rng = np.random.default_rng(seed)
    here = (table["repeat"] == repeat) & (table["fold"] == fold)
    tested = sorted(table.loc[here & (table["scope"] == "test"), "sample"])
    bad = set(rng.choice(tested, max(1, round(share * len(tested))), replace=False))
    worse, theirs = table.copy(), table["sample"].isin(bad)
    for column in ("risk", "s_1.5", "s_3.0"):
        rows = theirs | ~here
        worse.loc[rows, column] = garbage(how, int(rows.sum()), rng)
    worse.loc[theirs, "time"] = np.abs(garbage(how, int(theirs.sum()), rng))
    worse.loc[theirs, "event"] = rng.integers(0, 2, int(theirs.sum()))
    return worse, bad


def groups_of_fold(table, repeat, fold):
    """Cut of a fold, and the groups of its test samples, as ASSESS finds them."""
    rows = table[(table["repeat"] == repeat) & (table["fold"] == fold)]
    cuts = cut_points(table)
    cut = cuts.loc[(cuts["repeat"] == repeat) & (cuts["fold"] == fold), "cut"]
    return cut.to_numpy(), risk_groups(rows).set_index("sample")


@pytest.mark.parametrize("how", ["random", "constant", "extreme"])
@settings(max_examples=15, deadline=None)
@given(
    seed=SEEDS,
    repeat=st.sampled_from([1, 2]),
    fold=st.sampled_from([1, 2, 3]),
    share=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_garbage_in_test_samples_moves_neither_the_cut_nor_the_groups_of_others(
    how, seed, repeat, fold, share
):
    table = predictions_table("survival", samples_per_patient=2, seed=seed, models=("fused",))
    worse, bad = spoilt(table, repeat, fold, how, share, seed)
    cut, groups = groups_of_fold(table, repeat, fold)
    cut_after, groups_after = groups_of_fold(worse, repeat, fold)
    assert cut_after.tobytes() == cut.tobytes()
    others = groups.index.difference(sorted(bad))
    pd.testing.assert_frame_equal(groups_after.loc[others], groups.loc[others], check_exact=True)


@pytest.mark.parametrize("how", ["random", "constant", "extreme"])
@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_garbage_in_test_predictions_leaves_every_cut_and_the_groups_of_all_others(how, seed):
    table = predictions_table("survival", external=4, seed=seed, models=("fused",))
    rng = np.random.default_rng(seed)
    bad = set(rng.choice(sorted(table.loc[table["scope"] == "test", "sample"]), 5, replace=False))
    rows = table["scope"] == "external"
    rows |= table["sample"].isin(bad) & (table["scope"] == "test")
    worse = table.copy()
    worse.loc[rows, "risk"] = garbage(how, int(rows.sum()), rng)
    before, after = (risk_groups(part).set_index("sample") for part in (table, worse))
    pd.testing.assert_frame_equal(cut_points(worse), cut_points(table), check_exact=True)
    others = before.index.difference(sorted(bad))
    pd.testing.assert_frame_equal(after.loc[others], before.loc[others], check_exact=True)


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, fold=st.sampled_from([1, 2, 3]))
def test_an_inner_prediction_does_move_the_cut_of_its_fold_and_of_no_other(seed, fold):
    table = predictions_table("survival", seed=seed, models=("fused",))
    # Ties broken: where the middle risks are equal, one risk may pass them and the median stay.
    table["risk"] += np.arange(len(table)) * 1e-4
    here = (table["scope"] == "inner") & (table["repeat"] == 1) & (table["fold"] == fold)
    moved = table.copy()
    moved.loc[table.loc[here, "risk"].idxmin(), "risk"] = 1e6
    before, after = cut_points(table), cut_points(moved)
    its_own = (before["repeat"] == 1) & (before["fold"] == fold)
    assert (after["cut"] > before["cut"]).tolist() == its_own.tolist()
    assert (after["cut"] != before["cut"]).tolist() == its_own.tolist()
