"""Dates that order samples: ISO dates, or numbers such as years, one kind in a column."""

import re
from collections.abc import Iterable
from datetime import datetime

import numpy as np

from omicsfusion.tables.numbers import is_number

DATE = "date"
NUMBER = "number"
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?)?", re.ASCII)
_START = datetime(1, 1, 1)


def moment_in(cell: str) -> tuple[str, float] | None:
    """Read one cell.

    Returns
    -------
    ``date`` and the days since the year 1 for ``2019-03-01`` (a time of day may follow), ``number``
    and the number for a year or any other finite number; None for anything else.
    """
    plain = cell.strip()
    if _ISO.fullmatch(plain):
        try:
            moment = datetime.fromisoformat(plain)
        except ValueError:
            return None
        return DATE, (moment - _START).total_seconds() / 86400
    if is_number(plain) and np.isfinite(float(plain)):
        return NUMBER, float(plain)
    return None


def moments_in(cells: Iterable[str]) -> np.ndarray:
    """Read cells that :func:`moment_in` can read, and that are all of one kind.

    Raises
    ------
    ValueError
        When a cell is neither a date nor a number, or dates stand beside numbers.
    """
    read = [(cell, moment_in(cell)) for cell in cells]
    strange = [cell for cell, found in read if found is None]
    if strange:
        raise ValueError(f"{strange[0]!r} is neither a date such as 2019-03-01 nor a number")
    found = [moment for _, moment in read if moment is not None]
    if len({kind for kind, _ in found}) > 1:
        raise ValueError("dates such as 2019-03-01 stand beside numbers")
    return np.array([value for _, value in found], dtype=np.float64)
