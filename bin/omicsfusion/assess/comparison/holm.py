"""Holm's correction of several p-values (Holm, Scand. J. Statist. 6, 1979, 65-70)."""

import numpy as np


def holm(p: np.ndarray) -> np.ndarray:
    """Adjust p-values so that the chance of any false claim among them stays that of one.

    Parameters
    ----------
    p
        The p-values of a family; NaN is a test that was not made and counts for nothing.

    Returns
    -------
    Adjusted values in the same order, at most 1; NaN where ``p`` is.
    """
    adjusted = np.full(len(p), np.nan)
    made = np.flatnonzero(~np.isnan(p))
    rising = made[np.argsort(p[made], kind="stable")]
    steps = (len(rising) - np.arange(len(rising))) * p[rising]
    adjusted[rising] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
