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
from omicsfusion.models.cohort import GroupReader, ScopeData
from omicsfusion.models.design_matrix import Design, design_of
from omicsfusion.models.fit import Fit, failed_fit, new_fit, record_of
from omicsfusion.models.linear_tasks import FitError, LinearTask, task_of
from omicsfusion.models.penalties import Penalty
from omicsfusion.models.registry import ModelSpec
from omicsfusion.models.request import TrainingRequest
from omicsfusion.scopes import TRAINING_ROLES
from omicsfusion.tables.outcome import Outcome

SCHEMA_VERSION = 1
# What the solvers raise on data that no penalty of the grid tames.
SOLVER_ERRORS = (FitError, ArithmeticError, np.linalg.LinAlgError)


@dataclass(frozen=True)
class Baseline:
    """What all fits of one model share."""

    spec: ModelSpec
    task: LinearTask
    outcome: Outcome
    horizons: Sequence[float]

    def fail(self, data: ScopeData, reason: str) -> Fit:
        """Record that a scope could not be fitted."""
        return failed_fit(data, self.outcome, self.horizons, reason)

    def design(self, data: ScopeData) -> Design:
        """Return the columns that the model sees."""
        return design_of(data, self.spec.covariate)

    def training_set(self, data: ScopeData, design: Design) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of training samples, and what is to be predicted of them.

        Raises
        ------
        FitError
            When no column is left.
        """
        if not design.features:
            raise FitError("no layer has a feature left in this scope")
        rows = data.rows(*TRAINING_ROLES)
        return design.x[rows], self.task.truth([data.samples[row] for row in rows])


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


def train(request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Train a linear baseline on every scope of a group.

    Raises
    ------
    NoCovariateError
        When the one covariate that the model sees does not exist.
    """
    spec, outcome, horizons = request.spec, request.outcome, request.horizons
    baseline = Baseline(spec, task_of(outcome, horizons), outcome, horizons)
    fits = []
    for parent in (scope for scope in reader.scopes if not scope.is_inner):
        inner = [scope for scope in reader.scopes if scope.is_inner and scope.parent == parent]
        parts = [reader.load(scope, spec.layers) for scope in inner]
        fits.extend(_train_family(baseline, reader.load(parent, spec.layers), parts))
    return fits


def _train_family(baseline: Baseline, data: ScopeData, parts: Sequence[ScopeData]) -> list[Fit]:
    """Fit an outer or final scope (``data``) and its inner scopes (``parts``)."""
    task = baseline.task
    design = baseline.design(data)
    try:
        x, y = baseline.training_set(data, design)
        penalties = task.penalties(x, y)
    except SOLVER_ERRORS as error:
        return [baseline.fail(part, str(error)) for part in (data, *parts)]
    paths = [_fit_inner(baseline, part, penalties) for part in parts]
    best = _best(task, paths, len(penalties))
    if best is None:
        reasons = [path.failure for path in paths if path.failure]
        reason = reasons[0] if reasons else "no inner fold has samples that can be compared"
        return [baseline.fail(part, reason) for part in (data, *parts)]
    spread = _spread(task, paths, best)
    setting = str(penalties[best])
    fits = [_inner_fit(baseline, path, best, spread, setting) for path in paths]
    try:
        fitted = task.path(x, y, _way_to(penalties, best))[-1]
    except SOLVER_ERRORS as error:
        return [baseline.fail(data, str(error)), *fits]
    extras = {"sd": None if np.isnan(spread) else spread, **task.extras(x, y, fitted)}
    outer = new_fit(
        data,
        task.columns(data, fitted.scores(design.x), spread),
        record_of(data, setting=setting),
        save=partial(_save, baseline, design, fitted, extras),
    )
    return [outer, *fits]


def _fit_inner(baseline: Baseline, data: ScopeData, penalties: Sequence[Penalty]) -> InnerPath:
    design = baseline.design(data)
    try:
        path = baseline.task.path(*baseline.training_set(data, design), penalties)
    except SOLVER_ERRORS as error:
        return InnerPath(data, np.empty((0, 0, 0)), str(error))
    return InnerPath(data, np.stack([fitted.scores(design.x) for fitted in path]))


def _inner_fit(baseline: Baseline, path: InnerPath, best: int, spread: float, setting: str) -> Fit:
    if path.failure:
        return baseline.fail(path.data, path.failure)
    columns = baseline.task.columns(path.data, path.scores[best], spread)
    return new_fit(path.data, columns, record_of(path.data, setting=setting))


def _held_out(task: LinearTask, path: InnerPath, candidate: int) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and truth of the samples that an inner scope holds out."""
    rows = path.data.rows("test")
    return path.scores[candidate, rows], task.truth([path.data.samples[row] for row in rows])


def _best(task: LinearTask, paths: Sequence[InnerPath], n_candidates: int) -> int | None:
    """Return the candidate that is best on average, of equal ones the first; None: cannot tell."""
    values = np.array(
        [
            [task.value(*_held_out(task, path, candidate)) for candidate in range(n_candidates)]
            for path in paths
            # An inner fold may hold out nobody who has the one of several targets.
            if not path.failure and len(path.data.rows("test"))
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
    baseline: Baseline,
    design: Design,
    fitted: Coefficients,
    extras: dict[str, object],
    path: Path,
) -> None:
    """Write a fitted model as JSON; a score is ``intercept + sum(weights * column)``."""
    model = {
        "schema_version": SCHEMA_VERSION,
        "model": baseline.spec.name,
        "outputs": list(baseline.task.outputs),
        "layers": list(design.layers),
        "features": list(design.features),
        "weights": fitted.weights.tolist(),
        "intercept": fitted.intercept.tolist(),
        **extras,
    }
    text = json.dumps(model, allow_nan=False)
    path.with_name(f"{path.name}.json").write_text(f"{text}\n", encoding="utf-8")
