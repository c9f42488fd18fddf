"""What is wrong with an input, where, and what to do: collected first, told together."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import pandas as pd

from omicsfusion.tables.tsv import read_tsv, write_tsv


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an input.

    Attributes
    ----------
    severity
        ``error`` stops the run, ``warning`` does not (unless ``--strict``).
    file, row, column
        Where: the file's name as the user gave it, the line in it (1 = header), the column's name.
        Empty when not known.
    problem
        What is wrong, a sentence a biologist understands.
    cure
        What to do about it, a sentence.
    """

    severity: str
    problem: str
    cure: str = ""
    file: str = ""
    row: str = ""
    column: str = ""

    def __str__(self) -> str:
        place = [
            self.file,
            self.row and f"row {self.row}",
            self.column and f"column {self.column!r}",
        ]
        where = ", ".join(part for part in place if part)
        return " ".join(part for part in (where and f"{where}:", self.problem, self.cure) if part)


@dataclass
class Problems:
    """A collector that is handed through the checks; nothing is raised until all have spoken."""

    found: list[Problem] = field(default_factory=list)

    def error(self, problem: str, cure: str = "", **where: object) -> None:
        """Add something that stops the run; ``where`` holds ``file``, ``row``, ``column``."""
        self.found.append(Problem("error", problem, cure, **_as_text(where)))

    def warn(self, problem: str, cure: str = "", **where: object) -> None:
        """Add something that the user should know and the run survives."""
        self.found.append(Problem("warning", problem, cure, **_as_text(where)))

    def extend(self, problems: Iterable[Problem]) -> None:
        """Add what another check found."""
        self.found.extend(problems)

    @property
    def errors(self) -> list[Problem]:
        """The problems that stop the run."""
        return [problem for problem in self.found if problem.severity == "error"]


def _as_text(where: dict[str, object]) -> dict[str, str]:
    return {key: "" if value is None else str(value) for key, value in where.items()}


def write_problems(problems: Problems, path: str | Path) -> None:
    """Write ``problems.tsv``: the fields of :class:`Problem` and ``text``, the whole sentence."""
    columns = [f.name for f in fields(Problem)]
    rows = [{**asdict(problem), "text": str(problem)} for problem in problems.found]
    table = pd.DataFrame(rows, columns=[*columns, "text"])
    write_tsv(table.replace(r"[\t\r\n]+", " ", regex=True), path)


def read_problems(path: str | Path) -> Problems:
    """Read what :func:`write_problems` wrote."""
    columns = tuple(f.name for f in fields(Problem))
    table = read_tsv(path, text_columns=columns).fillna("")
    return Problems([Problem(**row) for row in table[list(columns)].to_dict("records")])
