"""Pairs of samples that survival predictions should order, with the weights of each measure."""

import numpy as np

from omicsfusion.assess.censoring import follow_up_limit, uncensored
from omicsfusion.assess.held_out import HeldOut, time_and_event
from omicsfusion.assess.pairs import PairSums, class_pairs, event_pairs, no_pairs
from omicsfusion.assess.predictions import horizons_of
from omicsfusion.assess.undefined import ratio


def harrell_pairs(held: HeldOut, weights: np.ndarray) -> PairSums:
    """Count the pairs of Harrell's C in one held-out set; ``weights``: replicates x patients."""
    time, event = time_and_event(held.rows)
    risk = held.rows["risk"].to_numpy(dtype=float)
    return event_pairs(time, event, risk, weights[:, held.patients])


def uno_pairs(held: HeldOut, weights: np.ndarray) -> PairSums:
    """Count the pairs of Uno's C in one held-out set; ``weights``: replicates x patients.

    A pair counts 1 / G^2 when its event is before tau, else not; G is the probability to be
    uncensored at the event, and tau the limit of follow-up, both of the training samples.
    """
    time, event = time_and_event(held.rows)
    risk = held.rows["risk"].to_numpy(dtype=float)
    factor = _inverse(uncensored(held).at(time)) ** 2
    factor = np.where(time < follow_up_limit(held), factor, 0.0)
    return event_pairs(time, event, risk, weights[:, held.patients], factor)


def antolini_pairs(held: HeldOut, weights: np.ndarray) -> PairSums:
    """Count the pairs of Antolini's C in one held-out set; ``weights``: replicates x patients.

    Antolini, Boracchi and Biganzoli (Stat. Med. 24, 2005, 3927-3944) compare the predicted
    survival of the two at the time of the event. Predictions hold survival at the horizons only,
    so it is compared **at the first horizon not before the event**, and at the last horizon for
    events after it: C on the grid of horizons. Where hazards are proportional that is Harrell's C.
    """
    time, event = time_and_event(held.rows)
    horizons, here = horizons_of(held.rows), weights[:, held.patients]
    ends = np.array([float(horizon) for horizon in horizons])
    interval = np.minimum(np.searchsorted(ends, time, side="left"), len(ends) - 1)
    sums = no_pairs(len(weights))
    for position, horizon in enumerate(horizons):
        survival = held.rows[f"s_{horizon}"].to_numpy(dtype=float)
        sums = sums + event_pairs(time, event & (interval == position), -survival, here)
    return sums


def auc_pairs(held: HeldOut, horizon: str, weights: np.ndarray) -> PairSums:
    """Count the pairs of the AUC at a horizon in one held-out set.

    Cumulative cases, dynamic controls: a sample that had the event by then against one that lived
    on, ordered by the predicted survival at the horizon; a pair counts 1 / G(time of the event)
    (Uno et al., JASA 102, 2007, 527-537; Hung and Chiang, Can. J. Stat. 38, 2010, 8-26). G is
    estimated from the training samples; an event where none is uncensored any more does not count.

    Parameters
    ----------
    weights
        Replicates x patients.
    """
    time, event = time_and_event(held.rows)
    case, control = event & (time <= float(horizon)), time > float(horizon)
    part = case | control
    factor = np.where(case, _inverse(uncensored(held).at(time)), 1.0)[part]
    survival = held.rows[f"s_{horizon}"].to_numpy(dtype=float)
    return class_pairs(case[part], -survival[part], weights[:, held.patients[part]] * factor)


def _inverse(values: np.ndarray) -> np.ndarray:
    return np.nan_to_num(ratio(np.ones_like(values), values))
