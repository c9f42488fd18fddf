"""From the risks of a proportional-hazards model to survival probabilities."""

import numpy as np


def breslow(risk: np.ndarray, time: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Estimate the cumulative baseline hazard on training samples.

    Breslow (1972), discussion of Cox, J R Stat Soc B 34:216: at each event time the number of
    events over the summed relative hazards of those at risk.

    Parameters
    ----------
    risk
        Log partial hazards of the training samples, shape (n,).
    time, event
        Follow-up time and event indicator (1 or 0), shape (n,).

    Returns
    -------
    Distinct event times, increasing, and the cumulative baseline hazard at each.
    """
    times = np.unique(time[event == 1])
    order = np.argsort(time, kind="stable")
    at_risk = np.cumsum(np.exp(risk[order])[::-1])[::-1]
    first = np.searchsorted(time[order], times, side="left")
    deaths = np.array([np.sum((time == t) & (event == 1)) for t in times], dtype=float)
    return times, np.cumsum(deaths / at_risk[first])


def survival_at(
    risk: np.ndarray, times: np.ndarray, hazard: np.ndarray, asked: np.ndarray
) -> np.ndarray:
    """Return S(t | risk) = exp(-H0(t) exp(risk)), samples x times asked; NaN where a time is.

    H0 is 0 before the first of ``times``, and flat between them and after the last.

    Parameters
    ----------
    risk
        Log partial hazards on the scale on which ``hazard`` was estimated, shape (n,).
    times, hazard
        As returned by :func:`breslow`.
    asked
        Times at which survival is wanted, in the unit of ``times``: the same for all samples, or
        samples x times.
    """
    steps = np.concatenate([[0.0], hazard])[np.searchsorted(times, asked, side="right")]
    return np.exp(-np.exp(risk)[:, None] * np.where(np.isnan(asked), np.nan, steps))
