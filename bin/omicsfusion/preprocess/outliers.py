"""Outlying samples: measures of one sample, and the rule by which training samples are judged."""

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_is_fitted

from omicsfusion.preprocess.normalise.earlier_scale import spans_magnitudes
from omicsfusion.preprocess.order_statistics import SortedFeatures
from omicsfusion.preprocess.select.spread import best, variances, winsor_limits
from omicsfusion.preprocess.step import Step

MEASURES = ("missing", "total", "median", "spread")
DISTANCES = ("distance", "residual")
# Makes the median absolute deviation of normal values their standard deviation.
MAD_TO_DEVIATION = 1.4826022185056018
MADS = 5.0
N_COMPONENTS = 10
# More features add time, not directions: the leading components of thousands are those of all.
COMPONENT_FEATURES = 5000
# Standard deviations beyond which a single value adds nothing to a distance.
CLIP = 5.0
# The median absolute deviation of fewer samples calls one in ten of them outlying at 5.
MIN_JUDGED = 20
# Where nearly all samples are complete, a few missing values are no sign of a bad one.
MISSING_FLOOR = 0.01
# Measures that differ by less of their own size differ by rounding: samples that were standardised
# or brought to the same quantiles before they came, in float32.
ROUNDING = 1e-5


def sample_measures(X: np.ndarray) -> pd.DataFrame:
    """Measure each sample by itself.

    Parameters
    ----------
    X
        Samples x features; NaN is a missing value.

    Returns
    -------
    One row per sample: ``missing`` (share of the features without a value), ``total`` (sum of the
    values; of counts the library size), ``median`` and ``spread`` (interquartile range) of the
    values. The last three are NaN for a sample without any value.
    """
    rows = [_measures_of(np.array(row, dtype=np.float64)) for row in X]
    return pd.DataFrame(rows, columns=list(MEASURES), dtype=np.float64)


def centre_and_spread(values: np.ndarray) -> tuple[float, float]:
    """Return median and 1.4826 x median absolute deviation of the values that are not NaN.

    Both are 0 when there is none.
    """
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    if known.size == 0:
        return 0.0, 0.0
    centre = float(np.median(known))
    return centre, float(MAD_TO_DEVIATION * np.median(np.abs(known - centre)))


def robust_z(
    values: np.ndarray, centre: float | None = None, spread: float | None = None
) -> np.ndarray:
    """Return (value - median) / (1.4826 x median absolute deviation).

    Iglewicz & Hoaglin, How to Detect and Handle Outliers, ASQC 1993 (their modified z-score).

    Parameters
    ----------
    values
        One number per sample; NaN where it is not known.
    centre, spread
        As :func:`centre_and_spread` found them on other samples; None: found on these.

    Returns
    -------
    One number per sample. 0 where the value is NaN, and everywhere when the spread is 0: if more
    than half of the samples are equal, how far is far cannot be told.
    """
    values = np.asarray(values, dtype=np.float64)
    own_centre, own_spread = centre_and_spread(values)
    centre = own_centre if centre is None else centre
    spread = own_spread if spread is None else spread
    if not spread > 0:
        return np.zeros(values.shape)
    return np.nan_to_num((values - centre) / spread)


