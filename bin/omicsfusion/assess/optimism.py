"""Optimism: what a model would have claimed with the usual mistakes, beside what it is worth.

Both are the same metric on the same test samples, fold by fold. A claim is no result: nothing but
its own table tells of it.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from omicsfusion.assess.held_out import HeldOut, held_out_sets, n_failed, scored_rows, tested_in
from omicsfusion.assess.learning_curve import group_of
from omicsfusion.assess.predictions import with_outcome
from omicsfusion.assess.summary import METRICS
from omicsfusion.tables.mistakes import MISTAKES

SCOPE = "test"
REPEAT = 1

COLUMNS = [
    *("target", "model", "mistake", "metric", "honest", "claimed", "difference", "n", "reason")
]

NOT_TRAINED = "a task that prepares or trains for it failed; the log of the run says which"
NO_BATCH = "the run names no batches (--batch)"


def mistake_of(name: str) -> str:
    """Return the mistake in the name of a file, ``<model>.<group>.predictions.tsv``."""
    group = group_of(name)
    return next(mistake for mistake in MISTAKES if group.startswith(mistake))


def score_claims(
    whole: pd.DataFrame, claims: Mapping[str, pd.DataFrame], task: str, made: Sequence[str]
) -> pd.DataFrame:
    """Score what every model claims with each mistake, beside its honest score.

    Parameters
    ----------
    whole
        All predictions of the run (``predictions.tsv``).
    claims
        Mistake -> predictions of the models for which it was made.
    task
        ``classification``, ``survival`` or ``regression``.
    made
        The mistakes that were to be made in this run.

    Returns
    -------
    ``COLUMNS``, by target, model, mistake and metric (as the task names them). ``honest`` is the
    metric on the test folds of the first repeat, ``difference`` is ``claimed - honest``, whether a
    higher value is better or not; ``n`` counts the test samples. Where ``claimed`` is missing
    ``reason`` says why, unless the metric is not defined; it also says how many fits failed.
    """
    first = with_outcome(whole, task)
    first = first[(first["permutation"] == 0) & (first["repeat"] == REPEAT)]
    known = {mistake: with_outcome(table, task) for mistake, table in claims.items()}
    rows: list[dict[str, object]] = []
    for (target, model), honest in first.groupby(["target", "model"]):
        for mistake in MISTAKES:
            table = known.get(mistake, honest.iloc[:0])
            claimed = table[(table["target"] == target) & (table["model"] == model)]
            head = {"target": target, "model": model, "mistake": mistake}
            reason = NOT_TRAINED if mistake in made else NO_BATCH
            rows.extend({**head, **row} for row in _rows(honest, claimed, task, reason))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"n": "Int64"})


def _rows(
    honest: pd.DataFrame, claimed: pd.DataFrame, task: str, reason: str
) -> Iterator[dict[str, object]]:
    """Score one model with one mistake: a row per metric.

    Nothing is claimed where some of the test samples were not predicted: what is left of them could
    not be compared.
    """
    scores = _scores(_sets(honest), task)
    tested = scored_rows(honest, SCOPE)
    if tested_in(claimed) != tested_in(honest):
        for metric, score in scores.items():
            yield {"metric": metric, "honest": score, "reason": reason}
        return
    # What training samples were like is read off the honest run's inner predictions.
    inner = honest[honest["scope"] != SCOPE]
    sets = _sets(pd.concat([inner, scored_rows(claimed, SCOPE)]))
    found = _scores(sets, task)
    note, n = _failed(sets), tested["sample"].nunique()
    for metric, score in scores.items():
        pair = {"honest": score, "claimed": found[metric], "difference": found[metric] - score}
        yield {"metric": metric, **pair, "n": n, "reason": note}


def _sets(entry: pd.DataFrame) -> list[HeldOut]:
    return held_out_sets(entry, SCOPE, _patients(entry))


def _patients(entry: pd.DataFrame) -> list[str]:
    return sorted(scored_rows(entry, SCOPE)["patient"].unique())


def _scores(sets: Sequence[HeldOut], task: str) -> dict[str, float]:
    """Return the metrics, every patient counted once."""
    n_patients = 1 + max(int(held.patients.max()) for held in sets)
    found = METRICS[task](sets, np.ones((1, n_patients)))
    return {metric: float(values[0]) for metric, values in found.items()}


def _failed(sets: Sequence[HeldOut]) -> str:
    failed = n_failed(sets)
    count = "counts" if failed == 1 else "count"
    return f"{failed} of {len(sets)} fits failed and {count} as chance" if failed else ""
