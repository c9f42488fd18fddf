"""The frame of all shallow models: every candidate on the inner folds, the best one on the whole.

They are fitted on the roles train and stop. Settings are chosen by the inner folds of the same
outer (or final) scope: all of them try the same candidates, and the one that is best on average on
their held-out samples is refitted on the whole training set. The inner scopes' own predictions come
from that candidate as fitted on their training samples.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from omicsfusion.models.baselines.training_set import Fitted, TrainingSet
from omicsfusion.models.cohort import GroupReader, ScopeData
from omicsfusion.models.design_matrix import Design, design_of
from omicsfusion.models.fit import Fit, failed_fit, new_fit, record_of
from omicsfusion.models.grid_edges import edge_words
from omicsfusion.models.linear_tasks import FitError, LinearTask, task_of
from omicsfusion.models.registry import ModelSpec
from omicsfusion.models.request import TrainingRequest
from omicsfusion.scopes import TRAINING_ROLES
from omicsfusion.seeds import seed_for

SCHEMA_VERSION = 1
# What solvers raise on data that no candidate tames.
SOLVER_ERRORS = (FitError, ArithmeticError, np.linalg.LinAlgError)


def only_the_chosen(candidates: Sequence[Any], best: int) -> list[Any]:
    """Refit the chosen candidate by itself."""
    return [candidates[best]]


def all_columns(design: Design) -> Design:
    """See every column."""
    return design


@dataclass(frozen=True)
class Family:
    """What a family of shallow models brings; its file holds one of these.

    Attributes
    ----------
    candidates
        From the training set of an outer or final scope to what is tried, in words of ``str``: at
        most about 40, as many as the penalties of the linear models, so that no family is tuned
        harder than another. Of equally good ones the first is chosen.
    fit
        From a training set and candidates to a fit of each.
    way
        From candidates and the chosen position to those that are fitted on the way to it, the
        chosen one last. Default: it alone.
    columns
        From the columns that a model may see to those that the family looks at. Default: all.
    needs_columns
        Whether nothing can be fitted without a column.
    """

    candidates: Callable[[TrainingSet], Sequence[Any]]
    fit: Callable[[TrainingSet, Sequence[Any]], list[Fitted]]
    way: Callable[[Sequence[Any], int], list[Any]] = only_the_chosen
    columns: Callable[[Design], Design] = all_columns
    needs_columns: bool = True


@dataclass(frozen=True)
class Shared:
    """What all fits of one model share."""

    family: Family
    request: TrainingRequest
    task: LinearTask

    @property
    def spec(self) -> ModelSpec:
        """The model."""
        return self.request.spec

    def fail(self, data: ScopeData, reason: str) -> Fit:
        """Record that a scope could not be fitted."""
        return failed_fit(data, self.request.outcome, self.request.horizons, reason)

    def design(self, data: ScopeData) -> Design:
        """Return the columns that the model sees."""
        return self.family.columns(design_of(data, self.spec.covariate))

    def training_set(self, data: ScopeData, design: Design) -> TrainingSet:
        """Return the training samples of a scope.

        Raises
        ------
        FitError
            When no column is left, or the outcome teaches nothing.
        """
        if self.family.needs_columns and not design.features:
            raise FitError("no layer has a feature left in this scope")
        rows = data.rows(*TRAINING_ROLES)
        y = self.task.truth([data.samples[row] for row in rows])
        self.task.check(y)
        return TrainingSet(
            kind=self.request.outcome.task,
            task=self.task,
            x=design.x[rows],
            y=y,
            layers=design.layers,
            features=design.features,
            patients=tuple(data.patients[row] for row in rows),
            seed=seed_for(self.request.seed, "train", self.spec.name, data.scope.key),
        )


@dataclass(frozen=True)
class InnerFits:
    """All candidates fitted on one inner scope.

    Attributes
    ----------
    scores
        Of every sample of the scope: candidates x samples x outputs.
    edges
        What the fit of each candidate chose itself at the edge of its grid.
    failure
        Why there are none; empty if there are.
    """

    data: ScopeData
    scores: np.ndarray
    edges: Sequence[Sequence[str]] = ()
    failure: str = ""


def train_candidates(family: Family, request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Train a shallow model on every scope of a group.

    Raises
    ------
    NoCovariateError
        When the one covariate that the model sees does not exist.
    """
    shared = Shared(family, request, task_of(request.outcome, request.horizons))
    layers = request.spec.layers
    fits = []
    for parent in (scope for scope in reader.scopes if not scope.is_inner):
        inner = [scope for scope in reader.scopes if scope.is_inner and scope.parent == parent]
        parts = [reader.load(scope, layers) for scope in inner]
        fits.extend(_train_parent(shared, reader.load(parent, layers), parts))
    return fits


