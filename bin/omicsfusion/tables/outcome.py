"""The outcome of the samples that are used, as the clean ``samples.tsv`` holds it.

A run may have several targets. The first one stands in the columns ``truth``, or ``time`` and
``event``, whatever it is called; a further one in columns with its name behind a colon
(``truth:response``). A sample may lack any of them, but not all.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.core.groupby import SeriesGroupBy

from omicsfusion.tables.tsv import read_tsv

TASKS = ("classification", "survival", "regression")
NO_TASK = "none"
"""Of a cohort that encoders are pretrained on: there is nothing to predict."""
UNKNOWN = "unknown"
"""Stratum of the samples that lack the outcome; a sample of a single target has it."""

BEHIND = ":"


@dataclass(frozen=True)
class Outcome:
    """What is to be predicted.

    Attributes
    ----------
    task
        ``classification``, ``survival`` or ``regression``.
    table
        Index: sample, sorted. Columns: ``truth`` (class name or number), or ``time`` (in the unit
        of the input) and ``event`` (1 = happened, 0 = censored). NaN where an external sample has
        none, or a sample lacks this one of several targets.
    classes
        Class names in sorted order; empty for other tasks. Training samples define them.
    """

    task: str
    table: pd.DataFrame
    classes: tuple[str, ...] = ()

    @property
    def known(self) -> pd.Series:
        """Whether each sample has it; index: sample."""
        return self.table.notna().all(axis=1)

    def class_codes(self, samples: pd.Index | list[str]) -> np.ndarray:
        """Return the position of each sample's class in ``classes``; -1 where it has none."""
        position = {name: code for code, name in enumerate(self.classes)}
        return np.array([position.get(name, -1) for name in self.table.loc[samples, "truth"]])

    def strata(self) -> pd.Series:
        """Return a label per sample for stratified splits.

        The class, the event with the quartile of the time, or the quintile of the number; samples
        that lack it are a stratum of their own.
        """
        table = self.table[self.known]
        return _strata(self.task, table).reindex(self.table.index, fill_value=UNKNOWN)

    def events(self) -> pd.Series:
        """Return the event of each sample as a label, ``UNKNOWN`` where it is not known."""
        known = self.table.loc[self.known, "event"].astype(int).astype(str)
        return known.reindex(self.table.index, fill_value=UNKNOWN)


def _strata(task: str, table: pd.DataFrame) -> pd.Series:
    if task == "classification":
        return table["truth"].astype(str)
    if task == "survival":
        quartile = _parts(table.groupby("event")["time"], 4)
        return table["event"].astype(int).astype(str) + "_" + quartile
    return _parts(table["truth"], 5)


def _parts(values: pd.Series | SeriesGroupBy, n: int) -> pd.Series:
    """Name the n equal parts of a ranking, from the lowest up."""
    share = values.rank(pct=True, method="first")
    return (share * n).map(math.ceil).astype(str)


def outcome_columns(task: str, further: str = "") -> dict[str, str]:
    """Return the columns of an outcome, and what ``samples.tsv`` calls them.

    Parameters
    ----------
    further
        Name of a target after the first; empty for the first.
    """
    names = ("time", "event") if task == "survival" else ("truth",)
    return {name: f"{name}{BEHIND}{further}" if further else name for name in names}


def further_targets(columns: Iterable[str]) -> tuple[str, ...]:
    """Return the targets after the first, from the columns of ``samples.tsv``, in their order."""
    heads = (f"truth{BEHIND}", f"event{BEHIND}")
    return tuple(name.partition(BEHIND)[2] for name in columns if name.startswith(heads))


def read_outcome(path: str | Path, task: str, further: str = "") -> Outcome:
    """Read an outcome of all used samples from the clean ``samples.tsv``.

    Parameters
    ----------
    further
        As for ``outcome_columns``.
    """
    samples = read_samples(path, task)
    stored = {name: column for column, name in outcome_columns(task, further).items()}
    table = samples.set_index("sample")[list(stored)].rename(columns=stored)
    classes: tuple[str, ...] = ()
    if task == "classification":
        training = table.loc[(samples["role"] == "train").to_numpy(), "truth"]
        classes = tuple(sorted(training.dropna().unique()))
    return Outcome(task, table, classes)


def read_outcomes(path: str | Path, task: str, targets: Sequence[str]) -> dict[str, Outcome]:
    """Read the outcomes of the targets of a run, in the order of ``--target``."""
    first, *further = targets
    return {first: read_outcome(path, task)} | {
        name: read_outcome(path, task, name) for name in further
    }


def read_samples(path: str | Path, task: str) -> pd.DataFrame:
    """Read the clean ``samples.tsv``, sorted by sample (columns: see docs/architecture.md)."""
    text = ["role", "group", "batch", "split", "layers"]
    if task == "classification":
        header = pd.read_csv(path, sep="\t", nrows=0).columns
        text += ["truth", *(f"truth{BEHIND}{name}" for name in further_targets(header))]
    table = read_tsv(path, text_columns=tuple(text))
    return table.sort_values("sample", ignore_index=True)


def with_outcome(samples: pd.DataFrame, outcome: Outcome) -> pd.DataFrame:
    """Leave out the training samples that lack an outcome, which a sample of several may.

    Parameters
    ----------
    samples
        As ``read_samples`` returns them.
    """
    known = outcome.known.loc[samples["sample"]].to_numpy()
    return samples[known | (samples["role"] != "train")]
