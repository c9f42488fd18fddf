"""The calibration slope of predicted risks: Cox regression of the outcome on the risk.

The risk is a log partial hazard, so a calibrated model has a slope of 1; below 1 its risks lie too
far apart, as those of an overfitted model do (van Houwelingen, Stat. Med. 19, 2000, 3401-3415).
Each held-out set is a stratum, for risks of different fits are not on one scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from omicsfusion.assess.newton import maximum
from omicsfusion.assess.undefined import ratio


@dataclass(frozen=True)
class Stratum:
    """Samples of one held-out set, those who lived longest first.

    Attributes
    ----------
    risk, time, event
        One per sample; ``event`` is boolean.
    weights
        Replicates x samples: how often each is there, whole numbers.
    """

    risk: np.ndarray
    time: np.ndarray
    event: np.ndarray
    weights: np.ndarray

    def at_risk(self) -> np.ndarray:
        """For each sample the position of the last one that was under observation at its time."""
        return np.searchsorted(-self.time, -self.time, side="right") - 1


def stratum(time: np.ndarray, event: np.ndarray, risk: np.ndarray, weights: np.ndarray) -> Stratum:
    """Sort the samples of a held-out set that have a risk."""
    known = np.flatnonzero(~np.isnan(risk))
    order = known[np.argsort(-time[known], kind="stable")]
    return Stratum(risk[order], time[order], event[order], weights[:, order])


def cox_slope(strata: Sequence[Stratum]) -> np.ndarray:
    """Return the common slope of all strata, for each replicate; ties as Efron has them.

    A sample that is there several times is tied with itself, as in a table that repeats its row
    (Efron, JASA 72, 1977, 557-565).

    Returns
    -------
    Array of length replicates: 0 where nobody at risk differs from those with an event, NaN where
    the slope has no finite estimate (every event meets the highest risk, or every one the lowest).
    """
    bounded = np.any([_bounds(one) for one in strata], axis=0)
    finite = bounded.all(axis=0)
    slope = np.where(bounded.any(axis=0), np.nan, 0.0)
    if finite.any():
        slope[finite] = _fitted(strata, finite)
    return slope


def _bounds(one: Stratum) -> np.ndarray:
    """Whether some event speaks against an infinite slope, and against one of minus infinity.

    Returns
    -------
    2 x replicates.
    """
    there, last = one.weights > 0, one.at_risk()
    happened = there & one.event
    highest = np.maximum.accumulate(np.where(there, one.risk, -np.inf), axis=1)[:, last]
    lowest = np.minimum.accumulate(np.where(there, one.risk, np.inf), axis=1)[:, last]
    against = (happened & (one.risk < highest), happened & (one.risk > lowest))
    return np.stack([found.any(axis=1) for found in against])


def _fitted(strata: Sequence[Stratum], finite: np.ndarray) -> np.ndarray:
    """Fit the slope of some replicates, all from that of every sample once."""
    told = [one for one in strata if one.event.any()]
    scale = np.sqrt(np.mean(np.concatenate([one.risk - one.risk.mean() for one in told]) ** 2))
    scaled = [replace(one, risk=(one.risk - one.risk.mean()) / scale) for one in told]
    once = [replace(one, weights=np.ones((1, len(one.risk)))) for one in scaled]
    start = maximum(lambda at, which: _likelihood(once, at, which), np.zeros((1, 1)))
    replicates = np.flatnonzero(finite)
    start = np.repeat(np.nan_to_num(start), len(replicates), axis=0)
    fitted = maximum(lambda at, which: _likelihood(scaled, at, replicates[which]), start)
    return fitted[:, 0] / scale


def _likelihood(
    strata: Sequence[Stratum], at: np.ndarray, which: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return log partial likelihood and Newton's step."""
    sums = np.sum([_of_stratum(one, at[:, 0], one.weights[which]) for one in strata], axis=0)
    height, gradient, curvature = sums
    return height, np.nan_to_num(ratio(gradient, curvature))[:, None]


def _of_stratum(one: Stratum, slope: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the stratum's log partial likelihood, its derivative and the negative second one.

    Of m tied events the k-th (from 0) meets all at risk less k / m of the tied.
    """
    x, events = one.risk, np.flatnonzero(one.event)
    last, starts = np.unique(one.at_risk()[events], return_index=True)
    ends = np.maximum(slope * x.max(), slope * x.min())
    shares = weights * np.exp(slope[:, None] * x - ends[:, None])
    moments = [shares, shares * x, shares * x**2]
    at_risk = [np.cumsum(moment, axis=1)[:, last].ravel() for moment in moments]
    tied = [np.add.reduceat(moment[:, events], starts, axis=1).ravel() for moment in moments]
    n_tied = np.add.reduceat(weights[:, events], starts, axis=1).ravel().astype(int)
    cell = np.repeat(np.arange(len(n_tied)), n_tied)
    before = np.arange(len(cell)) - np.repeat(np.cumsum(n_tied) - n_tied, n_tied)
    gone = before / n_tied[cell]
    total, first, second = (
        whole[cell] - gone * part[cell] for whole, part in zip(at_risk, tied, strict=True)
    )
    mean = first / total
    replicate = cell // len(last)

    def summed(values: np.ndarray) -> np.ndarray:
        return np.bincount(replicate, values, minlength=len(weights))

    happened = weights[:, events]
    n_events, of_events = happened.sum(axis=1), happened @ x[events]
    height = slope * of_events - n_events * ends - summed(np.log(total))
    return np.stack([height, of_events - summed(mean), summed(second / total - mean**2)])
