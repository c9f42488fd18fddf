"""Blocks of cells become numbers; what is none is remembered with its place."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from omicsfusion.tables.ids import SHOWN
from omicsfusion.tables.numbers import GENERAL_CURE, cure_for_text, is_missing, number_in
from omicsfusion.tables.problems import Problems
from omicsfusion.tables.reading import TableIds

TEXT = "text"
INFINITE = "infinite"
TOO_LARGE = "too large"


class CellReader:
    """Turns the blocks of one table into float32 and collects bad cells.

    Parameters
    ----------
    ids
        The table, whose ids name the places.
    """

    def __init__(self, ids: TableIds) -> None:
        self.ids = ids
        self._counts: Counter[str] = Counter()
        self._first: dict[str, list[tuple[int, int, str]]] = {}
        self._text_in_column: Counter[int] = Counter()
        self._spellings: Counter[str] = Counter()

    def numbers(self, start: int, block: pd.DataFrame) -> np.ndarray:
        """Return a block as float32; NaN where a value is missing or bad.

        Parameters
        ----------
        start
            Position of the block's first row in the table.
        block
            Columns are numbered.
        """
        wide = np.empty(block.shape)
        plain = np.array([dtype.kind in "iuf" for dtype in block.dtypes], dtype=bool)
        wide[:, plain] = block.loc[:, plain].to_numpy(dtype=float, na_value=np.nan)
        rough = np.flatnonzero(~plain)
        wide[:, rough] = self._parse(start, rough, block.loc[:, ~plain].to_numpy(dtype=object))
        with np.errstate(over="ignore"):
            values = wide.astype(np.float32)
        for row, column in np.argwhere(np.isinf(values)):
            kind = INFINITE if np.isinf(wide[row, column]) else TOO_LARGE
            self._note(kind, start + int(row), int(column), f"{wide[row, column]:g}")
            values[row, column] = np.nan
        return values

    def report(self, problems: Problems) -> None:
        """Tell what was found in all blocks."""
        if self._counts[TEXT]:
            self._report_text(problems)
        if self._counts[INFINITE]:
            self._report(
                INFINITE,
                "are infinite",
                "Leave a cell empty where a value is not known (the logarithm of zero is infinite: "
                "add a small number before it).",
                problems,
            )
        if self._counts[TOO_LARGE]:
            self._report(
                TOO_LARGE, "are beyond 3.4e38, the largest number kept", "Rescale them.", problems
            )
        if self._spellings:
            named = ", ".join(repr(text) for text in sorted(self._spellings))
            problems.warn(
                f"{sum(self._spellings.values())} cells ({named}) are taken for missing values.",
                "Leave a cell empty, or write NA, where a value is missing.",
                file=self.ids.name,
            )

    def _parse(self, start: int, columns: np.ndarray, cells: np.ndarray) -> np.ndarray:
        """Turn cells that are not all numbers (rows x ``columns``, objects) into numbers."""
        texts = pd.Series(cells.ravel(), dtype=object)
        # to_numeric is quick and understands ordinary numbers; the rest is looked at one by one.
        quick: pd.Series = pd.to_numeric(texts.where(texts.map(_is_plain)), errors="coerce")
        numbers = quick.to_numpy(dtype=float, copy=True)
        for place in np.flatnonzero(np.isnan(numbers) & texts.notna().to_numpy()):
            text = _as_text(texts.iloc[place])
            row, column = start + int(place) // len(columns), int(columns[place % len(columns)])
            number = number_in(text)
            if number is None:
                self._note(TEXT, row, column, text)
                self._text_in_column[column] += 1
            else:
                numbers[place] = number
                if np.isnan(number) and not is_missing(text):
                    self._spellings[text.strip()] += 1
        return numbers.reshape(cells.shape)

    def _note(self, kind: str, row: int, column: int, text: str) -> None:
        self._counts[kind] += 1
        first = self._first.setdefault(kind, [])
        if len(first) < SHOWN:
            first.append((row, column, text))

    def _report_text(self, problems: Problems) -> None:
        whole = [
            column
            for column, count in sorted(self._text_in_column.items())
            if count == len(self.ids.rows)
        ]
        cure = cure_for_text([text for _, _, text in self._first[TEXT]])
        if whole and cure == GENERAL_CURE:
            names = ", ".join(repr(self.ids.columns[column]) for column in whole[:SHOWN])
            cure = (
                f"Column {names} holds text in every row: delete it (one column of ids is enough)."
            )
        self._report(TEXT, "hold text where numbers belong", cure, problems)

    def _report(self, kind: str, what: str, cure: str, problems: Problems) -> None:
        first, count = self._first[kind], self._counts[kind]
        places = "; ".join(self._place(*cell) for cell in first)
        more = f"; and {count - len(first)} more" if count > len(first) else ""
        row, column, _ = first[0]
        problems.error(
            f"{count} cells {what}: {places}{more}.",
            cure,
            file=self.ids.name,
            row=self.ids.lines[row],
            column=self.ids.columns[column],
        )

    def _place(self, row: int, column: int, text: str) -> str:
        ids = self.ids
        return f"row {ids.lines[row]} ({ids.rows[row]}), column {ids.columns[column]}: {text!r}"


def _as_text(cell: object) -> str:
    """A cell as text; a truth value as it would be written."""
    return str(cell).upper() if isinstance(cell, bool | np.bool_) else str(cell)


def _is_plain(cell: object) -> bool:
    """Whether a cell can be left to pandas: letters, '_' and truth values are not."""
    return (
        isinstance(cell, str)
        and not cell.strip("0123456789.+-eE \t")
        and cell.strip() not in ("-", ".")
    )


def all_missing(samples: Sequence[str], known: np.ndarray, name: str, problems: Problems) -> None:
    """Report a table without any value, and samples without any.

    Parameters
    ----------
    known
        Values that are not missing, per sample.
    """
    empty = [sample for sample, count in zip(samples, known, strict=True) if count == 0]
    if len(empty) == len(samples):
        problems.error("No cell of the table holds a value.", "Is it the right table?", file=name)
    elif empty:
        more = f" and {len(empty) - SHOWN} more" if len(empty) > SHOWN else ""
        problems.warn(
            f"{len(empty)} samples have no value at all: {', '.join(empty[:SHOWN])}{more}.",
            "They would be filled in like measured ones: delete the sample from the table if the "
            "layer was not measured.",
            file=name,
        )
