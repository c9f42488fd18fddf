"""Step: counts per million of a library, whose effective size is estimated in several ways."""

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from omicsfusion.preprocess.normalise.count_rows import (
    SMALLEST_TOTAL,
    Rows,
    Tally,
    as_counts,
    counted,
    geometric_mean,
    library_size,
)
from omicsfusion.preprocess.normalise.counts_step import CountsStep

MILLION = 1e6
# edgeR's default for logarithms.
PRIOR = 2.0
UPPER_QUARTILE = 0.75


class CountNormaliser(CountsStep):
    """A step that divides the counts of a sample by a size, the only factor that it finds of it.

    Counts need not be whole (RSEM, Salmon). Left out when the training values are no counts
    (:attr:`Tally.no_counts`).
    """

    def _refusal(self, tally: Tally) -> str:
        return tally.no_counts

    @abstractmethod
    def _size_of(self, row: np.ndarray) -> float:
        """Return what the counts of a sample are divided by; NaN when nothing was counted."""

    def _factors_of(self, row: np.ndarray) -> tuple[float, ...]:
        return (self._size_of(as_counts(row)),)


class CountsPerMillion(CountNormaliser):
    """log2 counts per million, with a prior count in proportion to the library.

    log2((x + c) / (N + 2c) * 1e6) with c = prior * N / mean(N), as edgeR's ``cpm(log = TRUE)``
    (Robinson, McCarthy & Smyth, Bioinformatics 26:139, 2010; Chen et al., Nucleic Acids Res.
    53:gkaf018, 2025), but mean(N) is that of the training samples for every sample. N is the
    library size here, an effective one in the subclasses.

    Parameters
    ----------
    prior
        Counts that are added to a sample with a mean library, above 0.

    Attributes
    ----------
    mean_size_
        Mean of N over the training samples.
    """

    state: ClassVar[tuple[str, ...]] = (*CountNormaliser.state, "mean_size_")

    def __init__(self, prior: float = PRIOR) -> None:
        self.prior = prior

    def apply(self, X: np.ndarray, factors: np.ndarray) -> np.ndarray:
        """Return log2 counts per million of libraries of the sizes ``factors`` (samples x 1)."""
        prior = self.prior * factors / self.mean_size_
        return np.log2((as_counts(X) + prior) / (factors + 2 * prior) * MILLION)

    def _forget(self) -> None:
        self.mean_size_ = 1.0

    def _learn(self, rows: Rows, tally: Tally) -> None:
        self._settle(np.array([self._size_of(row) for row in counted(rows)]), "library size")

    def _settle(self, sizes: np.ndarray, how: str) -> None:
        """Take the mean of the effective library sizes, and say what is done."""
        self.mean_size_ = float(np.nanmean(sizes))
        self.did_ = f"{how}, log2 CPM, prior {self.prior:g} (mean library {self.mean_size_:,.0f})"

    def _size_of(self, row: np.ndarray) -> float:
        return library_size(row, self.profile_)


class UpperQuartile(CountsPerMillion):
    """log2 counts per million of libraries measured by their upper quartile (type 7).

    Bullard et al., BMC Bioinformatics 11:94 (2010), section 'Global-scaling normalization', scaled
    as edgeR does: a sample's factor is its 75th percentile over the library size, divided by the
    geometric mean of the training samples' factors. The percentile is taken over the features that
    any training sample counts, zeros included. A sample whose percentile is 0 has factor 1.

    Attributes
    ----------
    geometric_mean_
        Of the training samples' factors.
    """

    state: ClassVar[tuple[str, ...]] = (*CountsPerMillion.state, "geometric_mean_")

    def _forget(self) -> None:
        super()._forget()
        self.geometric_mean_ = 1.0

    def _learn(self, rows: Rows, tally: Tally) -> None:
        sizes = np.array([library_size(row, self.profile_) for row in counted(rows)])
        quartiles = np.array([upper_quartile(row, self.profile_) for row in counted(rows)])
        self.geometric_mean_ = geometric_mean(quartiles / sizes)
        empty = int((quartiles[~np.isnan(sizes)] == 0).sum())
        sizes = np.where(quartiles > 0, quartiles / self.geometric_mean_, sizes)
        told = f"; {empty} of {len(sizes)} training samples have 0 there and keep their library"
        self._settle(sizes, f"upper quartile{told if empty else ''}")

    def _size_of(self, row: np.ndarray) -> float:
        quartile = upper_quartile(row, self.profile_)
        if quartile < SMALLEST_TOTAL:
            return super()._size_of(row)
        return quartile / self.geometric_mean_


def upper_quartile(row: np.ndarray, profile: np.ndarray) -> float:
    """Return the 75th percentile of a sample over the features that the training counts.

    0 when there are none. Where features are missing it is multiplied by what their absence does to
    the percentile of the mean training sample.

    Parameters
    ----------
    row
        Counts of one sample, NaN where missing.
    profile
        Mean training count of each feature.
    """
    usable = profile > 0
    known = usable & ~np.isnan(row)
    if not known.any():
        return 0.0
    found = float(np.quantile(row[known], UPPER_QUARTILE))
    if known.sum() == usable.sum():
        return found
    whole, part = (np.quantile(profile[which], UPPER_QUARTILE) for which in (usable, known))
    return found * float(whole / part)
