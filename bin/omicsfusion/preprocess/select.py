"""Step: keep the features that vary most."""

from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from omicsfusion.preprocess.order_statistics import SortedFeatures
from omicsfusion.preprocess.step import Step

MAX_FEATURES = 5000
# A twentieth of the values at each end, and at least one, is drawn in before the variance is
# taken: in tcga_brca a single z-score of 36,893 would make its gene the most variable of all.
WINSORISED_SHARE = 0.05


class VarianceSelector(Step):
    """Keep the features with the largest winsorised variance among the training samples.

    Parameters
    ----------
    max_features
        How many to keep at most.

    Attributes
    ----------
    support_
        Which features are kept. Ties (a rare mutation has winsorised variance 0) go to the larger
        plain variance, then to the feature that stands first.
    """

    state = ("support_",)

    def __init__(self, max_features: int = MAX_FEATURES) -> None:
        self.max_features = max_features

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn which features to keep."""
        X = self._checked(X, fitting=True)
        self.support_ = np.ones(X.shape[1], dtype=bool)
        if X.shape[1] > self.max_features:
            ranked = np.lexsort(tuple(-variance for variance in _variances(X)))
            self.support_[ranked[self.max_features :]] = False
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the kept features."""
        check_is_fitted(self)
        return self._checked(X)[:, self.support_]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the kept features."""
        return np.asarray(input_features, dtype=object)[self.support_]


def _variances(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Plain and winsorised variance of each feature."""
    ordered = SortedFeatures.of(X)
    low = ordered.quantile(WINSORISED_SHARE, "up")
    high = ordered.quantile(1 - WINSORISED_SHARE, "down")
    return ordered.variance(), ordered.variance(low, np.maximum(low, high))
