"""Baselines: linear models of the covariates (``clinical``) or of all layers side by side."""

from collections.abc import Sequence

from omicsfusion.models.baselines.candidates import Family, train_candidates
from omicsfusion.models.baselines.training_set import Fitted, TrainingSet, linear_fit
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.fit import Fit
from omicsfusion.models.penalties import Penalty
from omicsfusion.models.request import TrainingRequest


def penalties(training: TrainingSet) -> list[Penalty]:
    """List the penalties that the task's linear model is tuned over."""
    return training.task.penalties(training.x, training.y)


def fit(training: TrainingSet, candidates: Sequence[Penalty]) -> list[Fitted]:
    """Fit the task's linear model with each penalty."""
    path = training.task.path(training.x, training.y, candidates)
    return [linear_fit(fitted) for fitted in path]


def way_to(candidates: Sequence[Penalty], best: int) -> list[Penalty]:
    """Return the chosen penalty behind the stronger ones of its kind: a warm start."""
    chosen = candidates[best]
    return [p for p in candidates[: best + 1] if p.l1_ratio == chosen.l1_ratio]


LINEAR = Family(penalties, fit, way=way_to)


def train(request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Train a linear baseline on every scope of a group."""
    return train_candidates(LINEAR, request, reader)
