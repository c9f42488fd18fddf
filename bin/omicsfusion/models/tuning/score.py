"""How well a fit does on samples that it has not seen, by the metric that is reported."""

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.metrics import balanced_accuracy_score
from sksurv.metrics import concordance_index_censored

from omicsfusion.models.fit import prediction_names
from omicsfusion.models.request import TrainingRequest
from omicsfusion.models.targets import target_columns
from omicsfusion.tables.outcome import Outcome

METRICS = {
    "classification": "balanced_accuracy",
    "survival": "c_index",
    "regression": "r2",
}


def score(columns: Mapping[str, np.ndarray], samples: Sequence[str], outcome: Outcome) -> float:
    """Score prediction columns of some samples; higher is better.

    Balanced accuracy, Harrell's C-index, or one minus the mean squared error in units of the
    truth's variance.

    Parameters
    ----------
    columns
        As in ``Fit.columns``, each of shape (samples,).

    Returns
    -------
    NaN where the samples cannot tell: one class, no comparable pair, one value.
    """
    truth = outcome.table.loc[list(samples)]
    if outcome.task == "classification":
        p = np.column_stack([columns[f"p_{name}"] for name in outcome.classes])
        called = np.array(outcome.classes)[p.argmax(axis=1)]
        known = truth["truth"].to_numpy(str)
        return balanced_accuracy_score(known, called) if len(set(known)) > 1 else float("nan")
    if outcome.task == "survival":
        event = truth["event"].to_numpy(bool)
        time = truth["time"].to_numpy(float)
        if not (event & (time < time.max())).any():
            return float("nan")
        return float(concordance_index_censored(event, time, columns["risk"])[0])
    known_values = truth["truth"].to_numpy(float)
    variance = np.var(known_values)
    if variance == 0:
        return float("nan")
    return float(1 - np.mean((known_values - columns["mean"]) ** 2) / variance)


def score_target(
    columns: Mapping[str, np.ndarray],
    samples: Sequence[str],
    target: str,
    request: TrainingRequest,
) -> float:
    """Score one of the targets that a joint fit predicts, on the samples that have it."""
    outcome = request.targets[target]
    has = outcome.known.loc[list(samples)].to_numpy()
    if not has.any():
        return float("nan")
    own = target_columns(columns, target, prediction_names(outcome, request.horizons))
    known = [sample for sample, here in zip(samples, has, strict=True) if here]
    return score({name: values[has] for name, values in own.items()}, known, outcome)
