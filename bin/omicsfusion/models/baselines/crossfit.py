"""A linear model of one block, its penalty chosen and its scores made by parts of the training set.

What is put on top of a model's scores must not learn from scores of samples that the model was
fitted on: those are too good. So training samples are dealt into parts, whole patients each, and
scored by the models of the other parts.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from omicsfusion.folds import assign_folds
from omicsfusion.models.baselines.offset_ridge import offset_ridge_path
from omicsfusion.models.baselines.training_set import Axis, TrainingSet
from omicsfusion.models.coefficients import Coefficients
from omicsfusion.models.linear_tasks import FitError

PARTS = 4
# As shares of the summed variance of the columns, as for the ridge of ``penalties``.
SHARES = tuple(10.0 ** np.arange(1.0, -3.1, -0.5))


@dataclass(frozen=True)
class CrossFit:
    """A block's model, and what models like it say of samples that they were not fitted on.

    Attributes
    ----------
    fitted
        On all training samples.
    held_out
        Scores of the training samples, samples x outputs.
    share
        Of the chosen penalty.
    at_edge
        Whether no penalty of the grid is stronger, or none weaker.
    """

    fitted: Coefficients
    held_out: np.ndarray
    share: float
    at_edge: bool


def parts_of(training: TrainingSet) -> np.ndarray:
    """Deal training samples into ``PARTS``, patients whole, classes or events evenly; from 1 on.

    Raises
    ------
    FitError
        When there are fewer patients than parts.
    """
    index = pd.RangeIndex(len(training.patients))
    unit = pd.Series(training.patients, index=index)
    if unit.nunique() < PARTS:
        raise FitError(f"{unit.nunique()} patients to fit on are too few to part into {PARTS}")
    stratum = {
        "classification": lambda: training.y.astype(str),
        "survival": lambda: training.y[:, 1].astype(str),
        "regression": lambda: np.full(len(index), ""),
    }[training.kind]()
    dealt = pd.Series(stratum, index=index)
    return assign_folds(unit, dealt, dealt, PARTS, training.seed).to_numpy()


def rows_of(training: TrainingSet, rows: np.ndarray) -> TrainingSet:
    """Return a training set of some of the samples.

    Raises
    ------
    FitError
        When their outcome teaches nothing.
    """
    training.task.check(training.y[rows])
    return replace(
        training,
        x=training.x[rows],
        y=training.y[rows],
        patients=tuple(np.array(training.patients, dtype=object)[rows]),
    )


def columns_of(training: TrainingSet, columns: np.ndarray) -> TrainingSet:
    """Return a training set of some of the columns."""
    return replace(
        training,
        x=training.x[:, columns],
        layers=tuple(training.layers[column] for column in columns),
        features=tuple(training.features[column] for column in columns),
    )


def cross_fitted(
    training: TrainingSet, parts: np.ndarray, offset: np.ndarray | None = None
) -> CrossFit:
    """Fit ridge regression on top of an offset; its penalty is best on average over the parts.

    Parameters
    ----------
    training
        Of the block's columns only.
    parts
        Of each sample, as ``parts_of`` deals them.
    offset
        Scores to start from, samples x outputs; None: zeros.
    """
    start = np.zeros((len(parts), len(training.task.outputs))) if offset is None else offset
    strengths = [share * float(training.x.var(axis=0).sum()) for share in SHARES]
    held_out = np.zeros((len(SHARES), *start.shape))
    values = []
    for part in range(1, PARTS + 1):
        inside, outside = np.flatnonzero(parts != part), np.flatnonzero(parts == part)
        path = offset_ridge_path(rows_of(training, inside), strengths, start[inside])
        for candidate, fitted in enumerate(path):
            held_out[candidate, outside] = fitted.scores(training.x[outside])
        of_part = start[outside] + held_out[:, outside]
        values.append([training.task.value(scores, training.y[outside]) for scores in of_part])
    told = np.array(values)[~np.isnan(values).any(axis=1)]
    best = int(np.argmax(told.mean(axis=0))) if len(told) else 0
    fitted = offset_ridge_path(training, strengths[: best + 1], offset)[-1]
    at_edge = Axis(SHARES[::-1]).at_edge(SHARES[best])
    return CrossFit(fitted, held_out[best], SHARES[best], at_edge)
