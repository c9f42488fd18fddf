import h5py
import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from omicsfusion.preprocess.outliers import OutlierRule, robust_z, sample_measures

NAN = np.nan
N, P = 80, 40


def correlated(seed=0, n=N):
    """Samples x P features that follow three hidden numbers."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 3)) @ rng.normal(size=(3, P)) + rng.normal(size=(n, P)) + 20


@parametrize_with_checks([OutlierRule()])
def test_scikit_learns_checks_pass(estimator, check):
    check(estimator)


def test_samples_are_measured_one_by_one():
    found = sample_measures(np.array([[1, 2, 3, NAN, 6], [NAN] * 5, [4, 4, 4, 4, 4]]))
    np.testing.assert_allclose(found["missing"], [0.2, 1, 0])
    np.testing.assert_array_equal(found["total"], [12, NAN, 20])
    np.testing.assert_array_equal(found["median"], [2.5, NAN, 4])
    np.testing.assert_array_equal(found["spread"], [2, NAN, 0])


def test_a_robust_z_of_other_samples_uses_their_centre_and_spread():
    np.testing.assert_array_equal(robust_z([3, NAN, 1], centre=1, spread=2), [1, 0, 0])


def test_where_most_samples_are_equal_none_is_far():
    assert not robust_z([1, 1, 1, 1, 900]).any()


def test_samples_like_the_others_are_not_outlying():
    X = correlated()
    assert not OutlierRule().fit(X).judge(X)["outlying"].any()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda row: np.where(np.arange(P) < P // 2, NAN, row), "missing"),
        (lambda row: row + 15, "median"),
        (lambda row: row + 15, "total"),
        (lambda row: 20 + 9 * (row - 20), "spread"),
    ],
)
def test_a_spoilt_sample_is_outlying_and_told_why(spoil, reason):
    X = correlated()
    X[3] = spoil(X[3])
    table = OutlierRule().fit(X).judge(X)
    assert np.flatnonzero(table["outlying"]).tolist() == [3]
    assert f"{reason} " in table["reasons"][3]
    assert "(robust z " in table["reasons"][3]
    assert set(table["reasons"].drop(3)) == {""}


def test_a_sample_far_along_a_component_is_outlying_by_its_distance():
    rng = np.random.default_rng(1)
    axis = rng.choice([-1.0, 1.0], size=P)
    X = np.outer(np.r_[rng.normal(size=N) * 0.3, [9, 9, 9, -9, -9, -9]], axis)
    X += rng.normal(size=X.shape)
    table = OutlierRule().fit(X).judge(X)
    assert table["reasons"].str.contains("distance").tolist() == [False] * N + [True] * 6


def test_a_sample_with_its_values_in_the_wrong_places_is_outlying_by_its_residual():
    X = correlated(n=300)
    rule = OutlierRule().fit(X)
    wrong = 20 + 2.5 * np.random.default_rng(5).permutation(X[7] - 20)
    reasons = rule.judge(np.array([X[7], wrong]))["reasons"]
    assert reasons[0] == ""
    assert "residual" in reasons[1]


def test_a_single_huge_value_is_no_distance():
    X = correlated()
    X[3, 5] = 36_893
    table = OutlierRule().fit(X).judge(X)
    assert table["reasons"][3].split()[0] == "total"
    assert table["distance"].max() < 8


def test_a_small_library_is_outlying_by_its_total():
    rng = np.random.default_rng(2)
    X = rng.poisson(rng.gamma(0.3, 400, size=300), size=(N, 300)).astype(float)
    X[5] = rng.binomial(X[5].astype(int), 0.3)
    rule = OutlierRule().fit(X)
    table = rule.judge(X)
    assert rule.logarithm_
    assert "total" in table["reasons"][5]
    assert table["total"][5] == pytest.approx(np.log2(X[5].sum() + 1))


def test_a_few_missing_values_among_complete_samples_are_nothing():
    X = correlated()
    X[4, :1] = NAN
    assert not OutlierRule().fit(X).judge(X)["outlying"].any()


def test_a_sample_without_any_value_is_outlying():
    X = correlated()
    X[4] = NAN
    assert OutlierRule().fit(X).judge(X)["reasons"][4].startswith("missing 1 ")


def test_rounding_is_not_taken_for_a_difference():
    X = correlated()
    X = ((X - X.mean(axis=1)[:, None]) / X.std(axis=1)[:, None]).astype(np.float32)
    rule = OutlierRule().fit(X)
    assert rule.spread_[1] == 0
    assert not rule.judge(X)["reasons"].str.contains("total").any()


def test_few_samples_are_not_judged():
    X = correlated(n=19)
    X[0] += 1000
    rule = OutlierRule().fit(X)
    assert not rule.judge(X)["outlying"].any()
    assert rule.skipped_ == "fewer than 20 training samples: none is judged"


def test_more_robust_standard_deviations_call_fewer_samples_outlying():
    X = correlated(3)
    X[3] += 6
    found = [OutlierRule(mads).fit(X).judge(X)["outlying"].sum() for mads in (2, 5, 50)]
    assert found[0] > found[1] > found[2] == 0


def test_a_sample_alone_is_judged_as_among_others():
    X = correlated()
    X[::7, ::3] = NAN
    rule = OutlierRule().fit(X)
    whole = rule.judge(X)
    for row in range(N):
        alone = rule.judge(X[[row]]).iloc[0]
        assert alone.to_list() == whole.iloc[row].to_list()
    assert rule.transform(X).tobytes() == X.tobytes()


def test_a_rule_reloads_from_hdf5(tmp_path):
    X = correlated()
    rule = OutlierRule(3).fit(X)
    with h5py.File(tmp_path / "step.h5", "w") as file:
        rule.to_h5(file)
        reloaded = OutlierRule.from_h5(file)
    assert reloaded.judge(X).equals(rule.judge(X))


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_numbers_whose_squares_are_0_have_finite_distances():
    X = correlated()
    X[:, 1] *= 1e-163
    table = OutlierRule().fit(X).judge(X)
    assert np.isfinite(table[["distance", "residual"]].to_numpy()).all()


@pytest.mark.parametrize("value", [3e38, -3e38, 0.0, NAN])
def test_garbage_has_finite_distances(value):
    X = correlated()
    rule = OutlierRule().fit(X)
    table = rule.judge(np.full((2, P), value))
    assert np.isfinite(table[["missing", "distance", "residual"]].to_numpy()).all()
