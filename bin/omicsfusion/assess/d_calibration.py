"""D-calibration: whether predicted survival curves are right as distributions, not on average only.

Haider, Hoehn, Davis and Greiner, Journal of Machine Learning Research 21(85), 2020: if the curve S
of each sample is right, its survival at the sample's own time of the event, S(t), is uniform on 0
to 1. So of ten equal bins each gets a tenth of the samples; Pearson's chi-square compares. A sample
censored at c has its event later, where S lies below S(c), and if the curve is right S(t) is
uniform on 0 to S(c): the sample is spread over the bins up to there.

A calibrated model is not a good one: the Kaplan-Meier curve of the whole cohort, the same for
everyone, is calibrated. And much censoring fills the bins evenly by itself: the test sees less.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import chi2

from omicsfusion.assess.held_out import HeldOut, time_and_event
from omicsfusion.assess.kaplan_meier import kaplan_meier
from omicsfusion.assess.predictions import OWN_SURVIVAL
from omicsfusion.assess.undefined import ratio

BINS = 10
LEAST_SAMPLES = 50
"""Five expected in a bin, from which on the chi-square distribution may be trusted (Cochran,
Biometrics 10, 1954, 417-451)."""

COLUMNS = ["model", "statistic", "p", "n", *(f"share_{i}" for i in range(1, BINS + 1)), "reason"]


def d_calibration(model: str, sets: Sequence[HeldOut]) -> dict[str, object]:
    """Test the predicted survival of all held-out sets of one model and scope.

    Survival is a probability, on one scale in all folds, and pooled, as the authors do. In each
    repeat a sample counts once, and counts are averaged over repeats: more repeats are not more
    samples. (Averaged counts scatter less than those of one repeat, so the test is on the safe
    side.)

    Returns
    -------
    ``COLUMNS``: Pearson's ``statistic``, its ``p`` with ``BINS`` - 1 degrees of freedom (NaN for
    fewer than ``LEAST_SAMPLES`` samples, which ``reason`` says), ``n`` (samples in a repeat, the
    mean over repeats), and the share of the samples in each bin, that of the lowest survival first.
    """
    parts, repeats = np.concatenate([_parts(h) for h in sets]), len({h.repeat for h in sets})
    counts, n = parts.sum(axis=0) / repeats, len(parts) / repeats
    statistic = chi_square(counts)
    enough = n >= LEAST_SAMPLES
    return {
        "model": model,
        "statistic": statistic,
        "p": float(chi2.sf(statistic, BINS - 1)) if enough else np.nan,
        "n": n,
        **{f"share_{i}": share for i, share in enumerate(ratio(counts, np.array(n)), start=1)},
        "reason": "" if enough else f"fewer than {LEAST_SAMPLES} samples",
    }


def _parts(held: HeldOut) -> np.ndarray:
    survival = own_survival(held)
    known = ~np.isnan(survival)
    return spread_over_bins(survival[known], time_and_event(held.rows)[1][known])


def own_survival(held: HeldOut) -> np.ndarray:
    """Return each sample's predicted survival at its own time.

    Without a prediction (its fit failed) that of the fit's training samples, the same curve for
    everyone; NaN where they are not known.
    """
    survival = held.rows[OWN_SURVIVAL].to_numpy(dtype=float)
    if not len(held.training):
        return survival
    time, _ = time_and_event(held.rows)
    return np.where(
        np.isnan(survival), kaplan_meier(*time_and_event(held.training)).at(time), survival
    )


def spread_over_bins(survival: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Return which part of each sample belongs to each bin, samples x ``BINS``; rows sum to 1.

    Bins are 0 to .1, .1 to .2, … .9 to 1; a value between two belongs to the upper one. A censored
    sample has in each bin the share of 0 to S(c) that lies in it: .1 / S(c) in those below its own,
    the rest in its own.

    Parameters
    ----------
    survival
        Predicted survival at the own time, 0 to 1.
    event
        Whether the event happened.
    """
    edges = np.arange(BINS + 1) / BINS
    place = np.searchsorted(edges[1:-1], survival, side="right")
    whole = np.eye(BINS)[place]
    within = np.clip(survival[:, None] - edges[:-1], 0.0, np.diff(edges))
    # Of a survival of 0 nothing is left to spread: it lies in the lowest bin, where it is.
    total = survival[:, None]
    parts = np.divide(within, total, out=whole.copy(), where=total > 0)
    return np.where(event[:, None], whole, parts)


def chi_square(counts: np.ndarray) -> float:
    """Return Pearson's statistic of counts that should all be equal; NaN where all are 0."""
    expected = counts.mean()
    return float(ratio(np.sum((counts - expected) ** 2), expected))
