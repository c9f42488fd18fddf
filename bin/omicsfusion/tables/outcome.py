"""The outcome of the samples that are used, as the clean ``samples.tsv`` holds it."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.core.groupby import SeriesGroupBy

from omicsfusion.tables.tsv import read_tsv

TASKS = ("classification", "survival", "regression")
NO_TASK = "none"
"""Of a cohort that encoders are pretrained on: there is nothing to predict."""


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
        none.
    classes
        Class names in sorted order; empty for other tasks. Training samples define them.
    """

    task: str
    table: pd.DataFrame
    classes: tuple[str, ...] = ()

    def class_codes(self, samples: pd.Index | list[str]) -> np.ndarray:
        """Return the position of each sample's class in ``classes``; -1 where it has none."""
        position = {name: code for code, name in enumerate(self.classes)}
        return np.array([position.get(name, -1) for name in self.table.loc[samples, "truth"]])

    def strata(self) -> pd.Series:
        """Return a label per sample for stratified splits; every outcome must be known.

        The class, the event with the quartile of the time, or the quintile of the number.
        """
        if self.task == "classification":
            return self.table["truth"].astype(str)
        if self.task == "survival":
            quartile = _parts(self.table.groupby("event")["time"], 4)
            return self.table["event"].astype(int).astype(str) + "_" + quartile
        return _parts(self.table["truth"], 5)


def _parts(values: pd.Series | SeriesGroupBy, n: int) -> pd.Series:
    """Name the n equal parts of a ranking, from the lowest up."""
    share = values.rank(pct=True, method="first")
    return (share * n).map(math.ceil).astype(str)


def read_outcome(path: str | Path, task: str) -> Outcome:
    """Read the outcome of all used samples from the clean ``samples.tsv``."""
    samples = read_samples(path, task)
    columns = ["time", "event"] if task == "survival" else ["truth"]
    table = samples.set_index("sample")[columns]
    classes: tuple[str, ...] = ()
    if task == "classification":
        classes = tuple(sorted(samples.loc[samples["role"] == "train", "truth"].unique()))
    return Outcome(task, table, classes)


def read_samples(path: str | Path, task: str) -> pd.DataFrame:
    """Read the clean ``samples.tsv``, sorted by sample (columns: see docs/architecture.md)."""
    text = ["role", "group", "batch", "split", "layers"]
    if task == "classification":
        text.append("truth")
    table = read_tsv(path, text_columns=tuple(text))
    return table.sort_values("sample", ignore_index=True)
