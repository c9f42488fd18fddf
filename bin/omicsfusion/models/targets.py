"""Several targets in TRAIN: joint fits taken apart, and families that fit each target by itself."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import compress
from pathlib import Path

import numpy as np
import pandas as pd

from omicsfusion.models.cohort import GroupReader, ScopeData
from omicsfusion.models.fit import (
    Fit,
    failed_fit,
    joint_column,
    new_fit,
    predicted_rows,
    prediction_names,
    prediction_table,
    record_of,
)
from omicsfusion.models.request import TrainingRequest
from omicsfusion.tables.outcome import Outcome

Train = Callable[[TrainingRequest, GroupReader], list[Fit]]


def fits_of_targets(
    train: Train, request: TrainingRequest, reader: GroupReader, together: bool
) -> list[Fit]:
    """Train a family on the targets of a run.

    Parameters
    ----------
    train
        Of the family.
    together
        Whether the family fits several targets in one model; otherwise each is fitted by itself, on
        the samples that have it.
    """
    if together or not request.targets:
        return train(request, reader)
    fits = []
    for number, (target, outcome) in enumerate(request.targets.items()):
        known = outcome.known
        own = replace(request, outcome=outcome, targets={}, target=target)
        for fit in train(own, reader.having(set(known.index[known]))):
            saved = fit.save and partial(_save_as, fit.save, number)
            fits.append(replace(fit, target=target, save=saved))
    return fits


def _save_as(save: Callable[[Path], None], number: int, stem: Path) -> None:
    """Save the model of a target; that of the first has the name of the scope alone."""
    save(stem.with_name(f"{stem.name}.target{number + 1}") if number else stem)


def failed(data: ScopeData, request: TrainingRequest, reason: str) -> Fit:
    """Record a fit of a request's targets that failed."""
    if not request.targets:
        return failed_fit(data, request.outcome, request.horizons, reason)
    nothing = np.full(len(predicted_rows(data)), np.nan)
    columns = {
        joint_column(target, name): nothing
        for target, outcome in request.targets.items()
        for name in prediction_names(outcome, request.horizons)
    }
    return new_fit(data, columns, record_of(data, "failed", reason=reason))


def tables_of_targets(fits: list[Fit], model: str, request: TrainingRequest) -> pd.DataFrame:
    """Bind the predictions of all targets, one below the other.

    A row stands for a sample that has the target, or is of an external cohort.
    """
    tables = []
    for target, outcome in request.targets.items():
        of_target = [
            _of_target(fit, target, outcome, request) for fit in fits if fit.target in ("", target)
        ]
        tables.append(prediction_table(of_target, model, target, outcome))
    return pd.concat(tables, ignore_index=True)


def target_columns(
    columns: Mapping[str, np.ndarray], target: str, names: list[str]
) -> dict[str, np.ndarray]:
    """Return the columns of one target among those of a joint fit."""
    return {name: columns[joint_column(target, name)] for name in names}


def _of_target(fit: Fit, target: str, outcome: Outcome, request: TrainingRequest) -> Fit:
    if fit.target:
        return fit
    columns = target_columns(fit.columns, target, prediction_names(outcome, request.horizons))
    known = outcome.known.loc[list(fit.samples)].to_numpy()
    kept = known | (np.asarray(fit.roles) == "external")
    return replace(
        fit,
        samples=list(compress(fit.samples, kept)),
        patients=list(compress(fit.patients, kept)),
        roles=list(compress(fit.roles, kept)),
        columns={name: np.asarray(values)[kept] for name, values in columns.items()},
    )
