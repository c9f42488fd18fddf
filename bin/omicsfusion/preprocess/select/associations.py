"""Tests of each feature by itself for association with the outcome."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import chi2, f, rankdata, t
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_array

CLASSIFICATION = "classification"
REGRESSION = "regression"
SURVIVAL = "survival"
# Columns that are looked at together: bounds what centred copies of them cost.
BLOCK = 1024
Tested = tuple[np.ndarray, np.ndarray]


def checked_outcome(y: Any, task: str | None, X: np.ndarray) -> tuple[str, np.ndarray]:
    """Return the task and the outcome of each row of X.

    Parameters
    ----------
    y
        Class of each sample (text or whole numbers), a number each, or time and event in two
        columns.
    task
        ``classification``, ``regression`` or ``survival``; None: told from y.

    Returns
    -------
    The task; and the position of each sample's class among the sorted classes, or the numbers, or
    (time, event) as samples x 2.

    Raises
    ------
    ValueError
        There is no y, or it does not fit the task or X.
    """
    if y is None:
        raise ValueError(
            "This selection requires y to be passed, but the target y is None: it learns from the "
            "outcome of the training samples."
        )
    y = np.asarray(y)
    check_consistent_length(X, y)
    if task == SURVIVAL or (task is None and y.ndim == 2 and y.shape[1] == 2):
        return SURVIVAL, _times_and_events(y)
    y = column_or_1d(y, warn=True)
    if task is None:
        check_array(y, ensure_2d=False, dtype=None if y.dtype.kind in "OUS" else np.float64)
        task = REGRESSION if type_of_target(y).startswith("continuous") else CLASSIFICATION
    if task == CLASSIFICATION:
        return task, np.unique(y, return_inverse=True)[1]
    return task, check_array(y, ensure_2d=False, dtype=np.float64)


def associations(X: np.ndarray, y: np.ndarray, task: str, ranks: bool = False) -> Tested:
    """Test each feature.

    Parameters
    ----------
    X
        Samples x features; a feature is tested on the samples where it is not missing (NaN).
    y, task
        As :func:`checked_outcome` returns them.
    ranks
        Whether each feature's values (and the outcome, if it is a number) are replaced by their
        ranks: Spearman's correlation, analysis of variance of ranks (Conover & Iman, Am. Stat.
        35:124, 1981), score test of ranks.

    Returns
    -------
    Statistic, the larger the stronger, and p-value of each feature; 0 and 1 for a feature that is
    constant or cannot be tested.
    """
    test = {CLASSIFICATION: anova, REGRESSION: correlation, SURVIVAL: cox_score}[task]
    statistic, p = np.zeros(X.shape[1]), np.ones(X.shape[1])
    complete = ~np.isnan(X).any(axis=0)
    whole = np.flatnonzero(complete)
    for start in range(0, len(whole), BLOCK):
        block = whole[start : start + BLOCK]
        statistic[block], p[block] = _tested(test, X[:, block], y, ranks)
    for column in np.flatnonzero(~complete):
        known = ~np.isnan(X[:, column])
        if known.any():
            found = _tested(test, X[known][:, [column]], y[known], ranks)
            statistic[column], p[column] = found[0][0], found[1][0]
    return statistic, p


def anova(X: np.ndarray, y: np.ndarray) -> Tested:
    """Return F and p of a one-way analysis of variance of each feature.

    Fisher, Statistical Methods for Research Workers, 1925, chapter VII.

    Parameters
    ----------
    y
        Class of each sample, whole numbers.
    """
    classes = np.unique(y)
    between_df, within_df = len(classes) - 1, len(X) - len(classes)
    if between_df < 1 or within_df < 1:
        return _untested(X)
    centred = X - X.mean(axis=0)
    between, within = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    for label in classes:
        rows = centred[y == label]
        mean = rows.mean(axis=0)
        between += len(rows) * mean**2
        within += ((rows - mean) ** 2).sum(axis=0)
    statistic = _ratio(between / between_df, within / within_df)
    return statistic, f.sf(statistic, between_df, within_df)


def correlation(X: np.ndarray, y: np.ndarray) -> Tested:
    """Return |t| and the two-sided p of each feature's Pearson correlation with y.

    t = r sqrt((n - 2) / (1 - r^2)) with n - 2 degrees of freedom (Student, Biometrika 6:302, 1908).

    Parameters
    ----------
    y
        A number for each sample.
    """
    df = len(X) - 2
    if df < 1 or y.max() == y.min():
        return _untested(X)
    x = X - X.mean(axis=0)
    y = y - y.mean()
    squares = (x**2).sum(axis=0) * (y**2).sum()
    r = _ratio((x * y[:, None]).sum(axis=0), np.sqrt(squares))
    r = np.clip(r, -1, 1)
    statistic = _ratio(np.abs(r) * np.sqrt(df), np.sqrt(1 - r**2))
    return statistic, 2 * t.sf(statistic, df)


def cox_score(X: np.ndarray, y: np.ndarray) -> Tested:
    """Return chi-squared and p of each feature's score test in Cox's model.

    With several events at one time it is the test in Cox's discrete model (J. R. Stat. Soc. B
    34:187, 1972, section 6), of which the log-rank test is the case of two groups::

        U = sum_t (sum of x over the d events - d mean_t)
        V = sum_t d (n - d) / (n - 1) variance_t
        chi-squared = U^2 / V, 1 degree of freedom

    where mean and variance (divided by n) are those of the n samples at risk at time t.

    Parameters
    ----------
    y
        Samples x 2: time, and 1 for an event or 0 for a censored time.
    """
    order = np.argsort(-y[:, 0], kind="stable")
    y = y[order]
    when, n_events, at_risk = events_and_risk_sets(y)
    if len(when) == 0:
        return _untested(X)
    x = X[order] - X.mean(axis=0)
    deviation = np.sqrt((x**2).mean(axis=0))
    x /= np.where(deviation > 0, deviation, 1)
    weight = n_events * (at_risk - n_events) / np.maximum(at_risk - 1, 1)
    # Both sums over times of means over risk sets are sums over samples of the times that they saw.
    score = martingale_residuals(y) @ x
    seen = np.searchsorted(when, y[:, 0], side="right")
    information = np.concatenate([[0.0], np.cumsum(weight / at_risk)])[seen] @ x**2
    mean = np.cumsum(x, axis=0)[at_risk - 1] / at_risk[:, None]
    information -= weight @ mean**2
    # What rounding leaves of a feature that varies after the last event only.
    information[information < 1e-12 * n_events.sum()] = 0
    statistic = np.where(information > 0, _ratio(score**2, information), 0)
    return statistic, chi2.sf(statistic, 1)


def events_and_risk_sets(y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the times of events, ascending, and the numbers of events and of samples at risk.

    Parameters
    ----------
    y
        Samples x 2: time, and 1 for an event or 0 for a censored time.
    """
    time, event = y[:, 0], y[:, 1] > 0
    when, n_events = np.unique(time[event], return_counts=True)
    return when, n_events, len(time) - np.searchsorted(np.sort(time), when, side="left")


