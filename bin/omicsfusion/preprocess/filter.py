"""Step: leave out features that say nothing about the training samples."""

from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from omicsfusion.preprocess.step import Step

MAX_MISSING = 0.5


class FeatureFilter(Step):
    """Leave out features that are constant, or mostly missing, among the training samples.

    Parameters
    ----------
    max_missing
        Largest share of missing values with which a feature is kept, 0 to 1.

    Attributes
    ----------
    support_
        Which features are kept.
    n_constant_, n_missing_
        How many were left out as constant, and for missing values.
    """

    state = ("support_", "n_constant_", "n_missing_")

    def __init__(self, max_missing: float = MAX_MISSING) -> None:
        self.max_missing = max_missing

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn which features to keep."""
        X = self._checked(X, fitting=True)
        missing = np.isnan(X).mean(axis=0)
        enough = (missing <= self.max_missing) & (missing < 1)
        varies = np.fmax.reduce(X, axis=0) > np.fmin.reduce(X, axis=0)
        self.support_ = enough & varies
        self.n_missing_ = int((~enough).sum())
        self.n_constant_ = int((enough & ~varies).sum())
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the kept features."""
        check_is_fitted(self)
        return self._checked(X)[:, self.support_]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the kept features."""
        return np.asarray(input_features, dtype=object)[self.support_]
