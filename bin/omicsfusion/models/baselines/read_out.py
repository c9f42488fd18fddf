"""A linear model of a few scores of samples (components, factors), turned back into columns."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from omicsfusion.models.baselines.offset_ridge import offset_ridge_path
from omicsfusion.models.baselines.training_set import TrainingSet
from omicsfusion.models.coefficients import Coefficients

STRENGTHS = (1.0, 0.1, 0.01, 0.001)
"""Ridge penalties of a read-out, from strong to weak; its scores have unit variance."""


def read_out(
    training: TrainingSet, directions: np.ndarray, strengths: Sequence[float]
) -> list[Coefficients]:
    """Fit ridge regression on scores, one fit per penalty, as weights of the columns.

    Components that were found with the outcome's help tell the training samples apart too well:
    the penalty, chosen on other samples, takes that back.

    Parameters
    ----------
    directions
        Columns x scores: ``x @ directions`` are the scores up to a constant.
    strengths
        From strong to weak.
    """
    scores = (training.x - training.x.mean(axis=0)) @ directions
    spread = scores.std(axis=0)
    unit = np.where(spread > 0, 1 / np.where(spread > 0, spread, 1), 0.0)
    few = replace(training, x=scores * unit)
    centre = training.x.mean(axis=0)
    found = []
    for fitted in offset_ridge_path(few, strengths):
        weights = (directions * unit) @ fitted.weights
        found.append(Coefficients(weights, fitted.intercept - centre @ weights))
    return found
