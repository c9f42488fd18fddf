"""From the table of all predictions to all tables that ASSESS writes."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from omicsfusion.assess.bootstrap import (
    REPLICATES,
    Metrics,
    estimates_with_intervals,
    patient_weights,
)
from omicsfusion.assess.classification import classification_metrics
from omicsfusion.assess.curves import mean_confusion, mean_roc
from omicsfusion.assess.d_calibration import COLUMNS as D_CALIBRATION_COLUMNS
from omicsfusion.assess.d_calibration import d_calibration
from omicsfusion.assess.held_out import HeldOut, held_out_sets, scored_rows
from omicsfusion.assess.predictions import SCOPES, of_targets, with_outcome
from omicsfusion.assess.regression import regression_metrics
from omicsfusion.assess.risk_groups import (
    group_curves,
    group_difference,
    group_outcomes,
    risk_groups,
)
from omicsfusion.assess.survival import survival_metrics

METRICS: Mapping[str, Callable[[Sequence[HeldOut], np.ndarray], Metrics]] = {
    "classification": classification_metrics,
    "survival": survival_metrics,
    "regression": regression_metrics,
}

ENTRY_COLUMNS = ["permutation", "target", "model", "scope"]
COUNT_COLUMNS = ["n", "n_events"]
METRIC_COLUMNS = [*ENTRY_COLUMNS, "metric", "estimate", "ci_low", "ci_high", *COUNT_COLUMNS]
FOLD_COLUMNS = [*ENTRY_COLUMNS, "repeat", "fold", "metric", "estimate", *COUNT_COLUMNS]


def assess(predictions: pd.DataFrame, task: str, seed: int) -> dict[str, pd.DataFrame]:
    """Assess all models, each target by itself on the samples that have it.

    Parameters
    ----------
    predictions
        As :func:`omicsfusion.assess.predictions.gather_predictions` returns it.
    task
        ``classification``, ``survival`` or ``regression``.
    seed
        The run's seed, for the bootstrap.

    Returns
    -------
    The tables by the name of their file without ``.tsv``: ``metrics``, ``metrics_by_fold``, and
    what the task adds (docs/architecture.md, ASSESS), which shows the test predictions of the real
    outcome (permutation 0). Where there are several targets, all tables name them.
    """
    parts = of_targets(predictions, task)
    if len(parts) < 2:
        return _assess_target(predictions, task, seed)
    named: dict[str, list[pd.DataFrame]] = {}
    for target, rows in parts.items():
        for name, table in _assess_target(rows, task, seed).items():
            if "target" not in table:
                table.insert(0, "target", target)
            named.setdefault(name, []).append(table)
    return {name: _stacked(tables, list(tables[0].columns)) for name, tables in named.items()}


def _assess_target(predictions: pd.DataFrame, task: str, seed: int) -> dict[str, pd.DataFrame]:
    table = with_outcome(predictions, task)
    metrics, by_fold = metric_tables(table, task, seed)
    tables = {"metrics": metrics, "metrics_by_fold": by_fold}
    real = table[table["permutation"] == 0]
    if task == "classification":
        tables |= _classification_tables(real)
    if task == "survival":
        tables |= _survival_tables(real)
    return tables


def metric_tables(table: pd.DataFrame, task: str, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compute the metrics of each permutation, target, model and scope.

    Parameters
    ----------
    table
        Predictions that have an outcome.

    Returns
    -------
    ``metrics`` with 95 % intervals (:mod:`omicsfusion.assess.bootstrap`) and ``metrics_by_fold``
    without; negative controls (permutation above 0) have no intervals. Rows by permutation,
    target, model, scope (test, inner, external), repeat, fold, and the order in which the task's
    metrics are named (headline first). ``n`` and ``n_events`` (survival) count the distinct
    samples, for ``recall:<class>`` those of the class.
    """
    metrics: list[dict[str, object]] = []
    by_fold: list[dict[str, object]] = []
    for (permutation, _), target in table.groupby(["permutation", "target"]):
        # A control is one draw among many: what is looked at is how they scatter.
        replicates = REPLICATES if permutation == 0 else 0
        scored = {scope: scored_rows(target, scope) for scope in SCOPES}
        patients = {scope: sorted(rows["patient"].unique()) for scope, rows in scored.items()}
        weights = {
            s: patient_weights(len(p), seed, s, replicates) for s, p in patients.items() if p
        }
        for _, entry in target.groupby("model"):
            for scope in weights:
                sets = held_out_sets(entry, scope, patients[scope])
                if sets:
                    metrics.extend(_summary_rows(sets, task, weights[scope]))
                    by_fold.extend(_fold_rows(sets, task, len(patients[scope])))
    return (
        pd.DataFrame(metrics, columns=METRIC_COLUMNS).astype({"n_events": "Int64"}),
        pd.DataFrame(by_fold, columns=FOLD_COLUMNS).astype({"n_events": "Int64"}),
    )


