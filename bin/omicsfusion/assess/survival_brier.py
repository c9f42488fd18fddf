"""The Brier score of survival predictions, at each horizon and integrated over them."""

from collections.abc import Sequence

import numpy as np

from omicsfusion.assess.bootstrap import Metrics
from omicsfusion.assess.censoring import follow_up_limit, uncensored
from omicsfusion.assess.held_out import HeldOut, time_and_event
from omicsfusion.assess.kaplan_meier import kaplan_meier
from omicsfusion.assess.predictions import horizons_of
from omicsfusion.assess.undefined import ratio


def survival_at(held: HeldOut, horizon: str) -> np.ndarray:
    """Return each sample's predicted survival; without one that of the fit's training samples."""
    survival = held.rows[f"s_{horizon}"].to_numpy(dtype=float)
    if not len(held.training):
        return survival
    of_training = kaplan_meier(*time_and_event(held.training)).at(float(horizon))
    return np.where(np.isnan(survival), of_training, survival)


def brier_terms(held: HeldOut, horizon: str) -> np.ndarray:
    """Return each sample's part of the Brier score at a horizon; NaN when it cannot be estimated.

    A sample that had the event by then contributes S^2 / G(its time), one that lived on
    (1 - S)^2 / G(horizon), one censored before nothing. An event at a time when no training sample
    is uncensored any more contributes nothing (as in scikit-survival).
    """
    at, survival, free = float(horizon), survival_at(held, horizon), uncensored(held)
    time, event = time_and_event(held.rows)
    died = np.nan_to_num(ratio(survival**2, free.at(time)))
    lived = ratio((1 - survival) ** 2, free.at(at))
    return np.select([event & (time <= at), time > at], [died, lived], 0.0)


def brier_scores(sets: Sequence[HeldOut], weights: np.ndarray) -> Metrics:
    """Compute ``ibs`` and ``brier@<time>``; ``weights``: replicates x patients.

    A set without training samples is left out of both.
    """
    horizons = horizons_of(sets[0].rows)
    if not horizons:
        return {"ibs": np.full(len(weights), np.nan)}
    known = [held for held in sets if len(held.training)]
    at_horizons, integrated = (
        np.zeros((2, len(horizons), len(weights))),
        np.zeros((2, len(weights))),
    )
    for held in known:
        here = weights[:, held.patients]
        terms = np.stack([brier_terms(held, horizon) for horizon in horizons], axis=1)
        told = ~np.isnan(terms).any(axis=0)
        total = here.sum(axis=1)
        at_horizons[0, told] += (here @ terms[:, told]).T
        at_horizons[1, told] += total
        score = _integrated(held, [float(horizon) for horizon in horizons], terms, here)
        integrated += [np.where(np.isnan(score), 0.0, values) for values in (score * total, total)]
    scores = zip(horizons, ratio(*at_horizons), strict=True)
    return {"ibs": ratio(*integrated), **{f"brier@{t}": score for t, score in scores}}


def _integrated(
    held: HeldOut, horizons: Sequence[float], terms: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Average the Brier score of one held-out set over time, for each replicate.

    From the first to the last horizon before tau, which is :func:`follow_up_limit`, but no later
    than the last time of the replicate's samples. The score is straight between horizons (trapezoid
    rule, as scikit-survival's ``integrated_brier_score``). NaN with fewer than two such horizons.
    """
    time, _ = time_and_event(held.rows)
    last = np.where(weights > 0, time, 0.0).max(axis=1, initial=0.0)
    n_before = np.searchsorted(horizons, np.minimum(last, follow_up_limit(held)), side="left")
    widths = np.diff(horizons)
    pieces = (terms[:, :-1] + terms[:, 1:]) / 2 * widths
    areas = np.concatenate([np.zeros((len(weights), 1)), weights @ np.cumsum(pieces, axis=1)], 1)
    end = np.maximum(n_before - 1, 0)
    width = np.concatenate([[0.0], np.cumsum(widths)])[end]
    return ratio(ratio(areas[np.arange(len(areas)), end], width), weights.sum(axis=1))
