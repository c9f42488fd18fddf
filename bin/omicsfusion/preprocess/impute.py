"""Step: fill in missing values."""

from typing import Any, Self

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_is_fitted

from omicsfusion.preprocess.order_statistics import SortedFeatures
from omicsfusion.preprocess.step import Step


class MedianImputer(OneToOneFeatureMixin, Step):
    """Replace missing values by the median of the training samples.

    Attributes
    ----------
    median_
        Median of each feature; 0 for a feature without any training value.
    """

    state = ("median_",)

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn the medians."""
        self.median_ = np.nan_to_num(SortedFeatures.of(self._checked(X, fitting=True)).median())
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the values without NaN."""
        check_is_fitted(self)
        X = self._checked(X)
        return np.where(np.isnan(X), self.median_, X)
