"""Metrics of a regression, as functions of patient weights.

A sample without a prediction (its fit failed) counts as chance: the mean of the fit's training
samples, which is the same for everyone.
"""

from collections.abc import Sequence

import numpy as np

from omicsfusion.assess.bootstrap import Metrics
from omicsfusion.assess.held_out import HeldOut
from omicsfusion.assess.undefined import mean_of_defined, ratio

NO_SPREAD = 1e-12
"""Below this share of the sum of squares a variance is rounding error, and the values are equal."""


def regression_metrics(sets: Sequence[HeldOut], weights: np.ndarray) -> Metrics:
    """Compute all metrics of a regression.

    Parameters
    ----------
    sets
        The held-out sets of one model and scope.
    weights
        Replicates x patients.

    Returns
    -------
    For each metric an array of length replicates, NaN where not defined: ``r2`` (1 minus the
    squared errors over the squares around the mean truth of each held-out set, both summed over
    sets), ``rmse`` and ``mae`` (over all rows, in the unit of the truth), ``calibration_slope`` (of
    the truth on the prediction, least squares: one slope for all sets, an intercept for each; 1 is
    calibrated, below 1 the predictions lie too far apart; times the share of samples with a
    prediction, and 0 where the predictions of each set are equal), ``pearson`` and ``spearman``
    (within held-out sets, averaged with the sets' numbers of samples; 0 in a set whose predictions
    are all equal, left out where the truths are).
    """
    squared, around, count = np.zeros((3, len(weights)))
    pearson, spearman, sizes = [], [], []
    for held in sets:
        truth, predicted = _truth_and_prediction(held)
        here = weights[:, held.patients]
        squared += here @ (truth - predicted) ** 2
        around += _squares(np.broadcast_to(truth - truth.mean(), here.shape), here)
        count += here.sum(axis=1)
        pearson.append(weighted_correlation(truth, predicted, here))
        spearman.append(
            weighted_correlation(weighted_ranks(truth, here), weighted_ranks(predicted, here), here)
        )
        sizes.append(here.sum(axis=1))
    n = np.stack(sizes, axis=-1)
    return {
        "r2": 1 - ratio(squared, around),
        "rmse": np.sqrt(ratio(squared, count)),
        "mae": mae(sets, weights),
        "calibration_slope": _calibration_slope(sets, weights),
        "pearson": mean_of_defined(np.stack(pearson, axis=-1), n),
        "spearman": mean_of_defined(np.stack(spearman, axis=-1), n),
    }


def mae(sets: Sequence[HeldOut], weights: np.ndarray) -> np.ndarray:
    """Average the absolute errors over all rows; ``weights``: replicates x patients."""
    absolute, count = np.zeros((2, len(weights)))
    for held in sets:
        truth, predicted = _truth_and_prediction(held)
        here = weights[:, held.patients]
        absolute += here @ np.abs(truth - predicted)
        count += here.sum(axis=1)
    return ratio(absolute, count)


def r2_of_parts(
    wholes: Sequence[HeldOut], parts: Sequence[HeldOut], weights: np.ndarray
) -> np.ndarray:
    """Compute R² of a part of each held-out set, around the mean truth of the whole set.

    The mean of a part of two or three samples lies close to them whatever they are, and R² around
    it would be far too low. Around the mean of the whole set the squares of the parts add up to
    those of ``r2``: a part is asked the question that all samples are asked.

    Parameters
    ----------
    wholes, parts
        The held-out sets, and what is scored of each; a part may be empty.
    weights
        Replicates x patients.
    """
    squared, around, raw = np.zeros((3, len(weights)))
    for whole, part in zip(wholes, parts, strict=True):
        everyone = whole.rows["truth"].to_numpy(dtype=float)
        truth, predicted = _truth_and_prediction(part)
        here, all_here = weights[:, part.patients], weights[:, whole.patients]
        shift = ratio(all_here @ (everyone - everyone.mean()), all_here.sum(axis=1))
        apart = truth - everyone.mean()
        squared += here @ (truth - predicted) ** 2
        around += (here * (apart - np.nan_to_num(shift)[:, None]) ** 2).sum(axis=1)
        raw += here @ apart**2
    return 1 - ratio(squared, np.where(around > NO_SPREAD * raw, around, 0.0))


def weighted_correlation(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return Pearson's correlation of truth and prediction for each weighting.

    Parameters
    ----------
    x, y
        Truth and prediction: samples, or replicates x samples.
    weights
        Replicates x samples.

    Returns
    -------
    Array of length replicates: NaN where all truths are equal, else 0 where all predictions are.
    """
    x, y = (np.broadcast_to(v - v.mean(axis=-1, keepdims=True), weights.shape) for v in (x, y))
    n = weights.sum(axis=1)
    products = (weights * x * y).sum(axis=1)
    products -= ratio((weights * x).sum(axis=1) * (weights * y).sum(axis=1), n)
    spread_x, spread_y = _squares(x, weights), _squares(y, weights)
    result = np.clip(ratio(products, np.sqrt(spread_x * spread_y)), -1, 1)
    return np.where(spread_x > 0, np.where(spread_y > 0, result, 0.0), np.nan)


def weighted_ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return mean ranks in the sample in which each value occurs ``weights`` times.

    Up to a constant, which a correlation does not see.

    Returns
    -------
    Replicates x samples.
    """
    distinct, position = np.unique(values, return_inverse=True)
    starts = np.searchsorted(np.sort(position), np.arange(len(distinct)))
    counts = np.add.reduceat(weights[:, np.argsort(position, kind="stable")], starts, axis=1)
    return (np.cumsum(counts, axis=1) - counts / 2)[:, position]


def _calibration_slope(sets: Sequence[HeldOut], weights: np.ndarray) -> np.ndarray:
    """Return the least-squares slope within sets times the share of samples with a prediction."""
    products, squares, apart, told, every = np.zeros((5, len(weights)))
    for held in sets:
        here = weights[:, held.patients]
        truth = held.rows["truth"].to_numpy(dtype=float)
        predicted = held.rows["mean"].to_numpy(dtype=float)
        known = ~np.isnan(predicted)
        truth = truth - truth.mean()
        apart += _squares(truth, here)
        every += here.sum(axis=1)
        if known.any():
            x, y, w = predicted[known] - predicted[known].mean(), truth[known], here[:, known]
            n = w.sum(axis=1)
            products += (w * x) @ y - np.nan_to_num(ratio((w @ x) * (w @ y), n))
            squares += _squares(x, w)
            told += n
    slope = np.where(squares > 0, ratio(products, squares), 0.0) * ratio(told, every)
    return np.where(apart > 0, slope, np.nan)


def _truth_and_prediction(held: HeldOut) -> tuple[np.ndarray, np.ndarray]:
    truth = held.rows["truth"].to_numpy(dtype=float)
    predicted = held.rows["mean"].to_numpy(dtype=float)
    chance = held.training["truth"].to_numpy(dtype=float).mean() if len(held.training) else np.nan
    return truth, np.where(np.isnan(predicted), chance, predicted)


def _squares(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sum of squares around the weighted mean; exactly 0 where all weighted values are equal."""
    raw = (weights * values**2).sum(axis=1)
    squares = raw - ratio((weights * values).sum(axis=1) ** 2, weights.sum(axis=1))
    return np.where(squares > NO_SPREAD * raw, squares, 0.0)
