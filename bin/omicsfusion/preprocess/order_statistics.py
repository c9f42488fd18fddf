"""Quantiles of each feature among the values that are not missing, from one sort."""

from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class SortedFeatures:
    """The values of each feature in order: whatever is computed from it ignores the row order.

    Attributes
    ----------
    values
        features x samples, each row ascending, missing values (NaN) last.
    n
        Values that are not missing, per feature.
    """

    values: np.ndarray
    n: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray) -> "SortedFeatures":
        """Sort the features of X (samples x features)."""
        values = np.sort(np.ascontiguousarray(X.T), axis=1)
        return cls(values, values.shape[1] - np.isnan(values).sum(axis=1))

    def quantile(
        self, q: float, rounding: Literal["linear", "up", "down"] = "linear"
    ) -> np.ndarray:
        """Return the q-quantile of each feature; NaN for one without any value.

        Parameters
        ----------
        q
            Between 0 and 1.
        rounding
            ``linear`` interpolates between the two nearest values (type 7 of Hyndman & Fan, Am.
            Stat. 50:361, 1996, as ``numpy.quantile``); ``up`` and ``down`` take one of them.
        """
        position = np.maximum(self.n - 1, 0) * q
        low = self._at(np.floor(position))
        high = self._at(np.ceil(position))
        if rounding != "linear":
            return high if rounding == "up" else low
        share = position - np.floor(position)
        return np.where(share == 0, low, low + share * (high - low))

    def median(self) -> np.ndarray:
        """Return the median of each feature; NaN for one without any value."""
        low = self._at((self.n - 1) // 2)
        return low + (self._at(self.n // 2) - low) / 2

    def variance(
        self, floor: np.ndarray | None = None, ceiling: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the variance (divided by n) of each feature, its values clipped to a range.

        Two passes: the mean first. 0 for a feature without any value.
        """
        values = np.nan_to_num(self.values, nan=0.0, posinf=np.inf, neginf=-np.inf)
        if floor is not None and ceiling is not None:
            values = np.clip(values, np.nan_to_num(floor)[:, None], np.nan_to_num(ceiling)[:, None])
        present = np.arange(values.shape[1]) < self.n[:, None]
        n = np.maximum(self.n, 1)
        mean = np.where(present, values, 0).sum(axis=1) / n
        return (np.where(present, values - mean[:, None], 0) ** 2).sum(axis=1) / n

    def mean(self) -> np.ndarray:
        """Return the mean of each feature; 0 for one without any value."""
        return np.nan_to_num(self.values, nan=0.0).sum(axis=1) / np.maximum(self.n, 1)

    def _at(self, rank: np.ndarray) -> np.ndarray:
        index = np.clip(rank, 0, self.values.shape[1] - 1).astype(np.int64)
        return np.take_along_axis(self.values, index[:, None], axis=1)[:, 0]
