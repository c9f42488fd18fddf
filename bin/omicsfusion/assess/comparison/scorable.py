"""Whom a model can score: a model of one layer knows nothing of those who lack it.

It predicts them all the same, as if they were average, and its metrics count that. A comparison
must not: a network would be better than the best single layer by having seen another one at all.
"""

from collections.abc import Mapping

import pandas as pd

from omicsfusion.assess.comparison.roles import only_layer


def of_scorable(
    entries: Mapping[str, pd.DataFrame], patterns: pd.Series | None
) -> dict[str, pd.DataFrame]:
    """Keep of each model's rows those of samples that it can score.

    Parameters
    ----------
    entries
        Model -> its rows, of all scopes.
    patterns
        Index: sample. Names of its layers, joined by ``;``. None: everyone has all layers.

    Returns
    -------
    All rows of models of several layers; of a model of one layer those of samples that have it.
    """
    if patterns is None:
        return dict(entries)
    return {model: _of_layer(rows, only_layer(model), patterns) for model, rows in entries.items()}


def _of_layer(rows: pd.DataFrame, layer: str | None, patterns: pd.Series) -> pd.DataFrame:
    if layer is None:
        return rows
    have = patterns.index[[layer in names.split(";") for names in patterns]]
    return rows[rows["sample"].isin(have)]
