"""How many patients, or events, would tell a difference from none."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2
from scipy.stats import t as student

CONFIDENCE, POWER = 0.95, 0.80
RANGE = 0.8
"""The range is what the uncertainty of the standard error leaves, at this level."""

BEYOND = 20
"""More times as many samples as there are is no advice."""


@dataclass(frozen=True)
class Needed:
    """Patients (or events) that a difference needs.

    Attributes
    ----------
    effect
        The difference that they would tell from none.
    low, high
        Their number, as a range.
    beyond
        Whether they are more than 20 times those there are.
    """

    effect: float
    low: int
    high: int
    beyond: bool


def needed(n: int, difference: float, se: float, df: int, margin: float) -> Needed | None:
    """Reckon with n ((t.95 + t.80) SE / max(m, |d|))².

    Parameters
    ----------
    n
        Patients, or for survival events, that the standard error comes from.
    difference, se, df
        The estimate, its standard error, and the degrees of freedom of that.
    margin
        The least difference of interest.

    Returns
    -------
    None where there is no standard error. The range: SE² within the central 80 % of its
    chi-squared distribution.
    """
    if not np.isfinite(se) or df < 1:
        return None
    effect = max(margin, abs(difference))
    quantiles = student.ppf(CONFIDENCE, df) + student.ppf(POWER, df)
    wanted = n * (quantiles * se / effect) ** 2
    tail = (1 - RANGE) / 2
    low, high = (wanted * df / chi2.ppf(1 - share, df) for share in (tail, 1 - tail))
    return Needed(effect, round(low), round(high), bool(wanted > BEYOND * n))
