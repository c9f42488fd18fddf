"""What a cell says: a number, a missing value, or text that should not be there.

Missing values, decided once for all tables (docs/usage.md says the same):

- ``NA`` and ``nan`` in any case, and the empty cell, always mean missing (:data:`MISSING`).
- ``N/A``, ``#N/A`` and ``NULL`` in any case mean missing and a warning names them
  (:data:`PROBABLY_MISSING`).
- ``None``, ``.``, ``-`` and ``--`` mean missing, with a warning, where only numbers can stand
  (:data:`MISSING_AMONG_NUMBERS`). In a column of words ``-`` may mean negative and ``None`` may be
  a category, so there they are words.
- Everything else among numbers is an error. ``<LOD`` and ``ND`` (below the limit of detection) are
  not missing at random, ``#DIV/0!`` is a spreadsheet's mistake: the user decides what they mean.
"""

import re
from collections.abc import Sequence

import numpy as np

MISSING = frozenset({"", "na", "nan"})
PROBABLY_MISSING = frozenset({"n/a", "#n/a", "null"})
MISSING_AMONG_NUMBERS = frozenset({"none", ".", "-", "--"})

# MISSING, letter by letter, for Arrow, which takes them for missing without a word.
PLAIN_MISSING = [
    *("", "NA", "Na", "nA", "na"),
    *("NAN", "NAn", "NaN", "Nan", "nAN", "nAn", "naN", "nan"),
]

GENERAL_CURE = "Write numbers only, and leave a cell empty (or write NA) where a value is missing."

NUMBER_PATTERN = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_NUMBER = re.compile(NUMBER_PATTERN)
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.ASCII | re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+([eE][+-]?\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
_SPREADSHEET_ERRORS = frozenset({"#div/0!", "#value!", "#ref!", "#name?", "#num!"})
_BELOW_DETECTION = re.compile(r"<.*|nd|n\.d\.?|bdl|lod|blq", re.IGNORECASE)


def is_missing(cell: str) -> bool:
    """Whether a cell means missing in every table."""
    return cell.strip().lower() in MISSING


def is_probably_missing(cell: str, *, number_expected: bool) -> bool:
    """Whether a cell is taken for missing and the user is told."""
    plain = cell.strip().lower()
    return plain in PROBABLY_MISSING or (number_expected and plain in MISSING_AMONG_NUMBERS)


def is_number(cell: str) -> bool:
    """Whether a cell is a finite decimal number with a decimal point."""
    return _NUMBER.fullmatch(cell.strip()) is not None


def is_infinite(cell: str) -> bool:
    """Whether a cell says infinity."""
    return _INFINITE.fullmatch(cell.strip()) is not None


def number_in(cell: str) -> float | None:
    """Return the number in a cell, NaN where it means missing, None where it is no number.

    Infinity and numbers beyond float64 come back as infinite.
    """
    if is_missing(cell) or is_probably_missing(cell, number_expected=True):
        return float("nan")
    plain = cell.strip()
    return float(plain) if is_number(plain) or is_infinite(plain) else None


def plain_numbers(cells: np.ndarray) -> np.ndarray:
    """Return the ordinary numbers among cells; NaN for what :func:`number_in` has to look at."""
    import pyarrow as pa
    from pyarrow import compute

    texts = pa.array([cell if isinstance(cell, str) else None for cell in cells], pa.string())
    trimmed = compute.utf8_trim_whitespace(texts)
    plain = compute.match_substring_regex(trimmed, f"^{NUMBER_PATTERN}$")
    # Arrow's numbers have no plus sign in front.
    bare = compute.utf8_ltrim(compute.if_else(plain, trimmed, None), "+")
    try:
        return compute.cast(bare, pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:  # beyond what a double holds
        return np.full(len(cells), np.nan)


def cure_for_text(cells: Sequence[str]) -> str:
    """Say what to do about text among numbers, from how it looks."""
    plain = [cell.strip() for cell in cells]
    if any(_DECIMAL_COMMA.fullmatch(cell) and not _THOUSANDS.fullmatch(cell) for cell in plain):
        return (
            "These look like decimal commas: save the table with a decimal point (3.14, not 3,14)."
        )
    if any(_THOUSANDS.fullmatch(cell) for cell in plain):
        return (
            "These look like thousands separators: save the table without them (1234, not 1,234)."
        )
    if any(cell.lower() in _SPREADSHEET_ERRORS for cell in plain):
        return (
            "This is an error of a spreadsheet's formula: mend the formula or leave the cell empty."
        )
    if any(_BELOW_DETECTION.fullmatch(cell) for cell in plain):
        return (
            "If this means below the limit of detection, write the value you want to be used "
            "(such as half the limit), or leave the cell empty to have it filled in."
        )
    if any(cell.lower() in ("true", "false") for cell in plain):
        return "Write 1 for true and 0 for false."
    return GENERAL_CURE
