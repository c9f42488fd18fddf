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


class Scaler(OneToOneFeatureMixin, Step):
    """Centre and scale each feature, then clip it.

    Parameters
    ----------
    method
        ``zscore``: mean and standard deviation (divided by n). ``robust``: median, and the
        interquartile range over 1.349, which estimates the standard deviation of normal values and
        does not see outliers; where it is 0 (more than half of the values equal), the standard
        deviation.
    clip
        Largest absolute value that is passed on, in standard deviations.
    keep_binary
        Leave features alone that are 0 or 1 in all training samples.

    Attributes
    ----------
    centre_, scale_
        Of each feature. The scale of a constant feature is 1.
    """

    state = ("centre_", "scale_")

    def __init__(
        self, method: str = "zscore", clip: float = CLIP, keep_binary: bool = False
    ) -> None:
        self.method = method
        self.clip = clip
        self.keep_binary = keep_binary

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn centre and scale."""
        if self.method not in ("zscore", "robust"):
            raise ValueError(f"The method {self.method!r} is not one of zscore, robust.")
        X = self._checked(X, fitting=True)
        ordered = SortedFeatures.of(X)
        deviation = np.sqrt(ordered.variance())
        if self.method == "robust":
            centre = ordered.median()
            middle = ordered.quantile(0.75) - ordered.quantile(0.25)
            deviation = np.where(middle > 0, middle / NORMAL_INTERQUARTILE_RANGE, deviation)
        else:
            centre = ordered.mean()
        binary = ((X == 0) | (X == 1)).all(axis=0) & self.keep_binary
        self.centre_ = np.where(binary, 0.0, centre)
        self.scale_ = np.where(binary | ~(deviation > 0), 1.0, deviation)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the scaled and clipped values."""
        check_is_fitted(self)
        return np.clip((self._checked(X) - self.centre_) / self.scale_, -self.clip, self.clip)
