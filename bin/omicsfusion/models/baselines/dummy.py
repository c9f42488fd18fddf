"""Dummy: what can be said of a patient of whom nothing is known.

All classes equally, as every model's probabilities are those of equally frequent classes (ASSESS
weighs them with the shares that the classes have); the survival of the whole training set
(Breslow's estimate at equal risks is Nelson and Aalen's); or the mean. What no model should fall
below.
"""

from collections.abc import Sequence

import numpy as np

from omicsfusion.models.baselines.candidates import Family, train_candidates
from omicsfusion.models.baselines.training_set import Fitted, Setting, TrainingSet, linear_fit
from omicsfusion.models.coefficients import Coefficients
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.design_matrix import Design
from omicsfusion.models.fit import Fit
from omicsfusion.models.request import TrainingRequest

SAYS = {
    "classification": "all classes equally",
    "survival": "one risk for all",
    "regression": "mean",
}


def constant(training: TrainingSet) -> Fitted:
    """Return a model that says the same of every sample."""
    outputs = len(training.task.outputs)
    mean = float(training.y.mean()) if training.kind == "regression" else 0.0
    weights = np.zeros((training.x.shape[1], outputs))
    return linear_fit(Coefficients(weights, np.full(outputs, mean)))


def _candidates(training: TrainingSet) -> list[Setting]:
    return [Setting({"says": SAYS[training.kind]})]


def _fit(training: TrainingSet, candidates: Sequence[Setting]) -> list[Fitted]:
    return [constant(training) for _ in candidates]


def _no_columns(design: Design) -> Design:
    return Design(design.x[:, :0], (), ())


DUMMY = Family(_candidates, _fit, columns=_no_columns, needs_columns=False)


def train(request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Say the same of every sample, in every scope of a group."""
    return train_candidates(DUMMY, request, reader)
