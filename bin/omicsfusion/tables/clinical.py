"""Clinical columns: which are numbers, which are categories, and which cannot decide."""

from collections.abc import Sequence
from dataclasses import dataclass

from omicsfusion.tables.ids import shown
from omicsfusion.tables.numbers import cure_for_text, is_missing, is_number, is_probably_missing
from omicsfusion.tables.problems import Problems
from omicsfusion.tables.samples import warn_of_probably_missing

NUMERIC = "numeric"
CATEGORICAL = "categorical"
# A column with at least this share of numbers is a column of numbers with mistakes in it; with
# fewer it is taken for categories (stages 1, 2, 3a) and the user is told.
MOSTLY_NUMBERS = 0.9
# Categories with more levels than this are probably ids or free text.
MAX_LEVELS = 20


@dataclass(frozen=True)
class ClinicalColumn:
    """One column, cleaned.

    Attributes
    ----------
    type
        ``numeric`` or ``categorical``.
    cells
        Text without blanks around it; empty where missing.
    levels
        Sorted categories; empty for numbers.
    """

    type: str
    cells: tuple[str, ...]
    levels: tuple[str, ...] = ()

    def codes(self) -> list[float]:
        """Return numbers, or positions among the levels; NaN where missing."""
        if self.type == NUMERIC:
            return [float(cell) if cell else float("nan") for cell in self.cells]
        position = {level: float(code) for code, level in enumerate(self.levels)}
        return [position.get(cell, float("nan")) for cell in self.cells]


def clinical_column(
    name: str, cells: Sequence[str], lines: Sequence[int], problems: Problems, *, file: str
) -> ClinicalColumn:
    """Settle the type of a clinical column.

    All cells numbers (or missing): numeric. Otherwise categorical, with sorted levels; a column
    that is nearly all numbers is an error.
    """
    known = [cell.strip() for cell in cells if not is_missing(cell)]
    n_numbers = sum(is_number(cell) for cell in known)
    words = [cell for cell in known if not is_number(cell)]
    number_expected = n_numbers > 0 and all(
        is_probably_missing(word, number_expected=True) for word in words
    )
    gone = [cell for cell in known if is_probably_missing(cell, number_expected=number_expected)]
    warn_of_probably_missing(gone, problems, file=file, column=name)
    clean = tuple(
        ""
        if is_missing(cell) or is_probably_missing(cell, number_expected=number_expected)
        else cell.strip()
        for cell in cells
    )
    levels = tuple(sorted({cell for cell in clean if cell}))
    if all(is_number(level) for level in levels):
        return ClinicalColumn(NUMERIC, clean)
    _judge_words(name, clean, levels, lines, problems, file)
    return ClinicalColumn(CATEGORICAL, clean, levels)


def _judge_words(
    name: str,
    cells: Sequence[str],
    levels: Sequence[str],
    lines: Sequence[int],
    problems: Problems,
    file: str,
) -> None:
    known = [cell for cell in cells if cell]
    words = [cell for cell in known if not is_number(cell)]
    share = 1 - len(words) / len(known)
    where = {"file": file, "row": lines[list(cells).index(words[0])], "column": name}
    if share >= MOSTLY_NUMBERS:
        problems.error(
            f"{len(words)} of {len(known)} cells are no numbers: {shown(map(repr, words))}.",
            cure_for_text(words),
            **where,
        )
    elif share > 0:
        problems.warn(
            f"The column mixes numbers and words ({shown(map(repr, sorted(set(words))))}); it is "
            f"taken for {len(levels)} categories.",
            "Use numbers only, or words only.",
            **where,
        )
    elif len(levels) > MAX_LEVELS:
        problems.warn(
            f"The column has {len(levels)} different categories: {shown(levels)}.",
            "Is it an id, or free text? So many categories teach a model little: join them.",
            **where,
        )
