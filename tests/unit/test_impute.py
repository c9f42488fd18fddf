"""Every way to fill in missing values within a layer, alone."""

import tracemalloc

import h5py
import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from omicsfusion.preprocess.impute.autoencoder import AutoencoderImputer
from omicsfusion.preprocess.impute.censored import CensoredImputer, deviates, low_quantile
from omicsfusion.preprocess.impute.forest import ForestImputer
from omicsfusion.preprocess.impute.low_rank import LowRankImputer, decompose
from omicsfusion.preprocess.impute.median import (
    MedianImputer,
    informative_features,
    nearest_features,
)
from omicsfusion.preprocess.impute.missingness import judge_missingness
from omicsfusion.preprocess.impute.neighbours import NeighbourImputer
from omicsfusion.preprocess.impute.regression import RidgeChainImputer

NAN = np.nan
# Small, so that fitting takes milliseconds.
STEPS = {
    "median": MedianImputer(),
    "censored": CensoredImputer(),
    "svd": LowRankImputer(rank=3),
    "knn": NeighbourImputer(n_neighbors=4),
    "iterative": RidgeChainImputer(n_predictors=5),
    "autoencoder": AutoencoderImputer(n_hidden=8, epochs=10),
    "forest": ForestImputer(n_trees=3, rounds=1),
}
every_step = pytest.mark.parametrize("name", STEPS)


def fresh(name):
    return STEPS[name].__class__(**STEPS[name].get_params())


