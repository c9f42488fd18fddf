"""Correlations, p-values and adjusted p-values against scipy's own, pair by pair."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control, norm, spearmanr

from omicsfusion.concordance.likeness import normal_scores
from omicsfusion.concordance.network import edges_between
from omicsfusion.concordance.ranks import p_values, stratified_ranks, unit_ranks
from tests.several_layers import as_layer, related_values


def two_layers(n=60, p=25, seed=1):
    values = related_values(n, p, seed)
    # Ties, as counts and calls have them.
    return np.rint(2 * values["protein"]), values["rna"]


def test_rank_products_are_scipys_spearman_correlations():
    """Scipy 1.17 spearmanr, average ranks for ties."""
    one, two = two_layers()
    rho = unit_ranks(one).T @ unit_ranks(two)
    expected = spearmanr(one, two).statistic[:25, 25:]
    np.testing.assert_allclose(rho, expected, rtol=0, atol=1e-12)


def test_p_values_are_scipys():
    """Scipy 1.17 spearmanr: Student's t with n - 2 degrees of freedom."""
    one, two = two_layers()
    expected = spearmanr(one, two)
    p = p_values(expected.statistic[:25, 25:], freedom=58)
    np.testing.assert_allclose(p, expected.pvalue[:25, 25:], rtol=1e-10)


def test_a_missing_value_stands_at_the_mean_rank():
    """Scipy 1.17 spearmanr of the feature in which 4 values (of 10) are tied with the middle."""
    one = np.array([[1.0, 2, 3, np.nan, 5, 6, np.nan, 7, 8, 9]]).T
    two = np.array([[3.0, 1, 2, 9, 4, 6, 0, 5, 8, 7]]).T
    ranks = np.array([1, 2, 3, 4.5, 4, 5, 4.5, 6, 7, 8])
    expected = np.corrcoef(ranks, spearman_ranks(two[:, 0]))[0, 1]
    assert (unit_ranks(one).T @ unit_ranks(two)).item() == pytest.approx(expected, abs=1e-12)


def spearman_ranks(x):
    return np.argsort(np.argsort(x)) + 1.0


def test_adjusted_p_values_are_scipys_over_all_tests():
    """Scipy 1.17 false_discovery_control (Benjamini-Hochberg) over the whole matrix."""
    one, two = two_layers()
    edges = edges_between([(as_layer("protein", one), as_layer("rna", two))])
    expected = spearmanr(one, two)
    rho = expected.statistic[:25, 25:]
    adjusted = false_discovery_control(expected.pvalue[:25, 25:].ravel()).reshape(25, 25)
    assert ((adjusted <= 0.05) & (np.abs(rho) >= 0.3)).sum() == len(edges) > 20
    for edge in edges.itertuples(index=False):
        at = int(edge.feature[-4:]), int(edge.other_feature[-4:])
        assert edge.rho == pytest.approx(rho[at], abs=1e-6)
        assert edge.fdr == pytest.approx(adjusted[at], rel=1e-5)
        assert edge.p == pytest.approx(expected.pvalue[:25, 25:][at], rel=1e-5)


def test_stratified_correlations_are_the_weighted_mean_of_the_cohorts_own():
    """Scipy 1.17 spearmanr within each cohort; mean weighted by numbers of samples."""
    parts = [two_layers(n, seed=seed) for n, seed in ((40, 2), (90, 3))]
    A, B = (stratified_ranks([part[which] for part in parts]) for which in (0, 1))
    own = [spearmanr(*part).statistic[:25, 25:] for part in parts]
    np.testing.assert_allclose(A.T @ B, (40 * own[0] + 90 * own[1]) / 130, atol=1e-12)


def test_normal_scores_are_van_der_waerdens_up_to_scale():
    """Quantiles of (rank - 1/2) / n, scaled to standard deviation 1 (scipy 1.17 norm.ppf)."""
    x = np.array([4.0, 1.0, 3.0, 2.0])
    z = norm.ppf([0.875, 0.125, 0.625, 0.375])
    np.testing.assert_allclose(normal_scores(x[:, None])[:, 0], z / z.std(), rtol=1e-12)
