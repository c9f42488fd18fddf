"""Negative controls of which a part could not be computed: half a control is none.

A control whose preparing or training ends with an error does not end the run. What is left of it
would be a score of some folds among scores of all.
"""

import pandas as pd

from omicsfusion.assess.held_out import scored_rows

SCOPE = "test"


def whole_controls(controls: pd.DataFrame, real: pd.DataFrame) -> pd.DataFrame:
    """Keep of each control the models that were tested on every fold.

    Parameters
    ----------
    controls
        Predictions of negative controls: repeat 1.
    real
        Predictions of the cohort as it is, whose folds of a repeat are as many as a control's.

    Returns
    -------
    The rows of controls without those of a control's model that lacks a fold.
    """
    folds = _tested_folds(controls)
    needed = _tested_folds(real[real["repeat"] <= 1]).droplevel("permutation")
    whole = folds[folds >= needed.reindex(folds.index.get_level_values("model")).to_numpy()]
    keys = pd.MultiIndex.from_frame(controls[["permutation", "model"]])
    return controls[keys.isin(whole.index)]


def _tested_folds(predictions: pd.DataFrame) -> pd.Series:
    """Count the folds of each permutation and model."""
    tested = scored_rows(predictions, SCOPE)
    return tested.groupby(["permutation", "model"])["fold"].nunique()
