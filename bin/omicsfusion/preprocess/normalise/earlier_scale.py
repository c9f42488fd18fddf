"""Signs, in the training samples, of what was done to a table before it came."""

import numpy as np

# Of a standardised sample: how far its mean may be from 0 and its standard deviation from 1. The
# filter has left out some of the features by which the sample was standardised.
SAMPLE_TOLERANCE = 0.05
# Of a standardised feature: the training samples are part of those it was standardised over, and
# outliers blow single features up. Of the features of tcga_brca, tcga_luad and tcga_gbmlgg (rna)
# 81 to 91 % pass, and 52 to 74 % when the first 40 samples alone are looked at; of those of 15
# other real tables at most 27 % (tcga_acc_mini's proteins).
FEATURE_MEAN = 0.5
FEATURE_DEVIATION = (0.7, 1.5)
FEATURE_SHARE = 0.45
# Fewer values have no mean and standard deviation worth testing.
FEWEST = 10
# The logarithm of an abundance, to whatever base, stays below the one and, beside the median,
# below the other: the 99th percentile is 2 to 4 times the median in logged tables without negative
# values (tcga_brca, breast_mixomics), 20 to 375 times in abundances (nutrimouse, gut_gastric).
LARGEST_LOGARITHM = 100.0
LARGEST_RATIO = 10.0


def standardised(X: np.ndarray) -> str:
    """Say on what evidence the values were standardised before; empty when there is none.

    Parameters
    ----------
    X
        Training samples x features; NaN is a missing value.

    Returns
    -------
    A clause that names the evidence. Standardised by sample: *every* sample has mean 0 and standard
    deviation 1, within ``SAMPLE_TOLERANCE``. By feature (z-scores): some values are negative, and
    ``FEATURE_SHARE`` of the features have a mean within ``FEATURE_MEAN`` and a standard deviation
    within ``FEATURE_DEVIATION``.
    """
    if not (X < 0).any():
        return ""
    mean, deviation = _moments(X)
    if (
        X.shape[1] >= FEWEST
        and ((np.abs(mean) <= SAMPLE_TOLERANCE) & (np.abs(deviation - 1) <= SAMPLE_TOLERANCE)).all()
    ):
        return (
            "standardised by sample before: each training sample has mean 0 and standard "
            "deviation 1"
        )
    mean, deviation = _moments(X.T)
    low, high = FEATURE_DEVIATION
    share = ((np.abs(mean) <= FEATURE_MEAN) & (deviation >= low) & (deviation <= high)).mean()
    if len(X) >= FEWEST and share >= FEATURE_SHARE:
        return (
            f"standardised by feature before: {share:.0%} of the features have a mean near 0 and "
            "a standard deviation near 1"
        )
    return ""


def spans_magnitudes(X: np.ndarray) -> bool:
    """Say whether values are abundances rather than logarithms of such.

    They are when none is negative and the 99th percentile of the positive ones is above
    ``LARGEST_LOGARITHM`` (one of the signs that NCBI's GEO2R goes by), or above ``LARGEST_RATIO``
    times their median (percentages, concentrations).

    Parameters
    ----------
    X
        Training samples x features; NaN is a missing value.
    """
    positive = X[X > 0]
    if positive.size == 0 or (X < 0).any():
        return False
    middle, top = np.quantile(positive, [0.5, 0.99])
    return bool(top > LARGEST_LOGARITHM or top > LARGEST_RATIO * middle)


def _moments(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each row over the values that are there; 0 without any."""
    known = ~np.isnan(X)
    n = np.maximum(known.sum(axis=1), 1)
    mean = np.where(known, X, 0).sum(axis=1) / n
    centred = np.where(known, X - mean[:, None], 0)
    return mean, np.sqrt((centred**2).sum(axis=1) / n)
