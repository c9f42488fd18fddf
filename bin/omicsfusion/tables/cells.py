"""Blocks of cells become numbers; what is none is remembered with its place."""

from collections import Counter

import numpy as np
import pandas as pd

from omicsfusion.tables.block import Block
from omicsfusion.tables.ids import SHOWN
from omicsfusion.tables.numbers import (
    GENERAL_CURE,
    cure_for_text,
    is_missing,
    number_in,
    plain_numbers,
)
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

    def numbers(self, block: Block) -> np.ndarray:
        """Return a block's cells as float32; NaN where a value is missing or bad."""
        cells = block.cells
        if isinstance(cells, pd.DataFrame):
            wide = self._mixed(block, cells)
        elif cells.dtype.kind in "iuf":
            wide = cells
        else:
            columns = np.arange(cells.shape[1])
            wide = self._parse(block, columns, cells.astype(object))
        with np.errstate(over="ignore"):
            values = wide.astype(np.float32, copy=False)
        infinite = np.isinf(values)
        if infinite.any():
            self._note_infinite(block, wide, infinite)
            values = np.where(infinite, np.float32(np.nan), values)
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

    def _mixed(self, block: Block, cells: pd.DataFrame) -> np.ndarray:
        """Turn columns of different types into numbers."""
        wide = np.empty(cells.shape)
        plain = np.array([dtype.kind in "iuf" for dtype in cells.dtypes], dtype=bool)
        wide[:, plain] = cells.loc[:, plain].to_numpy(dtype=float, na_value=np.nan)
        rough = np.flatnonzero(~plain)
        wide[:, rough] = self._parse(block, rough, cells.loc[:, ~plain].to_numpy(dtype=object))
        return wide

    def _parse(self, block: Block, columns: np.ndarray, cells: np.ndarray) -> np.ndarray:
        """Turn cells that are not all numbers (rows x ``columns``, objects) into numbers."""
        texts = cells.ravel()
        numbers = plain_numbers(texts)
        for place in np.flatnonzero(np.isnan(numbers)):
            if pd.isna(texts[place]):
                continue
            text = _as_text(texts[place])
            row, column = divmod(int(place), len(columns))
            row, column = block.row + row, block.column + int(columns[column])
            number = number_in(text)
            if number is None:
                self._note(TEXT, row, column, text)
                self._text_in_column[column] += 1
            else:
                numbers[place] = number
                if np.isnan(number) and not is_missing(text):
                    self._spellings[text.strip()] += 1
        return numbers.reshape(cells.shape)

    def _note_infinite(self, block: Block, wide: np.ndarray, infinite: np.ndarray) -> None:
        for kind, cells in (
            (INFINITE, infinite & np.isinf(wide)),
            (TOO_LARGE, infinite & ~np.isinf(wide)),
        ):
            places = np.argwhere(cells)
            for row, column in places[:SHOWN]:
                text = f"{wide[row, column]:g}"
                self._note(kind, block.row + int(row), block.column + int(column), text)
            self._counts[kind] += max(len(places) - SHOWN, 0)

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
