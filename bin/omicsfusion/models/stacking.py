"""Stacking: one prediction from the decisions of several models.

Breiman, Machine Learning 24, 1996, 49-64: the models' decisions are added up with weights that are
not negative, learnt from samples that the models had not seen. A decision is what a model says of
a sample beyond what holds for all samples: 0 says nothing, and stands where a model cannot judge.

In all functions ``decisions`` is samples x models x outputs. Losses are sums over samples, in units
of log-likelihood; ``RIDGE`` / 2 times the squared distance of each weight from 1 / models is added
to them. So few samples leave the weights near those of the plain average; it is a normal prior
around them with a standard deviation of 1 / sqrt(``RIDGE``).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize, nnls
from scipy.special import log_softmax

from omicsfusion.models.logistic import balanced_weights

RIDGE = 1.0

SMALLEST_PROBABILITY = 1e-7
"""What a probability counts as at least: in single precision a network may say exactly 0."""

SOLVER = {"maxiter": 1000, "ftol": 1e-13, "gtol": 1e-7}

Loss = Callable[[np.ndarray], tuple[float, np.ndarray]]
"""From scores (samples x outputs) to the loss and its slope (samples x outputs)."""


@dataclass(frozen=True)
class Stack:
    """How decisions are added up.

    Attributes
    ----------
    weights
        Of the models; none is negative.
    intercept
        Of the outputs: the scores of a sample of which no model says anything.
    """

    weights: np.ndarray
    intercept: np.ndarray

    def scores(self, decisions: np.ndarray) -> np.ndarray:
        """Add decisions up: samples x outputs, each sample by itself."""
        total = np.zeros_like(decisions[:, 0]) + self.intercept
        for model, weight in enumerate(self.weights):
            total += weight * decisions[:, model]
        return total


def class_decisions(probabilities: np.ndarray) -> np.ndarray:
    """Return centred log probabilities: 0 where all classes are equally probable.

    Parameters
    ----------
    probabilities
        Samples x classes.
    """
    logs = np.log(np.maximum(probabilities, SMALLEST_PROBABILITY))
    return logs - logs.mean(axis=1, keepdims=True)


def stack_classes(decisions: np.ndarray, codes: np.ndarray) -> Stack:
    """Stack by cross-entropy, in which every class weighs the same, however rare it is.

    Scores are logits. The ridge holds the intercepts, too, near 0.

    Parameters
    ----------
    decisions
        An output per class.
    codes
        Class of each sample, 0 … classes - 1.
    """
    weight = len(codes) * balanced_weights(codes)
    truth = np.eye(decisions.shape[2])[codes]

    def loss(scores: np.ndarray) -> tuple[float, np.ndarray]:
        log_p = log_softmax(scores, axis=1)
        entropy = -(truth * log_p).sum(axis=1)
        return float(np.sum(weight * entropy)), weight[:, None] * (np.exp(log_p) - truth)

    return _least(loss, decisions, np.zeros(decisions.shape[2]), ridge_of_intercept=RIDGE)


def stack_hazards(decisions: np.ndarray, time: np.ndarray, event: np.ndarray) -> Stack:
    """Stack by Cox's partial likelihood, which has no intercept: it is 0.

    Parameters
    ----------
    decisions
        One output, a log hazard ratio.
    time, event
        Follow-up time and event indicator (1 or 0) of each sample.
    """
    order = np.argsort(time, kind="stable")
    time, event = time[order], event[order]

    def loss(scores: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = efron(scores[:, 0], time, event)
        return value, slope[:, None]

    found = _least(loss, decisions[order], np.zeros(1), ridge_of_intercept=RIDGE)
    return Stack(found.weights, np.zeros(1))


def stack_numbers(decisions: np.ndarray, truth: np.ndarray, unit: float) -> Stack:
    """Stack by least squares: half the squared error of each sample, in ``unit``.

    Parameters
    ----------
    decisions
        One output, in the unit of ``truth``.
    unit
        Standard deviation of the truth.
    """
    models = decisions.shape[1]
    centre, middle = decisions[:, :, 0].mean(axis=0), truth.mean()
    ridge = np.sqrt(RIDGE) * np.eye(models)
    left = np.vstack([(decisions[:, :, 0] - centre) / unit, ridge])
    right = np.concatenate([(truth - middle) / unit, ridge.sum(axis=0) / models])
    weights = nnls(left, right)[0]
    return Stack(weights, np.array([middle - centre @ weights]))


def stack_numbers_robustly(decisions: np.ndarray, truth: np.ndarray, unit: float) -> Stack:
    """Stack by Huber's loss: beyond one ``unit`` an error costs its size, not its square.

    Parameters
    ----------
    decisions, truth, unit
        As for :func:`stack_numbers`.
    """

    def loss(scores: np.ndarray) -> tuple[float, np.ndarray]:
        error = scores[:, 0] - truth / unit
        near = np.clip(error, -1.0, 1.0)
        return float(np.sum(near * (error - near / 2))), near[:, None]

    found = _least(loss, decisions / unit, np.array([np.median(truth) / unit]))
    return Stack(found.weights, unit * found.intercept)


def efron(risk: np.ndarray, time: np.ndarray, event: np.ndarray) -> tuple[float, np.ndarray]:
    """Return minus the log partial likelihood and its slope, ties after Efron.

    Efron, JASA 72, 1977, 557-565: of d tied events the l-th (l = 0 … d-1) is compared with the
    risk set less l/d of the tied events.

    Parameters
    ----------
    risk, event
        Log hazard ratio and event indicator (1 or 0) of each sample.
    time
        Not decreasing.
    """
    dead = np.flatnonzero(event == 1)
    hazard = np.exp(risk - risk.max())
    # Of each event: the first row at risk, and the number of the tied events that precede it.
    first = np.searchsorted(time, time[dead], side="left")
    times, which, ties = np.unique(time[dead], return_inverse=True, return_counts=True)
    before = np.arange(len(dead)) - np.searchsorted(time[dead], times, side="left")[which]
    share = before / ties[which]
    tied = np.bincount(which, weights=hazard[dead])[which]
    compared = np.cumsum(hazard[::-1])[::-1][first] - share * tied
    value = np.sum(np.log(compared) + risk.max() - risk[dead])
    # A row is in the risk set of all events up to its time; the tied ones count it in part.
    slope = hazard * np.cumsum(np.bincount(first, weights=1 / compared, minlength=len(risk)))
    slope[dead] -= hazard[dead] * np.bincount(which, weights=share / compared)[which] + 1
    return float(value), slope


def _least(
    loss: Loss, decisions: np.ndarray, intercept: np.ndarray, ridge_of_intercept: float = 0.0
) -> Stack:
    """Find where loss and ridge are least, from equal weights and the given intercept on."""
    models = decisions.shape[1]
    equal = np.full(models, 1 / models)

    def penalised(numbers: np.ndarray) -> tuple[float, np.ndarray]:
        now = Stack(numbers[:models], numbers[models:])
        value, slope = loss(now.scores(decisions))
        off = now.weights - equal
        value += 0.5 * (RIDGE * np.sum(off**2) + ridge_of_intercept * np.sum(now.intercept**2))
        of_weights = np.einsum("nmo,no->m", decisions, slope) + RIDGE * off
        of_intercept = slope.sum(axis=0) + ridge_of_intercept * now.intercept
        return value, np.concatenate([of_weights, of_intercept])

    bounds = [(0.0, None)] * models + [(None, None)] * len(intercept)
    start = np.concatenate([equal, intercept])
    found = minimize(penalised, start, jac=True, method="L-BFGS-B", bounds=bounds, options=SOLVER)
    return Stack(found.x[:models], found.x[models:])