def _train_parent(shared: Shared, data: ScopeData, parts: Sequence[ScopeData]) -> list[Fit]:
    """Fit an outer or final scope (``data``) and its inner scopes (``parts``)."""
    family, task = shared.family, shared.task
    design = shared.design(data)
    try:
        training = shared.training_set(data, design)
        candidates = family.candidates(training)
    except SOLVER_ERRORS as error:
        return [shared.fail(part, str(error)) for part in (data, *parts)]
    tried = [_fit_inner(shared, part, candidates) for part in parts]
    best = _best(task, tried, len(candidates))
    if best is None:
        reasons = [fits.failure for fits in tried if fits.failure]
        reason = reasons[0] if reasons else "no inner fold has samples that can be compared"
        return [shared.fail(part, reason) for part in (data, *parts)]
    spread = _spread(task, tried, best)
    chosen = str(candidates[best])
    fits = [_inner_fit(shared, inner, best, spread, chosen) for inner in tried]
    try:
        fitted = family.fit(training, family.way(candidates, best))[-1]
    except SOLVER_ERRORS as error:
        return [shared.fail(data, str(error)), *fits]
    scores = _scores(data, design, fitted)
    of_training = fitted.scores(training.x) if fitted.of_training is None else fitted.of_training
    extras = {"sd": None if np.isnan(spread) else spread, **task.extras(of_training, training.y)}
    outer = new_fit(
        data,
        task.columns(data, scores, spread),
        record_of(data, setting=_setting(chosen, fitted.edges)),
        save=fitted.saved and partial(_save, shared, design, fitted.saved, extras),
    )
    return [outer, *fits]


def _scores(data: ScopeData, design: Design, fitted: Fitted) -> np.ndarray:
    """Return the scores of all samples of a scope."""
    scores = fitted.scores(design.x)
    if fitted.of_training is not None:
        scores[data.rows(*TRAINING_ROLES)] = fitted.of_training
    return scores


def _fit_inner(shared: Shared, data: ScopeData, candidates: Sequence[Any]) -> InnerFits:
    design = shared.design(data)
    try:
        fits = shared.family.fit(shared.training_set(data, design), candidates)
    except SOLVER_ERRORS as error:
        return InnerFits(data, np.empty((0, 0, 0)), failure=str(error))
    scores = np.stack([_scores(data, design, fitted) for fitted in fits])
    return InnerFits(data, scores, [fitted.edges for fitted in fits])


def _setting(chosen: str, edges: Sequence[str]) -> str:
    return "; ".join([chosen, *edge_words(edges)])


def _inner_fit(shared: Shared, inner: InnerFits, best: int, spread: float, chosen: str) -> Fit:
    if inner.failure:
        return shared.fail(inner.data, inner.failure)
    columns = shared.task.columns(inner.data, inner.scores[best], spread)
    setting = _setting(chosen, inner.edges[best])
    return new_fit(inner.data, columns, record_of(inner.data, setting=setting))


def _held_out(task: LinearTask, inner: InnerFits, candidate: int) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and truth of the samples that an inner scope holds out."""
    rows = inner.data.rows("test")
    return inner.scores[candidate, rows], task.truth([inner.data.samples[row] for row in rows])


def _best(task: LinearTask, tried: Sequence[InnerFits], n_candidates: int) -> int | None:
    """Return the candidate that is best on average, of equal ones the first; None: cannot tell."""
    usable = [
        # An inner fold may hold out nobody who has the one of several targets.
        inner
        for inner in tried
        if not inner.failure and len(inner.data.rows("test"))
    ]
    if usable and n_candidates == 1:
        return 0
    values = np.array(
        [
            [task.value(*_held_out(task, inner, candidate)) for candidate in range(n_candidates)]
            for inner in usable
        ]
    ).reshape(-1, n_candidates)
    values = values[~np.isnan(values).any(axis=1)]
    return int(np.argmax(values.mean(axis=0))) if len(values) else None


def _spread(task: LinearTask, tried: Sequence[InnerFits], best: int) -> float:
    pairs = [_held_out(task, inner, best) for inner in tried if not inner.failure]
    scores, truth = (np.concatenate(part) for part in zip(*pairs, strict=True))
    return task.spread(scores, truth)


def _save(
    shared: Shared,
    design: Design,
    saved: Callable[[], Mapping[str, object]],
    extras: dict[str, object],
    path: Path,
) -> None:
    """Write a fitted model as JSON; a linear score is ``intercept + sum(weights * column)``."""
    model = {
        "schema_version": SCHEMA_VERSION,
        "model": shared.spec.name,
        "outputs": list(shared.task.outputs),
        "layers": list(design.layers),
        "features": list(design.features),
        **saved(),
        **extras,
    }
    text = json.dumps(model, allow_nan=False)
    path.with_name(f"{path.name}.json").write_text(f"{text}\n", encoding="utf-8")
