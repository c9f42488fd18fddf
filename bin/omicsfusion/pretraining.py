"""The file of pretrained encoders: is it one, whom did it learn from, is anyone of them tested.

What else it holds stands in ``models/pretrained.py``. This part needs no networks: GUARD reads it,
too.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import pandas as pd

from omicsfusion.scopes import OUTER
from omicsfusion.tables.ids import shown

SCHEMA = 1
MARK = "omicsfusion_pretrained_encoders"
"""Attribute of the file: its value is the version of the layout."""


class UnusablePretrainingError(ValueError):
    """Pretrained encoders cannot be used as asked; the message says why and what to do."""


class SeenPatientsError(UnusablePretrainingError):
    """Encoders were pretrained on patients who are tested here."""


@dataclass(frozen=True)
class Seen:
    """Whom encoders were pretrained on, those who told when to stop included.

    Attributes
    ----------
    samples, patients
        Their ids.
    """

    samples: frozenset[str]
    patients: frozenset[str]


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """Open a file of pretrained encoders.

    Raises
    ------
    UnusablePretrainingError
        When it is none, or of another version.
    """
    if not h5py.is_hdf5(path):
        raise UnusablePretrainingError(
            f"--pretrained {path.name}: this is no file of pretrained encoders. Give the "
            "pretrained/encoders.h5 of a run with --step pretrain."
        )
    with h5py.File(path) as file:
        schema = file.attrs.get(MARK)
        if schema is None:
            raise UnusablePretrainingError(
                f"--pretrained {path.name}: this HDF5 file holds no pretrained encoders. Give the "
                "pretrained/encoders.h5 of a run with --step pretrain."
            )
        if schema != SCHEMA:
            raise UnusablePretrainingError(
                f"--pretrained {path.name}: its layout is of version {schema}, and version "
                f"{SCHEMA} is needed. Pretrain anew with this version of the pipeline."
            )
        yield file


def read_seen(path: Path) -> Seen:
    """Read whom encoders were pretrained on."""
    with opened(path) as file:
        samples, patients = (file[name].asstr()[:] for name in ("samples", "patients"))
        return Seen(frozenset(samples), frozenset(patients))


def judged_and_seen(splits: pd.DataFrame, seen: Seen) -> list[str]:
    """List the patients of a run who are tested in an outer fold or external, and were seen.

    By the patient's id, or by that of a sample. Inner folds do not count: whoever is in an inner
    test fold only is a training patient of every outer fold.
    """
    outer = (splits["inner"] == OUTER) & (splits["role"] == "test")
    judged = splits[outer | (splits["role"] == "external")]
    known = judged["patient"].isin(seen.patients) | judged["sample"].isin(seen.samples)
    return sorted(set(judged.loc[known, "patient"]))


def overlap_in_words(patients: Collection[str]) -> tuple[str, str]:
    """Say that patients were seen who must not have been, and what to do."""
    return (
        f"{len(patients)} patients who are tested in this run (in an outer fold, or in an external "
        f"cohort) were in the cohort that the encoders were pretrained on: {shown(patients)}.",
        "What is said of them would be too good: pretrain without them, leave them out of this "
        "run, or name them in a --split column that never tests them.",
    )


def refuse_tested(splits: pd.DataFrame, path: Path) -> None:
    """Refuse encoders that have seen patients who are tested.

    Parameters
    ----------
    splits
        ``splits.tsv`` of the whole run.

    Raises
    ------
    SeenPatientsError
        Naming some of them, their number and what to do.
    """
    patients = judged_and_seen(splits, read_seen(path))
    if patients:
        raise SeenPatientsError(f"--pretrained {path.name}: {' '.join(overlap_in_words(patients))}")
