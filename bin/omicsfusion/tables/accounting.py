"""The fate of every sample that is seen anywhere: used, or left out and why."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

COLUMNS = ("sample", "patient", "cohort", "layers", "status", "where", "reason")
USED = "used"
LEFT_OUT = "left_out"
PRETRAINING = "pretraining"
# What the samples of a cohort are used for, by its role.
WHERE = {"train": "cross-validation", "external": "external validation"}


@dataclass(frozen=True)
class Seen:
    """One sample and where it was seen.

    Attributes
    ----------
    patient, cohort
        Empty when not known.
    layers
        Names of the layers whose tables hold it, sorted.
    role
        ``train`` or ``external``; empty when not known.
    """

    patient: str = ""
    cohort: str = ""
    layers: tuple[str, ...] = ()
    role: str = ""


def account(
    seen: Mapping[str, Seen], left_out: Mapping[str, str], training: str = WHERE["train"]
) -> pd.DataFrame:
    """Write the accounting.

    Parameters
    ----------
    seen
        Every sample seen in samples.tsv or in a table.
    left_out
        Sample -> reason, of those that are not used.
    training
        What the samples of a training cohort are used for.

    Returns
    -------
    One row per sample, sorted: ``sample, patient, cohort, layers, status, where, reason``.
    """
    where_of = {**WHERE, "train": training}
    rows = []
    for sample, about in sorted(seen.items()):
        reason = left_out.get(sample, "")
        status = LEFT_OUT if sample in left_out else USED
        where = "" if sample in left_out else where_of.get(about.role, "")
        rows.append(
            (sample, about.patient, about.cohort, ";".join(about.layers), status, where, reason)
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))
