"""Segments of copy number, averaged into bins that are the same in every file.

Samples break at different places, so segments themselves are no features: hardly two samples share
one. Bins of one width are; those of two cohorts have the same names.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from omicsfusion.tables.block import Block

# Bases of a bin: a human genome has 31,000 of them.
BIN = 100_000
SEXES = ("X", "Y")


@dataclass(frozen=True, eq=False)
class Segments:
    """The segments of some samples.

    Attributes
    ----------
    samples
        Ids, sorted; also of samples without any segment.
    table
        One row per segment, sorted by sample, chromosome, start, end and mean. ``sample``,
        ``chromosome`` (categories, in order), ``start``, ``end`` (bases from 1, the end included; a
        start of 0 means 1), ``mean`` (finite).
    width
        Bases of a bin.
    """

    samples: tuple[str, ...]
    table: pd.DataFrame
    width: int = BIN

    @cached_property
    def reach(self) -> dict[str, tuple[int, int]]:
        """The first and the last bin (from 0) of each chromosome that any segment reaches."""
        by_chromosome = self.table.groupby("chromosome", observed=True)
        starts, ends = by_chromosome["start"].min(), by_chromosome["end"].max()
        first, last = _bin_of(starts.clip(lower=1), self.width), _bin_of(ends, self.width)
        return {
            str(name): (int(first[name]), int(last[name]))
            for name in self.table["chromosome"].cat.categories
        }

    @property
    def n_bins(self) -> int:
        """How many bins there are."""
        return sum(last - first + 1 for first, last in self.reach.values())


def arranged(table: pd.DataFrame, samples: Iterable[str], width: int) -> Segments:
    """Put segments in their order.

    Parameters
    ----------
    table
        Columns as in :class:`Segments`, in any order of rows; further ones are kept.
    samples
        Ids of all samples.
    """
    ids = tuple(sorted(samples))
    chromosomes = sorted(table["chromosome"].unique(), key=_natural)
    table = table.assign(
        sample=pd.Categorical(table["sample"], ids),
        chromosome=pd.Categorical(table["chromosome"], chromosomes),
    )
    order = ["sample", "chromosome", "start", "end", "mean"]
    return Segments(ids, table.sort_values(order, ignore_index=True), width)


def joined(parts: Mapping[str, Segments]) -> Segments:
    """Make one of files that hold one sample each, under the names that are given here."""
    tables = [
        part.table.assign(sample=name, chromosome=part.table["chromosome"].astype(object))
        for name, part in parts.items()
    ]
    width = next(iter(parts.values())).width
    return arranged(pd.concat(tables, ignore_index=True), tuple(parts), width)


def bin_names(segments: Segments) -> tuple[str, ...]:
    """Name the bins as genome browsers write them: ``chr7:100001-200000``, the end included.

    All bins from the first to the last that any segment reaches, chromosome after chromosome (1 to
    22, X, Y, then others).
    """
    width = segments.width
    return tuple(
        f"chr{chromosome}:{number * width + 1}-{(number + 1) * width}"
        for chromosome, (first, last) in segments.reach.items()
        for number in range(first, last + 1)
    )


def bin_blocks(segments: Segments, cells: int) -> Iterator[Block]:
    """Average segments into bins, at most so many cells (but a whole sample) at a time.

    Yields
    ------
    Blocks of samples x bins, float32: the mean of the sample's segments, weighted by how many bases
    of the bin each covers; NaN where none does. A base that two segments share counts for both. A
    sample's values come of its own segments, summed in their order, and of nothing else.
    """
    table, n_bins = segments.table, segments.n_bins
    left, right, origin = _columns(segments)
    start, end, mean = (table[name].to_numpy() for name in ("start", "end", "mean"))
    bounds = np.searchsorted(table["sample"].cat.codes, np.arange(len(segments.samples) + 1))
    rows = max(1, cells // n_bins)
    for row in range(0, len(segments.samples), rows):
        values = np.empty((min(rows, len(segments.samples) - row), n_bins), dtype=np.float32)
        for at in range(len(values)):
            mine = slice(bounds[row + at], bounds[row + at + 1])
            segment, column = _pairs(left[mine], right[mine])
            # Bases from 0, the end not included.
            opens = (column - origin[mine][segment]) * segments.width
            bases = np.minimum(end[mine][segment], opens + segments.width)
            bases = bases - np.maximum(start[mine][segment] - 1, opens)
            covered = np.bincount(column, bases, n_bins)
            total = np.bincount(column, bases * mean[mine][segment], n_bins)
            with np.errstate(invalid="ignore"):
                values[at] = total / covered
        yield Block(row, 0, values)


def _columns(segments: Segments) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each segment's first and last bin, and where bin 0 of its chromosome would be."""
    reach = segments.reach.values()
    before = np.cumsum([0, *(last - first + 1 for first, last in reach)])[:-1]
    zero = before - np.array([first for first, _ in reach], dtype=np.int64)
    table = segments.table
    origin = zero[table["chromosome"].cat.codes.to_numpy()]
    starts, ends = table["start"].to_numpy(), table["end"].to_numpy()
    left = origin + _bin_of(np.maximum(starts, 1), segments.width)
    return left, origin + _bin_of(ends, segments.width), origin


def _pairs(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """List the bins of each segment: positions of segments, and their columns."""
    counts = right - left + 1
    segment = np.repeat(np.arange(len(counts)), counts)
    steps = np.arange(len(segment)) - np.repeat(np.cumsum(counts) - counts, counts)
    return segment, left[segment] + steps


def _bin_of(base: np.ndarray | pd.Series, width: int) -> np.ndarray | pd.Series:
    return (base - 1) // width


def _natural(chromosome: str) -> tuple[int, int, str]:
    """Sort key: numbers (which have no leading zeros), X, Y, then others."""
    if re.fullmatch("[0-9]+", chromosome):
        return 0, len(chromosome), chromosome
    if chromosome in SEXES:
        return 1, SEXES.index(chromosome), chromosome
    return 2, 0, chromosome
