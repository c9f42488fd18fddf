"""Counting pairs of samples that are ordered rightly, for many weightings of the samples at once.

Pairs are counted within one held-out set; sums of several sets may be added, so that a C-index or
an AUC never compares the risks of two different fits, which are not on one scale.
"""

from dataclasses import dataclass

import numpy as np

from omicsfusion.assess.undefined import ratio

BLOCK = 512
"""Rows of a pair matrix held in memory at a time."""


@dataclass(frozen=True)
class PairSums:
    """Weighted numbers of pairs, an entry per weighting (replicate).

    Attributes
    ----------
    concordant
        Pairs in the right order; ties of the score, and pairs with a missing score, count half.
    comparable
        Pairs whose right order is known.
    """

    concordant: np.ndarray
    comparable: np.ndarray

    def __add__(self, other: "PairSums") -> "PairSums":
        return PairSums(self.concordant + other.concordant, self.comparable + other.comparable)

    @property
    def share(self) -> np.ndarray:
        """Share of the comparable pairs that are concordant; NaN where none is comparable."""
        return ratio(self.concordant, self.comparable)


def no_pairs(replicates: int) -> PairSums:
    """Return the sums over nothing."""
    return PairSums(np.zeros(replicates), np.zeros(replicates))


def event_pairs(
    time: np.ndarray,
    event: np.ndarray,
    risk: np.ndarray,
    weights: np.ndarray,
    pair_weight: np.ndarray | None = None,
) -> PairSums:
    """Count the pairs of Harrell's C (Harrell et al., Stat. Med. 15, 1996, 361-387).

    Sample i with an event at ``time[i]`` and sample j are comparable when j lived longer, or was
    censored at the same time; the pair is concordant when i has the higher risk.

    Parameters
    ----------
    time, event, risk
        One entry per sample; ``event`` is boolean; a NaN risk says nothing: half a pair each time.
    weights
        Replicates x samples: how often each sample is there.
    pair_weight
        One entry per sample: factor of all pairs in which it is the one with the event, e.g.
        Uno's inverse squared probability of being uncensored. Default 1.
    """
    factor = np.ones(len(time)) if pair_weight is None else pair_weight
    firsts = np.flatnonzero(event & (factor > 0))
    sums = no_pairs(len(weights))
    for start in range(0, len(firsts), BLOCK):
        first = firsts[start : start + BLOCK]
        later, same = time > time[first, None], time == time[first, None]
        comparable = (later | (same & ~event)).astype(float)
        concordant = comparable * _right_order(risk[first], risk)
        first_weights = weights[:, first] * factor[first]
        sums = sums + _weighted_sums(first_weights, weights, concordant, comparable)
    return sums


def class_pairs(is_class: np.ndarray, score: np.ndarray, weights: np.ndarray) -> PairSums:
    """Count the pairs of the AUC: a sample of the class against one of the rest.

    A pair is concordant when the sample of the class has the higher score (Mann-Whitney; Hanley &
    McNeil, Radiology 143, 1982, 29-36).

    Parameters
    ----------
    is_class, score
        One entry per sample; ``is_class`` is boolean.
    weights
        Replicates x samples.
    """
    members, rest = np.flatnonzero(is_class), np.flatnonzero(~is_class)
    sums = no_pairs(len(weights))
    for start in range(0, len(members), BLOCK):
        some = members[start : start + BLOCK]
        concordant = _right_order(score[some], score[rest])
        comparable = np.ones_like(concordant)
        sums = sums + _weighted_sums(weights[:, some], weights[:, rest], concordant, comparable)
    return sums


def _right_order(high: np.ndarray, low: np.ndarray) -> np.ndarray:
    """1 where ``high`` is above ``low``, 0 where below, 0.5 where equal or either is missing."""
    above, below = high[:, None] > low, high[:, None] < low
    return 0.5 + 0.5 * above - 0.5 * below


def _weighted_sums(
    first: np.ndarray, second: np.ndarray, concordant: np.ndarray, comparable: np.ndarray
) -> PairSums:
    """Sum over pairs ``first[b, i] * second[b, j] * matrix[i, j]`` for each replicate b."""
    return PairSums(
        np.einsum("bj,bj->b", first @ concordant, second),
        np.einsum("bj,bj->b", first @ comparable, second),
    )
