"""The files that a recipe names: lists of features, and tables of what is known of them."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from omicsfusion.tables.numbers import is_number
from omicsfusion.tables.text_bytes import open_text

HEADER_WORDS = frozenset({"feature", "feature_id", "gene", "gene_id", "name", "id", "probe"})
COMMENTS = ("#", "track", "browser")


class FileProblem(ValueError):
    """A file that a recipe names cannot be used.

    Attributes
    ----------
    problem, cure, row
        As in ``Problem`` of the tables.
    """

    def __init__(self, problem: str, cure: str, row: int | None = None) -> None:
        super().__init__(f"{problem} {cure}")
        self.problem, self.cure, self.row = problem, cure, row


def read_table(path: Path, reads: str) -> Any:
    """Read a file as a method wants it.

    Parameters
    ----------
    reads
        ``names``: the first column, a list. ``numbers``, ``words``: the first two columns, name ->
        value. ``regions``: a BED file, list of [name, chromosome, start, end], 0-based, half-open.

    Raises
    ------
    FileProblem
        The file is empty, no text, a line has too few columns or a value is no number.
    """
    readers: dict[str, Callable[[int, list[str]], Any]] = {
        "names": lambda line, cells: cells[0],
        "numbers": _number,
        "words": lambda line, cells: tuple(_first(cells, 2, line)),
        "regions": _region,
    }
    rows = _rows(path)
    if reads != "regions" and rows and rows[0][1][0].lower() in HEADER_WORDS:
        rows = rows[1:]
    found = [readers[reads](line, cells) for line, cells in rows]
    if not found:
        raise FileProblem("The file holds nothing.", "Was it copied completely?")
    if reads in ("numbers", "words"):
        return dict(found)
    return list(dict.fromkeys(found)) if reads == "names" else found


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Lines that hold something: number, cells (split at tabs, else commas, else blanks)."""
    try:
        with open_text(path, "utf-8-sig") as lines:
            texts = [(number, line.strip()) for number, line in enumerate(lines, 1)]
    except (UnicodeDecodeError, OSError, EOFError) as error:
        raise FileProblem(
            f"The file cannot be read as text ({error}).", "Save it as plain text (UTF-8)."
        ) from error
    texts = [(number, text) for number, text in texts if text and not text.startswith(COMMENTS)]
    return [(number, _cells(text)) for number, text in texts]


def _cells(text: str) -> list[str]:
    if "\t" in text:
        return [cell.strip() for cell in text.split("\t")]
    if "," in text:
        return [cell.strip() for cell in next(csv.reader([text]))]
    return text.split()


def _first(cells: list[str], n: int, line: int) -> list[str]:
    if len(cells) < n or not all(cells[:n]):
        raise FileProblem(
            f"The line has {len(cells)} columns, but needs {n}.",
            "Separate the columns by tabs.",
            line,
        )
    return cells[:n]


def _number(line: int, cells: list[str]) -> tuple[str, float]:
    name, text = _first(cells, 2, line)
    if not is_number(text):
        raise FileProblem(
            f"{text!r} of {name!r} is no number.", "Write it with a decimal point.", line
        )
    return name, float(text)


def _region(line: int, cells: list[str]) -> list[Any]:
    chromosome, start, end, name = _first(cells, 4, line)
    if not (start.isdecimal() and end.isdecimal() and int(start) < int(end)):
        raise FileProblem(
            f"{start} to {end} is no region.",
            "A BED file has the columns chromosome, start, end, name; start is smaller than end.",
            line,
        )
    return [name, chromosome, int(start), int(end)]
