"""Members: the networks of one fit, each asked what it would have predicted by itself.

A fit averages networks that differ in their random numbers only. Member m of a fit is the network
that the m-th of them makes alone, so that the members m of all fits together are the run that
``--ensemble 1`` would have been with other random numbers: how far such runs lie apart is what the
choice of a seed decides.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from omicsfusion.models.fit import Fit
from omicsfusion.scopes import OUTER

MEMBER = "member"
BEFORE = "inner"
"""``member`` stands after this column."""

Tabulate = Callable[[list[Fit]], pd.DataFrame]
"""From fits to rows of ``predictions.tsv``."""


def members_of(fits: Sequence[Fit]) -> list[int]:
    """List the members that fits have, counted from 1; none where no fit tells its members."""
    return sorted({number for fit in fits for number in fit.members})


def alone(fit: Fit, number: int) -> Fit:
    """Return a fit as its member by this number makes it alone; one that failed says so."""
    columns, record = fit.members[number], fit.record
    said = np.concatenate(list(columns.values()))
    if record["status"] == "ok" and len(said) and np.isnan(said).all():
        record = {**record, "status": "failed", "reason": f"Network {number} did not converge."}
    return replace(fit, columns=columns, record=record, members={})


def members_table(
    fits: Sequence[Fit], tabulate: Tabulate, predictions: pd.DataFrame
) -> pd.DataFrame:
    """Bind what the members of outer fits predict of their test samples.

    Parameters
    ----------
    predictions
        Of the whole fits, for the columns.

    Returns
    -------
    Columns of ``predictions``, and ``member`` after ``inner``; rows by member, then as in
    ``predictions``. No row where fits have no members.
    """
    outer = [fit for fit in fits if fit.scope.inner == OUTER]
    parts = []
    for number in members_of(outer):
        told = tabulate([alone(fit, number) for fit in outer if number in fit.members])
        parts.append(told[told["scope"] == "test"].assign(**{MEMBER: number}))
    table = pd.concat(parts) if parts else predictions.iloc[:0].assign(**{MEMBER: 0})
    names = list(predictions.columns)
    place = names.index(BEFORE) + 1
    return table[[*names[:place], MEMBER, *names[place:]]]
