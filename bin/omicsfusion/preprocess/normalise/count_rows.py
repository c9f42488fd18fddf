"""Counts sample by sample: what passes over training rows tell, and what a new row's total is."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from omicsfusion.preprocess.normalise.earlier_scale import LARGEST_LOGARITHM

# Each call starts a pass over the training samples, in order: float64 rows, NaN where missing.
Rows = Callable[[], Iterable[np.ndarray]]

# What a layer file can hold; totals of such values, and their squares, stay finite in float64.
LARGEST = float(np.finfo(np.float32).max)
# A smaller total is no total: nothing can be divided by it.
SMALLEST_TOTAL = float(np.finfo(np.float32).tiny)


def rows_of(X: np.ndarray) -> Rows:
    """Return passes over the rows of a matrix, each a contiguous copy.

    Sums then round the same whatever memory order the matrix has.
    """
    return lambda: (np.ascontiguousarray(row) for row in X)


def as_counts(X: np.ndarray) -> np.ndarray:
    """Return values that can be counts: what is below 0 counts as 0; NaN stays."""
    return np.clip(X, 0, LARGEST)


def counted(rows: Rows) -> Iterator[np.ndarray]:
    """Walk over the training rows as counts."""
    return (as_counts(row) for row in rows())


@dataclass(frozen=True)
class Tally:
    """What one pass over a table tells of it.

    Attributes
    ----------
    n_samples
        Rows; ``n_counted`` of them have a value above 0.
    mean
        Mean count of each feature over the samples that have it; 0 where none has.
    always_counted
        Which features are above 0 in every sample that counts anything, none missing.
    n_missing, n_negative, n_fractional, n_positive
        Values that are missing; below 0; above 0 and not whole; above 0.
    largest
        Largest value.
    """

    n_samples: int
    n_counted: int
    mean: np.ndarray
    always_counted: np.ndarray
    n_missing: int
    n_negative: int
    n_fractional: int
    n_positive: int
    largest: float

    @classmethod
    def of(cls, rows: Rows) -> "Tally":
        """Count what is in the rows; there is at least one."""
        n_samples = n_counted = n_missing = n_negative = n_fractional = n_all_positive = 0
        largest = 0.0
        total = n_known = n_positive = np.zeros(0)
        for row in rows():
            if n_samples == 0:
                total, n_known, n_positive = np.zeros((3, len(row)))
            positive = row > 0
            n_samples += 1
            n_counted += bool(positive.any())
            n_negative += int((row < 0).sum())
            n_fractional += int((row[positive] % 1 > 0).sum())
            n_all_positive += int(positive.sum())
            largest = max(largest, float(row[positive].max(initial=0.0)))
            known = ~np.isnan(row)
            n_missing += int((~known).sum())
            total += as_counts(np.where(known, row, 0))
            n_known += known
            n_positive += positive
        return cls(
            n_samples,
            n_counted,
            total / np.maximum(n_known, 1),
            (n_positive == n_counted) & (n_counted > 0),
            n_missing,
            n_negative,
            n_fractional,
            n_all_positive,
            largest,
        )

    @property
    def no_abundances(self) -> str:
        """Why the values are neither counts nor shares of a whole; empty when they can be."""
        if self.n_negative:
            return (
                f"{self.n_negative:,} training values are below 0: the table was transformed before"
            )
        return "" if self.n_positive else "no training value is above 0"

    @property
    def no_counts(self) -> str:
        """Why the values are no counts; empty when they can be.

        Expected counts (RSEM, Salmon) are not whole, but large; logarithms of counts are neither
        whole nor large.
        """
        if not self.no_abundances and (
            self.largest < LARGEST_LOGARITHM and self.n_fractional > self.n_positive / 2
        ):
            return (
                f"{self.n_fractional:,} of {self.n_positive:,} training values above 0 are not "
                f"whole and none is above {self.largest:.4g}: the table was logged or scaled before"
            )
        return self.no_abundances


def library_size(row: np.ndarray, profile: np.ndarray) -> float:
    """Return the total of a sample, counting what its missing features would have added.

    Missing features are taken to hold the share of the total that they hold in the mean training
    sample: else a table without one abundant miRNA would raise all the others.

    Parameters
    ----------
    row
        Counts of one sample, NaN where missing.
    profile
        Mean training count of each feature.

    Returns
    -------
    NaN when nothing was counted.
    """
    known = ~np.isnan(row)
    if known.all():
        total = float(row.sum())
    else:
        share = float(profile[known].sum()) / max(float(profile.sum()), SMALLEST_TOTAL)
        total = float(row[known].sum()) / share if share > 0 else np.nan
    return total if total >= SMALLEST_TOTAL else np.nan


def geometric_mean(values: np.ndarray) -> float:
    """Return exp(mean(log(values))) over what is not NaN and above 0; 1 when there is nothing."""
    usable = values[values > 0]
    return float(np.exp(np.log(usable).mean())) if usable.size else 1.0
