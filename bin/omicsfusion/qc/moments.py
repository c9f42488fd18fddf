"""Count, mean and spread of values that arrive block by block."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Moments:
    """Of the values that are not missing, per feature or per sample.

    Attributes
    ----------
    n
        Number of values.
    mean
        Their mean; 0 where there are none.
    squares
        Sum of their squared distances from the mean.
    """

    n: np.ndarray
    mean: np.ndarray
    squares: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray, axis: int) -> "Moments":
        """Return those of the columns (``axis=0``) or rows (``axis=1``) of X; NaN is missing."""
        known = ~np.isnan(X)
        n = known.sum(axis=axis)
        values = np.where(known, X, 0.0).astype(np.float64, copy=False)
        mean = values.sum(axis=axis) / np.maximum(n, 1)
        values -= np.expand_dims(mean, axis)
        values[~known] = 0.0
        return cls(n, mean, np.square(values, out=values).sum(axis=axis))

    @classmethod
    def none(cls, size: int) -> "Moments":
        """Return those of no values yet."""
        return cls(np.zeros(size, dtype=np.int64), np.zeros(size), np.zeros(size))

    def merged(self, other: "Moments") -> "Moments":
        """Return those of both sets of values (Chan, Golub & LeVeque, Am. Stat. 37:242, 1983)."""
        n = self.n + other.n
        share = other.n / np.maximum(n, 1)
        shift = other.mean - self.mean
        return Moments(
            n,
            self.mean + shift * share,
            self.squares + other.squares + shift**2 * share * self.n,
        )

    def at(self, positions: np.ndarray) -> "Moments":
        """Return those of some of the features or samples."""
        return Moments(self.n[positions], self.mean[positions], self.squares[positions])

    def sd(self, ddof: int = 0) -> np.ndarray:
        """Return the standard deviation, divided by ``n - ddof``; 0 for fewer than two values."""
        return np.sqrt(self.squares / np.maximum(self.n - ddof, 1))
