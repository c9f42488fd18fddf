"""Measures of batch strength: by hand, and between their ends."""

import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import NearestNeighbors

from omicsfusion.preprocess.batch.strength import (
    Components,
    batch_strength,
    kbet_neighbours,
    kbet_rejection,
    lisi,
    lisi_neighbours,
    merge_rare,
    partial_pc_regression,
    pc_regression,
    principal_components,
    silhouette,
)
from omicsfusion.preprocess.batch.table import BATCH_COLUMNS, measure_batch

MEASURES = ["PC regression", "kBET rejection", "LISI", "silhouette"]


def cohort(shift, n=200, n_features=30, seed=0):
    rng = np.random.default_rng(seed)
    batch = np.array([f"b{k % 3}" for k in range(n)], dtype=object)
    number = np.arange(n) % 3
    return rng.normal(size=(n, n_features)) + shift * number[:, None], batch


def measured(X, batch, given=None):
    return batch_strength(X, batch, given).set_index("measure")["value"]


def test_pc_regression_is_the_variance_weighted_share_between_batches():
    codes = np.array([0, 0, 1, 1])
    scores = np.array([[3.0, 1], [1, -1], [-1, 1], [-3, -1]])
    # Component 1: 16 of 20 lie between the batches; component 2: none of 4.
    parts = Components(scores, np.array([20 / 3, 4 / 3]))
    assert pc_regression(parts, codes) == pytest.approx(0.8 * 20 / 24, rel=1e-12)


def test_partial_pc_regression_is_the_share_of_what_is_left():
    rng = np.random.default_rng(0)
    codes, given = np.arange(60) % 2, rng.normal(size=60)
    score = 3 * given + codes + rng.normal(size=60)
    design = np.column_stack([np.ones(60), given])
    full = np.column_stack([design, codes])
    left = [((score - D @ np.linalg.pinv(D) @ score) ** 2).sum() for D in (design, full)]
    found = partial_pc_regression(Components(score[:, None], np.ones(1)), codes, design)
    assert found == pytest.approx(1 - left[1] / left[0], rel=1e-10)


def test_kbet_tests_each_neighbourhood_by_chi_squared():
    # Two heaps apart: a neighbourhood of 6 holds its own batch only, 6 and 0 where 3 and 3 are
    # expected: chi-squared 6, p 0.014. Of 3: chi-squared 3, p 0.083.
    scores = np.r_[np.arange(10.0), 1000 + np.arange(10.0)][:, None]
    apart, mixed = np.repeat([0, 1], 10), np.arange(20) % 2
    assert kbet_rejection(scores, apart, 6) == 1
    assert kbet_rejection(scores, apart, 3) == 0
    assert kbet_rejection(scores, mixed, 6) == 0


def test_kbet_counts_the_rarest_batches_as_one():
    sizes = [50, 30, 10, 6, 4]
    codes = np.repeat(np.arange(5), sizes)
    # Among 10, batches of 10 or more of 100 are expected once; 6 and 4 make 10 together.
    assert np.bincount(merge_rare(codes, 10)).tolist() == [10, 50, 30, 10]
    # Among 9 none of 11 or less, together 20.
    assert np.bincount(merge_rare(codes, 9)).tolist() == [20, 50, 30]
    # 4 alone is too rare among 17, and takes the next one along.
    assert np.bincount(merge_rare(codes, 17)).tolist() == [10, 50, 30, 10]
    assert np.bincount(merge_rare(codes, 25)).tolist() == sizes
    assert not merge_rare(np.arange(30), 1).any()
    assert kbet_rejection(np.arange(30.0)[:, None], np.arange(30), 1) == 0


def test_small_batches_have_no_part():
    X, batch = cohort(1)
    few = batch.copy()
    few[:4] = "few"
    pd.testing.assert_frame_equal(batch_strength(X, few), batch_strength(X[4:], batch[4:]))


def test_lisi_is_the_inverse_simpson_index_of_neighbours():
    # The outer points see a, a / b, b; the inner ones both.
    scores = np.array([[0.0], [1], [2.5], [4], [5]])
    codes = np.array([0, 0, 1, 1, 1])
    neighbours = [[1, 2], [0, 2], [1, 3], [4, 2], [3, 2]]
    found = NearestNeighbors(n_neighbors=2).fit(scores).kneighbors(return_distance=False)
    assert [sorted(row) for row in found] == [sorted(row) for row in neighbours]
    assert lisi(scores, codes, 2) == pytest.approx((2 + 2 + 2 + 1 + 1) / 5, rel=1e-12)


def test_silhouette_is_the_mean_width():
    scores = np.array([[0.0], [10], [0], [10]])
    codes = np.array([0, 0, 1, 1])
    # Own distance 10, other distance 5: -0.5 for each.
    assert silhouette(scores, codes) == pytest.approx(-0.5, rel=1e-12)


