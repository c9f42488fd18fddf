"""The metric by which models are compared: one per task, as a function of patient weights.

A classification is compared by AUROC and not by balanced accuracy, the headline of the metrics: it
needs no cut, moves less from fold to fold, and so tells models apart on fewer patients.
"""

from collections.abc import Sequence

import numpy as np

from omicsfusion.assess.classification import auroc
from omicsfusion.assess.held_out import HeldOut
from omicsfusion.assess.predictions import classes_of
from omicsfusion.assess.regression import r2_of_parts
from omicsfusion.assess.survival import c_index

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
        return auroc(sets, classes_of(sets[0].rows), weights)
    if task == "survival":
        return c_index(sets, weights).share
    return r2_of_parts(sets, sets, weights)
