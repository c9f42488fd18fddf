"""Counts are normalised by what was learnt from training samples, sample by sample."""

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata

from omicsfusion.preprocess.normalise.count_rows import Tally, library_size, rows_of
from omicsfusion.preprocess.normalise.library_size import CountsPerMillion, UpperQuartile
from omicsfusion.preprocess.normalise.median_of_ratios import FEWEST_RATIOS, MedianOfRatios
from omicsfusion.preprocess.normalise.tmm import TrimmedMean, between
from omicsfusion.preprocess.normalise.tpm import LengthsError, TranscriptsPerMillion
from omicsfusion.preprocess.normalise.vst import VarianceStabiliser, evenly
from tests.counts import N_GENES, OF_GENES, draw_genes

NAN = np.nan


@pytest.mark.parametrize("cls", OF_GENES)
def test_missing_features_hardly_move_the_others(cls):
    """Features that hold half of the counts are absent from a new table."""
    fitted = cls().fit(draw_genes(30, 0))
    X = draw_genes(8, 2)
    lacking = X.copy()
    absent = np.argsort(-fitted.profile_)[:6]
    lacking[:, absent] = NAN
    assert fitted.profile_[absent].sum() > 0.3 * fitted.profile_.sum()
    there = ~np.isnan(lacking[0])
    shift = (fitted.transform(lacking) - fitted.transform(X))[:, there]
    # The estimates of the sizes scatter by themselves; without allowance all shift by log2(1.5).
    assert np.abs(np.median(shift)) < 0.1
    assert np.isnan(fitted.transform(lacking)[:, ~there]).all()


@pytest.mark.parametrize("cls", OF_GENES)
def test_a_logged_table_passes_through_and_fractional_counts_do_not(cls, tmp_path):
    X = draw_genes(12, 0)
    step = cls().fit(np.log2(X + 1))
    assert "not whole and none is above" in step.skipped_
    with h5py.File(tmp_path / "step.h5", "w") as file:
        step.to_h5(file)
        assert cls.from_h5(file).skipped_ == step.skipped_
    assert cls().fit(X / 3).skipped_ == ""


@pytest.mark.parametrize("cls", OF_GENES)
def test_a_table_of_zeros_passes_through(cls):
    assert cls().fit(np.zeros((5, 4))).skipped_ == "no training value is above 0"


def test_a_tally_counts_what_is_there():
    X = np.array([[0, 1, 2.5, NAN], [0, 3, -1, 4], [0, 0, 0, 0], [0, 1, 1, NAN]])
    tally = Tally.of(rows_of(X))
    assert (tally.n_samples, tally.n_counted) == (4, 3)
    assert (tally.n_missing, tally.n_negative, tally.n_fractional, tally.n_positive) == (2, 1, 1, 6)
    assert tally.largest == 4
    np.testing.assert_array_equal(tally.mean, [0, 1.25, 0.875, 2])
    assert tally.always_counted.tolist() == [False, True, False, False]


def test_missing_features_are_given_their_share_of_the_library():
    profile = np.array([5.0, 3.0, 2.0])
    assert library_size(np.array([10.0, NAN, 6.0]), profile) == pytest.approx(16 / 0.7)
    assert np.isnan(library_size(np.array([NAN, NAN, 6.0]), np.array([5.0, 3.0, 0.0])))


def test_cpm_is_the_formula_with_the_training_samples_mean_library():
    train = np.array([[60.0, 40.0], [20.0, 280.0]])
    step = CountsPerMillion(prior=0.5).fit(train)
    assert step.mean_size_ == 200
    found = step.transform([[1.0, 99.0]])
    prior = 0.5 * 100 / 200
    expected = np.log2((np.array([[1.0, 99.0]]) + prior) / (100 + 2 * prior) * 1e6)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


# TMM weighs features by their counts, and so by depth.
@pytest.mark.parametrize("cls", [cls for cls in OF_GENES if cls is not TrimmedMean])
def test_depth_alone_changes_nothing(cls):
    step = cls().fit(draw_genes(30, 0))
    X = draw_genes(3, 5)
    np.testing.assert_allclose(step.transform(64 * X), step.transform(X), rtol=1e-9, atol=1e-9)


