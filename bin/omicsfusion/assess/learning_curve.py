"""The learning curve: what models that were trained on shares of the patients are worth.

Every share is scored on the same test samples, by the metrics of the run, with the same bootstrap
replicates: what more patients gain is a paired difference. The patients of a share were drawn once
for each fold, and the intervals do not include what another draw would change.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from omicsfusion.assess.bootstrap import (
    Metrics,
    estimate_with_interval,
    patient_weights,
    replicated,
)
from omicsfusion.assess.held_out import held_out_sets, n_failed, scored_rows, tested_in
from omicsfusion.assess.predictions import with_outcome
from omicsfusion.assess.summary import METRICS

SCOPE = "test"
REPEAT = 1
WHOLE = 1.0

COLUMNS = [
    *("permutation", "target", "model", "metric", "share", "n_patients", "n_events", "n_failed"),
    *("estimate", "ci_low", "ci_high", "gain", "gain_low", "gain_high", "reason"),
]

NOT_TRAINED = "a task that prepares or trains on this share failed; the log of the run says which"


def predictions_by_share(
    tables: Mapping[str, pd.DataFrame], groups: pd.DataFrame
) -> dict[float, pd.DataFrame]:
    """Put the predictions of the groups of each share together.

    Parameters
    ----------
    tables
        Group of scopes -> its predictions, of all models.
    groups
        ``share, group``.
    """
    share_of = groups.set_index("group")["share"]
    return {
        float(share): pd.concat([tables[group] for group in names if group in tables])
        for share, names in share_of.groupby(share_of).groups.items()
        if set(names) & set(tables)
    }


def group_of(name: str) -> str:
    """Return the group of scopes in the name of a file, ``<model>.<group>.predictions.tsv``."""
    return name.removesuffix(".predictions.tsv").rpartition(".")[2]


def learning_curve(
    whole: pd.DataFrame,
    by_share: Mapping[float, pd.DataFrame],
    shares: pd.DataFrame,
    task: str,
    seed: int,
) -> pd.DataFrame:
    """Score every model at every share of the patients.

    Parameters
    ----------
    whole
        All predictions of the run (``predictions.tsv``).
    by_share
        Share -> predictions of the models that were trained on it.
    shares
        ``share, n_patients, n_events, reason`` in rising order; the last is the whole, 1.
    task
        ``classification``, ``survival`` or ``regression``.
    seed
        The run's seed: the replicates are those of ``metrics.tsv``.

    Returns
    -------
    ``COLUMNS``, by target, model, metric (as the task names them) and share. ``n_failed`` counts
    the folds without predictions, which score as chance. ``gain`` is the estimate minus that of the
    next smaller share that has one. Where ``estimate`` is missing ``reason`` says why, unless the
    metric is not defined.
    """
    first = with_outcome(whole, task)
    first = first[(first["permutation"] == 0) & (first["repeat"] == REPEAT)]
    rows: list[dict[str, object]] = []
    for target, of_target in first.groupby("target"):
        patients = sorted(scored_rows(of_target, SCOPE)["patient"].unique())
        weights = patient_weights(len(patients), seed, SCOPE)
        for model, entry in of_target.groupby("model"):
            found = {share: _of(table, target, model, task) for share, table in by_share.items()}
            points = {
                share: _point(table, entry, patients, task, weights)
                for share, table in {**found, WHOLE: entry}.items()
            }
            head = {"permutation": 0, "target": target, "model": model}
            rows.extend({**head, **row} for row in _rows(points, shares))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"n_failed": "Int64"})


def _of(table: pd.DataFrame, target: object, model: object, task: str) -> pd.DataFrame:
    known = with_outcome(table, task)
    return known[(known["target"] == target) & (known["model"] == model)]


def _point(
    table: pd.DataFrame,
    whole: pd.DataFrame,
    patients: Sequence[str],
    task: str,
    weights: np.ndarray,
) -> tuple[Metrics, int] | None:
    """Return the metrics (estimate, replicates) and the number of failed fits.

    None where some of the test samples of the whole were not predicted: what is left of them could
    not be compared.
    """
    if tested_in(table) != tested_in(whole):
        return None
    sets = held_out_sets(table, SCOPE, patients)
    return replicated(lambda w: METRICS[task](sets, w), weights), n_failed(sets)


def _rows(
    points: Mapping[float, tuple[Metrics, int] | None], shares: pd.DataFrame
) -> Iterator[dict[str, object]]:
    whole = points[WHOLE]
    for metric in whole[0] if whole else ():
        smaller = None
        for known in shares.to_dict("records"):
            row = {"metric": metric, **known}
            point = points.get(known["share"])
            if point is None:
                yield {**row, "reason": known["reason"] or NOT_TRAINED}
                continue
            values = point[0][metric]
            gained = np.full_like(values, np.nan) if smaller is None else values - smaller
            names = ("estimate", "ci_low", "ci_high", "gain", "gain_low", "gain_high")
            numbers = (*estimate_with_interval(values), *estimate_with_interval(gained))
            yield {**row, "n_failed": point[1], **dict(zip(names, numbers, strict=True))}
            smaller = values
