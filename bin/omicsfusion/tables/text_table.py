"""The outside of a text table: compression, encoding, delimiter, header, ids, rows of equal length.

One pass over the raw lines looks at all that pandas would settle in silence (short rows filled up,
a first column taken for an index, duplicated headers renamed), so that :mod:`importing` can then
let pandas' C reader loose on a table without surprises. It holds only ids in memory.
"""

import csv
import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import IO, TextIO, cast

from omicsfusion.tables.delimiters import find_layout, split_line
from omicsfusion.tables.unreadable import UnreadableTableError

# Lines from which the delimiter is found out.
SNIFFED_LINES = 50
SNIFFED_BYTES = 65_536
SHOWN = 5

_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_FOREIGN = {
    b"PK\x03\x04": "an Excel workbook (.xlsx) or another zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"%PDF": "a PDF document",
}


@dataclass(frozen=True)
class TextTable:
    """How a text table is written, and its ids.

    Attributes
    ----------
    path
        The file.
    encoding, delimiter
        How to read it.
    corner
        Header of the column of ids; None where the header has no cell for it.
    columns
        The other headers, as they stand there.
    rows
        The first cell of each row, as it stands there.
    lines
        Physical line of each row (the first line of the file is 1).
    skipped
        Physical lines that are no rows: comments, the header, blank ones.
    remarks
        What a user should be told about how the file was read.
    """

    path: Path
    encoding: str
    delimiter: str
    corner: str | None
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    lines: tuple[int, ...]
    skipped: frozenset[int]
    remarks: tuple[str, ...] = ()

    @property
    def header(self) -> list[str]:
        """All cells of the header line, without blanks around them."""
        corner = [] if self.corner is None else [self.corner]
        return [cell.strip() for cell in [*corner, *self.columns]]


def open_text(path: str | Path, encoding: str) -> TextIO:
    r"""Open a text file, gzipped or not (its content decides), with all line ends as ``\\n``."""
    return TextIOWrapper(_open_bytes(Path(path)), encoding=encoding, newline=None)


def scan_text(path: str | Path) -> TextTable:
    """Go once through a text table and find out how it is written and what its ids are.

    Raises
    ------
    UnreadableTableError
        The file is no table: empty, truncated, binary, no delimiter, rows of unequal length.
    """
    path = Path(path)
    for encoding in _encodings(path):
        try:
            with open_text(path, encoding) as lines:
                return _scan(path, encoding, lines)
        except UnicodeDecodeError:
            continue
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UnreadableTableError(
                f"The gzipped file is damaged or was cut off ({error}).",
                "Copy or download it again; 'gzip -t' tests it.",
            ) from error
    raise UnreadableTableError(
        "The letters of the file are in no encoding that is known.", "Save the table as UTF-8."
    )


def read_cells(path: str | Path) -> tuple[TextTable, list[list[str]]]:
    """Read a small table as text: its ids, and the cells of each row without blanks around them."""
    table = scan_text(path)
    with open_text(path, table.encoding) as lines:
        cells = [
            [cell.strip() for cell in split_line(line.rstrip("\n"), table.delimiter)]
            for number, line in enumerate(lines, 1)
            if number not in table.skipped
        ]
    return table, cells


def _open_bytes(path: Path) -> IO[bytes]:
    with path.open("rb") as raw:
        compressed = raw.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path, "rb")) if compressed else path.open("rb")


def _encodings(path: Path) -> list[str]:
    """List the encodings to try; complain about content that is no text."""
    try:
        with _open_bytes(path) as raw:
            start = raw.read(SNIFFED_BYTES)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableTableError(
            f"The gzipped file is damaged or was cut off ({error}).",
            "Copy or download it again; 'gzip -t' tests it.",
        ) from error
    if not start.strip():
        raise UnreadableTableError("The file is empty.", "Was it copied or exported completely?")
    for bom, encoding in _BOMS.items():
        if start.startswith(bom):
            return [encoding]
    for magic, what in _FOREIGN.items():
        if start.startswith(magic):
            raise UnreadableTableError(
                f"The file is {what}, not a text table.",
                "Save it as tab-separated text (.tsv), plain or compressed with gzip.",
            )
    if b"\0" in start:
        raise UnreadableTableError(
            "The file is not text: it holds binary data.",
            "Give a text table (TSV, CSV, plain or gzipped), Parquet or AnnData .h5ad.",
        )
    return ["utf-8", "cp1252"]


