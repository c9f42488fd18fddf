"""Newton's method for many concave likelihoods at once, one for each weighting of the samples."""

from collections.abc import Callable

import numpy as np

MOST_STEPS = 60
PRECISION = 1e-6
"""A smaller step is the last one: the error after it is about its square."""

ROUNDING = 1e-10
"""A likelihood that falls by a smaller share of itself has not fallen."""

Evaluate = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def maximum(evaluate: Evaluate, start: np.ndarray) -> np.ndarray:
    """Find the parameters of the highest log likelihood.

    A step that lowers the likelihood is halved until it does not. A likelihood that has reached
    its maximum is not evaluated again.

    Parameters
    ----------
    evaluate
        From parameters (likelihoods x parameters) and the positions of the likelihoods that they
        belong to, to the log likelihoods and Newton's steps from there.
    start
        Likelihoods x parameters.

    Returns
    -------
    Of the shape of ``start``; NaN for what has not converged, as where the maximum lies at
    infinity.
    """
    found = np.full(start.shape, np.nan)
    at, which = start.copy(), np.arange(len(start))
    with np.errstate(all="ignore"):  # what overflows is a step too far, and not taken
        height, step = evaluate(at, which)
    for _ in range(MOST_STEPS):
        done = np.abs(step).max(axis=1) <= PRECISION * np.maximum(1, np.abs(at).max(axis=1))
        found[which[done]] = (at + step)[done]
        at, which, height, step = (values[~done] for values in (at, which, height, step))
        if not len(which):
            break
        trial = at + step
        with np.errstate(all="ignore"):
            trial_height, trial_step = evaluate(trial, which)
        higher = trial_height >= height - ROUNDING * (1 + np.abs(height))
        at = np.where(higher[:, None], trial, at)
        step = np.where(higher[:, None], trial_step, step / 2)
        height = np.where(higher, trial_height, height)
    return found