def test_one_feature_that_takes_the_library_moves_cpm_and_not_tmm():
    train = draw_genes(30, 0)
    new = train[:1].copy()
    swollen = new.copy()
    swollen[0, 0] = new.sum() * 3
    shift = {}
    for cls in (CountsPerMillion, UpperQuartile, TrimmedMean, MedianOfRatios):
        step = cls().fit(train)
        shift[cls] = np.median(step.transform(swollen) - step.transform(new))
    assert shift[CountsPerMillion] < -1.9
    # The percentile moves by one of 90 features.
    assert abs(shift[UpperQuartile]) < 0.2
    assert abs(shift[TrimmedMean]) < 0.06
    assert abs(shift[MedianOfRatios]) < 0.02


def test_a_new_sample_with_zeros_is_compared_over_what_it_shares_with_the_reference():
    step = TrimmedMean().fit(draw_genes(30, 0))
    half = draw_genes(1, 9)
    half[0, : N_GENES // 2] = 0
    reference = step.reference_.copy()
    reference[: N_GENES // 2] = 0
    only_half = TrimmedMean()
    only_half.__dict__.update(step.__dict__ | {"reference_": reference})
    np.testing.assert_array_equal(step.sample_factors(half), only_half.sample_factors(half))


def test_no_upper_quartile_leaves_the_library_and_the_reference_is_the_fullest_sample():
    X = draw_genes(20, 0)
    X[:, 5:] *= np.random.default_rng(0).random((20, N_GENES - 5)) < 0.05
    step = UpperQuartile().fit(X)
    assert "20 of 20 training samples have 0 there" in step.did_
    np.testing.assert_allclose(step.sample_factors(X)[:, 0], X.sum(axis=1), rtol=1e-14)
    fullest = int(np.sqrt(X).sum(axis=1).argmax())
    assert f"training sample {fullest + 1} of 20" in TrimmedMean().fit(X).did_


@settings(max_examples=200, deadline=None)
@given(
    arrays(np.float64, st.integers(1, 30), elements=st.integers(-4, 4).map(float)),
    st.sampled_from([0.0, 0.05, 0.3, 0.45]),
)
def test_trimming_is_by_mean_ranks(values, share):
    n = len(values)
    low = np.floor(n * share) + 1
    rank = rankdata(values)
    expected = (rank >= low) & (rank <= n + 1 - low)
    np.testing.assert_array_equal(between(values, share), expected)


def test_too_few_features_without_zeros_hand_over_to_tmm():
    X = draw_genes(20, 0)
    usable = FEWEST_RATIOS
    X[0, usable:] = 0
    assert f"median of ratios over {usable}" in MedianOfRatios().fit(X).did_
    X[0, usable - 1 :] = 0
    step = MedianOfRatios().fit(X)
    assert f"only {usable - 1} features are above 0 in all training samples" in step.did_
    sizes, effective = step.sample_factors(X), TrimmedMean().fit(X).sample_factors(X)
    np.testing.assert_allclose(sizes / sizes[0], effective / effective[0], rtol=1e-12)
    assert np.exp(np.log(sizes).mean()) == pytest.approx(1, rel=1e-12)


def test_a_sample_without_ratios_gets_its_library_over_that_of_a_sample_of_size_one():
    X = draw_genes(20, 0)
    X[0, 60:] = 0
    step = MedianOfRatios().fit(X)
    new = np.zeros((1, N_GENES))
    new[0, 70] = step.unit_size_ * 3
    assert step.sample_factors(new)[0, 0] == pytest.approx(3)
    libraries, sizes = X.sum(axis=1), step.sample_factors(X)[:, 0]
    assert step.unit_size_ == pytest.approx(np.exp(np.log(libraries / sizes).mean()), rel=1e-12)


def test_features_for_the_trend_stand_evenly_over_the_order_of_their_means():
    mean = np.random.default_rng(0).permutation(np.arange(3000.0))
    mean[:3] = NAN
    found = evenly(mean, n=100)
    assert (np.diff(found) > 0).all()
    steps = np.diff(np.sort(mean[found]))
    assert len(found) == 100
    assert mean[found].min() > 5
    assert steps.min() >= 29
    assert steps.max() <= 33
    assert evenly(np.array([0.0, 0.5, NAN, 7.0])).tolist() == [1, 3]


def test_stabilised_values_of_noise_vary_alike_at_all_means():
    """Dispersion 0.2 for all, means 20 to 20,000: the raw deviations differ 1,000-fold."""
    rng = np.random.default_rng(4)
    mean = np.repeat([20.0, 200.0, 20000.0], 40)
    X = rng.negative_binomial(5, 5 / (5 + mean), size=(200, 120)).astype(float)
    step = VarianceStabiliser().fit(X)
    deviation = step.transform(X).std(axis=0).reshape(3, 40).mean(axis=1)
    assert deviation.max() / deviation.min() < 1.1
    assert "VST from 120 features, dispersion" in step.did_


@pytest.mark.parametrize(("n", "p"), [(1, 5), (2, 5), (5, 1), (30, 3)])
def test_stabilising_works_where_no_trend_can_be_fitted(n, p):
    X = np.random.default_rng(0).integers(50, 900, size=(n, p)).astype(float)
    step = VarianceStabiliser().fit(X)
    assert np.isfinite(step.transform(X)).all()
    if n < 3:
        assert "no dispersion could be estimated" in step.did_
        plain = MedianOfRatios().fit(X)
        np.testing.assert_array_equal(step.transform(X), plain.transform(X))


def test_both_closed_forms_tend_to_the_logarithm():
    step = VarianceStabiliser().fit(draw_genes(30, 0))
    counts = np.full((1, 1), 1e12)
    for trend in ({"a0": 0.2, "a1": 3.0}, {"a": 0.2}):
        step.trend_ = trend
        found = step.apply(counts, np.ones((1, 1)))
        np.testing.assert_allclose(found, np.log2(counts), atol=1e-5)


NAMES = tuple(f"g{k}" for k in range(N_GENES))


def test_features_without_a_length_are_left_out():
    X = draw_genes(9, 0)
    lengths = dict.fromkeys(NAMES[:-2], 2000.0)
    step = TranscriptsPerMillion(lengths).fit(X, features=NAMES)
    assert step.dropped_ == {"no length known": 2}
    assert step.get_feature_names_out(NAMES).tolist() == list(NAMES[:-2])
    tpm = 2 ** step.transform(X) - 1
    np.testing.assert_allclose(tpm.sum(axis=1), 1e6, rtol=1e-12)
    np.testing.assert_allclose(tpm, X[:, :-2] / X[:, :-2].sum(axis=1, keepdims=True) * 1e6)


def test_lengths_survive_a_reload(tmp_path):
    X = draw_genes(9, 0)
    lengths = {name: 100.0 * (k + 1) for k, name in enumerate(NAMES[5:])}
    step = TranscriptsPerMillion(lengths).fit(X, features=NAMES)
    with h5py.File(tmp_path / "step.h5", "w") as file:
        step.to_h5(file)
        again = TranscriptsPerMillion.from_h5(file)
    np.testing.assert_array_equal(again.transform(X), step.transform(X))
    assert again.get_feature_names_out(NAMES).tolist() == list(NAMES[5:])


@pytest.mark.parametrize(
    ("lengths", "told"),
    [
        (dict.fromkeys(NAMES[:40], 9.0), "50 of 90 features have no length, such as g40, g41"),
        (dict.fromkeys(NAMES, 9.0) | {"g3": 0.0}, "The length of g3 is not above 0"),
        (dict.fromkeys(NAMES, 9.0) | {"g4": NAN}, "The length of g4 is not above 0"),
    ],
)
def test_impossible_lengths_are_refused(lengths, told):
    with pytest.raises(LengthsError, match=told):
        TranscriptsPerMillion(lengths).fit(draw_genes(9, 0), features=NAMES)


def test_lengths_need_the_names_of_the_columns():
    with pytest.raises(LengthsError, match="names of the columns are needed"):
        TranscriptsPerMillion({"g1": 3.0}).fit(draw_genes(9, 0))
