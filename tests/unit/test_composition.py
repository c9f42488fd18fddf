"""Compositions are turned into log ratios by what was learnt from training samples."""

import numpy as np
import pytest

from omicsfusion.preprocess.normalise.composition import (
    AdditiveLogRatio,
    CentredLogRatio,
    IsometricLogRatio,
    RelativeAbundance,
)
from tests.counts import N_GENERA, OF_GENERA, RATIOS, draw_genera

NAN = np.nan


@pytest.mark.parametrize("cls", RATIOS)
def test_shares_give_what_counts_give(cls):
    X = draw_genera(12, 0)
    shares = X / X.sum(axis=1, keepdims=True)
    found, expected = cls().fit(shares).transform(shares), cls().fit(X).transform(X)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_zeros_become_65_percent_of_the_median_smallest_share():
    X = np.array([[0.0, 2, 98], [10, 0, 190], [4, 6, 90], [0, 0, 10]])
    step = CentredLogRatio().fit(X)
    assert step.delta_ == pytest.approx(0.65 * np.median([0.02, 0.05, 0.04, 1.0]))


def test_zeros_never_take_more_than_half_of_the_whole():
    X = np.eye(8) * 40
    step = CentredLogRatio(delta=0.3).fit(X)
    assert step.delta_ == 1 / 16
    found = step.transform(X)
    np.testing.assert_allclose(found[0, 0] - found[0, 1:], np.log2((1 - 7 / 16) * 16))


def test_the_zeros_of_a_new_sample_are_replaced_as_those_of_the_training_samples():
    """However deep or sparse the new sample, and whoever stands beside it."""
    step = CentredLogRatio().fit(draw_genera(30, 0))
    new = np.zeros((1, N_GENERA))
    new[0, :10] = 1e6
    found = step.transform(new)[0]
    expected = np.log2(0.1 * (1 - 30 * step.delta_) / step.delta_)
    np.testing.assert_allclose(found[:10] - found[10], expected)
    np.testing.assert_allclose(found[10:], found[10])


def test_clr_sums_to_zero_and_alr_and_ilr_follow_from_it():
    X = draw_genera(30, 0)
    clr = CentredLogRatio().fit(X).transform(X)
    np.testing.assert_allclose(clr.sum(axis=1), 0, atol=1e-10)
    additive = AdditiveLogRatio().fit(X)
    expected = np.delete(clr - clr[:, [additive.reference_]], additive.reference_, axis=1)
    np.testing.assert_allclose(additive.transform(X), expected, atol=1e-10)
    balances = IsometricLogRatio().fit(X).transform(X)
    # Isometric: the distances between samples stay.
    np.testing.assert_allclose(
        np.linalg.norm(balances[0] - balances[1:], axis=1),
        np.linalg.norm(clr[0] - clr[1:], axis=1),
        rtol=1e-10,
    )


def test_balances_are_named_after_the_part_with_which_they_grow():
    X = draw_genera(30, 0)
    step = IsometricLogRatio().fit(X)
    names = step.get_feature_names_out([f"g{k}" for k in range(N_GENERA)])
    assert names[:2].tolist() == ["g1/1 before", "g2/2 before"]
    more = X[:1].copy()
    more[0, 17] = 1e5
    change = (step.transform(more) - step.transform(X[:1]))[0]
    assert names[change.argmax()] == "g17/17 before"


def test_the_additive_reference_is_the_quietest_of_the_most_prevalent_parts():
    rng = np.random.default_rng(0)
    X = rng.poisson(1000 * np.exp(rng.normal(0, 1, size=(40, 6)))).astype(float) + 1
    X[:, 2] = np.rint(np.exp(np.log(X).mean(axis=1)))  # the geometric mean itself: quietest
    X[:, 4] = X[:, 2]
    X[3, 2] = 0
    step = AdditiveLogRatio().fit(X, features=list("abcdef"))
    assert step.reference_ == 4
    assert step.get_feature_names_out(list("abcdef")).tolist() == list("abcdf")
    assert "log2 ratio to e (ALR)" in step.did_


def test_the_additive_reference_can_be_named():
    X = draw_genera(9, 0)
    names = [f"g{k}" for k in range(N_GENERA)]
    step = AdditiveLogRatio(reference="g7").fit(X, features=names)
    assert "g7" not in step.get_feature_names_out(names)
    with pytest.raises(ValueError, match="The reference 'Bacteroides' is not among the features"):
        AdditiveLogRatio(reference="Bacteroides").fit(X, features=names)
    with pytest.raises(ValueError, match="'g7' is not among"):
        AdditiveLogRatio(reference="g7").fit(X)


@pytest.mark.parametrize("cls", OF_GENERA)
def test_missing_parts_hardly_move_the_others(cls):
    """Parts that hold a third of the counts are absent from a new table."""
    step = cls().fit(draw_genera(200, 0))
    X = draw_genera(60, 2)
    lacking = X.copy()
    absent = np.argsort(-step.profile_)[1:4]
    lacking[:, absent] = NAN
    assert step.profile_[absent].sum() > 0.25 * step.profile_.sum()
    before, after = step.transform(X), step.transform(lacking)
    gone = np.isnan(after).all(axis=0)
    assert gone.sum() == len(absent)
    assert np.isfinite(after[:, ~gone]).all()
    shift = np.median((after - before)[:, ~gone], axis=0)
    assert np.abs(shift).max() < 0.15


def test_an_additive_reference_that_a_sample_lacks_is_set_to_its_training_mean():
    train = draw_genera(60, 0)
    step = AdditiveLogRatio().fit(train)
    X = draw_genera(30, 2)
    X[:, step.reference_] = NAN
    found = step.transform(X)
    assert np.isfinite(found).all()
    assert abs(np.median(found) - np.median(step.transform(train))) < 0.2


def test_cohorts_with_other_parts_are_set_against_the_same_whole():
    """Half of the training samples lack the most abundant parts; their other parts look alike."""
    X = draw_genera(200, 0)
    abundant = np.argsort(-X.mean(axis=0))[:12]
    lacking = X.copy()
    lacking[100:, abundant] = NAN
    found = CentredLogRatio().fit(lacking).transform(lacking)
    rare = np.setdiff1d(np.arange(N_GENERA), abundant)
    expected = CentredLogRatio().fit(X).transform(X)
    shift = np.median((found - expected)[:, rare], axis=1)
    # Without allowance the second cohort's parts would all be higher by the mean of the absent.
    assert expected[:, abundant].mean() * 12 / N_GENERA > 0.7
    assert abs(np.median(shift[:100]) - np.median(shift[100:])) < 0.1


def test_relative_abundances_are_shares_of_the_whole():
    step = RelativeAbundance().fit([[6.0, 3, 1], [5, 3, 2]])
    np.testing.assert_allclose(step.transform([[2.0, 3, 5]]), [[0.2, 0.3, 0.5]])
    lacking = step.transform([[NAN, 3, 6]])[0]
    # The first part holds 55 % of the mean sample: the others, together, get the other 45 %.
    np.testing.assert_allclose(lacking[1:], [0.15, 0.3])
