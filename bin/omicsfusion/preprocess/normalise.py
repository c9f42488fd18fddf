"""Step: bring values that grow by factors to a scale on which they grow by sums."""

from typing import Any, Self

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_is_fitted

from omicsfusion.preprocess.step import Step


class LogTransform(OneToOneFeatureMixin, Step):
    """log2(x + 1), unless a training value is negative: then the layer was logged before.

    Attributes
    ----------
    log_
        Whether the logarithm is taken. If so, negative values of new samples count as 0.
    """

    state = ("log_",)

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn whether the values can be logged."""
        X = self._checked(X, fitting=True)
        self.log_ = not bool((X < 0).any())
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return log2(x + 1), or the values as they are."""
        check_is_fitted(self)
        X = self._checked(X)
        return np.log2(np.maximum(X, 0) + 1) if self.log_ else X