def _summary_rows(
    sets: Sequence[HeldOut], task: str, weights: np.ndarray
) -> Iterator[dict[str, object]]:
    rows = pd.concat([held.rows for held in sets])
    found = estimates_with_intervals(lambda w: METRICS[task](sets, w), weights)
    for metric, estimate, low, high in found:
        interval = {"metric": metric, "estimate": estimate, "ci_low": low, "ci_high": high}
        yield {**_entry(rows), **interval, **_counts(rows, task, metric)}


def _fold_rows(sets: Sequence[HeldOut], task: str, n_patients: int) -> Iterator[dict[str, object]]:
    for repeat, fold in sorted({(held.repeat, held.fold) for held in sets}):
        here = [held for held in sets if (held.repeat, held.fold) == (repeat, fold)]
        rows = pd.concat([held.rows for held in here])
        for metric, values in METRICS[task](here, np.ones((1, n_patients))).items():
            value = {"repeat": repeat, "fold": fold, "metric": metric, "estimate": float(values[0])}
            yield {**_entry(rows), **value, **_counts(rows, task, metric)}


def _entry(rows: pd.DataFrame) -> dict[str, object]:
    first = rows.iloc[0]
    return {name: first[name] for name in ENTRY_COLUMNS}


def _counts(rows: pd.DataFrame, task: str, metric: str) -> dict[str, object]:
    if metric.startswith("recall:"):
        rows = rows[rows["truth"] == metric.removeprefix("recall:")]
    events = rows.loc[rows["event"] == 1, "sample"].nunique() if task == "survival" else None
    return {"n": rows["sample"].nunique(), "n_events": events}


def _classification_tables(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    rocs, confusions = [], []
    for model, entry in table.groupby("model"):
        patients = sorted(entry["patient"].unique())
        sets = held_out_sets(entry, "test", patients)
        if sets:
            rocs.append(mean_roc(str(model), sets))
            confusions.append(mean_confusion(str(model), sets))
    return {
        "roc": _stacked(rocs, ["model", "class", "fpr", "tpr"]),
        "confusion": _stacked(confusions, ["model", "truth", "predicted", "n"]),
    }


def _survival_tables(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    groups, curves, differences, calibration = [], [], [], []
    for model, entry in table.groupby("model"):
        groups.append(risk_groups(entry))
        outcomes = group_outcomes(entry, groups[-1])
        curves.append(group_curves(str(model), outcomes))
        differences.append(pd.DataFrame([group_difference(str(model), outcomes)]))
        sets = held_out_sets(entry, "test", sorted(entry["patient"].unique()))
        if sets:
            calibration.append(pd.DataFrame([d_calibration(str(model), sets)]))
    curve_columns = ["time", "survival", "ci_low", "ci_high", "at_risk", "events"]
    ratio_columns = ["n_low", "n_high", "hazard_ratio", "hr_low", "hr_high"]
    return {
        "risk_groups": _stacked(groups, ["model", "sample", "patient", "risk_group", "share_high"]),
        "kaplan_meier": _stacked(curves, ["model", "risk_group", *curve_columns]),
        "logrank": _stacked(differences, ["model", "statistic", "p", *ratio_columns]),
        "d_calibration": _stacked(calibration, D_CALIBRATION_COLUMNS),
    }


def _stacked(parts: Sequence[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]
    if not filled:
        return pd.DataFrame(columns=columns)
    return pd.concat(filled, ignore_index=True)[columns]
