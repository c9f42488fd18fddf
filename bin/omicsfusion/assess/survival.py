"""Metrics of survival predictions, as functions of patient weights.

Pairs are counted within held-out sets. A sample without a prediction (its fit failed) counts as
chance: half a pair each time in the C-indices, and in the Brier score the survival curve of the
fit's training samples, which is the same for everyone.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from omicsfusion.assess.bootstrap import Metrics
from omicsfusion.assess.held_out import HeldOut
from omicsfusion.assess.kaplan_meier import censoring_distribution, kaplan_meier
from omicsfusion.assess.pairs import event_pairs, no_pairs
from omicsfusion.assess.predictions import horizons_of
from omicsfusion.assess.undefined import ratio

TAU_QUANTILE = 0.9
"""Uno's C counts events before this quantile of the training samples' follow-up."""


def survival_metrics(sets: Sequence[HeldOut], weights: np.ndarray) -> Metrics:
    """Compute all metrics of survival predictions.

    Parameters
    ----------
    sets
        The held-out sets of one model and scope.
    weights
        Replicates x patients.

    Returns
    -------
    For each metric an array of length replicates, NaN where not defined: ``c_index`` (Harrell),
    ``uno_c`` (Uno et al., Stat. Med. 30, 2011, 1105-1117), ``brier@<time>`` for each
    horizon (Graf et al., Stat. Med. 18, 1999, 2529-2545). Censoring is estimated from the training
    samples of each fit; a set without any is left out of ``uno_c`` and ``brier@<time>``.
    """
    harrell, uno = no_pairs(len(weights)), no_pairs(len(weights))
    for held in sets:
        time, event = time_and_event(held.rows)
        risk, here = held.rows["risk"].to_numpy(dtype=float), weights[:, held.patients]
        harrell = harrell + event_pairs(time, event, risk, here)
        if len(held.training):
            uno = uno + event_pairs(time, event, risk, here, uno_weights(held))
    briers = {f"brier@{t}": _brier(sets, t, weights) for t in horizons_of(sets[0].rows)}
    return {"c_index": harrell.share, "uno_c": uno.share, **briers}


def time_and_event(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return times (float) and whether the event happened (boolean)."""
    return rows["time"].to_numpy(dtype=float), rows["event"].to_numpy(dtype=float) == 1


def uno_weights(held: HeldOut) -> np.ndarray:
    """Return 1 / G(t)^2 for each held-out sample before tau, 0 from tau on.

    G is the probability to be uncensored, and tau the 90 % quantile of follow-up, both of the
    training samples. Beyond tau G is estimated from few samples and its inverse explodes.
    """
    train_time, train_event = time_and_event(held.training)
    time, _ = time_and_event(held.rows)
    before = time < np.quantile(train_time, TAU_QUANTILE)
    uncensored = censoring_distribution(train_time, train_event).at(time)
    return np.where(before, ratio(np.ones_like(time), uncensored) ** 2, 0.0)


def brier_terms(held: HeldOut, horizon: str) -> np.ndarray:
    """Return each sample's part of the Brier score at a horizon; NaN when it cannot be estimated.

    A sample that had the event by then contributes S^2 / G(its time), one that lived on
    (1 - S)^2 / G(horizon), one censored before nothing. An event at a time when no training sample
    is uncensored any more contributes nothing (as in scikit-survival).
    """
    at = float(horizon)
    train_time, train_event = time_and_event(held.training)
    uncensored = censoring_distribution(train_time, train_event)
    survival = held.rows[f"s_{horizon}"].to_numpy(dtype=float)
    survival = np.where(np.isnan(survival), kaplan_meier(train_time, train_event).at(at), survival)
    time, event = time_and_event(held.rows)
    died = np.nan_to_num(ratio(survival**2, uncensored.at(time)))
    lived = ratio((1 - survival) ** 2, uncensored.at(at))
    return np.select([event & (time <= at), time > at], [died, lived], 0.0)


def _brier(sets: Sequence[HeldOut], horizon: str, weights: np.ndarray) -> np.ndarray:
    total, count = np.zeros((2, len(weights)))
    for held in sets:
        terms = brier_terms(held, horizon) if len(held.training) else np.array([np.nan])
        if not np.isnan(terms).any():
            here = weights[:, held.patients]
            total += here @ terms
            count += here.sum(axis=1)
    return ratio(total, count)
