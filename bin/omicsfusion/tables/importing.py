"""IMPORT: one layer's table becomes an AnnData ``.h5ad``, block by block, numbers unchanged."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from omicsfusion.tables.cells import CellReader, all_missing
from omicsfusion.tables.clinical import clinical_column
from omicsfusion.tables.layer import LayerHeader, new_layer
from omicsfusion.tables.layer_ids import column_of_sample
from omicsfusion.tables.problems import Problems
from omicsfusion.tables.reading import TableIds, read_blocks, read_ids
from omicsfusion.tables.samplesheet import CLINICAL, FEATURES
from omicsfusion.tables.text_table import read_cells
from omicsfusion.tables.unreadable import UnreadableTableError

COHORT = "cohort"


@dataclass(frozen=True)
class ImportRequest:
    """One layer to import; fields are the arguments of ``import.py``.

    Attributes
    ----------
    rows
        ``features`` or ``samples``.
    files
        One table, or one file for each of ``samples``.
    samples
        Empty when the one table holds all samples.
    names
        What the user calls the files; default: their names.
    """

    layer: str
    kind: str
    cohort: str
    rows: str
    files: tuple[Path, ...]
    samples: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def name(self, index: int) -> str:
        """What the user calls a file."""
        return self.names[index] if self.names else self.files[index].name


def import_layer(request: ImportRequest, path: Path) -> Problems:
    """Write a layer's ``.h5ad`` and return what was wrong with its cells.

    A bad cell is NaN in the file. A table that cannot be read at all gives no file.
    """
    problems = Problems()
    try:
        if request.samples:
            _import_single_samples(request, path, problems)
        elif request.kind == CLINICAL:
            _import_clinical(request, path, problems)
        else:
            _import_table(request, path, problems)
    except UnreadableTableError as error:
        problems.error(error.problem, error.cure, file=request.name(0), row=error.row)
    return problems


def _import_table(request: ImportRequest, path: Path, problems: Problems) -> None:
    ids = read_ids(request.files[0], request.name(0))
    samples, features = ids.rows, ids.columns
    if request.rows == FEATURES:
        samples, features = features, samples
    order = np.argsort(np.array(samples, dtype=object))
    header = LayerHeader(
        request.layer, request.kind, request.cohort, tuple(samples[i] for i in order), features
    )
    reader = CellReader(ids)
    known = np.zeros(len(samples), dtype=np.int64)
    with new_layer(path, header) as x:
        for start, block in read_blocks(ids):
            values = reader.numbers(start, block)
            if request.rows == FEATURES:
                known += np.isfinite(values).sum(axis=0)
                x[:, start : start + len(values)] = values.T[order]
            else:
                known[start : start + len(values)] = np.isfinite(values).sum(axis=1)
                _write_rows(x, _rank(order)[start : start + len(values)], values)
    reader.report(problems)
    all_missing(header.samples, known[order], ids.name, problems)


def _rank(order: np.ndarray) -> np.ndarray:
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank


def _write_rows(x: h5py.Dataset, rows: np.ndarray, values: np.ndarray) -> None:
    if len(rows) and np.all(np.diff(rows) == 1):
        x[rows[0] : rows[0] + len(rows)] = values
        return
    for row, value in zip(rows, values, strict=True):
        x[int(row)] = value


def _import_single_samples(request: ImportRequest, path: Path, problems: Problems) -> None:
    """One file per sample: features of all files, NaN where a file lacks one."""
    order = sorted(range(len(request.samples)), key=lambda index: request.samples[index])
    tables = [read_ids(request.files[index], request.name(index)) for index in order]
    position: dict[str, int] = {}
    for ids in tables:
        for feature in ids.rows:
            position.setdefault(feature, len(position))
    samples = tuple(request.samples[index] for index in order)
    header = LayerHeader(request.layer, request.kind, request.cohort, samples, tuple(position))
    known = np.zeros(len(samples), dtype=np.int64)
    with new_layer(path, header) as x:
        for row, (sample, ids) in enumerate(zip(samples, tables, strict=True)):
            values = np.full(len(position), np.nan, dtype=np.float32)
            values[[position[feature] for feature in ids.rows]] = _one_sample(ids, sample, problems)
            x[row] = values
            known[row] = np.isfinite(values).sum()
    all_missing(samples, known, request.name(0), problems)


def _one_sample(ids: TableIds, sample: str, problems: Problems) -> np.ndarray:
    column = column_of_sample(ids, sample)
    own = [block.iloc[:, [column]] for _, block in read_blocks(ids)]
    cells = pd.concat(own, ignore_index=True)
    reader = CellReader(_only(ids, column))
    cells.columns = pd.RangeIndex(1)
    values = reader.numbers(0, cells)
    reader.report(problems)
    return values[:, 0]


def _only(ids: TableIds, column: int) -> TableIds:
    return TableIds(ids.path, ids.name, ids.form, (ids.columns[column],), ids.rows, ids.lines)


def _import_clinical(request: ImportRequest, path: Path, problems: Problems) -> None:
    ids = read_ids(request.files[0], request.name(0))
    table = _as_text(ids)
    lines: Sequence[int] = ids.lines
    if request.rows == FEATURES:
        table, lines = table.T, [1] * table.shape[1]
    columns = {}
    for feature in table.columns:
        if feature != COHORT:
            cells = list(table[feature])
            columns[feature] = clinical_column(feature, cells, lines, problems, file=ids.name)
    mine = (
        np.array([cohort == request.cohort for cohort in table[COHORT]])
        if COHORT in table
        else (np.ones(len(table), dtype=bool))
    )
    samples = [sample for sample, own in zip(table.index, mine, strict=True) if own]
    values = np.array([column.codes() for column in columns.values()]).T[mine]
    order = np.argsort(np.array(samples, dtype=object))
    header = LayerHeader(
        request.layer,
        request.kind,
        request.cohort,
        tuple(samples[i] for i in order),
        tuple(columns),
        tuple(column.type for column in columns.values()),
        {name: column.levels for name, column in columns.items() if column.levels},
    )
    with new_layer(path, header) as x:
        x[...] = values[order]


def _as_text(ids: TableIds) -> pd.DataFrame:
    """Read a small table with its words: rows x columns, text, empty where missing."""
    if ids.text is not None:
        cells = [row[1:] for row in read_cells(ids.path)[1]]
        return pd.DataFrame(cells, index=list(ids.rows), columns=list(ids.columns), dtype=object)
    whole = pd.concat([block for _, block in read_blocks(ids)], ignore_index=True)
    text = whole.astype(object).where(whole.notna(), "").map(str)
    return text.set_axis(list(ids.rows), axis=0).set_axis(list(ids.columns), axis=1)
