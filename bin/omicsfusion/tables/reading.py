"""Reading a layer's table of any format: first its ids, then its numbers block by block.

The content of a file decides its format, not its name: text (TSV, CSV; plain or gzipped), segments
of copy number (SEG: text with their header), Parquet, AnnData ``.h5ad``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from omicsfusion.tables.anndata_table import anndata_blocks, anndata_ids
from omicsfusion.tables.block import BLOCK_CELLS, Block, one_ahead
from omicsfusion.tables.parquet_table import parquet_blocks, parquet_ids
from omicsfusion.tables.seg_bins import Segments, bin_blocks, bin_names
from omicsfusion.tables.seg_table import read_segments, seg_columns
from omicsfusion.tables.text_blocks import text_blocks
from omicsfusion.tables.text_table import TextTable, scan_text
from omicsfusion.tables.unreadable import UnreadableTableError

TEXT = "text"
PARQUET = "parquet"
ANNDATA = "h5ad"
SEG = "seg"
# A block of text holds about so many rows, and no more cells than this (Arrow spends some
# microseconds on each column of a block).
BLOCK_ROWS = 5_000
TEXT_CELLS = 2_000_000


@dataclass(frozen=True)
class TableIds:
    """The ids of a table, before anything is known about which are samples.

    Attributes
    ----------
    path, name
        The file, and how the user calls it.
    form
        ``text``, ``parquet``, ``h5ad`` or ``seg``.
    columns, rows
        Ids across and down, blanks around them removed.
    lines
        Where each row stands: its line in a text file (header = 1; SEG: of the sample's first
        segment), its number (from 1) elsewhere.
    remarks
        What the user should be told about the reading.
    text
        How a text table is written; None for other formats.
    segments
        Of a SEG file, whose rows are samples and whose columns are bins; None for other formats.
    """

    path: Path
    name: str
    form: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    lines: tuple[int, ...]
    remarks: tuple[str, ...] = ()
    text: TextTable | None = None
    segments: Segments | None = None


def read_ids(path: str | Path, name: str | None = None, *, cells_counted: bool = True) -> TableIds:
    """Read header and first column of a table.

    Parameters
    ----------
    path
        The file.
    name
        What the user calls it (default: the path).
    cells_counted
        See :func:`omicsfusion.tables.text_table.scan_text`.

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
    table = scan_text(path, cells_counted=cells_counted)
    of_segments = seg_columns(table)
    if of_segments is not None:
        # Its rows are read at once, so all are counted here.
        table = table if cells_counted else scan_text(path)
        return _segments(path, name, table, of_segments)
    columns, remarks = _cleaned(table.columns, table.remarks)
    rows, remarks = _cleaned(table.rows, remarks)
    return TableIds(path, name, TEXT, columns, rows, table.lines, remarks, table)


def read_blocks(ids: TableIds) -> Iterator[Block]:
    """Read the cells of a table, a part at a time; together the blocks are the table."""
    if ids.form == ANNDATA:
        yield from one_ahead(anndata_blocks(ids.path, BLOCK_CELLS))
    elif ids.form == PARQUET:
        yield from parquet_blocks(ids.path, BLOCK_CELLS)
    elif ids.segments is not None:
        yield from bin_blocks(ids.segments, BLOCK_CELLS)
    elif ids.text is not None:
        rows = max(1, min(BLOCK_ROWS, TEXT_CELLS // len(ids.columns)))
        yield from one_ahead(text_blocks(ids.text, rows))


def _segments(path: Path, name: str, table: TextTable, columns: dict[str, int]) -> TableIds:
    segments, lines, remarks = read_segments(table, columns)
    return TableIds(
        path,
        name,
        SEG,
        bin_names(segments),
        segments.samples,
        tuple(lines.values()),
        (*table.remarks, *remarks),
        segments=segments,
    )


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
    whole = "\n".join(ids)
    if '"' not in whole and whole.split() == list(ids):  # of a million ids, most often
        return tuple(ids), remarks
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
