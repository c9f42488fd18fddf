"""The metric by which models are compared: one per task, as a function of patient weights.

A classification is compared by AUROC and not by balanced accuracy, the headline of the metrics: it
needs no cut, moves less from fold to fold, and so tells models apart on fewer patients.
"""

from collections.abc import Sequence

import numpy as np

from omicsfusion.assess.classification import probabilities, truth_codes
from omicsfusion.assess.held_out import HeldOut
from omicsfusion.assess.pairs import class_pairs, event_pairs, no_pairs
from omicsfusion.assess.predictions import classes_of
from omicsfusion.assess.regression import r2_of_parts
from omicsfusion.assess.survival import time_and_event
from omicsfusion.assess.undefined import mean_of_defined

METRIC = {"classification": "auroc", "survival": "c_index", "regression": "r2"}
CHANCE = {"classification": 0.5, "survival": 0.5, "regression": 0.0}
"""What a model reaches that knows nothing."""


def headline_score(sets: Sequence[HeldOut], task: str, weights: np.ndarray) -> np.ndarray:
    """Score one model on some of its held-out sets; pairs are counted within sets.

    Parameters
    ----------
    sets
        At least one.
    task
        ``classification``, ``survival`` or ``regression``.
    weights
        Replicates x patients.

    Returns
    -------
    Array of length replicates, NaN where not defined.
    """
    if task == "classification":
        return _auroc(sets, weights)
    return _c_index(sets, weights) if task == "survival" else r2_of_parts(sets, sets, weights)


def _auroc(sets: Sequence[HeldOut], weights: np.ndarray) -> np.ndarray:
    classes = classes_of(sets[0].rows)
    sums = [no_pairs(len(weights)) for _ in classes]
    for held in sets:
        values, truth = probabilities(held, classes), truth_codes(held, classes)
        here = weights[:, held.patients]
        for code in range(len(classes)):
            sums[code] = sums[code] + class_pairs(truth == code, values[:, code], here)
    return mean_of_defined(np.stack([pairs.share for pairs in sums], axis=-1))


def _c_index(sets: Sequence[HeldOut], weights: np.ndarray) -> np.ndarray:
    sums = no_pairs(len(weights))
    for held in sets:
        time, event = time_and_event(held.rows)
        risk = held.rows["risk"].to_numpy(dtype=float)
        sums = sums + event_pairs(time, event, risk, weights[:, held.patients])
    return sums.share
