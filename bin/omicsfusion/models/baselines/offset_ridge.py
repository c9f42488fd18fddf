"""Ridge regression of all three tasks on top of scores that are already there (an offset).

Minimised is the task's mean loss at ``offset + x @ B + b`` plus ``strength / 2 * |B|_2^2``: the
multinomial log loss with balanced classes, minus Cox's log partial likelihood over the number of
samples (ties after Efron), or half the squared error. Intercepts are not penalised; Cox has none.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from omicsfusion.models.baselines.training_set import TrainingSet
from omicsfusion.models.coefficients import Coefficients, rotated
from omicsfusion.models.logistic import balanced_weights
from omicsfusion.models.stacking import efron

SOLVER = {"maxiter": 2000, "maxcor": 20, "ftol": 1e-15, "gtol": 1e-8}
CURVATURE = 0.25  # of a log loss at most; only the speed hangs on it

Loss = Callable[[np.ndarray], tuple[float, np.ndarray]]
"""From scores (samples x outputs) to the mean loss and its slope (samples x outputs)."""


def offset_ridge_path(
    training: TrainingSet,
    strengths: Sequence[float],
    offset: np.ndarray | None = None,
) -> list[Coefficients]:
    """Fit with ridge penalties, each fit starting from the one before.

    Parameters
    ----------
    training
        Its columns are penalised alike, its task and outcome are fitted.
    strengths
        Penalties from strong to weak.
    offset
        Scores to start from, samples x outputs; None: zeros.

    Returns
    -------
    Of each penalty what is added to the offset.
    """
    y, outputs = training.y, len(training.task.outputs)
    start = np.zeros((len(y), outputs)) if offset is None else offset
    centre = training.x.mean(axis=0)
    z, turn = rotated(training.x - centre)
    if training.kind == "regression":
        path = _least_squares(z, y - start[:, 0], strengths)
    else:
        loss = _class_loss(y) if training.kind == "classification" else _cox_loss(y)
        path = _descend(z, loss, start, strengths, training.kind == "classification")
    turned = [(turn @ fitted.weights, fitted.intercept) for fitted in path]
    return [
        # A log hazard has no zero of its own: the mean of the training samples is 0.
        Coefficients(weights, intercept - centre @ weights)
        for weights, intercept in turned
    ]


def _least_squares(z: np.ndarray, y: np.ndarray, strengths: Sequence[float]) -> list[Coefficients]:
    values, vectors = np.linalg.eigh(z.T @ z / len(z))
    along = vectors.T @ (z.T @ (y - y.mean())) / len(z)
    return [
        Coefficients((vectors @ (along / (values + strength)))[:, None], np.array([y.mean()]))
        for strength in strengths
    ]


def _descend(
    z: np.ndarray,
    loss: Loss,
    offset: np.ndarray,
    strengths: Sequence[float],
    intercept: bool,
) -> list[Coefficients]:
    """Minimise in columns scaled to about the same curvature, by L-BFGS."""
    columns, outputs = z.shape[1], offset.shape[1]
    size = columns * outputs
    b = np.zeros((columns, outputs))
    free = np.zeros(outputs)
    path = []
    for strength in strengths:
        unit = 1 / np.sqrt(CURVATURE * np.mean(z**2, axis=0) + strength)[:, None]

        def penalised(
            numbers: np.ndarray, unit: np.ndarray = unit, strength: float = strength
        ) -> tuple[float, np.ndarray]:
            b = numbers[:size].reshape(columns, outputs) * unit
            value, slope = loss(offset + z @ b + numbers[size:])
            of_b = (z.T @ slope + strength * b) * unit
            of_free = slope.sum(axis=0) if intercept else np.zeros(outputs)
            value += strength / 2 * np.sum(b**2)
            return value, np.concatenate([of_b.ravel(), of_free])

        begin = np.concatenate([(b / unit).ravel(), free])
        found = minimize(penalised, begin, jac=True, method="L-BFGS-B", options=SOLVER).x
        b, free = found[:size].reshape(columns, outputs) * unit, found[size:]
        path.append(Coefficients(b, free))
    return path


def _class_loss(codes: np.ndarray) -> Loss:
    weights = balanced_weights(codes)
    truth = np.eye(codes.max() + 1)[codes]

    def loss(scores: np.ndarray) -> tuple[float, np.ndarray]:
        log_p = log_softmax(scores, axis=1)
        value = -float(weights @ (truth * log_p).sum(axis=1))
        return value, weights[:, None] * (np.exp(log_p) - truth)

    return loss


def _cox_loss(y: np.ndarray) -> Loss:
    order = np.argsort(y[:, 0], kind="stable")
    time, event = y[order].T

    def loss(scores: np.ndarray) -> tuple[float, np.ndarray]:
        value, sorted_slope = efron(scores[order, 0], time, event)
        slope = np.empty_like(scores)
        slope[order, 0] = sorted_slope
        return value / len(y), slope / len(y)

    return loss
