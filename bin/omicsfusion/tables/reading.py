"""Reading a layer's table of any format: first its ids, then its numbers block by block.

The content of a file decides its format, not its name: text (TSV, CSV; plain or gzipped), Parquet,
AnnData ``.h5ad``.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from omicsfusion.tables.anndata_table import anndata_blocks, anndata_ids
from omicsfusion.tables.delimiters import split_line
from omicsfusion.tables.numbers import PANDAS_MISSING
from omicsfusion.tables.parquet_table import parquet_blocks, parquet_ids
from omicsfusion.tables.text_table import TextTable, open_text, scan_text
from omicsfusion.tables.unreadable import UnreadableTableError

TEXT = "text"
PARQUET = "parquet"
ANNDATA = "h5ad"
# How pandas reads cells: only MISSING is missing, and a block's column is of one type.
PANDAS_OPTIONS: dict[str, Any] = {
    "header": None,
    "na_values": PANDAS_MISSING,
    "keep_default_na": False,
    "low_memory": False,
    # Exact to about one unit of float64, three times as quick as 'round_trip'.
    "float_precision": "high",
}
# A block holds at most so many rows and cells: 2 million doubles are 16 MB.
BLOCK_ROWS = 5_000
BLOCK_CELLS = 2_000_000
# pandas takes about 60 us for each column of a block; text tables with more columns than this are
# handed to it as one long column.
WIDE = 2_000


@dataclass(frozen=True)
class TableIds:
    """The ids of a table, before anything is known about which are samples.

    Attributes
    ----------
    path, name
        The file, and how the user calls it.
    form
        ``text``, ``parquet`` or ``h5ad``.
    columns, rows
        Ids across and down, blanks around them removed.
    lines
        Where each row stands: its line in a text file (header = 1), its number (from 1) elsewhere.
    remarks
        What the user should be told about the reading.
    text
        How a text table is written; None for other formats.
    """

    path: Path
    name: str
    form: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    lines: tuple[int, ...]
    remarks: tuple[str, ...] = ()
    text: TextTable | None = None


def read_ids(path: str | Path, name: str | None = None) -> TableIds:
    """Read header and first column of a table.

    Parameters
    ----------
    path
        The file.
    name
        What the user calls it (default: the path).

    Raises
    ------
    UnreadableTableError
        The file is no table that can be read; says why.
    """
    path = Path(path)
    name = str(path) if name is None else name
    if path.is_dir():
        raise UnreadableTableError("This is a folder, not a file.", "Give the table itself.")
    with path.open("rb") as raw:
        magic = raw.read(8)
    if magic.startswith(b"\x89HDF"):
        return _other(path, name, ANNDATA, *anndata_ids(path))
    if magic.startswith(b"PAR1"):
        return _other(path, name, PARQUET, *parquet_ids(path))
    for suffix, what in ((".h5ad", "AnnData"), (".parquet", "Parquet")):
        if path.suffix.lower() == suffix:
            raise UnreadableTableError(
                f"The name ends in {suffix}, but the content is not {what}.",
                "Was the file copied completely? A text table should be named .tsv or .csv.",
            )
    table = scan_text(path)
    columns, remarks = _cleaned(table.columns, table.remarks)
    rows, remarks = _cleaned(table.rows, remarks)
    return TableIds(path, name, TEXT, columns, rows, table.lines, remarks, table)


def read_blocks(ids: TableIds) -> Iterator[tuple[int, pd.DataFrame]]:
    """Read the cells of a table, some rows at a time.

    Yields
    ------
    Position of the block's first row, and the block: rows x ``ids.columns`` (columns numbered).
    A column is numeric, or text when some cell in it is no number; NaN is missing.
    """
    rows = max(1, min(BLOCK_ROWS, BLOCK_CELLS // max(1, len(ids.columns))))
    if ids.form == ANNDATA:
        yield from anndata_blocks(ids.path, rows)
    elif ids.form == PARQUET:
        yield from parquet_blocks(ids.path, rows)
    elif ids.text is not None and len(ids.columns) >= WIDE:
        yield from _wide_text_blocks(ids.text, rows)
    elif ids.text is not None:
        yield from _text_blocks(ids.text, rows)


def _other(path: Path, name: str, form: str, rows: list[str], columns: list[str]) -> TableIds:
    clean_columns, remarks = _cleaned(columns, ())
    clean_rows, remarks = _cleaned(rows, remarks)
    if not clean_rows or not clean_columns:
        raise UnreadableTableError("The table has no rows or no columns.")
    return TableIds(
        path, name, form, clean_columns, clean_rows, tuple(range(1, len(rows) + 1)), remarks
    )


def _cleaned(
    ids: tuple[str, ...] | list[str], remarks: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Remove blanks (also no-break ones) and quotes around ids, and remark on it."""
    unquoted = [_unquote(text) for text in ids]
    clean = tuple(text.strip() for text in unquoted)
    trimmed = [before for before, after in zip(unquoted, clean, strict=True) if before != after]
    if trimmed:
        remarks = (
            *remarks,
            f"blanks around {len(trimmed)} ids were removed, such as {trimmed[0]!r}",
        )
    return clean, remarks


