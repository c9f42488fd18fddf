"""The Kaplan-Meier estimate of survival, and of the time to censoring."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

LEVEL = 0.95


@dataclass(frozen=True)
class KaplanMeier:
    """A survival curve: ``survival[k]`` holds from ``time[k]`` up to the next time.

    Attributes
    ----------
    time
        The distinct times, rising, in the unit of the input.
    survival
        Estimated probability to live beyond each time.
    at_risk, events
        Samples under observation just before, and events at, each time.
    """

    time: np.ndarray
    survival: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray

    def at(self, time: np.ndarray | float) -> np.ndarray:
        """Return the estimate at any times; 1 before the first, and flat after the last."""
        position = np.searchsorted(self.time, np.asarray(time, dtype=float), side="right")
        return np.concatenate([[1.0], self.survival])[position]

    def interval(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the 95 % interval at each time.

        Greenwood's variance on the scale log(-log S) (Kalbfleisch & Prentice 2002, section 1.4),
        so that the ends stay within 0 and 1. Where S is 1 the interval is 1 to 1, where S is 0 it
        is 0 to 0: the variance says nothing there.
        """
        left = self.at_risk - self.events
        inside = (self.survival > 0) & (self.survival < 1)
        steps = np.where(left > 0, self.events / (self.at_risk * np.maximum(left, 1)), 0.0)
        log_survival = np.log(np.where(inside, self.survival, 0.5))
        spread = norm.ppf((1 + LEVEL) / 2) * np.sqrt(np.cumsum(steps)) / log_survival
        low = np.where(inside, np.exp(log_survival * np.exp(-spread)), self.survival)
        high = np.where(inside, np.exp(log_survival * np.exp(spread)), self.survival)
        return low, high


def kaplan_meier(time: np.ndarray, event: np.ndarray) -> KaplanMeier:
    """Estimate the survival curve (Kaplan & Meier, JASA 53, 1958, 457-481).

    Parameters
    ----------
    time
        Time of the event or of censoring of each sample, > 0.
    event
        Boolean: whether the event happened. At equal times events come before censorings.
    """
    times, at_risk, events, _ = _table(time, event)
    return KaplanMeier(times, np.cumprod(1 - events / at_risk), at_risk, events)


def censoring_distribution(time: np.ndarray, event: np.ndarray) -> KaplanMeier:
    """Estimate the probability to be still uncensored: the roles of event and censoring exchanged.

    At equal times events come before censorings, so those with an event are no longer at risk of
    being censored (as scikit-survival's ``CensoringDistributionEstimator`` has it).
    """
    times, at_risk, events, censored = _table(time, event)
    at_risk = at_risk - events
    return KaplanMeier(times, np.cumprod(1 - censored / np.maximum(at_risk, 1)), at_risk, censored)


def _table(
    time: np.ndarray, event: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Distinct times, numbers at risk, of events and of censorings."""
    times, position, counts = np.unique(time, return_inverse=True, return_counts=True)
    events = np.bincount(position, weights=event.astype(float), minlength=len(times))
    at_risk = len(time) - np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(float)
    return times, at_risk, events, counts - events
