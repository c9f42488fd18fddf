"""Pairs of features of two layers that tell which sample of the one is which of the other."""

from dataclasses import dataclass

import numpy as np

from omicsfusion.concordance.layers import CohortLayer
from omicsfusion.concordance.ranks import unit_ranks

MOST_PAIRS = 100
# Weaker pairs say next to nothing about a single sample.
LOWEST_CORRELATION = 0.2
# Partners of each feature that are looked at; the greedy choice seldom needs the third.
PARTNERS = 10


@dataclass(frozen=True)
class FeaturePairs:
    """Pairs of features, the strongest first among those of one name, then among the others.

    Attributes
    ----------
    first, second
        Columns of the one layer and of the other.
    rho
        Spearman's correlation of each pair.
    """

    first: np.ndarray
    second: np.ndarray
    rho: np.ndarray

    def __len__(self) -> int:
        return len(self.rho)


def choose_pairs(one: CohortLayer, two: CohortLayer, A: np.ndarray, B: np.ndarray) -> FeaturePairs:
    """Choose at most ``MOST_PAIRS`` pairs by absolute correlation, each feature once.

    Features of one name (a gene and its protein) come first: what they share is this gene in this
    sample, whereas the strongest of all pairs often share no more than a subtype of the disease.

    Parameters
    ----------
    one, two
        Whose features they are.
    A, B
        Values to choose by: the same samples x features of each.
    """
    rho = unit_ranks(A).T @ unit_ranks(B)
    candidates = _of_one_name(one, two, rho) + _strongest(rho)
    first: list[int] = []
    second: list[int] = []
    used_one: set[int] = set()
    used_two: set[int] = set()
    for i, j in candidates:
        if len(first) == MOST_PAIRS:
            break
        if i not in used_one and j not in used_two:
            used_one.add(i)
            used_two.add(j)
            first.append(i)
            second.append(j)
    chosen = np.array(first, dtype=np.int64), np.array(second, dtype=np.int64)
    return FeaturePairs(*chosen, rho[chosen])


def _of_one_name(one: CohortLayer, two: CohortLayer, rho: np.ndarray) -> list[tuple[int, int]]:
    column = {feature: j for j, feature in enumerate(two.features)}
    pairs = [(i, column[name]) for i, name in enumerate(one.features) if name in column]
    return _sorted([pair for pair in pairs if abs(rho[pair]) >= LOWEST_CORRELATION], rho)


def _strongest(rho: np.ndarray) -> list[tuple[int, int]]:
    """Pairs that are among the strongest of either feature, by absolute correlation."""
    size = np.abs(rho)
    found = np.zeros(rho.shape, dtype=bool)
    for axis in (0, 1):
        k = min(PARTNERS, rho.shape[axis])
        if k:
            top = np.argpartition(-size, k - 1, axis=axis).take(np.arange(k), axis=axis)
            np.put_along_axis(found, top, True, axis=axis)
    pairs = np.argwhere(found & (size >= LOWEST_CORRELATION))
    return _sorted([(int(i), int(j)) for i, j in pairs], rho)


def _sorted(pairs: list[tuple[int, int]], rho: np.ndarray) -> list[tuple[int, int]]:
    # Rounded, so that the last bit of a product of matrices decides no tie.
    return sorted(pairs, key=lambda pair: (-round(abs(float(rho[pair])), 9), pair))