def _unquote(text: str) -> str:
    plain = text.strip()
    return plain[1:-1] if len(plain) > 1 and plain[0] == plain[-1] == '"' else text


def _text_blocks(table: TextTable, rows: int) -> Iterator[tuple[int, pd.DataFrame]]:
    width = len(table.columns) + 1
    with open_text(table.path, table.encoding) as handle:
        chunks = pd.read_csv(
            handle,
            sep=table.delimiter,
            names=list(range(width)),
            index_col=False,
            skiprows=sorted(line - 1 for line in table.skipped),
            dtype={0: str},
            chunksize=rows,
            **PANDAS_OPTIONS,
        )
        start = 0
        for chunk in chunks:
            _require_same_rows(table, start, chunk[0].to_numpy())
            block = chunk.iloc[:, 1:]
            block.columns = pd.RangeIndex(width - 1)
            yield start, block
            start += len(chunk)
    if start != len(table.rows):
        raise _lost_step(table, start)


def _wide_text_blocks(table: TextTable, rows: int) -> Iterator[tuple[int, pd.DataFrame]]:
    start = 0
    with open_text(table.path, table.encoding) as handle:
        lines = (line for number, line in enumerate(handle, 1) if number not in table.skipped)
        while block := list(islice(lines, rows)):
            long = "".join(_one_cell_a_line(line.rstrip("\n"), table.delimiter) for line in block)
            cells = pd.read_csv(
                BytesIO(long.encode()),  # StringIO would hold four bytes a letter
                sep="\x01",
                names=[0],
                skip_blank_lines=False,
                quoting=csv.QUOTE_NONE,
                **PANDAS_OPTIONS,
            )[0]
            yield start, pd.DataFrame(cells.to_numpy().reshape(len(block), -1))
            start += len(block)


def _one_cell_a_line(line: str, delimiter: str) -> str:
    """Write the cells of a row, but for its id, one below the other."""
    if '"' in line:
        return "\n".join(split_line(line, delimiter)[1:]) + "\n"
    return line.split(delimiter, 1)[1].replace(delimiter, "\n") + "\n"


def _require_same_rows(table: TextTable, start: int, found: np.ndarray) -> None:
    """Make sure that the quick reader sees the rows where the raw lines have them."""
    expected = table.rows[start : start + len(found)]
    for offset, (mine, its) in enumerate(zip(expected, found, strict=False)):
        if isinstance(its, str) and its != mine:
            raise _lost_step(table, start + offset)
    if len(expected) != len(found):
        raise _lost_step(table, start + len(expected))


def _lost_step(table: TextTable, row: int) -> UnreadableTableError:
    line = table.lines[min(row, len(table.lines) - 1)]
    return UnreadableTableError(
        "The rows cannot be told apart from here on.",
        "Look for stray quotation marks in this line, and remove them.",
        row=str(line),
    )
