"""Pearson correlations of all pairs of samples, features arriving block by block."""

from dataclasses import dataclass, field

import numpy as np

# A smaller variance than this share of the mean square is rounding.
ROUNDING = 1e-10


@dataclass
class PairSums:
    """Sums over the features that both samples of a pair know.

    Attributes
    ----------
    shape
        Samples on one side, and on the other.
    n, x, y, xx, yy, xy
        Number of features, and sums of values, squares and products; each of that shape.
    """

    shape: tuple[int, int]
    n: np.ndarray = field(init=False)
    x: np.ndarray = field(init=False)
    y: np.ndarray = field(init=False)
    xx: np.ndarray = field(init=False)
    yy: np.ndarray = field(init=False)
    xy: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        for name in ("n", "x", "y", "xx", "yy", "xy"):
            setattr(self, name, np.zeros(self.shape))

    def add(self, X: np.ndarray, Y: np.ndarray, in_x: np.ndarray, in_y: np.ndarray) -> None:
        """Add some features: X and Y with 0 where ``in_x`` and ``in_y`` say that none is known."""
        if in_x.all() and in_y.all():
            self.n += X.shape[1]
            self.x += X.sum(axis=1)[:, None]
            self.y += Y.sum(axis=1)[None, :]
            self.xx += np.square(X).sum(axis=1)[:, None]
            self.yy += np.square(Y).sum(axis=1)[None, :]
        else:
            known_x, known_y = in_x.astype(np.float64), in_y.astype(np.float64)
            self.n += known_x @ known_y.T
            self.x += X @ known_y.T
            self.y += known_x @ Y.T
            self.xx += np.square(X) @ known_y.T
            self.yy += known_x @ np.square(Y).T
        self.xy += X @ Y.T

    def correlation(self) -> np.ndarray:
        """Return Pearson's correlations; NaN where a sample's variance is nothing but rounding."""
        n = np.maximum(self.n, 1)
        spread_x = self.xx - self.x**2 / n
        spread_y = self.yy - self.y**2 / n
        flat = (spread_x <= ROUNDING * self.xx) | (spread_y <= ROUNDING * self.yy)
        with np.errstate(divide="ignore", invalid="ignore"):
            r = (self.xy - self.x * self.y / n) / np.sqrt(spread_x * spread_y)
        return np.where(flat, np.nan, r)
