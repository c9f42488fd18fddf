"""The headline metrics by the layers that a sample has.

A row speaks for the samples that have exactly the layers of a pattern; the fits are those of all
samples. Pairs are counted within the pattern's part of each held-out set, so that the metrics of
the patterns do not add up to the metric of all samples.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from omicsfusion.assess.bootstrap import Metrics, estimates_with_intervals, patient_weights
from omicsfusion.assess.classification import auroc, balanced_accuracy
from omicsfusion.assess.held_out import HeldOut, held_out_sets, scored_rows
from omicsfusion.assess.predictions import (
    PredictionsError,
    classes_of,
    of_targets,
    with_outcome,
)
from omicsfusion.assess.regression import mae, r2_of_parts
from omicsfusion.assess.survival import c_index, uno_c

SCOPE = "test"
LEAST_SAMPLES = 10
"""With fewer samples an interval covers almost every value, and the estimate is an anecdote."""

LEAST_EVENTS = 5
"""A bootstrap of fewer events draws the same few pairs again and again: too narrow an interval."""

INCOMPARABLE = "no samples of one fold that can be compared"

REPORTED = {
    "classification": ("balanced_accuracy", "auroc"),
    "survival": ("c_index", "uno_c"),
    "regression": ("r2", "mae"),
}
"""For each task what is told of a pattern, the headline first.

No calibration: its slope has an intercept for each fold, and for predictions that are right it
comes out as 2.1 with 2 samples of the pattern in each fold, 1.5 with 4 and 1.2 with 8. The
integrated Brier score ends at the last time of those few samples.
"""

COLUMNS = [
    *("permutation", "target", "model", "scope", "pattern", "metric"),
    *("estimate", "ci_low", "ci_high", "n", "n_events", "reason"),
]


def patterns_of(samples: pd.DataFrame) -> pd.Series:
    """Name the layers that each sample has.

    Parameters
    ----------
    samples
        The clean ``samples.tsv``: ``sample``, and ``layers`` joined by ``;`` in any order.

    Returns
    -------
    Index: sample. Names of the layers in the order of the alphabet, joined by ``;``.
    """
    names = samples["layers"].fillna("").str.split(";")
    return pd.Series(
        [";".join(sorted(found)) for found in names], index=samples["sample"], dtype=object
    )


def metrics_by_pattern(
    predictions: pd.DataFrame, patterns: pd.Series, task: str, seed: int
) -> pd.DataFrame:
    """Compute the headline metrics of each target, model and pattern on the test samples.

    Parameters
    ----------
    predictions
        As :func:`omicsfusion.assess.predictions.gather_predictions` returns it.
    patterns
        As :func:`patterns_of` returns it.
    task
        ``classification``, ``survival`` or ``regression``.
    seed
        The run's seed: the replicates are those of ``metrics.tsv``.

    Returns
    -------
    Columns ``COLUMNS``, of the real outcome; by target, model, pattern (that of most samples
    first), metric. Where ``estimate`` is missing ``reason`` says why, otherwise it is empty.

    Raises
    ------
    PredictionsError
        A predicted sample is not in ``patterns``.
    """
    rows: list[dict[str, object]] = []
    for predicted in of_targets(predictions, task).values():
        known = with_outcome(predicted, task)
        target = known[known["permutation"] == 0]
        if not len(target):
            continue
        scored = scored_rows(target, SCOPE)
        _check_known(scored, patterns)
        order = _most_samples_first(patterns.loc[scored["sample"].unique()])
        patients = sorted(scored["patient"].unique())
        weights = patient_weights(len(patients), seed, SCOPE) if patients else np.zeros((0, 0))
        for _, entry in target.groupby("model"):
            sets = held_out_sets(entry, SCOPE, patients)
            for pattern in order:
                rows.extend(_rows(sets, _parts(sets, patterns, pattern), pattern, task, weights))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"n_events": "Int64"})


def reported(
    sets: Sequence[HeldOut], parts: Sequence[HeldOut], task: str, weights: np.ndarray
) -> Metrics:
    """Compute the metrics of ``REPORTED``, and no other.

    Parameters
    ----------
    sets
        The held-out sets.
    parts
        What is scored of each of them; they themselves, where that is all.
    weights
        Replicates x patients.
    """
    filled = [part for part in parts if len(part.rows)]
    if task == "classification":
        classes = classes_of(filled[0].rows)
        return {
            "balanced_accuracy": balanced_accuracy(filled, classes, weights),
            "auroc": auroc(filled, classes, weights),
        }
    if task == "survival":
        return {"c_index": c_index(filled, weights).share, "uno_c": uno_c(filled, weights)}
    return {"r2": r2_of_parts(sets, parts, weights), "mae": mae(filled, weights)}


def too_few(rows: pd.DataFrame, task: str) -> str:
    """Say why nothing is reckoned from some samples; empty when there are enough.

    Parameters
    ----------
    rows
        Outcome of the samples, one row each.
    """
    if len(rows) < LEAST_SAMPLES:
        return f"fewer than {LEAST_SAMPLES} samples"
    if task == "survival" and (rows["event"] == 1).sum() < LEAST_EVENTS:
        return f"fewer than {LEAST_EVENTS} events"
    if task == "classification" and rows["truth"].nunique() == 1:
        return "all of one class"
    return ""


def _check_known(scored: pd.DataFrame, patterns: pd.Series) -> None:
    unknown = sorted(set(scored["sample"]) - set(patterns.index))
    if unknown:
        raise PredictionsError(
            f"{len(unknown)} predicted samples are not in samples.tsv; the first: {unknown[0]}."
        )


def _most_samples_first(patterns: pd.Series) -> list[str]:
    counts = patterns.value_counts()
    return sorted(counts.index, key=lambda pattern: (-counts[pattern], pattern))


def _parts(sets: Sequence[HeldOut], patterns: pd.Series, pattern: str) -> list[HeldOut]:
    """Restrict each held-out set to the samples of a pattern; its training samples stay."""
    parts = []
    for held in sets:
        here = (patterns.loc[held.rows["sample"]] == pattern).to_numpy()
        parts.append(replace(held, rows=held.rows[here], patients=held.patients[here]))
    return parts


def _rows(
    sets: Sequence[HeldOut], parts: Sequence[HeldOut], pattern: str, task: str, weights: np.ndarray
) -> Iterator[dict[str, object]]:
    rows = pd.concat([part.rows for part in parts]).drop_duplicates("sample")
    if not len(rows):  # this model predicts none of them
        return
    entry = {name: rows.iloc[0][name] for name in ("permutation", "target", "model", "scope")}
    events = int((rows["event"] == 1).sum()) if task == "survival" else None
    counts = {"n": len(rows), "n_events": events}
    reason = too_few(rows, task)
    found: dict[str, tuple[float, float, float]] = {}
    if not reason:
        estimates = estimates_with_intervals(lambda w: reported(sets, parts, task, w), weights)
        found = {name: (estimate, low, high) for name, estimate, low, high in estimates}
    for metric in REPORTED[task]:
        estimate, low, high = found.get(metric, (np.nan, np.nan, np.nan))
        why = reason or (INCOMPARABLE if np.isnan(estimate) else "")
        interval = {"estimate": estimate, "ci_low": low, "ci_high": high}
        yield {**entry, "pattern": pattern, "metric": metric, **interval, **counts, "reason": why}
