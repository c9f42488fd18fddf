"""What training gives back: one fit per scope, the same for networks and baselines."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from omicsfusion.models.baseline_hazard import breslow, survival_at
from omicsfusion.models.cohort import ScopeData
from omicsfusion.scopes import TRAINING_ROLES, Scope
from omicsfusion.tables.outcome import Outcome

OWN_SURVIVAL = "own_survival"
"""Survival at a sample's own time of event or censoring, read off the curve that was predicted
without that time: no prediction, but what the curve is judged by (D-calibration)."""


@dataclass(frozen=True)
class Fit:
    """One model fitted on one scope, and what it says of the samples it has not seen.

    Attributes
    ----------
    scope
        The training set.
    samples, patients, roles
        The samples that are predicted: roles ``test`` and ``external`` of the scope.
    columns
        Prediction columns by name, each of shape (samples,): ``p_<class>``, or ``risk`` and
        ``s_<time>`` and ``own_survival``, or ``mean`` and ``sd``. NaN when the fit failed.
    record
        The row of ``training.tsv``: counts, status, tuned setting, epochs.
    curve
        (epoch, training loss, stopping loss) of a network; empty for baselines.
    save
        Writes the fitted model under a path without suffix; None for inner scopes.
    network
        Builds the network that ``save`` writes, for who puts several together; None for inner
        scopes and for baselines.
    trials
        Rows of ``trials.tsv``: what was tried on the inner folds of the scope.
    importances
        Rows of ``trials_importance.tsv``: which of the choices made a difference there.
    target
        Which of several targets the fit predicts; empty when it predicts the only one, or all of
        them (its columns are then those of ``joint_column``).
    members
        What each of its networks predicts by itself: number, from 1 -> columns, NaN where it did
        not converge. Empty for what has no networks, and where one took the place of several.
    """

    scope: Scope
    samples: Sequence[str]
    patients: Sequence[str]
    roles: Sequence[str]
    columns: Mapping[str, np.ndarray]
    record: Mapping[str, object]
    curve: Sequence[tuple[int, float, float]] = ()
    save: Callable[[Path], None] | None = field(default=None, repr=False)
    network: Callable[[], Any] | None = field(default=None, repr=False)
    trials: Sequence[Mapping[str, object]] = ()
    importances: Sequence[Mapping[str, object]] = ()
    target: str = ""
    members: Mapping[int, Mapping[str, np.ndarray]] = field(default_factory=dict)


def predicted_rows(data: ScopeData) -> np.ndarray:
    """Return the positions of the samples that a fit on this scope predicts."""
    return data.rows("test", "external")


def record_of(data: ScopeData, status: str = "ok", **more: object) -> dict[str, object]:
    """Start the ``training.tsv`` row of a fit on this scope."""
    counts = {f"n_{role}": len(data.rows(role)) for role in ("train", "stop", "test")}
    return {**counts, "status": status, **more}


def new_fit(
    data: ScopeData,
    columns: Mapping[str, np.ndarray],
    record: Mapping[str, object],
    curve: Sequence[tuple[int, float, float]] = (),
    save: Callable[[Path], None] | None = None,
    network: Callable[[], Any] | None = None,
    trials: Sequence[Mapping[str, object]] = (),
    importances: Sequence[Mapping[str, object]] = (),
    members: Mapping[int, Mapping[str, np.ndarray]] | None = None,
) -> Fit:
    """Bind predictions (already restricted to ``predicted_rows``) to their samples."""
    rows = predicted_rows(data)
    return Fit(
        scope=data.scope,
        samples=[data.samples[row] for row in rows],
        patients=[data.patients[row] for row in rows],
        roles=[str(role) for role in data.roles[rows]],
        columns=columns,
        record=record,
        curve=curve,
        save=None if data.scope.is_inner else save,
        network=None if data.scope.is_inner else network,
        trials=trials,
        importances=importances,
        members=members or {},
    )


def prediction_names(outcome: Outcome, horizons: Sequence[float]) -> list[str]:
    """Return the prediction columns of a task, in the order of the contract."""
    if outcome.task == "classification":
        return [f"p_{name}" for name in outcome.classes]
    if outcome.task == "survival":
        return ["risk", *(f"s_{horizon:g}" for horizon in horizons), OWN_SURVIVAL]
    return ["mean", "sd"]


def joint_column(target: str, name: str) -> str:
    """Name a prediction column of one of the targets that a fit predicts together.

    Between the two stands a tab, which no name in a TSV holds.
    """
    return f"{target}\t{name}"


def class_columns(probabilities: np.ndarray, outcome: Outcome) -> dict[str, np.ndarray]:
    """Name the columns of class probabilities (samples x classes, in order of the classes)."""
    return {f"p_{name}": probabilities[:, code] for code, name in enumerate(outcome.classes)}


def survival_columns(
    data: ScopeData, risk: np.ndarray, outcome: Outcome, horizons: Sequence[float]
) -> dict[str, np.ndarray]:
    """Turn risks of all rows of a scope into the columns of survival of the predicted ones.

    The risk is centred on the mean of the training samples: a log partial hazard has no zero of
    its own, and the cut between low and high risk is taken over from other fits.

    Parameters
    ----------
    risk
        Log partial hazards of every row of ``data``, shape (rows,).
    """
    training = data.rows(*TRAINING_ROLES)
    centred = risk.astype(float) - risk[training].astype(float).mean()
    known = outcome.table.loc[[data.samples[row] for row in training]]
    times, hazard = breslow(
        centred[training], known["time"].to_numpy(float), known["event"].to_numpy(float)
    )
    rows = predicted_rows(data)
    survival = survival_at(centred[rows], times, hazard, asked_times(data, outcome, horizons))
    return {"risk": centred[rows], **named_survival(survival, horizons)}


def asked_times(data: ScopeData, outcome: Outcome, horizons: Sequence[float]) -> np.ndarray:
    """Return when survival is asked of each predicted sample: horizons, then its own time.

    Returns
    -------
    Samples x (horizons + 1); the own time is NaN where the outcome is not known.
    """
    samples = [data.samples[row] for row in predicted_rows(data)]
    own = outcome.table.loc[samples, "time"].where(outcome.known.loc[samples])
    return np.column_stack(
        [*(np.full(len(samples), float(horizon)) for horizon in horizons), own.to_numpy(float)]
    )


def named_survival(survival: np.ndarray, horizons: Sequence[float]) -> dict[str, np.ndarray]:
    """Name predicted survival at ``asked_times``: ``s_<time>``, and that at the own time."""
    names = [*(f"s_{horizon:g}" for horizon in horizons), OWN_SURVIVAL]
    return dict(zip(names, survival.T, strict=True))


def regression_columns(mean: np.ndarray, sd: float | np.ndarray) -> dict[str, np.ndarray]:
    """Name predicted means (samples,) and the standard deviation of what is left unexplained."""
    return {"mean": mean, "sd": np.broadcast_to(np.asarray(sd, float), mean.shape)}


def failed_fit(data: ScopeData, outcome: Outcome, horizons: Sequence[float], reason: str) -> Fit:
    """Record a fit that failed: its predictions are NaN, and ASSESS scores them as chance."""
    nothing = np.full(len(predicted_rows(data)), np.nan)
    columns = dict.fromkeys(prediction_names(outcome, horizons), nothing)
    return new_fit(data, columns, record_of(data, "failed", reason=reason))


def prediction_table(
    fits: Sequence[Fit], model: str, target: str, outcome: Outcome
) -> pd.DataFrame:
    """Bind the predictions of many fits into the table of the contract, truth beside them.

    ``permutation`` is 0 until it is known which outcome the fits were of.
    """
    return pd.concat(
        [_rows_of_fit(fit, model, target, outcome) for fit in fits], ignore_index=True
    ).sort_values(["scope", "repeat", "fold", "inner", "sample"], ignore_index=True)


def _rows_of_fit(fit: Fit, model: str, target: str, outcome: Outcome) -> pd.DataFrame:
    held_out = "inner" if fit.scope.is_inner else "test"
    scope = ["external" if role == "external" else held_out for role in fit.roles]
    head = pd.DataFrame(
        {
            "permutation": 0,
            "target": target,
            "model": model,
            "scope": scope,
            "repeat": fit.scope.repeat,
            "fold": fit.scope.fold,
            "inner": fit.scope.inner,
            "sample": list(fit.samples),
            "patient": list(fit.patients),
        }
    )
    truth = outcome.table.loc[list(fit.samples)].reset_index(drop=True)
    return pd.concat([head, pd.DataFrame(dict(fit.columns)), truth], axis=1)
