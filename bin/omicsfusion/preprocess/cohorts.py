"""One layer over all cohorts, its features aligned: in memory, or read as it is asked for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from omicsfusion.tables.cohort_table import CohortTable, LayerFilesError, open_tables
from omicsfusion.tables.layer import LayerHeader, read_columns, read_rows

# Whole rows are read so many values at a time: 64 MB.
ROW_BLOCK = 16_000_000


@dataclass(frozen=True)
class CohortsLayer:
    """The values of a layer of all used samples.

    Attributes
    ----------
    layer, kind
        As in the samplesheet.
    samples
        Ids of the rows, sorted.
    features
        Those of the training cohorts: the first cohort's by name, in the order of its file, then
        what the next ones add.
    X
        float32, samples x features; NaN where a value is missing or a cohort lacks the feature.
    categories
        For kind ``clinical``, per feature: the levels whose positions X holds, None for a numeric
        feature; else empty.
    """

    layer: str
    kind: str
    samples: tuple[str, ...]
    features: tuple[str, ...]
    X: np.ndarray
    categories: tuple[tuple[str, ...] | None, ...] = ()

    def rows_of(self, samples: Iterable[str]) -> tuple[np.ndarray, tuple[str, ...]]:
        """Return the rows of those of ``samples`` that have the layer, and their ids, sorted."""
        rows, found = which_rows(self.samples, samples)
        return self.X[rows], found

    def columns(self, start: int, stop: int, rows: np.ndarray) -> np.ndarray:
        """Return some rows of neighbouring features."""
        return self.X[rows, start:stop]

    def picked(self, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return some rows of some features, both in the order asked for."""
        return self.X[np.ix_(rows, columns)]


@dataclass(frozen=True)
class _Source:
    """One cohort's file of a layer.

    Attributes
    ----------
    table
        The file and its used samples.
    places
        Positions of these samples in the layer.
    columns
        For each feature of the layer its position in the file; -1 where the file lacks it.
    """

    table: CohortTable
    places: np.ndarray
    columns: np.ndarray