def _scan(path: Path, encoding: str, lines: Iterable[str]) -> TextTable:
    lines = iter(lines)
    head = list(islice(lines, SNIFFED_LINES))
    delimiter, header_line = find_layout(head)
    header = _split_or_complain(head[header_line - 1], delimiter, header_line)
    body = islice(enumerate(chain(head, lines), 1), header_line, None)
    rows, numbers, widths, blank, ends_empty = _walk(body, delimiter)
    if not rows:
        raise UnreadableTableError(
            "The table has a header and no rows.", "Was it copied or exported completely?"
        )
    _require_even_rows(header, rows, numbers, widths, ends_empty, delimiter)
    has_corner = widths[0] == len(header)
    remarks = _remarks(encoding, header_line, has_corner)
    return TextTable(
        path,
        encoding,
        delimiter,
        header[0] if has_corner else None,
        tuple(header[1:] if has_corner else header),
        tuple(rows),
        tuple(numbers),
        frozenset([*range(1, header_line + 1), *blank]),
        remarks,
    )


def _remarks(encoding: str, header_line: int, has_corner: bool) -> tuple[str, ...]:
    remarks = []
    if encoding == "cp1252":
        remarks.append(
            "some letters are not UTF-8 and were read as Windows-1252: look at names with letters "
            "such as µ or é"
        )
    if encoding == "utf-16":
        remarks.append("it is written in UTF-16")
    if header_line > 1:
        remarks.append(f"the header is line {header_line}; the lines above it are comments")
    if not has_corner:
        remarks.append("the header has no cell above the ids (as R's write.table writes it)")
    return tuple(remarks)


def _walk(
    body: Iterator[tuple[int, str]], delimiter: str
) -> tuple[list[str], list[int], list[int], list[int], bool]:
    """Return first cells, their lines, cells a row, blank lines, whether all rows end empty."""
    rows: list[str] = []
    numbers: list[int] = []
    widths: list[int] = []
    blank: list[int] = []
    ends_empty = True
    for number, line in body:
        line = line.rstrip("\n")
        if "\0" in line:
            raise UnreadableTableError(
                "The line holds a NUL, which no text does.",
                "Was the file copied completely? Export the table again.",
                row=str(number),
            )
        if line[:1] in (delimiter, " ", "", '"', "\t") and not line.strip(delimiter + ' \t"'):
            blank.append(number)
            continue
        if '"' in line:
            cells = _split_or_complain(line, delimiter, number)
            first, width = cells[0], len(cells)
        else:
            first, width = line.split(delimiter, 1)[0], line.count(delimiter) + 1
        rows.append(first)
        numbers.append(number)
        widths.append(width)
        ends_empty = ends_empty and line.endswith(delimiter)
    return rows, numbers, widths, blank, ends_empty


def _split_or_complain(line: str, delimiter: str, number: int) -> list[str]:
    try:
        return split_line(line.rstrip("\n"), delimiter)
    except csv.Error as error:
        raise UnreadableTableError(
            "A quotation mark is opened and not closed in this line.",
            "Remove the mark; a cell may not contain a line break.",
            row=str(number),
        ) from error


def _require_even_rows(
    header: list[str],
    rows: list[str],
    numbers: list[int],
    widths: list[int],
    ends_empty: bool,
    delimiter: str,
) -> None:
    width = len(header)
    if all(found == width + 1 for found in widths) and not ends_empty:
        return
    uneven = [index for index, found in enumerate(widths) if found != width]
    if not uneven:
        return
    first = uneven[0]
    shown = ", ".join(str(numbers[index]) for index in uneven[:SHOWN])
    more = f" and {len(uneven) - SHOWN} more" if len(uneven) > SHOWN else ""
    problem = (
        f"The header has {width} cells, but {len(uneven)} of {len(rows)} rows have another number: "
        f"line {shown}{more}. The first of them ({rows[first]!r}) has {widths[first]}."
    )
    raise UnreadableTableError(
        problem, _cure_for_uneven(width, widths, ends_empty, delimiter), row=str(numbers[first])
    )


def _cure_for_uneven(width: int, widths: list[int], ends_empty: bool, delimiter: str) -> str:
    if delimiter == "," and all(found == 2 * width - 1 for found in widths):
        return (
            "It looks as if numbers were written with decimal commas in a comma-separated table: "
            "save it with a decimal point, or with tabs."
        )
    if ends_empty and all(found == width + 1 for found in widths):
        return "Every row ends with a delimiter that the header lacks: remove it."
    return (
        "Give every row as many cells as the header; leave a cell empty where a value is missing. "
        "A file that was cut off ends so, too."
    )
