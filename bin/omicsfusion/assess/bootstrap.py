"""Percentile bootstrap over patients (Efron & Tibshirani 1993, chapter 13).

A replicate draws as many patients as there are, with replacement; all rows of a patient (all
samples, all repeats) come along together, as many times as the patient was drawn. So a replicate
is a weight per patient, and every metric of this room is a function of patient weights. The fits
stay as they are: **the intervals do not include what retraining on other patients would change.**
"""

from collections.abc import Callable, Iterator

import numpy as np

from omicsfusion.seeds import seed_for

REPLICATES = 1000
CHUNK = 512
"""At most so many replicates are reckoned with at a time, to bound memory."""

LEVEL = 0.95
LEAST_DEFINED = 0.5
"""An interval needs a metric that is defined in at least this share of the replicates."""

Metrics = dict[str, np.ndarray]


def patient_weights(
    n_patients: int, seed: int, scope: str, replicates: int = REPLICATES
) -> np.ndarray:
    """Draw how often each patient is in each replicate.

    The draw depends on the run's seed, the scope and the number of patients only: all models of a
    scope meet the same replicates and can be compared pair by pair.

    Returns
    -------
    float64 array, replicates x patients; rows sum to ``n_patients``.
    """
    rng = np.random.default_rng(seed_for(seed, "bootstrap", scope))
    drawn = rng.integers(n_patients, size=(replicates, n_patients))
    drawn += np.arange(replicates)[:, None] * n_patients
    counts = np.bincount(drawn.ravel(), minlength=replicates * n_patients)
    return counts.reshape(replicates, n_patients).astype(float)


def replicated(metrics: Callable[[np.ndarray], Metrics], weights: np.ndarray) -> Metrics:
    """Evaluate metrics on the patients as they are and on the replicates.

    Parameters
    ----------
    metrics
        From weights (replicates x patients) to an array of length replicates for each metric.
    weights
        As :func:`patient_weights` draws them.

    Returns
    -------
    For each metric an array of length 1 + replicates: the estimate, then the replicates.
    """
    stacked = np.concatenate([np.ones((1, weights.shape[1])), weights])
    chunks = [metrics(part) for part in np.array_split(stacked, -(-len(stacked) // CHUNK))]
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}


def estimates_with_intervals(
    metrics: Callable[[np.ndarray], Metrics], weights: np.ndarray
) -> Iterator[tuple[str, float, float, float]]:
    """Yield of each metric its name, estimate, lower and upper end of the interval.

    Arguments are those of :func:`replicated`; NaN where not defined.
    """
    for name, values in replicated(metrics, weights).items():
        yield name, *estimate_with_interval(values)


def estimate_with_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Return estimate and interval of what :func:`replicated` found of a metric."""
    return float(values[0]), *percentile_interval(values[1:])


def percentile_interval(values: np.ndarray, level: float = LEVEL) -> tuple[float, float]:
    """Return the central 95 %, or another share, of the replicates in which a metric is defined.

    NaN, NaN when it is defined in fewer than half of them (one patient with an event, say).
    """
    defined = values[~np.isnan(values)]
    if len(defined) < LEAST_DEFINED * len(values) or not len(defined):
        return float("nan"), float("nan")
    tail = (1 - level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)
