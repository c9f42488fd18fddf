"""Step: bring features to one scale."""

from typing import Any, Self

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_is_fitted

from omicsfusion.preprocess.order_statistics import SortedFeatures
from omicsfusion.preprocess.step import Step

CLIP = 5.0
# Width of the middle half of the normal distribution, in standard deviations.
NORMAL_INTERQUARTILE_RANGE = 1.3489795003921634
METHODS = {
    "zscore": "mean 0 and standard deviation 1",
    "robust": "median 0 and interquartile range 1.349",
    "pareto": "mean 0 and the square root of the standard deviation",
    "none": "not scaled",
}


class FeatureScaler(OneToOneFeatureMixin, Step):
    """Centre and scale each feature, then clip it.

    Parameters
    ----------
    method
        ``zscore``: mean and standard deviation (divided by n). ``robust``: median, and the
        interquartile range over 1.349, which estimates the standard deviation of normal values and
        does not see outliers; where it is 0 (more than half of the values equal), the standard
        deviation. ``pareto``: mean, and the square root of the standard deviation, which leaves
        strong features stronger (van den Berg et al., BMC Genomics 7:142, 2006). ``none``: no
        centre and no scale.
    clip
        Largest absolute value that is passed on, in standard deviations from the centre, whatever
        the unit of the method. ``none`` never clips what lies within the training values' range.
    keep_binary
        Leave features alone that are 0 or 1 in all training samples.

    Attributes
    ----------
    centre_, scale_
        Of each feature. The scale of a constant feature is 1.
    floor_, ceiling_
        Smallest and largest value that is passed on, after scaling.
    """

    state = ("centre_", "scale_", "floor_", "ceiling_", "did_")
    feature_state = ("centre_", "scale_", "floor_", "ceiling_")
    per_feature = True

    def __init__(
        self, method: str = "zscore", clip: float = CLIP, keep_binary: bool = False
    ) -> None:
        self.method = method
        self.clip = clip
        self.keep_binary = keep_binary

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn centre, scale and limits."""
        if self.method not in METHODS:
            raise ValueError(f"The method {self.method!r} is not one of {', '.join(METHODS)}.")
        X = self._checked(X, fitting=True)
        ordered = SortedFeatures.of(X)
        deviation = np.sqrt(ordered.variance())
        lowest, highest = np.nan_to_num([ordered.quantile(0), ordered.quantile(1)])
        centre = ordered.median() if self.method == "robust" else ordered.mean()
        if self.method == "robust":
            middle = ordered.quantile(0.75) - ordered.quantile(0.25)
            deviation = np.where(middle > 0, middle / NORMAL_INTERQUARTILE_RANGE, deviation)
        binary = ((X == 0) | (X == 1)).all(axis=0) & self.keep_binary
        # A mean rounds: the deviation of a constant need not be exactly 0.
        flat = binary | ~(highest > lowest) | ~(deviation > 0)
        deviation = np.where(flat, 1.0, deviation)
        self.centre_ = np.where(binary, 0.0, np.nan_to_num(centre))
        self.scale_ = np.sqrt(deviation) if self.method == "pareto" else deviation
        self.ceiling_ = self.clip * deviation / self.scale_
        self.floor_ = -self.ceiling_
        if self.method == "none":
            self.floor_ = np.minimum(self.centre_ - self.clip * deviation, lowest)
            self.ceiling_ = np.maximum(self.centre_ + self.clip * deviation, highest)
            self.centre_, self.scale_ = np.zeros_like(deviation), np.ones_like(deviation)
        self.did_ = f"{METHODS[self.method]}, clipped at {self.clip:g} standard deviations"
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the scaled and clipped values."""
        check_is_fitted(self)
        return np.clip((self._checked(X) - self.centre_) / self.scale_, self.floor_, self.ceiling_)
