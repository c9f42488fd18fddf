"""Step: beta values of methylation on a scale for models."""

from typing import Any, Self

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_is_fitted

from omicsfusion.preprocess.step import Step

OFFSET = 0.01
# A beta value can leave 0..1 by background subtraction; M-values do so in most of a table.
SHARE_OUTSIDE = 0.01
# log2(beta / (1 - beta)) of a beta that is 1 but for float64's last bit is 53.
LARGEST_M = 53.0


class MValues(OneToOneFeatureMixin, Step):
    """log2((beta + offset) / (1 - beta + offset)).

    Du et al., BMC Bioinformatics 11:587 (2010), equation 2, written for beta: their offset is added
    to intensities, this one to shares. With 0.01, M lies within ±6.66. Values of new samples
    outside 0..1 are clipped to it.

    Parameters
    ----------
    offset
        Added to the methylated and to the unmethylated share.

    Attributes
    ----------
    already_
        The decision: more than ``SHARE_OUTSIDE`` of the training values lie outside 0..1.
    """

    state = ("already_", "skipped_", "did_")
    per_feature = True

    def __init__(self, offset: float = OFFSET) -> None:
        self.offset = offset

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn whether the values are beta values."""
        return self.decide(self.evidence(self._checked(X, fitting=True)))

    def evidence(self, X: np.ndarray) -> np.ndarray:
        """Return what the decision rests on: numbers that add up over blocks of features."""
        return known_and_outside(X)

    def decide(self, evidence: np.ndarray) -> Self:
        """Learn from the evidence of all features."""
        if not self.offset > 0:
            raise ValueError(f"The offset of M-values is {self.offset}; it must be above 0.")
        share = share_of(evidence)
        self.already_ = share > SHARE_OUTSIDE
        self.skipped_ = m_values_before(share) if self.already_ else ""
        self.did_ = "" if self.already_ else f"M-values, offset {self.offset:g}"
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return M-values."""
        check_is_fitted(self)
        X = self._checked(X)
        return X if self.already_ else m_of_beta(X, self.offset)


class BetaValues(OneToOneFeatureMixin, Step):
    """Beta values as they are, clipped to 0..1; M-values are left alone.

    Attributes
    ----------
    already_
        Whether the table holds M-values, decided as by :class:`MValues`.
    """

    state = ("already_", "skipped_", "did_")
    per_feature = True

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn whether the values are beta values."""
        return self.decide(self.evidence(self._checked(X, fitting=True)))

    def evidence(self, X: np.ndarray) -> np.ndarray:
        """Return what the decision rests on: numbers that add up over blocks of features."""
        return known_and_outside(X)

    def decide(self, evidence: np.ndarray) -> Self:
        """Learn from the evidence of all features."""
        share = share_of(evidence)
        self.already_ = share > SHARE_OUTSIDE
        self.skipped_ = m_values_before(share) if self.already_ else ""
        self.did_ = "" if self.already_ else "beta values, clipped to 0..1"
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return beta values."""
        check_is_fitted(self)
        X = self._checked(X)
        return X if self.already_ else np.clip(X, 0, 1)


def share_outside(X: np.ndarray) -> float:
    """Return the share of the known values that lie outside 0..1; 0 when none is known."""
    return share_of(known_and_outside(X))


def known_and_outside(X: np.ndarray) -> np.ndarray:
    """Count the known values, and those of them that lie outside 0..1."""
    return np.array([np.count_nonzero(~np.isnan(X)), np.count_nonzero((X < 0) | (X > 1))])


def share_of(known_outside: np.ndarray) -> float:
    """Return the second of :func:`known_and_outside` over the first; 0 when none is known."""
    known, outside = known_outside
    return float(outside / (known or 1))


def m_values_before(share: float) -> str:
    """Say why values are taken for M-values."""
    return f"M-values before: {share:.0%} of the training values lie outside 0..1"


def m_of_beta(beta: np.ndarray, offset: float) -> np.ndarray:
    """Return log2((beta + offset) / (1 - beta + offset)) of beta clipped to 0..1."""
    beta = np.clip(beta, 0, 1)
    return np.log2((beta + offset) / (1 - beta + offset))


def beta_of_m(m: np.ndarray) -> np.ndarray:
    """Return 2^M / (2^M + 1), the inverse of an M-value without offset."""
    return 1 / (1 + np.exp2(-np.clip(m, -LARGEST_M, LARGEST_M)))
