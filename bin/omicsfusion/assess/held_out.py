"""Held-out sets: the samples that one fit predicts without having seen them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from omicsfusion.assess.predictions import ID_COLUMNS


@dataclass(frozen=True)
class HeldOut:
    """Samples predicted by one fit, the unit within which risks and scores may be compared.

    Attributes
    ----------
    repeat, fold
        The outer fold; 0, 0 for the fit on all training samples.
    pool
        Held-out sets of the same pool together hold each sample once: the outer folds of a repeat,
        or the inner folds of one training set.
    rows
        Predictions and outcome, one row per sample.
    training
        Outcome of the samples on which the fit was trained, one row per sample.
    patients
        For each row the position of its patient among the patients that are weighted.
    """

    repeat: int
    fold: int
    pool: tuple[int, int]
    rows: pd.DataFrame
    training: pd.DataFrame
    patients: np.ndarray


def time_and_event(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return times (float) and whether the event happened (boolean)."""
    return rows["time"].to_numpy(dtype=float), rows["event"].to_numpy(dtype=float) == 1


def scored_rows(table: pd.DataFrame, scope: str) -> pd.DataFrame:
    """Return the rows that speak for a scope.

    ``test``: the outer folds. ``inner``: the inner folds of the outer folds (those of the training
    set of all samples serve cut-points for new patients and are not scored). ``external``: what
    the fit on all training samples says of external cohorts.
    """
    rows = table[table["scope"] == scope]
    if scope == "test":
        return rows
    return rows[rows["repeat"] > 0] if scope == "inner" else rows[rows["repeat"] == 0]


def held_out_sets(entry: pd.DataFrame, scope: str, patients: Sequence[str]) -> list[HeldOut]:
    """Split the predictions of one model into held-out sets.

    Parameters
    ----------
    entry
        All rows of one permutation, target and model that have an outcome.
    scope
        ``test``, ``inner`` or ``external``.
    patients
        The patients that are weighted, without duplicates; every patient of the scope is in it.

    Returns
    -------
    One set per fit, by repeat, fold and inner fold. The training samples of a fit are read off the
    inner predictions: those of an outer fold are its training samples, each once; an inner fold is
    trained on the other inner folds.
    """
    position = pd.Series(np.arange(len(patients)), index=list(patients))
    inner_rows = dict(iter(entry[entry["scope"] == "inner"].groupby(["repeat", "fold"])))
    sets = []
    for _, group in scored_rows(entry, scope).groupby(["repeat", "fold", "inner"]):
        rows = group.sort_values("sample")
        repeat, fold = int(rows["repeat"].iloc[0]), int(rows["fold"].iloc[0])
        training = inner_rows.get((repeat, fold), entry.iloc[:0])
        if scope == "inner":
            training = training[training["inner"] != rows["inner"].iloc[0]]
        sets.append(
            HeldOut(
                repeat=repeat,
                fold=fold,
                pool=(repeat, fold if scope == "inner" else 0),
                rows=rows,
                training=training.drop_duplicates("sample").sort_values("sample"),
                patients=position.loc[rows["patient"]].to_numpy(),
            )
        )
    return sets


def tested_in(table: pd.DataFrame) -> set[tuple[object, ...]]:
    """Return the test samples of each outer fold that a table of predictions holds."""
    rows = scored_rows(table, "test")
    return set(zip(rows["fold"], rows["sample"], strict=True))


def n_failed(sets: Sequence[HeldOut]) -> int:
    """Count the fits of which no sample has a prediction."""
    return sum(bool(_predictions(held.rows).isna().all(axis=None)) for held in sets)


def _predictions(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows.columns.difference([*ID_COLUMNS, "truth", "time", "event"])]
