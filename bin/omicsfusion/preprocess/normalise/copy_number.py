"""Steps for copy number: clipped calls or ratios, and genes made of segments."""

import re
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from omicsfusion.preprocess.step import Step, UnusableInputError

LIMIT = 2.0
POSITION = re.compile(r"(?:chr)?([^:]+):(\d+)-(\d+)", re.IGNORECASE)
CALLS, RATIOS, COPIES = "integer calls", "log2 ratios", "copies"

Region = tuple[str, str, int, int]


class ClippedCopyNumber(OneToOneFeatureMixin, Step):
    """Integer calls (GISTIC: -2 to 2) or log2 ratios, clipped to ±limit.

    Absolute numbers of copies (none negative, 2 in the median, more in some) are neither: clipping
    would hide every gain, so they pass through, and the step says so.

    Parameters
    ----------
    limit
        Largest absolute value that is passed on.

    Attributes
    ----------
    values_
        What they are: ``integer calls``, ``log2 ratios`` or ``copies``.
    """

    state = ("values_", "skipped_", "did_")
    per_feature = True

    def __init__(self, limit: float = LIMIT) -> None:
        self.limit = limit

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn what the values are."""
        X = self._checked(X, fitting=True)
        self.values_ = _kind_of(X)
        copies = self.values_ == COPIES
        self.skipped_ = (
            "numbers of copies (none negative, 2 in the median), not calls or log2 ratios: not "
            "clipped"
            if copies
            else ""
        )
        self.did_ = "" if copies else f"{self.values_}, clipped to ±{self.limit:g}"
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the clipped values."""
        check_is_fitted(self)
        X = self._checked(X)
        return X if self.skipped_ else np.clip(X, -self.limit, self.limit)


class GenesFromSegments(Step):
    """Averages segments (or bins) into genes, weighted by how much of the gene they cover.

    Parameters
    ----------
    regions
        Name, chromosome, start and end of each gene, as in BED: from 0, the end not included. Lines
        of one name make one gene. None, which scikit-learn's checks use, leaves the columns alone.
    limit
        The averages are clipped to ±limit.

    Attributes
    ----------
    genes_
        Genes that a segment covers, in the order of ``regions``.
    segment_, weight_, first_
        Sparse weights: the columns of all genes' segments one gene after the other, the covered
        bases of each, and where each gene's begin.
    dropped_
        How many genes no segment covers.
    """

    state = ("genes_", "segment_", "weight_", "first_", "dropped_", "did_")
    needs = ("features",)

    def __init__(self, regions: Sequence[Region] | None = None, limit: float = LIMIT) -> None:
        self.regions = regions
        self.limit = limit

    def fit(self, X: Any, y: None = None, features: Any = None) -> Self:
        """Learn which segments make which gene.

        Raises
        ------
        ValueError
            When a feature is not named ``chr:start-end`` (from 1, the end included, as genome
            browsers write it), or no gene is covered.
        """
        X = self._checked(X, fitting=True)
        self.dropped_: dict[str, int] = {}
        if self.regions is None:
            self.genes_: list[str] = []
            self.segment_ = self.first_ = np.empty(0, dtype=np.int64)
            self.weight_ = np.empty(0)
            self.did_ = "no regions: columns as they came"
            return self
        names = self._names(X, features)
        triplets = _overlaps([_position(name) for name in names], self.regions)
        order = list(dict.fromkeys(str(region[0]) for region in self.regions))
        gene, self.segment_, self.weight_ = _sorted_triplets(triplets, order)
        covered, self.first_ = np.unique(gene, return_index=True)
        if not covered.size:
            raise UnusableInputError(
                f"None of the {len(order)} genes of `regions` lies on one of the layer's "
                f"{len(names)} segments. Are they of the same genome build?"
            )
        self.genes_ = [order[number] for number in covered]
        self.dropped_ = {"genes that no segment covers": len(order) - covered.size}
        self.did_ = f"{covered.size} genes from {len(names)} segments, clipped to ±{self.limit:g}"
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the genes; NaN where all segments of a gene are missing."""
        check_is_fitted(self)
        X = self._checked(X)
        if self.regions is None:
            return X
        out = np.empty((len(X), len(self.genes_)))
        for sample, row in enumerate(X):
            values = row[self.segment_]
            known = ~np.isnan(values)
            total = np.add.reduceat(np.where(known, values * self.weight_, 0), self.first_)
            weight = np.add.reduceat(np.where(known, self.weight_, 0), self.first_)
            out[sample] = np.where(weight > 0, total / np.maximum(weight, 1), np.nan)
        return np.clip(out, -self.limit, self.limit)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the genes."""
        if self.regions is None:
            return _check_feature_names_in(self, input_features)
        return np.asarray(self.genes_, dtype=object)

    def _names(self, X: np.ndarray, features: Any) -> list[str]:
        names = getattr(self, "feature_names_in_", None) if features is None else features
        if names is None:
            raise ValueError(f"Segments need names (chr:start-end) for all {X.shape[1]} features.")
        return [str(name) for name in names]


def _kind_of(X: np.ndarray) -> str:
    known = X[~np.isnan(X)]
    if known.size and known.min() >= 0 and known.max() > 2 and 1.5 <= np.median(known) <= 2.5:
        return COPIES
    return CALLS if (known == np.round(known)).all() else RATIOS


def _position(name: str) -> tuple[str, int, int]:
    """Chromosome, and start and end as in BED, of a feature's name."""
    found = POSITION.fullmatch(name.strip())
    if found is None or int(found[2]) < 1 or int(found[3]) < int(found[2]):
        raise UnusableInputError(
            f"The feature {name!r} is not named chr:start-end (such as chr7:55019017-55211628). "
            "Rename it, or leave out the method `genes`."
        )
    return found[1].upper(), int(found[2]) - 1, int(found[3])


def _overlaps(
    segments: Sequence[tuple[str, int, int]], regions: Sequence[Region]
) -> list[tuple[str, int, int]]:
    """List (gene, segment, bases they share) by two searches in sorted arrays for each gene."""
    by_chromosome: dict[str, list[int]] = {}
    for number, segment in enumerate(segments):
        by_chromosome.setdefault(segment[0], []).append(number)
    index = {}
    for chromosome, numbers in by_chromosome.items():
        order = np.array(sorted(numbers, key=lambda number: segments[number][1:]))
        starts = np.array([segments[number][1] for number in order])
        ends = np.array([segments[number][2] for number in order])
        # Segments may overlap: the running maximum of their ends is what is sorted.
        index[chromosome] = (order, starts, ends, np.maximum.accumulate(ends))
    found = []
    for gene, chromosome, start, end in regions:
        bare = re.sub("^CHR", "", str(chromosome).upper())
        if bare not in index:
            continue
        order, starts, ends, reached = index[bare]
        near = slice(np.searchsorted(reached, start, "right"), np.searchsorted(starts, end, "left"))
        shared = np.minimum(ends[near], end) - np.maximum(starts[near], start)
        found += [
            (str(gene), int(number), int(bases))
            for number, bases in zip(order[near], shared, strict=True)
            if bases > 0
        ]
    return found


def _sorted_triplets(
    triplets: Sequence[tuple[str, int, int]], order: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number of the gene, column of the segment, and weight, sorted by gene, then by segment."""
    rank = {gene: number for number, gene in enumerate(order)}
    rows = sorted((rank[gene], segment, bases) for gene, segment, bases in triplets)
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1].copy(), table[:, 2].astype(np.float64)
