"""Whether the predicted survival is, on average, what is observed."""

from collections.abc import Sequence

import numpy as np

from omicsfusion.assess.held_out import HeldOut, time_and_event
from omicsfusion.assess.survival_brier import survival_at
from omicsfusion.assess.undefined import ratio


def mean_calibration(sets: Sequence[HeldOut], horizon: str, weights: np.ndarray) -> np.ndarray:
    """Return predicted minus observed survival at a horizon, averaged over the samples.

    Mean calibration (Van Calster et al., J. Clin. Epidemiol. 74, 2016, 167-176): above 0 the model
    is too hopeful. What is observed is the Kaplan-Meier estimate in each held-out set. A set whose
    follow-up ends before the horizon is left out, and so is one without a prediction whose training
    samples are not known.

    Parameters
    ----------
    weights
        Replicates x patients.
    """
    total, count = np.zeros((2, len(weights)))
    for held in sets:
        survival, here = survival_at(held, horizon), weights[:, held.patients]
        if not np.isnan(survival).any():
            n = here.sum(axis=1)
            difference = here @ survival - n * observed_survival(held, float(horizon), here)
            total += np.where(np.isnan(difference), 0.0, difference)
            count += np.where(np.isnan(difference), 0.0, n)
    return ratio(total, count)


def observed_survival(held: HeldOut, at: float, weights: np.ndarray) -> np.ndarray:
    """Estimate survival at a time (Kaplan & Meier, JASA 53, 1958, 457-481) for each replicate.

    Parameters
    ----------
    weights
        Replicates x samples of the held-out set.

    Returns
    -------
    Array of length replicates; NaN where the last sample is censored before the time.
    """
    time, event = time_and_event(held.rows)
    order = np.argsort(time, kind="stable")
    starts = np.flatnonzero(np.diff(time[order], prepend=-np.inf))
    leaving = np.add.reduceat(weights[:, order], starts, axis=1)
    events = np.add.reduceat(weights[:, order] * event[order], starts, axis=1)
    at_risk = np.cumsum(leaving[:, ::-1], axis=1)[:, ::-1]
    steps = np.where(events > 0, 1 - events / np.maximum(at_risk, 1), 1.0)
    survival = np.prod(steps[:, time[order][starts] <= at], axis=1)
    followed = ((weights > 0) & (time >= at)).any(axis=1)
    return np.where(followed | (survival == 0), survival, np.nan)
