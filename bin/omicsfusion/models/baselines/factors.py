"""Factors that layers share, and a linear model of them.

It stands in for MOFA (Argelaguet et al. 2018, Mol Syst Biol 14:e8124): not its sparse Bayesian
factors, but those of multiple factor analysis (Escofier and Pages 1994, Comput Stat Data Anal
18:121), the first principal components of all layers side by side, each layer divided by its
largest singular value so that none dominates. As MOFA's, they are found without the outcome, and a
layer that a sample lacks says nothing of it: it is at its centre there.
"""

from collections.abc import Sequence

import numpy as np

from omicsfusion.models.baselines.candidates import Family, train_candidates
from omicsfusion.models.baselines.read_out import STRENGTHS, read_out
from omicsfusion.models.baselines.training_set import (
    Axis,
    Fitted,
    Setting,
    TrainingSet,
    grid,
    linear_fit,
)
from omicsfusion.models.coefficients import rotated
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.fit import Fit
from omicsfusion.models.linear_tasks import FitError
from omicsfusion.models.request import TrainingRequest

GRID = grid(factors=Axis((2, 5, 10, 20)), ridge=Axis(tuple(sorted(STRENGTHS))))


def joint_directions(training: TrainingSet, n_factors: int) -> np.ndarray:
    """Return the directions of the factors, columns x factors (fewer where the rank is smaller).

    Raises
    ------
    FitError
        When no column varies.
    """
    x = training.x - training.x.mean(axis=0)
    unit = np.zeros(x.shape[1])
    measured = training.measured()
    for columns in training.blocks().values():
        used = columns[measured[columns]]
        largest = np.linalg.norm(rotated(x[:, used])[0], ord=2) if len(used) else 0.0
        unit[used] = 1 / largest if largest > 0 else 0.0
    z, turn = rotated(x * unit)
    _, lengths, axes = np.linalg.svd(z, full_matrices=False)
    kept = lengths[:n_factors] > lengths[:1] * 1e-10
    if not kept.any():
        raise FitError("no feature varies between the training samples")
    return unit[:, None] * (turn @ axes[:n_factors][kept].T)


def _fit(training: TrainingSet, candidates: Sequence[Setting]) -> list[Fitted]:
    directions = joint_directions(training, int(max(one["factors"] for one in candidates)))
    return [
        linear_fit(read_out(training, directions[:, : int(one["factors"])], [one["ridge"]])[0])
        for one in candidates
    ]


def _candidates(training: TrainingSet) -> list[Setting]:
    return GRID


FACTORS = Family(_candidates, _fit)


def train(request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Train a linear model of joint factors on every scope of a group."""
    return train_candidates(FACTORS, request, reader)
