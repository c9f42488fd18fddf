"""IMPORT: one layer's table becomes an AnnData ``.h5ad``, block by block, numbers unchanged."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from omicsfusion.tables.block import BLOCK_CELLS, Block
from omicsfusion.tables.cells import CellReader
from omicsfusion.tables.clinical import clinical_column
from omicsfusion.tables.layer import LayerHeader, new_layer
from omicsfusion.tables.layer_ids import column_of_sample, segments_of_one
from omicsfusion.tables.layer_writer import LayerWriter
from omicsfusion.tables.problems import Problems
from omicsfusion.tables.reading import SEG, TableIds, read_blocks, read_ids
from omicsfusion.tables.samplesheet import CLINICAL, FEATURES, SAMPLES
from omicsfusion.tables.seg_bins import bin_blocks, bin_names, joined
from omicsfusion.tables.text_table import read_cells
from omicsfusion.tables.unreadable import UnreadableTableError
from omicsfusion.tables.value_checks import ValueChecks

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
        if request.samples and request.rows == SAMPLES:
            _import_seg_files(request, path, problems)
        elif request.samples:
            _import_single_samples(request, path, problems)
        elif request.kind == CLINICAL:
            _import_clinical(request, path, problems)
        else:
            _import_table(request, path, problems)
    except UnreadableTableError as error:
        problems.error(error.problem, error.cure, file=request.name(0), row=error.row)
    return problems


def _import_table(request: ImportRequest, path: Path, problems: Problems) -> None:
    # CHECK_INPUT has counted the cells of each row; reading notices a row of another length.
    ids = read_ids(request.files[0], request.name(0), cells_counted=False)
    across = request.rows == FEATURES
    samples, features = (ids.columns, ids.rows) if across else (ids.rows, ids.columns)
    order = np.argsort(np.array(samples, dtype=object))
    header = LayerHeader(
        request.layer, request.kind, request.cohort, tuple(samples[i] for i in order), features
    )
    target = _rank(order)
    cells = CellReader(ids)
    checks = ValueChecks(request.kind, header.samples, features, gaps=ids.form == SEG)
    with new_layer(path, header) as x, LayerWriter(x) as writer:
        for block in read_blocks(ids):
            values = cells.numbers(block)
            row, column = block.row, block.column
            if across:
                values, row, column = values.T, column, row
            rows = target[row : row + len(values)]
            checks.look(rows, column, values)
            writer.write(rows, column, values)
    cells.report(problems)
    checks.report((ids.name,), problems)


def _rank(order: np.ndarray) -> np.ndarray:
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank


def _import_single_samples(request: ImportRequest, path: Path, problems: Problems) -> None:
    """One file per sample: features of all files, NaN where a file lacks one."""
    order = sorted(range(len(request.samples)), key=lambda index: request.samples[index])
    tables: list[TableIds] = []
    position: dict[str, int] = {}
    for index in order:
        ids = read_ids(request.files[index], request.name(index))
        # Most often all files have the same features: they are held in memory once.
        same = bool(tables) and (ids.rows, ids.lines) == (tables[0].rows, tables[0].lines)
        tables.append(_with_ids_of(ids, tables[0]) if same else ids)
        for feature in () if same else ids.rows:
            position.setdefault(feature, len(position))
    samples = tuple(request.samples[index] for index in order)
    header = LayerHeader(request.layer, request.kind, request.cohort, samples, tuple(position))
    checks = ValueChecks(request.kind, samples, header.features)
    with new_layer(path, header) as x:
        for row, (sample, ids) in enumerate(zip(samples, tables, strict=True)):
            values = np.full((1, len(position)), np.nan, dtype=np.float32)
            columns = [position[feature] for feature in ids.rows]
            values[0, columns] = _one_sample(ids, sample, problems)
            checks.look(np.array([row]), 0, values)
            x[row] = values[0]
    checks.report([ids.name for ids in tables], problems)


def _import_seg_files(request: ImportRequest, path: Path, problems: Problems) -> None:
    """One SEG file per sample (no other files of one sample have samples in their rows).

    The bins are those of one SEG file that held all samples.
    """
    names = {sample: request.name(index) for index, sample in enumerate(request.samples)}
    parts = {
        sample: segments_of_one(read_ids(file, names[sample]))
        for sample, file in zip(request.samples, request.files, strict=True)
    }
    segments = joined(parts)
    bins = bin_names(segments)
    header = LayerHeader(request.layer, request.kind, request.cohort, segments.samples, bins)
    checks = ValueChecks(request.kind, header.samples, bins, gaps=True)
    with new_layer(path, header) as x:
        for block in bin_blocks(segments, BLOCK_CELLS):
            values = np.asarray(block.cells)
            checks.look(np.arange(block.row, block.row + len(values)), 0, values)
            x[block.row : block.row + len(values)] = values
    checks.report([names[sample] for sample in header.samples], problems)


def _with_ids_of(ids: TableIds, other: TableIds) -> TableIds:
    """Return the same ids, which share another table's memory."""
    text = ids.text and replace(ids.text, rows=other.rows, lines=other.lines)
    return replace(ids, rows=other.rows, lines=other.lines, text=text)


def _one_sample(ids: TableIds, sample: str, problems: Problems) -> np.ndarray:
    column = column_of_sample(ids, sample)
    cells = CellReader(replace(ids, columns=(ids.columns[column],)))
    values = np.full(len(ids.rows), np.nan, dtype=np.float32)
    for block in read_blocks(ids):
        at = column - block.column
        if 0 <= at < block.cells.shape[1]:
            numbers = cells.numbers(Block(block.row, 0, _column(block.cells, at)))
            values[block.row : block.row + len(numbers)] = numbers[:, 0]
    cells.report(problems)
    return values


def _column(cells: np.ndarray | pd.DataFrame, at: int) -> np.ndarray | pd.DataFrame:
    if isinstance(cells, pd.DataFrame):
        return cells.iloc[:, [at]]
    return cells[:, [at]]


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
    table = pd.DataFrame("", index=list(ids.rows), columns=list(ids.columns), dtype=object)
    for block in read_blocks(ids):
        cells = pd.DataFrame(block.cells).astype(object)
        n_rows, n_columns = cells.shape
        table.iloc[block.row : block.row + n_rows, block.column : block.column + n_columns] = (
            cells.where(cells.notna(), "").map(str).to_numpy()
        )
    return table
