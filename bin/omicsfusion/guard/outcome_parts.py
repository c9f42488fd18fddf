"""The outcome as the guards use it: scores out of fold, and residuals of censored times."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from omicsfusion.scopes import OUTER, TRAINING_ROLES
from omicsfusion.tables.outcome import Outcome

METRICS = {
    "classification": "balanced accuracy",
    "regression": "R2",
    "survival": "C-index",
}


@dataclass(frozen=True)
class OuterFold:
    """Training and test samples of one outer fold, sorted ids."""

    train: list[str]
    test: list[str]


def outer_folds(splits: pd.DataFrame, among: set[str]) -> Iterator[OuterFold]:
    """Yield the outer folds of the first repeat, restricted to some samples."""
    first = splits[
        (splits["repeat"] == 1) & (splits["inner"] == OUTER) & splits["sample"].isin(among)
    ]
    for _, fold in first.groupby("fold"):
        train = fold.loc[fold["role"].isin(TRAINING_ROLES), "sample"]
        test = fold.loc[fold["role"] == "test", "sample"]
        yield OuterFold(sorted(train), sorted(test))


def one_per_patient(samples: pd.DataFrame) -> list[str]:
    """List the first sample (by id) of each patient of the training cohorts."""
    training = samples[samples["role"] == "train"].sort_values("sample")
    return sorted(training.drop_duplicates("patient")["sample"])


def target_of(outcome: Outcome, samples: list[str]) -> np.ndarray:
    """Return class codes, numbers, or (time, event) of samples that have an outcome."""
    if outcome.task == "classification":
        return outcome.class_codes(samples)
    columns = ["time", "event"] if outcome.task == "survival" else ["truth"]
    values = outcome.table.loc[samples, columns].to_numpy(dtype=np.float64)
    return values if outcome.task == "survival" else values[:, 0]


def cumulative_hazard(time: np.ndarray, event: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Nelson-Aalen estimate from some samples, at other times (Aalen, Ann. Stat. 6, 1978, 701)."""
    when, n_events = np.unique(time[event > 0], return_counts=True)
    at_risk = len(time) - np.searchsorted(np.sort(time), when, side="left")
    steps = np.concatenate([[0.0], np.cumsum(n_events / at_risk)])
    return steps[np.searchsorted(when, at, side="right")]


def martingale_residuals(train: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Events less expected events of samples, by the hazard of others.

    Residuals of the model without covariates, as a number to be explained (Therneau et al.,
    Biometrika 77, 1990, 147-160).

    Parameters
    ----------
    train, of
        (time, event) of the samples that give the hazard, and of those wanted.
    """
    return of[:, 1] - cumulative_hazard(train[:, 0], train[:, 1], of[:, 0])
