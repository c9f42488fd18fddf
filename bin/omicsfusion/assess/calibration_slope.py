"""The calibration slope of predicted classes: logistic recalibration.

Cox (Biometrika 45, 1958, 562-565): the log odds of the truth are regressed on the predicted log
odds. A slope of 1 is what a calibrated model has; below 1 its probabilities are too extreme, as
those of an overfitted model are; above 1 they are too near each other (Van Calster et al., J. Clin.
Epidemiol. 74, 2016, 167-176).

Each held-out set has an intercept of its own and all have one slope: how the outcome's share
differs between folds is not the model's doing, and a model that says the share among the training
samples would have a slope far below 0 across folds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omicsfusion.assess.newton import maximum
from omicsfusion.assess.undefined import ratio


@dataclass(frozen=True)
class Answers:
    """Predicted log odds and truths of one held-out set.

    Attributes
    ----------
    log_odds
        One per sample; NaN where there is no prediction.
    truth
        Boolean, one per sample.
    weights
        Replicates x samples.
    """

    log_odds: np.ndarray
    truth: np.ndarray
    weights: np.ndarray


def logistic_slope(sets: Sequence[Answers]) -> np.ndarray:
    """Return the common slope of all sets, for each replicate.

    A sample without a prediction counts as a slope of 0: the slope of the others is multiplied by
    their share of all samples. Where no set has two different log odds the slope is 0.

    Returns
    -------
    Array of length replicates. NaN where no set has both truths, and where the slope has no finite
    estimate: the log odds part the truths of every set without error.
    """
    mixed = np.any([_mixed(answers) for answers in sets], axis=0)
    predicted = [_predicted(answers) for answers in sets]
    bounded = _bounds(predicted)
    finite = np.asarray(bounded.all(axis=0))
    slope = np.where(bounded.any(axis=0), np.nan, 0.0)
    if finite.any():
        slope[finite] = _fitted([_of_replicates(answers, finite) for answers in predicted])
    return np.where(mixed, slope * ratio(_total(predicted), _total(sets)), np.nan)


def _mixed(answers: Answers) -> np.ndarray:
    return (answers.weights @ answers.truth > 0) & (answers.weights @ ~answers.truth > 0)


def _predicted(answers: Answers) -> Answers:
    known = ~np.isnan(answers.log_odds)
    return Answers(answers.log_odds[known], answers.truth[known], answers.weights[:, known])


def _of_replicates(answers: Answers, which: np.ndarray) -> Answers:
    return Answers(answers.log_odds, answers.truth, answers.weights[which])


def _total(sets: Sequence[Answers]) -> np.ndarray:
    return np.sum([answers.weights.sum(axis=1) for answers in sets], axis=0)


def _bounds(sets: Sequence[Answers]) -> np.ndarray:
    """Whether some samples speak against an infinite slope, and against one of minus infinity.

    The estimate is finite when both are so (Albert and Anderson, Biometrika 71, 1984, 1-10).

    Returns
    -------
    2 x replicates.
    """
    bounded = np.zeros((2, len(sets[0].weights)), dtype=bool)
    for answers in sets:
        (low, high), (low_rest, high_rest) = (
            _ends(answers.log_odds[part], answers.weights[:, part])
            for part in (answers.truth, ~answers.truth)
        )
        bounded |= np.stack([low < high_rest, high > low_rest])
    return bounded


def _ends(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the greatest value with a weight; infinity, -infinity without any."""
    there = weights > 0
    return (
        np.where(there, values, np.inf).min(axis=1, initial=np.inf),
        np.where(there, values, -np.inf).max(axis=1, initial=-np.inf),
    )


def _fitted(sets: Sequence[Answers]) -> np.ndarray:
    """Fit one slope and an intercept for each set, which is not looked at where truths are equal.

    All replicates start from the fit in which every sample counts once.
    """
    n_sets, replicates = len(sets), len(sets[0].weights)
    scale = np.sqrt(np.mean(np.concatenate([_centred(answers) for answers in sets]) ** 2))
    scaled = [
        Answers(
            _centred(answers) / scale, answers.truth, answers.weights * _mixed(answers)[:, None]
        )
        for answers in sets
    ]
    once = [Answers(a.log_odds, a.truth, np.ones((1, len(a.truth)))) for a in scaled]
    once = [Answers(a.log_odds, a.truth, a.weights * _mixed(a)[:, None]) for a in once]
    start = maximum(lambda at, which: _likelihood(once, at, which), np.zeros((1, 1 + n_sets)))
    start = np.repeat(np.nan_to_num(start), replicates, axis=0)
    return maximum(lambda at, which: _likelihood(scaled, at, which), start)[:, 0] / scale


def _centred(answers: Answers) -> np.ndarray:
    return answers.log_odds - (answers.log_odds.mean() if len(answers.log_odds) else 0.0)


def _likelihood(
    sets: Sequence[Answers], at: np.ndarray, which: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return log likelihood and Newton's step, intercepts eliminated from the slope's equation."""
    height, gradient, curvature = np.zeros((3, len(at)))
    of_sets = []
    for number, answers in enumerate(sets, start=1):
        sign = np.where(answers.truth, 1.0, -1.0)
        x, weights = answers.log_odds, answers.weights[which]
        right = 1 / (1 + np.exp(-at[:, [number]] * sign - at[:, [0]] * (sign * x)))
        height += np.einsum("bj,bj->b", weights, np.log(right))
        wrong = weights * (1 - right)
        residual, by_x = (wrong @ np.stack([sign, sign * x], axis=1)).T
        spread, spread_x, spread_xx = ((wrong * right) @ np.stack([x**0, x, x**2], axis=1)).T
        gradient += by_x - spread_x * _or_0(ratio(residual, spread))
        curvature += spread_xx - spread_x * _or_0(ratio(spread_x, spread))
        of_sets.append((_or_0(ratio(residual, spread)), _or_0(ratio(spread_x, spread))))
    slope = _or_0(ratio(gradient, curvature))
    return height, np.stack([slope, *(own - shared * slope for own, shared in of_sets)], axis=1)


def _or_0(values: np.ndarray) -> np.ndarray:
    """Return 0 for NaN only: a set that is not looked at has no equation."""
    return np.where(np.isnan(values), 0.0, values)
