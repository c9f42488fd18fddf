"""Spearman correlations of all features of two layers, as products of matrices of ranks."""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.special import stdtr
from scipy.stats import rankdata

# Columns of the first layer in one product.
BLOCK = 500


def unit_ranks(X: np.ndarray) -> np.ndarray:
    """Rank each feature over the samples, centre and scale to length 1.

    The product of two such columns is Spearman's correlation (Spearman, Am. J. Psychol. 15, 1904,
    72-101), with average ranks for ties. A missing value stands at the mean rank of its feature,
    which draws correlations towards 0; a constant feature becomes 0 throughout.

    Parameters
    ----------
    X
        Samples x features; NaN is a missing value.

    Returns
    -------
    float64, samples x features.
    """
    known = ~np.isnan(X)
    R = rankdata(X, axis=0, nan_policy="propagate" if known.all() else "omit")
    # The ranks of n values have the mean (n + 1) / 2, ties or not.
    R = np.where(known, R - (known.sum(axis=0) + 1) / 2, 0)
    length = np.sqrt(np.square(R).sum(axis=0))
    # Ranks are halves of whole numbers: a varying feature is at least .5 long.
    return R / np.where(length > 0.25, length, np.inf)


def stratified_ranks(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Rank each feature within each cohort, so that a shift between cohorts correlates nothing.

    Returns
    -------
    The cohorts below one another. The product of two columns is the mean of the cohorts'
    correlations, weighted by their numbers of samples.
    """
    n = sum(map(len, parts))
    return np.concatenate([unit_ranks(part) * np.sqrt(len(part) / n) for part in parts])


def correlation_blocks(A: np.ndarray, B: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield ``(first column of A, correlations of some columns of A with all of B)``."""
    for start in range(0, A.shape[1], BLOCK):
        yield start, np.clip(A[:, start : start + BLOCK].T @ B, -1, 1)


def p_values(rho: np.ndarray, freedom: int) -> np.ndarray:
    """Two-sided p-values of correlations from the t-distribution (Kendall & Stuart, vol. 2, 31.19).

    Parameters
    ----------
    freedom
        Samples less 2; with several cohorts, samples less their number less 1.
    """
    with np.errstate(divide="ignore"):
        t = np.abs(rho) * np.sqrt(freedom / np.maximum(1 - np.square(rho), 0))
    return 2 * stdtr(freedom, -t)
