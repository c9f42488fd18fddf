"""Step: fill in values that are missing because they are low by low values."""

import hashlib
from typing import Any, Self

import numpy as np
from scipy.special import ndtri
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_is_fitted

from omicsfusion.preprocess.impute.missingness import judge_missingness
from omicsfusion.preprocess.order_statistics import SortedFeatures
from omicsfusion.preprocess.step import Step

CENTRES = ("sample", "feature")
# Features that lack more take no part in the standard deviation, as in imputeLCMD.
ENOUGH_KNOWN = 0.5


class CensoredImputer(OneToOneFeatureMixin, Step):
    """Low draws for features judged left-censored, medians for the others (min-prob).

    Which features are left-censored is told by ``missingness.py`` on the training samples. There a
    missing value is drawn from a normal distribution around the sample's low quantile, whose
    standard deviation is the median of the features' (those more than half known), times ``sigma``:
    ``impute.MinProb`` of imputeLCMD 2.1 (Lazar et al. 2016), which draws for all missing values.

    The draw is a function of the sample's own values and the feature's position only: the same
    sample gets the same values in every run and in any company.

    Parameters
    ----------
    q
        The low quantile, 0 to 1.
    sigma
        Factor on the standard deviation.
    around
        ``sample``: the low quantile of the sample's known values, for features on one scale (as
        published); a quantile outside the range of those of the training samples is drawn to it.
        ``feature``: the low quantile of the feature's training values.

    Attributes
    ----------
    median_, low_
        Median and low quantile of each feature, of its known training values; 0 if it has none.
    censored_
        Which features are judged left-censored.
    centres_
        Lowest, median and highest low quantile of the training samples.
    sd_
        Standard deviation of the draws.
    missingness_
        What the judgement rests on.

    References
    ----------
    Lazar et al., J. Proteome Res. 15:1116, 2016; R package imputeLCMD 2.1.
    """

    state = ("median_", "low_", "censored_", "centres_", "sd_", "missingness_", "did_")
    feature_state = ("median_", "low_", "censored_")

    def __init__(self, q: float = 0.01, sigma: float = 1.0, around: str = "sample") -> None:
        self.q = q
        self.sigma = sigma
        self.around = around

    def fit(self, X: Any, y: None = None) -> Self:
        """Judge the features; learn medians and where low values are."""
        if self.around not in CENTRES:
            raise ValueError(f"around={self.around!r} is not one of {', '.join(CENTRES)}.")
        X = np.ascontiguousarray(self._checked(X, fitting=True))
        ordered = SortedFeatures.of(X)
        found = judge_missingness(X)
        self.median_ = np.nan_to_num(ordered.median())
        self.low_ = np.nan_to_num(ordered.quantile(self.q))
        self.censored_ = found.censored
        self.missingness_ = found.figures()
        self.centres_ = np.zeros(3)
        self.sd_ = 0.0
        if found.mechanism == "censored":
            quantiles = [low_quantile(row, self.q) for row in X if not np.isnan(row).all()]
            self.centres_ = np.quantile(quantiles, [0, 0.5, 1])
            self.sd_ = self.sigma * median_deviation(ordered)
        self.did_ = self._said(str(found))
        return self

    def _said(self, judged: str) -> str:
        if not self.censored_.any():
            return f"medians; {judged}"
        return (
            f"min-prob draws for {int(self.censored_.sum()):,} left-censored features (around the "
            f"{self.around}'s {self.q:g} quantile, sd {self.sd_:.3g}), medians for the others; "
            f"{judged}"
        )

    def transform(self, X: Any) -> np.ndarray:
        """Return the values without NaN, each sample by itself."""
        check_is_fitted(self)
        X = self._checked(X)
        out = np.ascontiguousarray(np.where(np.isnan(X), self.median_, X))
        if not self.censored_.any():
            return out
        for row, filled in zip(np.ascontiguousarray(X), out, strict=True):
            low = np.flatnonzero(np.isnan(row) & self.censored_)
            if len(low):
                filled[low] = self._centre(row, low) + self.sd_ * deviates(row, low)
        return out

    def _centre(self, row: np.ndarray, low: np.ndarray) -> np.ndarray:
        if self.around == "feature":
            return self.low_[low]
        if np.isnan(row).all():
            return np.full(len(low), self.centres_[1])
        lowest, _, highest = self.centres_
        return np.full(len(low), np.clip(low_quantile(row, self.q), lowest, highest))


def low_quantile(row: np.ndarray, q: float) -> float:
    """Return the q-quantile of a sample's known values (type 7, R's and numpy's default)."""
    return float(np.quantile(row[~np.isnan(row)], q))


def median_deviation(ordered: SortedFeatures) -> float:
    """Return the median of the features' standard deviations (n - 1), of those mostly known."""
    known = (ordered.n > ENOUGH_KNOWN * ordered.values.shape[1]) & (ordered.n > 1)
    if not known.any():
        known = ordered.n > 1
    n = np.maximum(ordered.n, 2)
    deviation = np.sqrt(ordered.variance() * n / (n - 1))
    return float(np.median(deviation[known])) if known.any() else 0.0


def deviates(row: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Return standard normal deviates that depend on a sample's values and the features only.

    SHA-256 of the values is the key of a Philox counter generator (Salmon et al., SC 2011), whose
    n-th number belongs to the n-th feature; the normal deviate is its inverse distribution.
    """
    # One NaN and one zero, whatever bits they came with.
    values = np.where(np.isnan(row), np.nan, row + 0.0)
    digest = hashlib.sha256(values.astype("<f8").tobytes()).digest()
    raw = np.random.Philox(key=int.from_bytes(digest[:16], "little")).random_raw(len(row))
    return ndtri(((raw[features] >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53)
