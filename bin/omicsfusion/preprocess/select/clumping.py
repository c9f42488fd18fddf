"""Step: keep one feature of each clump of correlated ones."""

from typing import Any, Self

import numpy as np

from omicsfusion.preprocess.order_statistics import SortedFeatures
from omicsfusion.preprocess.select.spread import MAX_FEATURES, Selector, winsor_limits

THRESHOLD = 0.9
# Features that are compared with all others at a time: bounds the memory for their correlations.
BLOCK = 256


class ClumpingSelector(Selector):
    """Keep the most variable feature of each clump of features that go together.

    Greedy, as clumping by linkage disequilibrium (Purcell et al., Am. J. Hum. Genet. 81:559, 2007):
    the feature with the largest winsorised variance is kept, all whose correlation with it is
    stronger than the threshold are left out, and so on with what is left, until ``max_features``
    are kept. Correlations are Pearson's of winsorised values: a single sample that is extreme in
    many features does not clump them.

    Parameters
    ----------
    threshold
        Largest absolute correlation of two features that are both kept, 0 to 1.
    max_features
        How many to keep at most.
    """

    def __init__(self, threshold: float = THRESHOLD, max_features: int = MAX_FEATURES) -> None:
        self.threshold = threshold
        self.max_features = max_features

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn which features to keep."""
        X = self._checked(X, fitting=True)
        ranked, Z = _standardised(X)
        free = np.ones(len(ranked), dtype=bool)
        kept: list[int] = []
        for start in range(0, len(ranked), BLOCK):
            here = start + np.flatnonzero(free[start : start + BLOCK])
            chosen, free[here] = self._chosen(Z[here], self.max_features - len(kept))
            kept += here[chosen].tolist()
            if len(kept) == self.max_features:
                break
            self._leave_out(free, Z, here[chosen], start + BLOCK)
        support = np.zeros(len(ranked), dtype=bool)
        support[ranked[kept]] = True
        # Those still free are less variable than all that are kept.
        rest = int(free.sum())
        dropped = {
            f"correlation above {self.threshold:g} with a kept feature": (~support).sum() - rest,
            "smaller winsorised variance": rest,
        }
        return self._keep(support, dropped, f"no two correlated above {self.threshold:g}")

    def _chosen(self, Z: np.ndarray, limit: int) -> tuple[list[int], np.ndarray]:
        """Go through features (rows, best first); say which are kept and which are still free."""
        far = np.abs(Z @ Z.T) <= self.threshold
        free = np.ones(len(Z), dtype=bool)
        chosen: list[int] = []
        for feature in range(len(Z)):
            if len(chosen) == limit:
                break
            if free[feature]:
                chosen.append(feature)
                free &= far[feature]
                free[feature] = False
        return chosen, free

    def _leave_out(self, free: np.ndarray, Z: np.ndarray, kept: np.ndarray, start: int) -> None:
        """Mark what is correlated with kept features, from ``start`` on, as no longer free."""
        later = start + np.flatnonzero(free[start:])
        for first in range(0, len(later), 16 * BLOCK):
            block = later[first : first + 16 * BLOCK]
            free[block] &= (np.abs(Z[block] @ Z[kept].T) <= self.threshold).all(axis=1)


def _standardised(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the features' positions by falling variance, and their values in that order.

    The values are features x samples, winsorised (unless that makes a feature constant), centred,
    of length 1, 0 where missing; a product of two rows is their correlation.
    """
    ordered = SortedFeatures.of(X)
    low, high = winsor_limits(ordered)
    ranked = np.lexsort((-ordered.variance(), -ordered.variance(low, high)))
    constant = low == high
    low, high = np.where(constant, -np.inf, low), np.where(constant, np.inf, high)
    Z = np.ascontiguousarray(np.clip(X, low, high).T[ranked])
    known = ~np.isnan(Z)
    Z = np.where(known, Z, 0)
    mean = Z.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    Z = np.where(known, Z - mean[:, None], 0)
    length = np.sqrt((Z**2).sum(axis=1))
    return ranked, Z / np.where(length > 0, length, 1)[:, None]
