"""Multinomial logistic regression with ridge and elastic-net penalties.

Minimised is the weighted mean of the samples' log losses, weights summing to 1, plus
``strength * (l1_ratio * |B|_1 + (1 - l1_ratio) / 2 * |B|_2^2)``; intercepts are not penalised.
"""

from collections.abc import Sequence

import numpy as np
from scipy.linalg import eigvalsh
from scipy.special import log_softmax, softmax

from omicsfusion.models.coefficients import Coefficients, rotated

RIDGE_TOLERANCE = 1e-5  # of the gradient
TOLERANCE = 0.05  # of the l1 penalty: how far the optimality conditions may be missed
MOST_STEPS = 5000
WORKING_SET = 50  # columns that join the working set at a time, at least


def balanced_weights(codes: np.ndarray) -> np.ndarray:
    """Weigh samples so that each class weighs the same and all weights sum to 1."""
    counts = np.bincount(codes)
    return 1 / (np.count_nonzero(counts) * counts[codes])


def ridge_path(
    x: np.ndarray, codes: np.ndarray, weights: np.ndarray, strengths: Sequence[float]
) -> list[Coefficients]:
    """Fit with ridge penalties, each fit starting from the one before.

    Parameters
    ----------
    x
        Samples x columns.
    codes
        Class of each sample, 0 … K-1, every class present.
    weights
        Of the samples, summing to 1.
    strengths
        Penalties from strong to weak.
    """
    from sklearn.linear_model import LogisticRegression

    z, turn = rotated(x)
    # Not a change of the objective: scikit-learn sums where we average.
    model = LogisticRegression(
        solver="lbfgs", tol=RIDGE_TOLERANCE, max_iter=MOST_STEPS, warm_start=True
    )
    path = []
    for strength in strengths:
        model.set_params(C=1 / (strength * len(x)))
        model.fit(z, codes, sample_weight=weights * len(x))
        turned = turn @ model.coef_.T
        if turned.shape[1] == 1:  # two classes: scikit-learn gives the difference between them
            half = model.intercept_[0] / 2
            path.append(Coefficients(turned @ [[-0.5, 0.5]], np.array([-half, half])))
        else:
            path.append(Coefficients(turned, model.intercept_.copy()))
    return path


def largest_strength(x: np.ndarray, codes: np.ndarray, weights: np.ndarray) -> float:
    """Return the l1 penalty at and above which all weights are zero."""
    shares = np.bincount(codes, weights=weights)
    residual = weights[:, None] * (shares - np.eye(len(shares))[codes])
    return float(np.abs(x.T @ residual).max())


def elastic_net_path(
    x: np.ndarray,
    codes: np.ndarray,
    weights: np.ndarray,
    strengths: Sequence[float],
    l1_ratio: float,
) -> list[Coefficients]:
    """Fit with elastic-net penalties, each fit starting from the one before.

    Proximal gradient steps with momentum (Beck and Teboulle 2009, SIAM J Imaging Sci 2:183) that
    restarts where it leads uphill (O'Donoghue and Candes 2015, Found Comput Math 15:715), on a
    working set of columns that grows until no column outside it violates optimality.

    Parameters
    ----------
    x, codes, weights, strengths
        As for :func:`ridge_path`.
    l1_ratio
        Share of the l1 penalty, above 0.
    """
    x = x.astype(np.float32)
    weights = weights.astype(np.float32)
    truth = np.eye(codes.max() + 1, dtype=np.float32)[codes]
    start = np.log(weights @ truth)
    current = Coefficients(np.zeros((x.shape[1], truth.shape[1]), np.float32), start - start.mean())
    path = []
    for strength in strengths:
        current = _solve(x, truth, weights, strength * l1_ratio, strength * (1 - l1_ratio), current)
        path.append(Coefficients(current.weights.astype(float), current.intercept.astype(float)))
    return path


def balanced_log_likelihood(scores: np.ndarray, codes: np.ndarray) -> float:
    """Return the mean over classes of the mean log probability of the true class."""
    log_probability = log_softmax(scores, axis=1)[np.arange(len(codes)), codes]
    return float(balanced_weights(codes) @ log_probability)


def _gradient(
    x: np.ndarray, truth: np.ndarray, weights: np.ndarray, at: Coefficients
) -> tuple[np.ndarray, np.ndarray]:
    residual = weights[:, None] * (softmax(at.scores(x), axis=1) - truth)
    return x.T @ residual, residual.sum(axis=0)


def _solve(
    x: np.ndarray,
    truth: np.ndarray,
    weights: np.ndarray,
    l1: float,
    l2: float,
    start: Coefficients,
) -> Coefficients:
    """Solve on growing working sets."""
    current = start
    while True:
        slope = np.abs(_gradient(x, truth, weights, current)[0]).max(axis=1)
        active = (current.weights != 0).any(axis=1)
        outside = np.flatnonzero(~active & (slope > l1 * (1 + TOLERANCE)))
        first = current is start
        if not first and not len(outside):
            return current
        worst = outside[np.argsort(-slope[outside], kind="stable")]
        room = max(WORKING_SET, int(active.sum()))
        chosen = np.union1d(np.flatnonzero(active), worst[:room])
        part = Coefficients(current.weights[chosen], current.intercept)
        solved = _descend(x[:, chosen], truth, weights, l1, l2, part)
        grown = np.zeros_like(current.weights)
        grown[chosen] = solved.weights
        current = Coefficients(grown, solved.intercept)


def _descend(
    x: np.ndarray,
    truth: np.ndarray,
    weights: np.ndarray,
    l1: float,
    l2: float,
    start: Coefficients,
) -> Coefficients:
    """Take accelerated proximal gradient steps until the optimality conditions hold."""
    bound = _curvature(x, weights)
    old = ahead = start
    momentum = 1.0
    for _ in range(MOST_STEPS):
        slope, slope_0 = _gradient(x, truth, weights, ahead)
        moved = ahead.weights - slope / bound
        shrunk = np.sign(moved) * np.maximum(np.abs(moved) - l1 / bound, 0) / (1 + l2 / bound)
        new = Coefficients(shrunk, ahead.intercept - slope_0 / bound)
        missed = bound * np.abs(ahead.weights - new.weights).max(initial=0)
        if max(missed, np.abs(slope_0).max()) < TOLERANCE * l1:
            return new
        step, step_0 = new.weights - old.weights, new.intercept - old.intercept
        uphill = np.sum((ahead.weights - new.weights) * step)
        uphill += np.sum((ahead.intercept - new.intercept) * step_0)
        momentum = 1.0 if uphill > 0 else momentum
        later = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        push = np.float32((momentum - 1) / later)
        ahead = Coefficients(new.weights + push * step, new.intercept + push * step_0)
        old, momentum = new, later
    return old


def _curvature(x: np.ndarray, weights: np.ndarray) -> np.float32:
    """Bound the curvature of the loss: half the largest eigenvalue of the weighted X'X.

    Boehning (1992, Ann Inst Stat Math 44:197) gives the half; the intercept counts as a column.
    """
    with_intercept = np.hstack([x, np.ones((len(x), 1), x.dtype)]) * np.sqrt(weights)[:, None]
    wide = with_intercept.shape[1] > len(x)
    gram = with_intercept @ with_intercept.T if wide else with_intercept.T @ with_intercept
    last = len(gram) - 1
    return np.float32(0.5 * eigvalsh(gram, subset_by_index=[last, last])[0] * 1.0001)
