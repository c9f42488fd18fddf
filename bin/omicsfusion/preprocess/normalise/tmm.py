"""Step: trimmed mean of M-values (TMM) to a stored reference sample."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from omicsfusion.preprocess.normalise.count_rows import (
    Rows,
    Tally,
    counted,
    geometric_mean,
    library_size,
)
from omicsfusion.preprocess.normalise.library_size import PRIOR, CountsPerMillion, upper_quartile

M_TRIM = 0.3
A_TRIM = 0.05
# A median scaled quartile below this says that most libraries have fewer counted features than a
# quarter; edgeR then looks for the reference in another way.
NO_QUARTILE = 1e-20


class TrimmedMean(CountsPerMillion):
    """log2 counts per million of effective libraries: library size times TMM factor.

    Robinson & Oshlack, Genome Biol. 11:R25 (2010), as in edgeR's ``calcNormFactors``: of the
    features counted in a sample and in the reference, those with the most extreme log ratios M and
    mean logs A are left out, and the factor is 2 to the mean of M, weighted by the inverse of its
    approximate variance (the paper's text says 'weighted by w', edgeR divides by it; so does this).
    Factors are divided by the geometric mean of the training samples' factors.

    The reference is the training sample whose upper quartile over library size is nearest to the
    mean of those; when the median of them is 0, the one with the largest sum of square roots. Its
    counts and size are kept, so that a new sample's factor depends on nothing but itself. Features
    that are 0 or missing in the new sample take no part. A sample that shares no feature with the
    reference has factor 1.

    Parameters
    ----------
    prior
        As in :class:`CountsPerMillion`.
    m_trim, a_trim
        Share of the features that is left out at each end of M and of A, below 0.5.

    Attributes
    ----------
    reference_
        Counts of the reference sample; its position among the training samples is in ``did_``.
    reference_size_
        Its library size.
    geometric_mean_
        Of the training samples' factors.
    """

    state: ClassVar[tuple[str, ...]] = (
        *CountsPerMillion.state,
        "reference_",
        "reference_size_",
        "geometric_mean_",
    )
    feature_state: ClassVar[tuple[str, ...]] = (*CountsPerMillion.feature_state, "reference_")

    def __init__(
        self, prior: float = PRIOR, m_trim: float = M_TRIM, a_trim: float = A_TRIM
    ) -> None:
        self.prior = prior
        self.m_trim = m_trim
        self.a_trim = a_trim

    def _forget(self) -> None:
        super()._forget()
        self.reference_ = np.full_like(self.profile_, np.nan)
        self.reference_size_ = 1.0
        self.geometric_mean_ = 1.0

    def _learn(self, rows: Rows, tally: Tally) -> None:
        reference, position = Reference.choose(rows, self.profile_)
        self.reference_, self.reference_size_ = reference.counts, reference.size
        sizes, factors = np.array(
            [(library_size(row, self.profile_), self._factor(row)) for row in counted(rows)]
        ).T
        self.geometric_mean_ = geometric_mean(factors[~np.isnan(sizes)])
        self._settle(
            sizes * factors / self.geometric_mean_,
            f"TMM to training sample {position + 1} of {tally.n_samples} (sorted by id)",
        )

    def _size_of(self, row: np.ndarray) -> float:
        return library_size(row, self.profile_) * self._factor(row) / self.geometric_mean_

    def _factor(self, row: np.ndarray) -> float:
        reference = Reference(self.reference_, self.reference_size_, self.profile_)
        return reference.factor(row, self.m_trim, self.a_trim)


@dataclass(frozen=True)
class Reference:
    """The training sample to which others are compared.

    Attributes
    ----------
    counts
        One per feature, NaN where it is missing.
    size
        Library size.
    profile
        Mean training count of each feature.
    """

    counts: np.ndarray
    size: float
    profile: np.ndarray

    @classmethod
    def choose(cls, rows: Rows, profile: np.ndarray) -> tuple["Reference", int]:
        """Choose among training rows as edgeR does; return also the position of the chosen one."""
        found = [
            (library_size(row, profile), upper_quartile(row, profile)) for row in counted(rows)
        ]
        sizes, quartiles = np.array(found).T
        scaled = quartiles / sizes
        if np.nanmedian(scaled) < NO_QUARTILE:
            position = int(np.argmax([np.nansum(np.sqrt(row)) for row in counted(rows)]))
        else:
            position = int(np.nanargmin(np.abs(scaled - np.nanmean(scaled))))
        counts = next(row for at, row in enumerate(counted(rows)) if at == position)
        return cls(counts, float(sizes[position]), profile), position

    def factor(self, row: np.ndarray, m_trim: float = M_TRIM, a_trim: float = A_TRIM) -> float:
        """Return the TMM factor of one sample (counts, NaN where missing), not yet scaled.

        1 when the sample shares no feature with the reference.
        """
        shared = (row > 0) & (self.counts > 0)
        size = library_size(row, self.profile)
        if not shared.any() or np.isnan(size):
            return 1.0
        x, reference = row[shared], self.counts[shared]
        r, r_reference = x / size, reference / self.size
        m = np.log2(r / r_reference)
        a = np.log2(r * r_reference) / 2
        variance = (1 - r) / x + (1 - r_reference) / reference
        kept = between(m, m_trim) & between(a, a_trim) & (variance > 0)
        if not kept.any():
            return 1.0
        weights = 1 / variance[kept]
        return float(2 ** ((m[kept] * weights).sum() / weights.sum()))


def between(values: np.ndarray, share: float) -> np.ndarray:
    """Say which values are left when a share of them is left out at each end.

    As edgeR counts: kept is whose rank (the mean rank of ties) is at least floor(n * share) + 1
    from either end. The ranks themselves are not needed, only how many lie below the two bounds.

    Parameters
    ----------
    values
        1-d, not empty, finite.
    share
        0 to 0.5.
    """
    n = len(values)
    cut = min(int(np.floor(n * share)), n - 1)
    ends = sorted({cut, n - 1 - cut})
    ordered = np.partition(values, ends)
    low, high = ordered[cut], ordered[n - 1 - cut]
    kept = (values > low) & (values < high)
    for bound in {float(low), float(high)}:
        ties = values == bound
        mean_rank = (values < bound).sum() + (ties.sum() + 1) / 2
        if cut + 1 <= mean_rank <= n - cut:
            kept |= ties
    return kept
