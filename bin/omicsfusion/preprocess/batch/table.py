"""What is told of the batches of one training set: strength before and after, and confounding."""

import numpy as np
import pandas as pd

from omicsfusion.preprocess.batch.confounding import MAX_ONE_CLASS, confounding
from omicsfusion.preprocess.batch.policy import MIN_BATCH
from omicsfusion.preprocess.batch.strength import MIN_SAMPLES, batch_strength

BATCH_COLUMNS = ["stage", "measure", "value", "p", "note"]
BEFORE, AFTER, OUTCOME = "before", "after", "outcome"


def measure_batch(
    before: np.ndarray,
    after: np.ndarray | None,
    batch: np.ndarray,
    outcome: np.ndarray | None,
    task: str,
) -> pd.DataFrame:
    """Measure the batches of training samples.

    Parameters
    ----------
    before, after
        Samples x features as they come into the batch step, and as they leave it; None: nothing
        was corrected.
    batch
        Of each sample, text; empty: not known.
    outcome
        Class names, numbers, or (time, event) in two columns; None: not known.
    task
        ``classification``, ``regression`` or ``survival``.

    Returns
    -------
    Columns ``stage`` (``before``, ``after``: measures of
    :func:`omicsfusion.preprocess.batch.strength.batch_strength`, and the number of batches;
    ``outcome``: confounding), ``measure``, ``value``, ``p`` and ``note``.
    """
    given = outcome if task != "survival" else None
    tables = [_sizes(batch)]
    for stage, X in ((BEFORE, before), (AFTER, after)):
        if X is not None:
            tables.append(batch_strength(X, batch, given).assign(stage=stage))
    if outcome is not None:
        tables.append(_outcome(batch, outcome, task))
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True)[BATCH_COLUMNS]


def _sizes(batch: np.ndarray) -> pd.DataFrame:
    sizes = pd.Series(batch[batch != ""], dtype=object).value_counts()
    large = sizes[sizes >= MIN_BATCH]
    n_small, n_unknown = len(sizes) - len(large), int((batch == "").sum())
    note = f"{n_small} of them under {MIN_BATCH} samples"
    note += ", left out of the measures" if n_small else ""
    if n_unknown:
        note += f"; {n_unknown} samples without a batch"
    if len(large) < 2 or large.sum() < MIN_SAMPLES:
        note += f"; strength needs 2 batches and {MIN_SAMPLES} samples or more"
    return pd.DataFrame([(BEFORE, "batches", len(sizes), np.nan, note)], columns=BATCH_COLUMNS)


def _outcome(batch: np.ndarray, outcome: np.ndarray, task: str) -> pd.DataFrame:
    found = confounding(batch, outcome, task)
    return pd.DataFrame(
        [
            (OUTCOME, found.measure, found.value, found.p, f"verdict: {found.verdict}"),
            (
                OUTCOME,
                "share in batches with one class",
                found.share_one_class,
                np.nan,
                f"{found.one_class_sentence()} Refused above {MAX_ONE_CLASS:g}.",
            ),
            (
                OUTCOME,
                "aliased",
                float(found.aliased),
                np.nan,
                "1: batch and outcome cannot be told apart",
            ),
        ],
        columns=BATCH_COLUMNS,
    )
