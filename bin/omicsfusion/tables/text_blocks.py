"""The cells of a text table, some rows at a time.

Arrow's reader takes a block of lines where it finds nothing but numbers and missing values in as
many cells as it should. Any other block is split here, and its cells are handed on as text.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from omicsfusion.tables.block import Block, in_threads
from omicsfusion.tables.delimiters import split_line
from omicsfusion.tables.numbers import PLAIN_MISSING
from omicsfusion.tables.text_bytes import byte_chunks
from omicsfusion.tables.text_table import TextTable, scan_text
from omicsfusion.tables.unreadable import UnreadableTableError

# Arrow takes some microseconds for each column of a block; tables with more columns than this are
# handed to it as one long column.
WIDE = 2_000
# Arrow needs no Python while it parses: two pieces at once take little more than half the time.
PARSED_AT_ONCE = 2
# A character that no table has: what separates the cells of a table of one column.
NO_DELIMITER = "\x01"


def text_blocks(table: TextTable, rows: int) -> Iterator[Block]:
    """Read about so many rows at a time, all columns.

    Yields
    ------
    float32 (NaN: missing), or text where Arrow met something else than a finite number.
    """
    width = len(table.columns)
    long = width >= WIDE
    parser = _Parser(NO_DELIMITER, 1) if long else _Parser(table.delimiter, width + 1)
    row, line = 0, table.header_line + 1
    size = rows * table.mean_line

    def parsed(chunk: bytes) -> tuple[bytes, np.ndarray | None]:
        # Lines are told apart below only where Arrow cannot do so.
        return chunk, None if long or table.blank else parser.numbers(chunk)

    chunks = byte_chunks(table.path, table.encoding, table.header_line, size)
    for chunk, whole in in_threads(parsed, chunks, PARSED_AT_ONCE):
        if whole is not None:
            yield Block(row, 0, whole)
            row, line = row + len(whole), line + len(whole)
            continue
        lines = chunk.splitlines()
        kept = [text for at, text in enumerate(lines, line) if at not in table.blank]
        if kept:
            yield Block(row, 0, _cells_of(table, kept, parser, long))
        row, line = row + len(kept), line + len(lines)
    if row != len(table.rows):
        raise UnreadableTableError(
            f"{row} rows were read where {len(table.rows)} were expected.",
            "Look for stray quotation marks, and remove them.",
        )


class _Parser:
    """Arrow's reader, set to take nothing but numbers and plainly missing values.

    Parameters
    ----------
    delimiter
        Between cells; :data:`NO_DELIMITER` where each line is one cell.
    width
        Cells a line. If there are several, the first is not read.
    """

    def __init__(self, delimiter: str, width: int) -> None:
        import pyarrow as pa
        from pyarrow import csv

        names = [str(index) for index in range(width)]
        wanted = names[1:] or names
        self._names = names
        self._shape = csv.ParseOptions(
            delimiter=delimiter, quote_char='"' if width > 1 else False, ignore_empty_lines=False
        )
        self._types = csv.ConvertOptions(
            check_utf8=False,
            include_columns=wanted,
            column_types=dict.fromkeys(wanted, pa.float64()),
            null_values=PLAIN_MISSING,
        )

    def numbers(self, data: bytes) -> np.ndarray | None:
        """Return rows x columns, float32; None when some cell is neither finite nor missing."""
        import pyarrow as pa
        from pyarrow import csv

        read = csv.ReadOptions(
            use_threads=False, column_names=self._names, block_size=len(data) + 1
        )
        try:
            found = csv.read_csv(pa.BufferReader(data), read, self._shape, self._types)
        except pa.ArrowException:
            return None
        # A column is a row of memory: the layout in which a table with features in its rows is
        # written.
        values = np.empty((found.num_columns, found.num_rows), dtype=np.float32)
        n_missing = 0
        with np.errstate(over="ignore"):
            for out, column in zip(values, found.columns, strict=True):
                out[:] = column.to_numpy()
                n_missing += column.null_count
        # Arrow also reads 'nan' and 'inf' in many spellings.
        finite = int(np.isfinite(values).sum())
        return values.T if finite + n_missing == values.size else None


def _cells_of(table: TextTable, lines: Sequence[bytes], parser: _Parser, long: bool) -> np.ndarray:
    """Read lines that are rows: as numbers where Arrow can, else as text."""
    if long:
        mark = table.delimiter.encode()
        values = parser.numbers(b"".join(_one_cell_a_line(table, line, mark) for line in lines))
    else:
        values = parser.numbers(b"\n".join(lines))
    if values is None or values.size != len(lines) * len(table.columns):
        return _as_text(table, lines)
    return values.reshape(len(lines), -1) if long else values


def _one_cell_a_line(table: TextTable, line: bytes, mark: bytes) -> bytes:
    if b'"' in line:
        cells = split_line(line.decode(table.letters), table.delimiter)[1:]
        return "".join(f"{cell}\n" for cell in cells).encode()
    return line.split(mark, 1)[1].replace(mark, b"\n") + b"\n"


def _as_text(table: TextTable, lines: Sequence[bytes]) -> np.ndarray:
    cells = [split_line(line.decode(table.letters), table.delimiter)[1:] for line in lines]
    if any(len(row) != len(table.columns) for row in cells):
        scan_text(table.path)  # says which rows are too short or too long
    return np.array(cells, dtype=object)
