"""What a guard has found, as a row of ``guards.tsv``."""

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

OK = "ok"
WARNING = "warning"
FAILED = "failed"
NOT_CHECKED = "not_checked"


class Finding(NamedTuple):
    """One check.

    Attributes
    ----------
    guard
        Name of the check.
    layer
        The layer it is about; empty when it is about the samples.
    status
        ``ok``; ``warning``: read the detail; ``failed``: results would be wrong, the run stops;
        ``not_checked``: the detail says why.
    value, threshold
        The figure, and the one from which on (or up to which) it is not ``ok``; NaN without one.
    detail
        A sentence with the numbers.
    advice
        What to do; empty when nothing is to be done.
    """

    guard: str
    layer: str
    status: str
    value: float
    threshold: float
    detail: str
    advice: str = ""


def not_checked(guard: str, reason: str, layer: str = "") -> Finding:
    """Return the row of a check that could not be made."""
    return Finding(guard, layer, NOT_CHECKED, float("nan"), float("nan"), reason)


def as_table(findings: Iterable[Finding]) -> pd.DataFrame:
    """Return ``guards.tsv``; figures have four decimals."""
    table = pd.DataFrame(list(findings), columns=list(Finding._fields))
    return table.round({"value": 4, "threshold": 4})


def failures(findings: Iterable[Finding]) -> str:
    """Return a sentence for each failed check; empty when none has failed."""
    failed = [found for found in findings if found.status == FAILED]
    return " ".join(f"{found.guard}: {found.detail} {found.advice}" for found in failed)
