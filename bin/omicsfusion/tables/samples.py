"""``samples.tsv`` as the user wrote it: everything as text, its ids clean, its columns findable."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from omicsfusion.tables.ids import check_case, check_ids, near_name, shown
from omicsfusion.tables.numbers import is_missing, is_probably_missing
from omicsfusion.tables.problems import Problems
from omicsfusion.tables.text_table import read_cells
from omicsfusion.tables.unreadable import UnreadableTableError


@dataclass(frozen=True)
class SampleTable:
    """The samples and what is known about them.

    Attributes
    ----------
    name
        What the user calls the file.
    table
        Index: sample, sorted. Columns: as in the file, all text without blanks around it.
    lines
        Index as ``table``: line in the file.
    notes
        What the user should be told about the reading.
    """

    name: str
    table: pd.DataFrame
    lines: pd.Series
    notes: tuple[str, ...] = ()

    def has(self, column: str) -> bool:
        """Whether the file has this column."""
        return column in self.table.columns

    @property
    def patients(self) -> pd.Series:
        """The patient of each sample; the sample itself where none is stated."""
        own = self.table.index.to_series()
        if not self.has("patient"):
            return own
        stated = self.table["patient"]
        return stated.mask(stated.map(is_missing), own)

    def cohort(self, sample: str) -> str:
        """Return the cohort that a sample's row states; empty when it states none."""
        stated = str(self.table.at[sample, "cohort"]) if self.has("cohort") else ""
        return "" if is_missing(stated) else stated

    def line(self, sample: str) -> int:
        """Return the line of a sample in the file."""
        return int(self.lines[sample])


def read_sample_table(path: Path, problems: Problems) -> SampleTable | None:
    """Read and check ``samples.tsv``; None when it cannot be used at all."""
    try:
        table, cells = read_cells(path)
    except UnreadableTableError as error:
        problems.error(error.problem, error.cure, file=path.name, row=error.row)
        return None
    header = table.header
    if len(header) != len(cells[0]):
        problems.error(
            f"The header has {len(header)} cells, the rows have {len(cells[0])}.",
            "Give the column of samples the header 'sample'.",
            file=path.name,
            row=1,
        )
        return None
    if "sample" not in header:
        problems.error(
            f"There is no column 'sample'. {near_name('sample', header)}".strip(),
            f"Name the column of sample ids 'sample'. The columns are: {shown(header, 10)}.",
            file=path.name,
            row=1,
        )
        return None
    if _columns_are_unsound(header, path.name, problems):
        return None
    frame = pd.DataFrame(cells, columns=header, dtype=object)
    before = len(problems.errors)
    check_ids(list(frame["sample"]), "row", problems, file=path.name, places=table.lines)
    if len(problems.errors) > before:
        return None
    check_case(frame["sample"], problems, file=path.name)
    lines = pd.Series(table.lines, index=list(frame["sample"]))
    frame = frame.set_index("sample").sort_index()
    notes = tuple(f"{path.name}: {remark}" for remark in table.remarks)
    return SampleTable(path.name, frame, lines.reindex(frame.index), notes)


def _columns_are_unsound(header: Sequence[str], name: str, problems: Problems) -> bool:
    twice = sorted({column for column in header if list(header).count(column) > 1 and column})
    if twice:
        problems.error(
            f"More than one column is called {shown(twice)}.",
            "Column names must be unique: rename or delete all but one.",
            file=name,
            row=1,
            column=twice[0],
        )
    if "" in header:
        problems.error(
            f"Column {list(header).index('') + 1} has no name.",
            "Name it, or delete it (spreadsheets often export empty columns).",
            file=name,
            row=1,
        )
    return bool(twice) or "" in header


def require_column(samples: SampleTable, column: str, why: str, problems: Problems) -> bool:
    """Report a column that is asked for and not there, with the near name."""
    if samples.has(column):
        return True
    known = list(samples.table.columns)
    problems.error(
        f"There is no column {column!r}, which {why} asks for.",
        f"{near_name(column, known)} The columns are: {shown(known, 12)}.".strip(),
        file=samples.name,
        row=1,
        column=column,
    )
    return False


def words(
    samples: SampleTable, column: str, problems: Problems, used: pd.Index | None = None
) -> pd.Series:
    """Return a column of words, of the samples ``used``; warn of N/A and such.

    Empty where missing.

    ``None``, ``-`` and ``.`` are words here: they may be categories.
    """
    cells = samples.table[column] if used is None else samples.table.loc[used, column]
    probable = cells.map(lambda cell: is_probably_missing(cell, number_expected=False))
    warn_of_probably_missing(list(cells[probable]), problems, file=samples.name, column=column)
    return cells.mask(probable | cells.map(is_missing), "")


def warn_of_probably_missing(
    cells: Sequence[str], problems: Problems, *, file: str, column: str = ""
) -> None:
    """Say which unusual spellings were taken for missing."""
    spellings = sorted(set(cells))
    if spellings:
        problems.warn(
            f"{len(cells)} cells ({', '.join(map(repr, spellings))}) are taken for missing values.",
            "Leave a cell empty, or write NA, where a value is missing.",
            file=file,
            column=column,
        )
