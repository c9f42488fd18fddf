"""The outside of a text table: compression, encoding, delimiter, header, ids, rows of equal length.

One pass over the raw lines looks at all that a quick reader would settle in silence (short rows
filled up, lines lost to a stray quote), so that :mod:`text_blocks` can then let one loose on a
table without surprises. It holds only ids in memory.
"""

import csv
import gzip
import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np

from omicsfusion.tables.delimiters import find_layout, split_line
from omicsfusion.tables.text_bytes import byte_lines, encoding_of_lines, encodings
from omicsfusion.tables.unreadable import UnreadableTableError

# Lines from which the delimiter is found out: fewer of them where lines are long (a table with a
# million columns has lines of 7 MB).
SNIFFED_LINES = 50
LONG_HEAD = 20_000_000
SHOWN = 5
# From this length on (bytes), numpy counts faster than bytes.count.
LONG_LINE = 2_000


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
    header_line
        Physical line of the header.
    blank
        Physical lines below it that are no rows.
    mean_line
        Mean length of the rows, in bytes.
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
    header_line: int
    blank: frozenset[int]
    mean_line: int
    remarks: tuple[str, ...] = ()

    @property
    def header(self) -> list[str]:
        """All cells of the header line, without blanks around them."""
        corner = [] if self.corner is None else [self.corner]
        return [cell.strip() for cell in [*corner, *self.columns]]

    @property
    def letters(self) -> str:
        """Encoding of what :func:`byte_lines` yields of this file."""
        return encoding_of_lines(self.encoding)


def scan_text(path: str | Path, *, cells_counted: bool = True) -> TextTable:
    """Go once through a text table and find out how it is written and what its ids are.

    Parameters
    ----------
    cells_counted
        Whether to make sure that all rows are as long as the header; else only the first is
        looked at (:mod:`text_blocks` makes sure when it reads the rest).

    Raises
    ------
    UnreadableTableError
        The file is no table: empty, truncated, binary, no delimiter, rows of unequal length.
    """
    path = Path(path)
    for encoding in encodings(path):
        try:
            with byte_lines(path, encoding) as lines:
                return _scan(path, encoding, lines, cells_counted)
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
    with byte_lines(path, table.encoding) as lines:
        cells = [
            [cell.strip() for cell in split_line(line.decode(table.letters), table.delimiter)]
            for number, line in enumerate(lines, 1)
            if number > table.header_line and number not in table.blank
        ]
    return table, cells


def _scan(path: Path, encoding: str, lines: Iterator[bytes], cells_counted: bool) -> TextTable:
    letters = encoding_of_lines(encoding)
    head = list(_first_lines(lines))
    text = [line.decode(letters) for line in head]
    delimiter, header_line = find_layout(text)
    header = _split_or_complain(text[header_line - 1], delimiter, header_line)
    del text
    body = islice(enumerate(chain(head, lines), 1), header_line, None)
    rows, numbers, widths, blank, size, ends_empty = _walk(body, delimiter, letters, cells_counted)
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
        header_line,
        frozenset(blank),
        size // len(rows) + 1,
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


def _first_lines(lines: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for line in islice(lines, SNIFFED_LINES):
        yield line
        size += len(line)
        if size > LONG_HEAD:
            return


def _walk(
    body: Iterator[tuple[int, bytes]], delimiter: str, letters: str, counted: bool
) -> tuple[list[str], "array[int]", "array[int]", list[int], int, bool]:
    """Return first cells, their lines, cells a row; blank lines; bytes; do all rows end empty?"""
    rows: list[str] = []
    numbers, widths = array("q"), array("q")
    blank: list[int] = []
    size, ends_empty = 0, True
    mark = delimiter.encode()
    starts_of_blank = (mark, b" ", b"", b'"', b"\t")
    for number, line in body:
        if b"\0" in line:
            raise UnreadableTableError(
                "The line holds a NUL, which no text does.",
                "Was the file copied completely? Export the table again.",
                row=str(number),
            )
        if line[:1] in starts_of_blank and not line.strip(mark + b' \t"'):
            blank.append(number)
            continue
        if not line.isascii():
            line.decode(letters)
        if b'"' in line:
            cells = _split_or_complain(line.decode(letters), delimiter, number)
            first, width = cells[0], len(cells)
        else:
            first = line.split(mark, 1)[0].decode(letters)
            width = _count(line, mark) + 1 if counted or not widths else widths[0]
        rows.append(first)
        numbers.append(number)
        widths.append(width)
        size += len(line)
        ends_empty = ends_empty and line.endswith(mark)
    return rows, numbers, widths, blank, size, ends_empty


def _count(line: bytes, mark: bytes) -> int:
    if len(line) < LONG_LINE:
        return line.count(mark)
    return int(np.count_nonzero(np.frombuffer(line, dtype=np.uint8) == mark[0]))


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
    numbers: Sequence[int],
    widths: Sequence[int],
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


def _cure_for_uneven(width: int, widths: Sequence[int], ends_empty: bool, delimiter: str) -> str:
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
