"""Step: protein intensities on the log scale, samples brought to one level."""

from typing import Any, Self

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_is_fitted

from omicsfusion.preprocess.normalise.earlier_scale import spans_magnitudes
from omicsfusion.preprocess.normalise.quantile_reference import mean_of_sorted, to_reference
from omicsfusion.preprocess.normalise.sample_factors import SampleFactors
from omicsfusion.preprocess.order_statistics import SortedFeatures
from omicsfusion.preprocess.scale import NORMAL_INTERQUARTILE_RANGE
from omicsfusion.preprocess.step import Step

# Of features: whose variance is taken for background noise, and whose for noise that grows with
# the signal.
DIM_SHARE = 0.1
BRIGHT_SHARE = 0.5


class MedianCentring(SampleFactors):
    """log2 where needed, then each sample's median brought to that of the training profile.

    The logarithm is taken when :func:`spans_magnitudes` says that training values are intensities.
    The factor of a sample is its median minus the median of the profile (the median of each feature
    among training samples) over the features that the sample has: without missing values all
    samples end at one median, and a sample whose faint proteins were not detected is not pushed
    down for it.

    Attributes
    ----------
    log_
        Whether the logarithm is taken.
    floor_
        Per feature, half its smallest positive training value: what is below counts as this before
        the logarithm.
    profile_
        Median of each feature among training samples, logged where values are.
    """

    state = ("log_", "floor_", "profile_", "skipped_", "did_")
    feature_state = ("floor_", "profile_")

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn whether to log, the floors, and the profile."""
        X = self._checked(X, fitting=True)
        self.log_, self.floor_ = spans_magnitudes(X), half_smallest(X)
        self.profile_ = SortedFeatures.of(logged(X, self.floor_, self.log_)).median()
        self.skipped_ = ""
        log = "log2, then " if self.log_ else "not logged (the values are logarithms), "
        self.did_ = f"{log}sample medians centred"
        return self

    def _factors_of(self, row: np.ndarray) -> tuple[float, ...]:
        known = ~np.isnan(row) & ~np.isnan(self.profile_)
        if not known.any():
            return (0.0,)
        values = logged(row, self.floor_, self.log_)
        return (float(np.median(values[known]) - np.median(self.profile_[known])),)

    def apply(self, X: np.ndarray, factors: np.ndarray) -> np.ndarray:
        """Return the values, logged where needed, minus the factor of their sample."""
        return logged(X, self.floor_, self.log_) - factors


class ProteinQuantiles(OneToOneFeatureMixin, Step):
    """log2 where needed, then quantile normalisation to the mean training sample.

    The logarithm as in :class:`MedianCentring`, the rest as in :class:`QuantileReference`.
    """

    state = ("log_", "floor_", "reference_", "did_")
    feature_state = ("floor_",)

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn whether to log, the floors, and the reference."""
        X = self._checked(X, fitting=True)
        self.log_, self.floor_ = spans_magnitudes(X), half_smallest(X)
        self.reference_ = mean_of_sorted(logged(X, self.floor_, self.log_))
        log = "log2, then " if self.log_ else ""
        self.did_ = f"{log}quantiles of the mean of {len(X)} training samples"
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the reference's values, in the order of each sample's own; NaN stays."""
        check_is_fitted(self)
        X = logged(self._checked(X), self.floor_, self.log_)
        return to_reference(X, self.reference_)


class VarianceStabilised(SampleFactors):
    """asinh((x - shift) / stretch / knee) / ln 2: logarithmic above the knee, linear below.

    Like vsn (Huber et al., Bioinformatics 18 Suppl 1:S96, 2002): an affine map of each sample, then
    one arsinh, under which noise that has an additive and a multiplicative part has the same
    variance everywhere. Not vsn: shift and stretch of a sample bring its quartiles to those of the
    training profile over the features that it has (vsn: maximum likelihood over all samples at
    once, which a new sample would change); the knee is the deviation of dim features over the
    coefficient of variation of bright ones, by the two-part noise of Rocke & Durbin (J. Comput.
    Biol. 8:557, 2001), deviations being interquartile ranges over 1.349.

    Attributes
    ----------
    profile_
        Median of each feature among training samples.
    knee_
        Intensity around which the transform turns from linear to logarithmic.
    skipped_
        Filled when the training values are logarithms already.
    """

    state = ("profile_", "knee_", "skipped_", "did_")
    feature_state = ("profile_",)

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn the profile and the knee."""
        X = self._checked(X, fitting=True)
        self.profile_ = SortedFeatures.of(X).median()
        raw = spans_magnitudes(X)
        self.skipped_ = "" if raw else "the training values do not span magnitudes: logged before"
        self.knee_ = _knee(_calibrated(X, self.sample_factors(X))) if raw else 1.0
        self.did_ = f"arsinh of calibrated intensities, knee at {self.knee_:.3g}" if raw else ""
        return self

    def _factors_of(self, row: np.ndarray) -> tuple[float, ...]:
        known = ~np.isnan(row) & ~np.isnan(self.profile_)
        if not known.any():
            return 0.0, 1.0
        low, high = np.quantile(row[known], [0.25, 0.75])
        aim_low, aim_high = np.quantile(self.profile_[known], [0.25, 0.75])
        if not (high > low and aim_high > aim_low):
            return 0.0, 1.0
        stretch = (high - low) / (aim_high - aim_low)
        return low - stretch * aim_low, stretch

    def apply(self, X: np.ndarray, factors: np.ndarray) -> np.ndarray:
        """Return the calibrated values under arsinh, in units of log2."""
        return np.arcsinh(_calibrated(X, factors) / self.knee_) / np.log(2)


def half_smallest(X: np.ndarray) -> np.ndarray:
    """Return half the smallest positive value of each feature.

    A feature without any takes the smallest of the others, and 1 when there are no others.
    """
    smallest = np.where(X > 0, X, np.inf).min(axis=0) / 2
    known = smallest[np.isfinite(smallest)]
    return np.where(np.isfinite(smallest), smallest, known.min() if known.size else 1.0)


def logged(X: np.ndarray, floor: np.ndarray, log: bool) -> np.ndarray:
    """Return log2 of the values, raised to the floors of their features; as they are if not."""
    return np.log2(np.maximum(X, floor)) if log else X


def _calibrated(X: np.ndarray, factors: np.ndarray) -> np.ndarray:
    return (X - factors[:, :1]) / factors[:, 1:]


def _knee(calibrated: np.ndarray) -> float:
    """Estimate the knee from calibrated training values; 1 when no feature varies."""
    ordered = SortedFeatures.of(calibrated)
    mean = ordered.median()
    deviation = (ordered.quantile(0.75) - ordered.quantile(0.25)) / NORMAL_INTERQUARTILE_RANGE
    usable = (deviation > 0) & (mean > 0)
    if not usable.any():
        return 1.0
    mean, deviation = mean[usable], deviation[usable]
    dim = mean <= np.quantile(mean, DIM_SHARE)
    bright = mean >= np.quantile(mean, BRIGHT_SHARE)
    return float(np.median(deviation[dim]) / np.median(deviation[bright] / mean[bright]))