class OutlierRule(OneToOneFeatureMixin, Step):
    """Says which samples are unlike the others, by a rule that never sees an outcome.

    A sample is outlying when one of its measures lies more than ``mads`` robust standard deviations
    (median, 1.4826 x median absolute deviation) from the training samples: share of missing values
    (too many only), total, median and interquartile range of its values, its distance from the
    middle along the first principal components and its residual distance from them (too far only;
    the two of Hubert, Rousseeuw & Vanden Branden, Technometrics 47:64, 2005, section 3: a sample
    with the wrong features in the wrong places is far only by the second). The measures are taken
    on log2(x + 1) where the training values span orders of magnitude (the total is logged after it
    was summed). The components are those of the features with the largest winsorised variance,
    missing values at the median, values drawn in to the 5th and 95th percentile, standardised. For
    the distances values are drawn in to 5 standard deviations only; along each component the
    distance counts in robust standard deviations.

    ``transform`` returns the values as they are: who is left out is the caller's business, and no
    test sample ever is.

    Parameters
    ----------
    mads
        How many robust standard deviations are too many.

    Attributes
    ----------
    centre_, spread_
        Of ``missing, total, median, spread, distance, residual`` over the training samples; a
        spread of 0: more than half are equal but for rounding, nobody is judged by this measure.
    columns_
        Positions of the features of the components.
    median_, mean_, deviation_
        Of these features; mean and standard deviation are those of the winsorised values.
    axes_
        Principal axes x these features, each of length 1.
    middle_, width_
        Median and robust standard deviation of the training samples along each axis.
    logarithm_
        Whether values are logged before they are measured.
    """

    state = (
        "centre_",
        "spread_",
        "columns_",
        "median_",
        "mean_",
        "deviation_",
        "axes_",
        "middle_",
        "width_",
        "logarithm_",
        "skipped_",
        "did_",
    )

    def __init__(self, mads: float = MADS) -> None:
        self.mads = mads

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn where the training samples lie."""
        X = self._checked(X, fitting=True)
        self.logarithm_ = spans_magnitudes(X)
        self._fit_components(self._logged(X))
        measures = self._measured(X)
        found = [centre_and_spread(measures[name].to_numpy()) for name in measures]
        self.centre_, self.spread_ = np.array(found).T
        self.spread_[self.spread_ <= ROUNDING * self._sizes(X.shape[1])] = 0
        self.spread_[0] = max(self.spread_[0], MISSING_FLOOR)
        few = len(X) < MIN_JUDGED
        self.skipped_ = f"fewer than {MIN_JUDGED} training samples: none is judged" if few else ""
        self.did_ = (
            f"more than {self.mads:g} robust standard deviations in missing values, total, median, "
            f"spread, or distance along or from {len(self.axes_)} principal components"
        )
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the values as they are."""
        check_is_fitted(self)
        return self._checked(X)

    def judge(self, X: Any) -> pd.DataFrame:
        """Measure samples and say which are outlying.

        Parameters
        ----------
        X
            Samples x features, before any step.

        Returns
        -------
        One row per sample: ``missing, total, median, spread, distance, residual`` (as they are
        compared), ``outlying`` (bool) and ``reasons`` (such as ``total 3.1 (robust z -7.4)``,
        joined by ``; ``; empty when there is none).
        """
        check_is_fitted(self)
        table = self._measured(self._checked(X))
        z = {
            name: robust_z(table[name].to_numpy(), self.centre_[place], self.spread_[place])
            for place, name in enumerate(table)
        }
        reasons = [self._reasons(table, z, row) for row in range(len(table))]
        return table.assign(outlying=[bool(text) for text in reasons], reasons=reasons)

    def _reasons(self, table: pd.DataFrame, z: dict[str, np.ndarray], row: int) -> str:
        if self.skipped_:
            return ""
        found = []
        for name, values in z.items():
            # Nothing is wrong with a sample that has few missing values or lies in the middle.
            size = values[row] if name in (MEASURES[0], *DISTANCES) else abs(values[row])
            if size > self.mads:
                found.append(f"{name} {table[name].iloc[row]:.4g} (robust z {values[row]:.1f})")
        return "; ".join(found)

    def _measured(self, X: np.ndarray) -> pd.DataFrame:
        logged = self._logged(X)
        table = sample_measures(logged)
        known = 1 - table["missing"]
        total = sample_measures(X)["total"] if self.logarithm_ else table["total"]
        # As if all features were there: what is missing is counted once, under its own name.
        total = total / known.where(known > 0)
        table["total"] = np.log2(np.maximum(total, 0) + 1) if self.logarithm_ else total
        found = [self._distances(np.ascontiguousarray(row)) for row in logged]
        table[list(DISTANCES)] = np.array(found).reshape(-1, 2)
        return table

    def _sizes(self, n_features: int) -> np.ndarray:
        """Say how large each measure is, where it is not near 0 by cancelling out."""
        sizes = np.abs(self.centre_)
        typical = sizes[2] + sizes[3]
        if not self.logarithm_:
            sizes[1] = max(sizes[1], typical * n_features)
        sizes[2:4] = typical
        return sizes

    def _logged(self, X: np.ndarray) -> np.ndarray:
        return np.log2(np.maximum(X, 0) + 1) if self.logarithm_ else X

    def _distances(self, row: np.ndarray) -> tuple[float, float]:
        values = self._standardised(row[self.columns_])
        scores = self.axes_ @ values
        residual = values - scores @ self.axes_
        along = (scores - self.middle_) / self.width_
        return float(np.sqrt((along**2).sum())), float(np.sqrt((residual**2).sum()))

    def _standardised(self, values: np.ndarray) -> np.ndarray:
        filled = np.where(np.isnan(values), self.median_, values)
        return np.clip((filled - self.mean_) / self.deviation_, -CLIP, CLIP)

    def _fit_components(self, X: np.ndarray) -> None:
        scores = variances(X)
        self.columns_ = np.flatnonzero(best(scores, COMPONENT_FEATURES, scores[1] > 0))
        X = X[:, self.columns_]
        ordered = SortedFeatures.of(X)
        self.median_ = ordered.median()
        drawn_in = np.clip(np.where(np.isnan(X), self.median_, X), *winsor_limits(ordered))
        ordered = SortedFeatures.of(drawn_in)
        deviation = np.sqrt(ordered.variance())
        # Squares of the smallest numbers are 0.
        self.mean_, self.deviation_ = ordered.mean(), np.where(deviation > 0, deviation, 1.0)
        axes = _principal_axes((drawn_in - self.mean_) / self.deviation_, N_COMPONENTS)
        along = np.array([axes @ row for row in self._standardised(X)])
        found = [centre_and_spread(of_axis) for of_axis in along.T]
        centre, spread = np.array(found).reshape(-1, 2).T
        # A component along which more than half of the samples are equal measures nobody.
        told = spread > 0
        self.axes_, self.middle_, self.width_ = axes[told], centre[told], spread[told]


def _measures_of(row: np.ndarray) -> tuple[float, float, float, float]:
    known = row[~np.isnan(row)]
    missing = 1 - known.size / row.size
    if known.size == 0:
        return missing, np.nan, np.nan, np.nan
    low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
    return missing, known.sum(), middle, high - low


def _principal_axes(Z: np.ndarray, limit: int) -> np.ndarray:
    """Return the first principal axes of Z (samples x features), axes x features, of length 1."""
    gram = Z @ Z.T
    centred = gram - gram.mean(axis=0) - gram.mean(axis=1)[:, None] + gram.mean()
    sizes, vectors = np.linalg.eigh((centred + centred.T) / 2)
    order = np.argsort(-sizes)[:limit]
    order = order[sizes[order] > 1e-10 * max(sizes.max(), 0)]
    axes = vectors[:, order].T @ (Z - Z.mean(axis=0))
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)