def low_rank_layer(n=60, p=30, share=0.1, seed=0):
    """Values of rank 3 with noise of a third, at levels of their own, a share missing."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)) @ rng.normal(size=(3, p)) + 0.6 * rng.normal(size=(n, p))
    true = X * 10.0 ** rng.integers(-2, 3, p) + 10.0 * rng.integers(0, 9, p)
    return np.where(rng.random(true.shape) < share, NAN, true), true


def detection_limit_layer(n=80, p=60, seed=0):
    """Proteins on one scale, of which values below 18 are mostly lost, and 2 % at random."""
    rng = np.random.default_rng(seed)
    true = np.linspace(16, 26, p) + rng.normal(size=(n, p))
    lost = (true < 18) & (rng.random(true.shape) < 0.9) | (rng.random(true.shape) < 0.02)
    return np.where(lost, NAN, true), true


@parametrize_with_checks(list(STEPS.values()))
def test_scikit_learn_accepts_the_step(estimator, check):
    check(estimator)


@every_step
def test_nothing_is_missing_afterwards_and_known_values_stay(name):
    X, _ = low_rank_layer()
    new, _ = low_rank_layer(seed=1)
    for table in (X, new):
        out = fresh(name).fit(X).transform(table)
        assert np.isfinite(out).all()
        np.testing.assert_array_equal(out[~np.isnan(table)], table[~np.isnan(table)])


@every_step
def test_a_feature_without_any_training_value_is_zero_unless_a_sample_has_it(name):
    X, _ = low_rank_layer()
    X[:, 4] = NAN
    new = X[:3].copy()
    new[0, 4] = 7
    out = fresh(name).fit(X).transform(new)
    assert out[:, 4].tolist() == [7, 0, 0]


@every_step
def test_a_constant_feature_is_filled_in_with_its_value(name):
    X, _ = low_rank_layer()
    X[:, 2] = np.where(np.arange(60) % 3 == 0, NAN, 0.1)
    assert (fresh(name).fit(X).transform(X)[:, 2] == 0.1).all()


@every_step
def test_a_sample_that_lacks_everything_gets_ordinary_values(name):
    X, _ = low_rank_layer()
    step = fresh(name).fit(X)
    out = step.transform(np.full((1, 30), NAN))
    assert (out >= np.nanmin(X, axis=0)).all()
    assert (out <= np.nanmax(X, axis=0)).all()


@every_step
@pytest.mark.parametrize("garbage", [3e38, -3e38, 1e-38, 0.0])
def test_whatever_a_new_sample_holds_what_is_filled_in_is_finite_as_float32(name, garbage):
    X, _ = low_rank_layer()
    new = np.full((2, 30), garbage)
    new[0, ::3] = NAN
    new[1, 1:] = NAN
    assert np.isfinite(fresh(name).fit(X).transform(new).astype(np.float32)).all()


@every_step
def test_few_samples_and_few_features_are_no_failure(name):
    for X in ([[1.0, NAN]], [[NAN], [2.0], [3.0]], [[1.0, NAN, 3.0], [2.0, 4.0, NAN]]):
        assert np.isfinite(fresh(name).fit(np.array(X)).transform(np.array(X))).all()


@every_step
def test_what_was_done_is_said_with_its_figures(name):
    X, _ = low_rank_layer()
    said = fresh(name).fit(X).did_
    assert "missing" in said
    assert "\n" not in said
    assert any(digit in said for digit in "123456789")


@every_step
def test_a_layer_without_missing_values_says_so(name):
    _, true = low_rank_layer()
    step = fresh(name).fit(true)
    assert "no value was missing in training" in step.did_
    np.testing.assert_array_equal(step.transform(true), true)


@every_step
def test_parameters_and_state_survive_a_file(name, tmp_path):
    X, _ = detection_limit_layer()
    step = fresh(name).fit(X)
    with h5py.File(tmp_path / "step.h5", "w") as file:
        step.to_h5(file)
    with h5py.File(tmp_path / "step.h5") as file:
        reloaded = type(step).from_h5(file)
    assert reloaded.get_params() == step.get_params()
    assert reloaded.did_ == step.did_
    assert reloaded.transform(X).tobytes() == step.transform(X).tobytes()


@pytest.mark.parametrize("name", ["svd", "knn", "iterative", "autoencoder", "forest"])
def test_scale_sensitive_methods_do_not_see_the_units_of_a_feature(name):
    X, _ = low_rank_layer()
    # Powers of two: scaling back is exact, so that nothing but the units differs.
    units = 2.0 ** np.random.default_rng(3).integers(-9, 10, 30)
    ours = fresh(name).fit(X).transform(X)
    theirs = fresh(name).fit(X * units).transform(X * units) / units
    np.testing.assert_allclose(theirs, ours, rtol=1e-6)


@pytest.mark.parametrize("name", ["svd", "knn", "iterative", "autoencoder", "forest"])
def test_methods_that_use_other_features_restore_more_than_medians_do(name):
    X, true = low_rank_layer(n=120, share=0.1, seed=5)
    params = {"autoencoder": {"epochs": 150}, "forest": {"n_trees": 10}}.get(name, {})
    step = fresh(name).set_params(**params)
    sd = true.std(axis=0)

    def error(imputer):
        out = imputer.fit(X[:80]).transform(X[80:])
        return np.sqrt((((out - true[80:]) / sd)[np.isnan(X[80:])] ** 2).mean())

    assert error(step) < 0.75 * error(MedianImputer())


def test_medians_of_blocks_of_features_are_the_medians_of_all():
    X, _ = low_rank_layer()
    whole = MedianImputer().fit(X)
    blocks = [MedianImputer().fit(X[:, part]) for part in (slice(0, 7), slice(7, 30))]
    for name in MedianImputer.state:
        joined = np.concatenate([getattr(block, name) for block in blocks])
        assert joined.tobytes() == getattr(whole, name).tobytes()


def test_features_to_compare_by_vary_most_among_the_well_known_whatever_one_value_does():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 5)) * [1, 5, 4, 9, 0.1]
    X[0, 4] = 36_893
    X[::3, 3] = NAN
    assert informative_features(X, 2).tolist() == [1, 2]
    assert informative_features(X, 4).tolist() == [0, 1, 2, 4]
    assert informative_features(X, 5).tolist() == [0, 1, 2, 3, 4]


def test_nearest_features_are_the_most_correlated_others_of_the_pool():
    rng = np.random.default_rng(0)
    base = rng.normal(size=(3, 200))
    features = np.vstack([base, -base + 0.1 * rng.normal(size=(3, 200))])
    assert nearest_features(features, np.arange(6), 1)[:, 0].tolist() == [3, 4, 5, 0, 1, 2]
    # Never itself, and no more than the pool has.
    assert nearest_features(features, np.array([0, 1]), 3)[:2].tolist() == [[1], [0]]
    assert nearest_features(features[:1], np.array([0]), 3).shape == (1, 0)


def test_a_wide_layer_is_compared_on_the_chosen_features_only():
    X, _ = low_rank_layer(p=30)
    step = NeighbourImputer(max_features=6).fit(X)
    assert len(step.compared_) == 6
    other = np.setdiff1d(np.arange(30), step.compared_)
    sample = X[:1].copy()
    sample[0, other[0]] = NAN
    moved = sample.copy()
    moved[0, other[1:]] += 100
    assert step.transform(sample)[0, other[0]] == step.transform(moved)[0, other[0]]


def test_unknown_choices_are_refused():
    with pytest.raises(ValueError, match="'near' are not one of uniform, distance"):
        NeighbourImputer(weights="near").fit(np.eye(3))
    with pytest.raises(ValueError, match="around='layer' is not one of sample, feature"):
        CensoredImputer(around="layer").fit(np.eye(3))


def test_a_forest_is_grown_for_features_with_missing_values_only_up_to_the_limit():
    X, true = low_rank_layer()
    X[:, :10] = true[:, :10]
    step = ForestImputer(n_trees=2, rounds=1, max_features=5).fit(X)
    assert len(step.features_) == 5
    n_missing = np.isnan(X).sum(axis=0)
    assert n_missing[step.features_].min() >= np.sort(n_missing)[-5]
    others = np.setdiff1d(np.arange(30), step.features_)
    out = step.transform(X)
    medians = MedianImputer().fit_transform(X)
    np.testing.assert_allclose(out[:, others], medians[:, others], rtol=1e-12)


def test_noise_is_shrunk_away():
    true = np.random.default_rng(0).normal(size=(200, 50))
    lost = np.random.default_rng(1).random(true.shape) < 0.1
    X = np.where(lost, NAN, true)
    error = (LowRankImputer(rank=5).fit(X).transform(X) - true)[lost]
    # Five components of noise, not shrunk, would make it 1.19.
    assert np.sqrt((error**2).mean()) < 1.05


def test_noise_and_signal_of_a_low_rank_matrix_are_found():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(500, 2)) @ np.diag([6, 4]) @ np.linalg.qr(rng.normal(size=(40, 2)))[0].T
    model = decompose(Z + 0.5 * rng.normal(size=Z.shape), 2)
    assert model.noise == pytest.approx(0.25, rel=0.03)
    assert model.signal == pytest.approx([36, 16], rel=0.1)


def test_a_matrix_long_on_both_sides_has_the_same_components(monkeypatch):
    X, _ = low_rank_layer(n=120, p=90)
    exact = LowRankImputer(rank=3).fit(X)
    monkeypatch.setattr("omicsfusion.preprocess.impute.low_rank.EXACT_SIDE", 50)
    randomised = LowRankImputer(rank=3).fit(X)
    assert randomised.noise_ == pytest.approx(exact.noise_, rel=1e-6)
    np.testing.assert_allclose(randomised.transform(X), exact.transform(X), rtol=1e-5, atol=1e-5)


def test_a_detection_limit_is_recognised_feature_by_feature():
    X, _ = detection_limit_layer()
    found = judge_missingness(X)
    assert found.mechanism == "censored"
    means = np.linspace(16, 26, 60)
    assert found.censored[means < 17.5].all()
    assert not found.censored[means > 19.5].any()
    assert found.rho < -0.3
    assert found.log_odds < -1
    assert found.random_rate == pytest.approx(0.02, abs=0.007)
    lost_low = np.isnan(X)[:, means < 20].sum() / np.isnan(X).sum()
    assert found.tail_share == pytest.approx(lost_low, abs=0.1)


def test_values_missing_at_random_are_rarely_called_censored():
    called = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        X = np.linspace(16, 26, 60) + rng.normal(size=(50, 60))
        X[rng.random(X.shape) < rng.beta(1, 9, 60)] = NAN
        called += judge_missingness(X).mechanism == "censored"
    # The test claims a relation in 1 of 100 by chance.
    assert called <= 4


def test_too_few_features_or_none_missing_are_told():
    X = np.random.default_rng(0).normal(size=(20, 30))
    assert judge_missingness(X).mechanism == "none"
    X[3, 4] = NAN
    assert judge_missingness(X).mechanism == "unknown"
    assert "too few features" in CensoredImputer().fit(X).did_


def test_left_censored_features_are_drawn_low_and_others_get_their_median():
    X, true = detection_limit_layer()
    step = CensoredImputer().fit(X)
    out = step.transform(X)
    low = step.censored_
    lost = np.isnan(X)
    medians = MedianImputer().fit_transform(X)
    np.testing.assert_array_equal(out[:, ~low], medians[:, ~low])
    drawn = out[:, low][lost[:, low]]
    centres = np.nanquantile(X, 0.01, axis=1)[np.nonzero(lost[:, low])[0]]
    assert abs((drawn - centres).mean()) < 3 * step.sd_ / np.sqrt(len(drawn))
    assert np.abs(drawn.mean() - true[:, low][lost[:, low]].mean()) < np.abs(
        medians[:, low][lost[:, low]].mean() - true[:, low][lost[:, low]].mean()
    )


def test_draws_depend_on_the_samples_values_and_the_feature_only():
    row = np.array([1.0, NAN, 3.0, -0.0, NAN])
    other_nan = row.copy()
    other_nan[1] = np.frombuffer(np.uint64(0xFFF8000000000123).tobytes())[0]
    other_nan[3] = 0.0
    features = np.array([1, 4])
    assert deviates(row, features).tobytes() == deviates(other_nan, features).tobytes()
    assert deviates(row, features[1:])[0] == deviates(row, features)[1]
    assert deviates(row + 1e-12, features)[0] != deviates(row, features)[0]


def test_draws_around_the_feature_sit_at_its_own_low_quantile():
    X, _ = detection_limit_layer()
    step = CensoredImputer(around="feature", sigma=0.0).fit(X)
    out = step.transform(X)
    for feature in np.flatnonzero(step.censored_):
        lost = np.isnan(X[:, feature])
        assert (out[lost, feature] == step.low_[feature]).all()


def test_a_sample_far_off_is_drawn_within_the_range_of_the_training_samples():
    X, _ = detection_limit_layer()
    step = CensoredImputer(sigma=0.0).fit(X)
    sample = np.full((1, 60), 3e38)
    sample[0, 0] = NAN
    highest = max(low_quantile(row, 0.01) for row in X)
    assert step.transform(sample)[0, 0] == highest


def test_imputing_neighbours_of_a_wide_layer_takes_little_memory():
    X = np.random.default_rng(0).normal(size=(60, 20_000))
    X[:, ::50] = np.where(np.random.default_rng(1).random((60, 400)) < 0.1, NAN, X[:, ::50])
    step = NeighbourImputer(max_features=500).fit(X)
    tracemalloc.start()
    step.transform(X[:5])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The scaled donors (9.6 MB) and what it takes to make them; no samples x donors x features.
    assert peak < 8 * X.nbytes
