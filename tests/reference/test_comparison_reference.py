"""Comparisons of models against statsmodels, scipy, and worked examples that were published."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from omicsfusion.assess.comparison.differences import nadeau_bengio
from omicsfusion.assess.comparison.holm import holm
from omicsfusion.assess.comparison.more_patients import needed
from omicsfusion.assess.comparison.ranks import critical_difference, friedman, mean_ranks
from omicsfusion.assess.comparison.single_split import delong_p, mcnemar_p

SEEDS = (0, 1, 2)

DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
)
"""AUC of four variants of C4.5 on 14 data sets (Demšar 2006, table 6).

The last but one row prints .975 twice and ranks them 2 and 3: they differ before rounding.
"""


def test_the_corrected_t_test_agrees_with_an_example_worked_by_hand():
    """Nadeau & Bengio, Machine Learning 52, 2003, 239-281: SE² = s² (1/J + n_test/n_train).

    Ten differences .02, .04, .02 ...: s² = 10 x .01² / 9, and SE² = s² (1/10 + 1/4).
    """
    se, df, p = nadeau_bengio(np.array([0.02, 0.04] * 5), ratio=1 / 4)
    assert se == pytest.approx(np.sqrt(0.001 / 9 * 0.35), abs=1e-12)
    assert df == 9
    assert 0.03 / se == pytest.approx(4.81070, abs=5e-6)
    assert p == pytest.approx(0.000957, abs=5e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_without_its_correction_it_is_the_paired_t_test_of_scipy(seed):
    """Nadeau & Bengio 2003: SE² = s² (1/J + n_test/n_train), of which the latter corrects."""
    x = np.random.default_rng(seed).normal(0.01, 0.02, 12)
    found = stats.ttest_1samp(x, 0)
    assert nadeau_bengio(x, ratio=0)[2] == pytest.approx(found.pvalue, abs=1e-10)


def naive_delong(is_case, score, other):
    """DeLong et al. 1988, equations 4 to 8, with every pair compared one by one."""

    def psi(x, y):
        return 1.0 if x > y else 0.5 if x == y else 0.0

    cases, rest = np.flatnonzero(is_case), np.flatnonzero(~is_case)
    v10 = [[np.mean([psi(s[i], s[j]) for j in rest]) for i in cases] for s in (score, other)]
    v01 = [[np.mean([psi(s[i], s[j]) for i in cases]) for j in rest] for s in (score, other)]
    covariance = np.cov(v10) / len(cases) + np.cov(v01) / len(rest)
    contrast = np.array([1, -1])
    apart = contrast @ np.mean(v10, axis=1)
    z = apart / np.sqrt(contrast @ covariance @ contrast)
    return 2 * stats.norm.sf(abs(z))


@pytest.mark.parametrize("seed", SEEDS)
def test_delong_agrees_with_its_definition_pair_by_pair(seed):
    rng = np.random.default_rng(seed)
    is_case = rng.random(60) < 0.4
    score = (is_case + rng.normal(0, 1, 60)).round(1)
    other = (0.5 * score + rng.normal(0, 1, 60)).round(1)
    assert len(np.unique(score)) < 60
    assert delong_p(is_case, score, other) == pytest.approx(
        naive_delong(is_case, score, other), abs=1e-10
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_mcnemar_agrees_with_statsmodels(seed):
    right, other = np.random.default_rng(seed).random((2, 40)) < [[0.8], [0.6]]
    table = [[np.sum(a & b) for b in (other, ~other)] for a in (right, ~right)]
    expected = mcnemar(np.array(table), exact=True).pvalue
    assert mcnemar_p(right, other) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_holm_agrees_with_statsmodels_and_leaves_tests_out_that_were_not_made(seed):
    p = np.random.default_rng(seed).random(6) ** 3
    expected = multipletests(p, method="holm")[1]
    assert holm(p) == pytest.approx(expected, abs=1e-12)
    with_gap = holm(np.insert(p, 2, np.nan))
    assert np.isnan(with_gap[2])
    assert np.delete(with_gap, 2) == pytest.approx(expected, abs=1e-12)


def test_mean_ranks_are_those_of_a_published_example():
    """Demšar 2006, table 6, last row."""
    assert mean_ranks(DEMSAR) == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)


def test_the_statistic_of_friedman_is_that_of_a_published_example_but_for_its_ties():
    """Demšar 2006, section 3.2.2: 9.28, with no correction for ties; they divide it by C.

    C = 1 - sum(t³ - t) / (N (k³ - k)) (Conover 1999): t models tied in a data set.
    """
    ties = sum(t**3 - t for row in DEMSAR for t in np.unique(row, return_counts=True)[1].tolist())
    statistic, p = friedman(DEMSAR)
    assert statistic * (1 - ties / (14 * (4**3 - 4))) == pytest.approx(9.28, abs=5e-3)
    assert p == pytest.approx(stats.chi2.sf(statistic, 3), abs=1e-12)


@pytest.mark.parametrize(
    ("models", "q"),
    list(enumerate((1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164), start=2)),
)
def test_the_critical_difference_is_that_of_nemenyi(models, q):
    """Demšar 2006, table 5a: q at .05."""
    found = critical_difference(models, 14)
    assert found / np.sqrt(models * (models + 1) / (6 * 14)) == pytest.approx(q, abs=1e-3)


def test_the_number_of_patients_agrees_with_an_example_worked_by_hand():
    """Df 9: t.95 = 1.833113, t.80 = .883404; 100 (2.716517 x .01 / .02)² = 184.49.

    Chi-squared quantiles of df 9 at .9 and .1: 14.68366, 4.168159; 184.49 x 9 / each.
    """
    found = needed(100, difference=0.01, se=0.01, df=9, margin=0.02)
    assert (found.effect, found.low, found.high) == (0.02, 113, 398)
    assert not found.beyond
