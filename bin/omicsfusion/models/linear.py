"""Baselines: linear models of the covariates (``clinical``) or of all layers side by side.

They are fitted on the roles train and stop. The penalty is chosen by the inner folds of the same
outer (or final) scope: all of them try the same candidates, and the one that is best on average on
their held-out samples is refitted on the whole training set. The inner scopes' own predictions come
from that candidate as fitted on their training samples.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from omicsfusion.models.coefficients import Coefficients
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.cohort import ScopeData
from omicsfusion.models.design_matrix import Design
from omicsfusion.models.design_matrix import design_of
from omicsfusion.models.fit import Fit
from omicsfusion.models.fit import failed_fit
from omicsfusion.models.fit import new_fit
from omicsfusion.models.fit import record_of
from omicsfusion.models.linear_tasks import FitError
from omicsfusion.models.linear_tasks import LinearTask
from omicsfusion.models.linear_tasks import task_of
from omicsfusion.models.penalties import Penalty
from omicsfusion.models.registry import ModelSpec
from omicsfusion.scopes import Scope
from omicsfusion.scopes import TRAINING_ROLES
from omicsfusion.tables.outcome import Outcome

SCHEMA_VERSION = 1
# What the solvers raise on data that no penalty of the grid tames.
SOLVER_ERRORS = (FitError, ArithmeticError, np.linalg.LinAlgError)


@dataclass(frozen=True)
class InnerPath:
    """All candidates fitted on one inner scope.

    Attributes
    ----------
    scores
        Linear predictors of every sample of the scope: candidates x samples x outputs.
    failure
        Why there are none; empty if there are.
    """

    data: ScopeData
    scores: np.ndarray
    failure: str = ""


def train(
    spec: ModelSpec, reader: GroupReader, outcome: Outcome, horizons: Sequence[float], seed: int
) -> list[Fit]:
    """Train a linear baseline on every scope of a group.

    Parameters
    ----------
    spec
        Which layers it sees, or which one covariate.
    reader
        Of the group's matrices.
    outcome
        Of all used samples.
    horizons
        Times at which survival is predicted, in the unit of the outcome; empty for other tasks.
    seed
        Not used: nothing here is random.

    Raises
    ------
    NoCovariateError
        When the one covariate that the model sees does not exist.
    """
    task = task_of(outcome, horizons)
    fits = []
    for parent in (scope for scope in reader.scopes if not scope.is_inner):
        inner = [scope for scope in reader.scopes if scope.is_inner and scope.parent == parent]
        fits.extend(_train_family(spec, reader, task, outcome, horizons, parent, inner))
    return fits


def _train_family(
    spec: ModelSpec,
    reader: GroupReader,
    task: LinearTask,
    outcome: Outcome,
    horizons: Sequence[float],
    parent: Scope,
    inner: Sequence[Scope],
) -> list[Fit]:
    """Tune on the inner scopes of a parent, and fit them all."""
    fail = partial(failed_fit, outcome=outcome, horizons=horizons)
    data = reader.load(parent, spec.layers)
    design = design_of(data, spec.covariate)
    inner_data = [reader.load(scope, spec.layers) for scope in inner]
    try:
        x, y = _training_set(data, design, task)
        penalties = task.penalties(x, y)
    except SOLVER_ERRORS as error:
        return [fail(part, reason=str(error)) for part in [data, *inner_data]]
    paths = [_fit_inner(part, spec, task, penalties) for part in inner_data]
    best = _best(task, paths, len(penalties))
    if best is None:
        reason = next((path.failure for path in paths if path.failure), "no inner fold can be scored")
        return [fail(part, reason=reason) for part in [data, *inner_data]]
    spread = _spread(task, paths, best)
    fits = [
        fail(path.data, reason=path.failure)
        if path.failure
        else new_fit(
            path.data,
            task.columns(path.data, path.scores[best], spread),
            record_of(path.data, setting=str(penalties[best])),
        )
        for path in paths
    ]
    try:
        fitted = task.path(x, y, _way_to(penalties, best))[-1]
    except SOLVER_ERRORS as error:
        return [fail(data, reason=str(error)), *fits]
    saved = {
        "sd": None if np.isnan(spread) else spread,
        **task.extras(x, y, fitted),
    }
    return [
        new_fit(
            data,
            task.columns(data, fitted.scores(design.x), spread),
            record_of(data, setting=str(penalties[best])),
            save=partial(_save, spec, task, design, fitted, saved),
        ),
        *fits,
    ]


def _training_set(
    data: ScopeData, design: Design, task: LinearTask
) -> tuple[np.ndarray, np.ndarray]:
    if not design.features:
        raise FitError("no layer has a feature left in this scope")
    rows = data.rows(*TRAINING_ROLES)
    return design.x[rows], task.truth([data.samples[row] for row in rows])


def _fit_inner(
    data: ScopeData, spec: ModelSpec, task: LinearTask, penalties: Sequence[Penalty]
) -> InnerPath:
    design = design_of(data, spec.covariate)
    try:
        path = task.path(*_training_set(data, design, task), penalties)
    except SOLVER_ERRORS as error:
        return InnerPath(data, np.empty((0, 0, 0)), str(error))
    return InnerPath(data, np.stack([fitted.scores(design.x) for fitted in path]))


def _held_out(task: LinearTask, path: InnerPath, candidate: int) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and truth of the samples that an inner scope holds out."""
    rows = path.data.rows("test")
    return path.scores[candidate, rows], task.truth([path.data.samples[row] for row in rows])


def _best(task: LinearTask, paths: Sequence[InnerPath], n_candidates: int) -> int | None:
    """Return the candidate that is best on average; of equal ones the first; None if none can be told."""
    values = np.array(
        [
            [task.value(*_held_out(task, path, candidate)) for candidate in range(n_candidates)]
            for path in paths
            if not path.failure
        ]
    ).reshape(-1, n_candidates)
    values = values[~np.isnan(values).any(axis=1)]
    return int(np.argmax(values.mean(axis=0))) if len(values) else None


def _spread(task: LinearTask, paths: Sequence[InnerPath], best: int) -> float:
    pairs = [_held_out(task, path, best) for path in paths if not path.failure]
    scores, truth = (np.concatenate(part) for part in zip(*pairs, strict=True))
    return task.spread(scores, truth)


def _way_to(penalties: Sequence[Penalty], best: int) -> list[Penalty]:
    """Return the chosen candidate behind the stronger ones of its kind: a warm start."""
    chosen = penalties[best]
    return [p for p in penalties[: best + 1] if p.l1_ratio == chosen.l1_ratio]


def _save(
    spec: ModelSpec,
    task: LinearTask,
    design: Design,
    fitted: Coefficients,
    extras: dict[str, object],
    path: Path,
) -> None:
    """Write a fitted model as JSON; a score is ``intercept + sum(weights * column)``."""
    model = {
        "schema_version": SCHEMA_VERSION,
        "model": spec.name,
        "outputs": list(task.outputs),
        "layers": list(design.layers),
        "features": list(design.features),
        "weights": fitted.weights.tolist(),
        "intercept": fitted.intercept.tolist(),
        **extras,
    }
    path.with_name(f"{path.name}.json").write_text(json.dumps(model) + "\n", encoding="utf-8")
