"""Which character separates the cells of a text table, and which line is its header."""

import csv

from omicsfusion.tables.numbers import is_missing, is_number
from omicsfusion.tables.unreadable import UnreadableTableError

DELIMITERS = ("\t", ",", ";")
DELIMITER_NAMES = {"\t": "tabs", ",": "commas", ";": "semicolons"}


def split_line(line: str, delimiter: str) -> list[str]:
    """Split one line into cells, honouring double quotes.

    Raises
    ------
    csv.Error
        A quote is opened and not closed on the line.
    """
    if '"' not in line:
        return line.split(delimiter)
    return next(csv.reader([line], delimiter=delimiter, strict=_quotes_matter(line, delimiter)))


def _quotes_matter(line: str, delimiter: str) -> bool:
    """Whether some cell begins with a quote; elsewhere (5" UTR) it is a letter like others."""
    return line.startswith('"') or delimiter + '"' in line


def find_layout(head: list[str]) -> tuple[str, int]:
    """Return the delimiter and the number of the header's line."""
    filled = [number for number, line in enumerate(head, 1) if line.strip()]
    first = next((n for n in filled if not head[n - 1].startswith("#")), None)
    if first is None:
        first = filled[0]
    sample = [head[number - 1].rstrip("\n") for number in filled if number >= first]
    delimiter = max(DELIMITERS, key=lambda mark: _fit(sample, mark))
    if _fit(sample, delimiter)[1] < 1:
        raise _no_delimiter(sample)
    above = [number for number in filled if number < first]
    if above and _is_data(sample[0], delimiter):
        marked = _count(head[above[-1] - 1], delimiter)
        if marked in (_count(sample[0], delimiter), _count(sample[0], delimiter) - 1):
            return delimiter, above[-1]
    return delimiter, first


def _count(line: str, delimiter: str) -> int:
    if '"' not in line:
        return line.count(delimiter) + 1
    return len(_cells(line.rstrip("\n"), delimiter))


def _cells(line: str, delimiter: str) -> list[str]:
    """Split a line; an open quote, which who reads the line complains about, counts as a letter."""
    try:
        return split_line(line, delimiter)
    except csv.Error:
        return line.split(delimiter)


def _fit(sample: list[str], delimiter: str) -> tuple[bool, int]:
    """How well a delimiter fits: rows as wide as the header (or by one cell wider), then width."""
    widths = [_count(line, delimiter) for line in sample]
    header, body = widths[0], set(widths[1:])
    even = len(body) <= 1 and all(width in (header, header + 1) and width > 1 for width in body)
    return even and max(widths) > 1, header - 1 if len(widths) == 1 else max(
        header, min(widths)
    ) - 1


def _is_data(line: str, delimiter: str) -> bool:
    cells = _cells(line, delimiter)[1:]
    return bool(cells) and all(is_number(cell) or is_missing(cell) for cell in cells)


def _no_delimiter(sample: list[str]) -> UnreadableTableError:
    if all(len(line.split()) > 1 for line in sample):
        what = "Its cells seem to be separated by spaces."
    elif all("|" in line for line in sample):
        what = "Its cells seem to be separated by '|'."
    else:
        what = "It seems to have one column only."
    return UnreadableTableError(
        f"No tabs, commas or semicolons separate the cells. {what}",
        "Save the table as tab-separated text (.tsv).",
    )
