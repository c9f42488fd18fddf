"""What normalisers have in common that learn a reference and find a few numbers of each sample."""

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_is_fitted

from omicsfusion.preprocess.step import Step


class SampleFactors(OneToOneFeatureMixin, Step):
    """A step that changes each sample by its own factors: found row by row, applied by element.

    Factors are found over the features that a sample has; a sample without any keeps its NaN.
    """

    state: ClassVar[tuple[str, ...]] = ("skipped_", "did_")

    def sample_factors(self, X: np.ndarray) -> np.ndarray:
        """Return the factors of each sample, samples x number of factors."""
        # A contiguous copy of the row: sums round the same whatever memory order the matrix has.
        found = [self._factors_of(np.ascontiguousarray(row)) for row in X]
        return np.asarray(found, dtype=np.float64).reshape(len(X), -1)

    @abstractmethod
    def _factors_of(self, row: np.ndarray) -> tuple[float, ...]:
        """Return the factors of one sample (1-d, one value per feature, NaN where missing)."""

    @abstractmethod
    def apply(self, X: np.ndarray, factors: np.ndarray) -> np.ndarray:
        """Return the values changed by the factors of their samples."""

    def transform(self, X: Any) -> np.ndarray:
        """Return the values changed by factors, or as they are when the step is skipped."""
        check_is_fitted(self)
        X = self._checked(X)
        return X if self.skipped_ else self.apply(X, self.sample_factors(X))