def test_neighbourhoods_follow_the_sizes():
    assert kbet_neighbours(np.array([100, 60])) == 20
    assert kbet_neighbours(np.array([5, 6])) == 10
    assert kbet_neighbours(np.array([3, 4])) == 7
    assert kbet_neighbours(np.array([900, 900])) == 70
    assert [lisi_neighbours(n) for n in (2, 10, 100, 5000)] == [1, 3, 33, 90]


def test_a_strong_batch_shows_in_every_measure_and_none_in_none():
    none, strong = (measured(*cohort(shift)) for shift in (0, 3))
    assert strong["PC regression"] > 0.4 > 0.05 > none["PC regression"]
    assert strong["kBET rejection"] == 1 > 0.15 > none["kBET rejection"]
    assert strong["LISI"] < 1.1 < 2.7 < none["LISI"]
    assert strong["silhouette"] > 0.4 > 0.02 > none["silhouette"]


def test_what_the_outcome_explains_is_not_put_on_the_batch():
    rng = np.random.default_rng(0)
    n = 300
    outcome = rng.integers(0, 2, n)
    batch = np.where(rng.random(n) < 0.2 + 0.6 * outcome, "a", "b").astype(object)
    X = rng.normal(size=(n, 20)) + 2 * outcome[:, None]
    words = np.where(outcome == 1, "case", "control").astype(object)
    for given in (words, outcome.astype(float)):
        found = measured(X, batch, given)
        assert found["PC regression"] > 0.1
        assert found["PC regression, partial"] < 0.01


def test_missing_values_constant_features_and_unnamed_batches_do_no_harm():
    X, batch = cohort(1)
    X[::7, 3] = np.nan
    X[:, 4] = np.nan
    X[:, 5] = 2
    batch[:20] = ""
    found = batch_strength(X, batch)
    assert found["measure"].tolist() == MEASURES
    assert np.isfinite(found["value"]).all()
    np.testing.assert_array_equal(found["value"], batch_strength(X[20:], batch[20:])["value"])


@pytest.mark.parametrize("n", [15, 5000])
def test_few_and_many_samples_are_measured_twice_alike(n):
    X, batch = cohort(1, n=n)
    batch = np.where(batch == "b2", "b1", batch)
    pd.testing.assert_frame_equal(batch_strength(X, batch), batch_strength(X, batch))
    assert batch_strength(X, batch)["measure"].tolist() == MEASURES


def test_what_cannot_be_measured_is_left_out():
    X, batch = cohort(1, n=20)
    assert batch_strength(X[:9], batch[:9]).empty
    assert batch_strength(X, np.full(20, "a", dtype=object)).empty
    assert batch_strength(X, np.array([str(k) for k in range(20)], dtype=object)).empty
    assert batch_strength(np.ones((20, 3)), batch).empty


def test_components_are_of_standardised_features():
    X, _ = cohort(0)
    parts = principal_components(X)
    np.testing.assert_allclose(
        principal_components(X * np.arange(1, 31) + 7).variance, parts.variance, rtol=1e-9
    )
    assert parts.scores.shape == (200, 20)


def test_the_table_tells_before_after_and_outcome():
    X, batch = cohort(2)
    batch[:3] = ["x", "x", ""]
    outcome = np.where(np.arange(200) % 5 < 2, "case", "control").astype(object)
    after, _ = cohort(0)
    table = measure_batch(X, after, batch, outcome, "classification")
    assert list(table) == BATCH_COLUMNS
    assert table["stage"].tolist() == ["before"] * 6 + ["after"] * 5 + ["outcome"] * 3
    first = table.iloc[0]
    assert (first["measure"], first["value"]) == ("batches", 4)
    assert first["note"] == (
        "1 of them under 5 samples, left out of the measures; 1 samples without a batch"
    )
    explained = table[table["measure"] == "PC regression"].set_index("stage")["value"]
    assert explained["before"] > 0.3 > 0.05 > explained["after"]
    assert "mean -0." in table[table["measure"] == "silhouette"].iloc[1]["note"]
    assert table.iloc[-3]["measure"] == "Cramer's V"
    assert table.iloc[-3]["note"] == "verdict: warn"
    assert "1 of 4 batches have one class" in table.iloc[-2]["note"]


def test_the_table_needs_neither_a_correction_nor_an_outcome():
    X, batch = cohort(2, n=9)
    table = measure_batch(X, None, batch, None, "classification")
    assert table["measure"].tolist() == ["batches"]
    assert "strength needs 2 batches and 10 samples or more" in table["note"][0]
    times = np.column_stack([np.arange(1.0, 10), np.arange(9) % 2])
    table = measure_batch(X, None, batch, times, "survival")
    assert table["measure"].tolist()[1] == "log-rank chi-squared"
