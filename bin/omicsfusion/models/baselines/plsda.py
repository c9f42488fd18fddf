"""Partial least squares: a few components that move with the outcome, and a linear read-out.

Classes: PLS-DA (Barker and Rayens 2003, J Chemom 17:166) on indicators of the classes, each class
weighing the same. Numbers: PLS regression (Wold, Sjöström and Eriksson 2001, Chemom Intell Lab Syst
58:109). Survival: on deviance residuals of the model without features (PLSDR: Bastien, Bertrand,
Meyer and Maumy-Bertrand 2015, Bioinformatics 31:397). The read-out is ridge regression on the
components, by the likelihood of the task. What a column is worth is its VIP.
"""

from collections.abc import Sequence

import numpy as np

from omicsfusion.models.baseline_hazard import breslow
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
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.fit import Fit
from omicsfusion.models.request import TrainingRequest

GRID = grid(
    components=Axis((1, 2, 3, 5, 8), open_below=False), ridge=Axis(tuple(sorted(STRENGTHS)))
)


def deviance_residuals(y: np.ndarray) -> np.ndarray:
    """Return how much earlier than expected each sample's event came, if all risks are equal.

    Therneau, Grambsch and Fleming 1990 (Biometrika 77:147): ``sign(m) sqrt(-2 (m + d log(d - m)))``
    with the martingale residual ``m = d - H(t)`` and the event indicator ``d``.

    Parameters
    ----------
    y
        Time and event (1 or 0), samples x 2.
    """
    time, event = y.T
    times, hazard = breslow(np.zeros(len(y)), time, event)
    expected = np.concatenate([[0.0], hazard])[np.searchsorted(times, time, side="right")]
    residual = event - expected
    log = np.where(event == 1, np.log(np.where(event == 1, expected, 1.0)), 0.0)
    return np.sign(residual) * np.sqrt(np.maximum(0.0, -2 * (residual + log)))


def vip(weights: np.ndarray, scores: np.ndarray, loadings: np.ndarray) -> np.ndarray:
    """Return the variable importance in projection of each column; its mean square is 1.

    Wold, Sjöström and Eriksson 2001: the root of the columns' number times the mean of the squared
    weights, each component counting by the outcome's sum of squares that it explains.

    Parameters
    ----------
    weights, scores, loadings
        ``x_weights_`` (columns x components), ``x_scores_`` (samples x components) and
        ``y_loadings_`` (outputs x components) of a PLS regression.
    """
    explained = (scores**2).sum(axis=0) * (loadings**2).sum(axis=0)
    squared = (weights / np.linalg.norm(weights, axis=0)) ** 2
    return np.sqrt(len(weights) * squared @ explained / explained.sum())


def _response(training: TrainingSet) -> np.ndarray:
    if training.kind == "survival":
        return deviance_residuals(training.y)[:, None]
    if training.kind == "regression":
        return training.y[:, None]
    indicators = np.eye(len(training.task.outputs))[training.y]
    # A rare class weighs as much as a frequent one.
    return (indicators - indicators.mean(axis=0)) / np.sqrt(indicators.mean(axis=0))


def _fit(training: TrainingSet, candidates: Sequence[Setting]) -> list[Fitted]:
    from sklearn.cross_decomposition import PLSRegression

    response = _response(training)
    most = int(max(one["components"] for one in candidates))
    most = min(most, np.linalg.matrix_rank(training.x - training.x.mean(axis=0)))
    if most == 0 or not response.std(axis=0).any():
        flat = np.zeros((training.x.shape[1], 1))
        return [linear_fit(read_out(training, flat, [1.0])[0]) for _ in candidates]
    model = PLSRegression(n_components=most, scale=False).fit(training.x, response)
    fits = []
    for one in candidates:
        used = slice(0, int(one["components"]))
        directions = model.x_rotations_[:, used]
        (fitted,) = read_out(training, directions, [one["ridge"]])
        worth = vip(model.x_weights_[:, used], model.x_scores_[:, used], model.y_loadings_[:, used])
        fits.append(linear_fit(fitted, vip=worth.tolist()))
    return fits


def _candidates(training: TrainingSet) -> list[Setting]:
    return GRID


PLSDA = Family(_candidates, _fit)


def train(request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Train partial least squares on every scope of a group."""
    return train_candidates(PLSDA, request, reader)
