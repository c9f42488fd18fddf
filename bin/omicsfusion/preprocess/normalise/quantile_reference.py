"""Step: give each sample the distribution of the mean training sample."""

from typing import Any, Self

import numpy as np
from scipy.stats import rankdata
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_is_fitted

from omicsfusion.preprocess.normalise.earlier_scale import standardised
from omicsfusion.preprocess.step import Step


class QuantileReference(OneToOneFeatureMixin, Step):
    """Quantile normalisation to the stored mean of the sorted training samples.

    Bolstad et al., Bioinformatics 19:185 (2003). Missing values by position, as in limma's
    ``normalizeQuantiles``: the sorted values of a sample that has m of p features stand at
    0, 1/(m-1), … 1 and are interpolated to the p positions before the mean is taken, and the value
    of rank r gets the reference at (r-1)/(m-1). Tied values share their mean rank. Not Bolstad's:
    the reference comes from the training samples alone, and a new sample never changes it.

    Attributes
    ----------
    reference_
        Ascending, as many values as features.
    skipped_
        Filled when the training samples were standardised before: z-scores of features have no
        common distribution that a sample should follow, and standardised samples have it by and
        large.
    """

    state = ("reference_", "skipped_", "did_")

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn the reference."""
        X = self._checked(X, fitting=True)
        self.skipped_ = standardised(X)
        self.reference_ = mean_of_sorted(X)
        self.did_ = "" if self.skipped_ else f"quantiles of the mean of {len(X)} training samples"
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the reference's values, in the order of each sample's own; NaN stays."""
        check_is_fitted(self)
        X = self._checked(X)
        return X if self.skipped_ else to_reference(X, self.reference_)


def mean_of_sorted(X: np.ndarray) -> np.ndarray:
    """Return the mean of the sorted samples, one value per feature; 0 without any value."""
    total = np.zeros(X.shape[1])
    counted = 0
    positions = _positions(X.shape[1])
    for row in X:
        known = np.sort(row[~np.isnan(row)])
        if known.size:
            total += np.interp(positions, _positions(known.size), known)
            counted += 1
    # Interpolation rounds: no value may come out below the one before it.
    return np.maximum.accumulate(total / max(counted, 1))


def to_reference(X: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return, for each value of a sample, the reference at its rank; NaN stays."""
    out = np.full(X.shape, np.nan)
    positions = _positions(reference.size)
    for sample, row in enumerate(X):
        known = ~np.isnan(row)
        ranks = rankdata(row[known])
        out[sample, known] = np.interp(_at(ranks), positions, reference)
    return out


def _at(ranks: np.ndarray) -> np.ndarray:
    """0 … 1 for ranks that may be tied; a single value stands in the middle."""
    return (ranks - 1) / (ranks.size - 1) if ranks.size > 1 else np.full(ranks.size, 0.5)


def _positions(n: int) -> np.ndarray:
    return _at(np.arange(1, n + 1))
