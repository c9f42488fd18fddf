"""Stacking: a linear model of each layer alone, their decisions added up with learnt weights.

Breiman 1996 (see ``omicsfusion.models.stacking``, which learns the weights): none is negative, and
they are learnt from decisions on training samples that a layer's model was not fitted on. A sample
that lacks a layer gets no decision from it, and the layer's model is not fitted on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from omicsfusion.models.baselines.candidates import Family, train_candidates
from omicsfusion.models.baselines.crossfit import columns_of, cross_fitted, parts_of, rows_of
from omicsfusion.models.baselines.training_set import Fitted, Setting, TrainingSet, linear_fit
from omicsfusion.models.coefficients import Coefficients
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.design_matrix import ABSENT
from omicsfusion.models.fit import Fit
from omicsfusion.models.linear_tasks import FitError
from omicsfusion.models.request import TrainingRequest
from omicsfusion.models.stacking import Stack, stack_classes, stack_hazards, stack_numbers


@dataclass(frozen=True)
class Decision:
    """What the model of a layer says beyond what holds for all, linear in all columns.

    Attributes
    ----------
    fitted
        Its score is 0 where the layer is absent.
    of_training
        Decisions on training samples by models not fitted on them, samples x outputs.
    at_edge
        Whether the penalty stands at the edge of its grid.
    """

    fitted: Coefficients
    of_training: np.ndarray
    at_edge: bool


def _candidates(training: TrainingSet) -> list[Setting]:
    return [Setting({"stacks": ", ".join(training.blocks())})]


def _fit(training: TrainingSet, candidates: Sequence[Setting]) -> list[Fitted]:
    parts, blocks = parts_of(training), training.blocks()
    found = {name: _decision(training, parts, columns) for name, columns in blocks.items()}
    decisions = [one for one in found.values() if one is not None]
    if not decisions:
        raise FitError("no layer alone has the samples for a model of its own")
    stack = _stack(training, np.stack([one.of_training for one in decisions], axis=1))
    weights = sum(w * one.fitted.weights for w, one in zip(stack.weights, decisions, strict=True))
    shift = sum(w * one.fitted.intercept for w, one in zip(stack.weights, decisions, strict=True))
    used = [name for name, one in found.items() if one is not None]
    shares = dict(zip(used, stack.weights.tolist(), strict=True))
    fitted = linear_fit(Coefficients(weights, stack.intercept + shift), stack=shares)
    edges = tuple(f"penalty of {name}" for name, one in found.items() if one and one.at_edge)
    return [replace(fitted, edges=edges) for _ in candidates]


def _decision(training: TrainingSet, parts: np.ndarray, columns: np.ndarray) -> Decision | None:
    """Fit a layer's model; None: those who have the layer lack a class, events or patients."""
    indicator = [column for column in columns if training.features[column] == ABSENT]
    values = np.array([column for column in columns if column not in indicator])
    here = np.flatnonzero((training.x[:, indicator] == 0).all(axis=1))
    try:
        block = cross_fitted(columns_of(rows_of(training, here), values), parts[here])
    except FitError:
        return None
    mean = training.y[here].mean() if training.kind == "regression" else 0.0
    weights = np.zeros((training.x.shape[1], len(training.task.outputs)))
    weights[values], intercept = block.fitted.weights, block.fitted.intercept - mean
    held_out = block.held_out - mean
    if training.kind == "classification":
        weights -= weights.mean(axis=1, keepdims=True)
        intercept = intercept - intercept.mean()
        held_out = held_out - held_out.mean(axis=1, keepdims=True)
    weights[indicator] = -intercept
    of_training = np.zeros((len(training.y), len(training.task.outputs)))
    of_training[here] = held_out
    return Decision(Coefficients(weights, intercept), of_training, block.at_edge)


def _stack(training: TrainingSet, decisions: np.ndarray) -> Stack:
    """Learn weights; ``decisions`` is samples x layers x outputs."""
    if training.kind == "classification":
        return stack_classes(decisions, training.y)
    if training.kind == "survival":
        return stack_hazards(decisions, *training.y.T)
    return stack_numbers(decisions, training.y, float(training.y.std()) or 1.0)


STACKING = Family(_candidates, _fit)


def train(request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Stack linear models of single layers on every scope of a group."""
    return train_candidates(STACKING, request, reader)