@dataclass(frozen=True)
class OpenLayer:
    """What :class:`CohortsLayer` is, but its values stay in the cohorts' files until asked for."""

    layer: str
    kind: str
    samples: tuple[str, ...]
    features: tuple[str, ...]
    sources: tuple[_Source, ...]
    categories: tuple[tuple[str, ...] | None, ...] = ()

    def rows_of(self, samples: Iterable[str]) -> tuple[np.ndarray, tuple[str, ...]]:
        """Return the rows of those of ``samples`` that have the layer, and their ids, sorted."""
        rows, found = which_rows(self.samples, samples)
        return self.picked(np.arange(len(self.features)), rows), found

    def columns(self, start: int, stop: int, rows: np.ndarray) -> np.ndarray:
        """Return some rows of neighbouring features.

        Quick where the cohorts' files have their features in the layer's order.

        Returns
        -------
        float32, len(rows) x (stop - start), NaN where a value is missing or a cohort lacks the
        feature.
        """
        out = np.full((len(rows), stop - start), np.nan, dtype=np.float32)
        for source, mine, there in self._rows_by_source(rows):
            where = source.columns[start:stop]
            present = np.flatnonzero(where >= 0)
            values = _neighbours(source.table.path, where[present], there)
            out[np.ix_(mine, present)] = values
            self._recode(out, np.arange(start, stop), source, mine)
        return out

    def picked(self, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return some rows of some features, both in the order asked for.

        The files are read once, whole rows at a time; only what is asked for is kept.
        """
        out = np.full((len(rows), len(columns)), np.nan, dtype=np.float32)
        for source, mine, there in self._rows_by_source(rows):
            where = source.columns[columns]
            present = np.flatnonzero(where >= 0)
            step = max(1, ROW_BLOCK // max(1, len(source.table.header.features)))
            for start in range(0, len(there), step):
                values = read_rows(source.table.path, there[start : start + step])
                out[np.ix_(mine[start : start + step], present)] = values[:, where[present]]
            self._recode(out, columns, source, mine)
        return out

    def in_memory(self) -> CohortsLayer:
        """Read all values."""
        everything = np.arange(len(self.features)), np.arange(len(self.samples))
        return CohortsLayer(
            self.layer,
            self.kind,
            self.samples,
            self.features,
            self.picked(*everything),
            self.categories,
        )

    def _rows_by_source(self, rows: np.ndarray) -> Iterator[tuple[_Source, np.ndarray, np.ndarray]]:
        """Yield for each file: which of ``rows`` it holds, and where it holds them, ascending."""
        for source in self.sources:
            position = np.full(len(self.samples), -1, dtype=np.int64)
            position[source.places] = source.table.rows
            there = position[rows]
            mine = np.flatnonzero(there >= 0)
            mine = mine[np.argsort(there[mine], kind="stable")]
            if len(mine):
                yield source, mine, there[mine]

    def _recode(
        self, out: np.ndarray, columns: np.ndarray, source: _Source, mine: np.ndarray
    ) -> None:
        """Give the levels of covariates the positions that they have in all cohorts together."""
        for offset, column in enumerate(columns if self.categories else ()):
            levels = self.categories[column]
            if levels is not None and source.columns[column] >= 0:
                own = source.table.header.categories[self.features[column]]
                out[mine, offset] = _recoded(out[mine, offset], own, levels)


def read_cohorts(paths: Sequence[str | Path], samples: pd.DataFrame) -> CohortsLayer:
    """Read a layer from the files of all its cohorts; see :func:`open_cohorts`."""
    return open_cohorts(paths, samples).in_memory()


def open_cohorts(paths: Sequence[str | Path], samples: pd.DataFrame) -> OpenLayer:
    """Find out what the files of all cohorts of a layer hold, without reading its values.

    Parameters
    ----------
    paths
        Layer files (``tables/layer.py``) of one layer, one per cohort, in any order.
    samples
        The clean ``samples.tsv``: ``sample, cohort, role``. Samples of the files that are not in it
        are ignored.

    Raises
    ------
    LayerFilesError
        When the files hold different layers or kinds, two hold the same cohort, or a covariate is
        a number in one cohort and a word in another.
    """
    tables = open_tables(paths, samples)
    headers = [table.header for table in tables]
    trained = [table.header for table in tables if table.is_training]
    features = tuple(dict.fromkeys(feature for header in trained for feature in header.features))
    ids = sorted(sample for table in tables for sample in table.samples)
    place = {sample: row for row, sample in enumerate(ids)}
    return OpenLayer(
        layer=headers[0].layer,
        kind=headers[0].kind,
        samples=tuple(ids),
        features=features,
        sources=tuple(
            _Source(
                table,
                np.array([place[sample] for sample in table.samples], dtype=np.int64),
                _positions(features, table.header.features),
            )
            for table in tables
        ),
        categories=_union_of_levels(headers, trained, features),
    )


def which_rows(samples: Sequence[str], wanted: Iterable[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the positions, and the ids, of those of ``wanted`` that are among ``samples``."""
    asked = set(wanted)
    rows = [row for row, sample in enumerate(samples) if sample in asked]
    return np.array(rows, dtype=np.int64), tuple(samples[row] for row in rows)


def _positions(features: tuple[str, ...], own: tuple[str, ...]) -> np.ndarray:
    if features == own:
        return np.arange(len(features))
    position = {feature: column for column, feature in enumerate(own)}
    return np.array([position.get(feature, -1) for feature in features], dtype=np.int64)


def _neighbours(path: Path, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Read columns that mostly stand beside each other, in the order asked for."""
    out = np.empty((len(rows), len(columns)), dtype=np.float32)
    order = np.argsort(columns, kind="stable")
    ascending = columns[order]
    # Where a gap is wider than all that is asked for, reading goes on behind it.
    cuts = np.flatnonzero(np.diff(ascending) > len(columns)) + 1
    for part in np.split(np.arange(len(columns)), cuts):
        if len(part):
            first, last = ascending[part[0]], ascending[part[-1]]
            values = read_columns(path, int(first), int(last) + 1, rows)
            out[:, order[part]] = values[:, ascending[part] - first]
    return out


def _union_of_levels(
    headers: Sequence[LayerHeader], sources: Sequence[LayerHeader], features: Sequence[str]
) -> tuple[tuple[str, ...] | None, ...]:
    """Levels of each covariate over all cohorts, sorted; None for a numeric one."""
    if not any(header.types for header in headers):
        return ()
    types: dict[str, set[str]] = {feature: set() for feature in features}
    levels: dict[str, set[str]] = {feature: set() for feature in features}
    for header in headers:
        for feature, kind in zip(header.features, header.types, strict=True):
            if feature in types:
                types[feature].add(kind)
                levels[feature].update(header.categories.get(feature, ()))
    torn = [feature for feature in features if len(types[feature]) > 1]
    if torn:
        raise LayerFilesError(
            f"The covariates {', '.join(torn)} are numbers in one cohort and words in another. "
            "Write them the same way in all."
        )
    return tuple(
        tuple(sorted(levels[feature])) if types[feature] == {"categorical"} else None
        for feature in features
    )


def _recoded(codes: np.ndarray, own: Sequence[str], common: Sequence[str]) -> np.ndarray:
    """Translate positions in ``own`` levels to positions in ``common`` ones; NaN stays."""
    target = np.array([*(common.index(level) for level in own), np.nan], dtype=np.float32)
    return target[np.where(np.isnan(codes), len(own), codes).astype(np.int64)]
