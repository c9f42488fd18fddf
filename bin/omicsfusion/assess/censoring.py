"""What the training samples of a fit say of how long samples are followed."""

import numpy as np

from omicsfusion.assess.held_out import HeldOut, time_and_event
from omicsfusion.assess.kaplan_meier import KaplanMeier, censoring_distribution

TAU_QUANTILE = 0.9
"""Uno's C and the integrated Brier score look no further than this quantile of follow-up."""


def uncensored(held: HeldOut) -> KaplanMeier:
    """Estimate the probability to be uncensored at any time, from the training samples."""
    return censoring_distribution(*time_and_event(held.training))


def follow_up_limit(held: HeldOut) -> float:
    """Return tau, the 90 % quantile of the training samples' follow-up.

    Beyond it the probability to be uncensored is estimated from few, and its inverse explodes.
    """
    return float(np.quantile(time_and_event(held.training)[0], TAU_QUANTILE))