def martingale_residuals(y: np.ndarray) -> np.ndarray:
    """Return event - cumulative hazard (Nelson & Aalen) at each sample's time.

    Parameters
    ----------
    y
        Samples x 2: time, and 1 for an event or 0 for a censored time.
    """
    when, n_events, at_risk = events_and_risk_sets(y)
    hazard = np.concatenate([[0.0], np.cumsum(n_events / at_risk)])
    return (y[:, 1] > 0) - hazard[np.searchsorted(when, y[:, 0], side="right")]


def _tested(
    test: Callable[[np.ndarray, np.ndarray], Tested], X: np.ndarray, y: np.ndarray, ranks: bool
) -> Tested:
    if ranks:
        X = rankdata(X, axis=0)
        y = rankdata(y) if test is correlation else y
    statistic, p = test(X, y)
    # The mean of equal values may be off by a rounding: their deviations are not to be tested.
    constant = X.max(axis=0) == X.min(axis=0)
    return np.where(constant, 0.0, statistic), np.where(constant, 1.0, p)


def _untested(X: np.ndarray) -> Tested:
    return np.zeros(X.shape[1]), np.ones(X.shape[1])


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Divide; x / 0 is infinite and 0 / 0 is 0."""
    empty = np.where(above > 0, np.inf, 0.0)
    return np.divide(above, below, out=empty, where=below > 0)


def _times_and_events(y: Any) -> np.ndarray:
    y = check_array(y, dtype=np.float64)
    if y.shape[1] != 2:
        raise ValueError(
            f"The outcome of a survival task has two columns, time and event; y has {y.shape[1]}."
        )
    return y
