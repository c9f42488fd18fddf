"""The best of several models, chosen for each outer fold by its inner scores.

To take the best by the scores of the test samples would flatter whoever has more candidates.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from omicsfusion.assess.comparison.headline import headline_score
from omicsfusion.assess.held_out import held_out_sets, scored_rows

Fold = tuple[int, int]


def side_of(
    entries: Mapping[str, pd.DataFrame], names: Sequence[str], scope: str, task: str
) -> tuple[pd.DataFrame, list[str]]:
    """Put one side of a question together: a model, or in each fold the best of several.

    Parameters
    ----------
    entries, task
        As :func:`best_of` takes them.
    names
        The models of the side. One that predicts nobody of the scope is not chosen.
    scope
        ``test`` or ``external``; its folds are those that count.

    Returns
    -------
    As :func:`best_of`.
    """
    scores = {name: scored_rows(entries[name], scope) for name in names}
    candidates = {name: entries[name] for name in names if len(scores[name])}
    if not candidates:
        return entries[names[0]], [names[0]]
    scored = pd.concat([scores[name] for name in candidates])
    folds = scored[["repeat", "fold"]].drop_duplicates().sort_values(["repeat", "fold"])
    return best_of(candidates, list(folds.itertuples(index=False, name=None)), task)


def best_of(
    entries: Mapping[str, pd.DataFrame], folds: Sequence[Fold], task: str
) -> tuple[pd.DataFrame, list[str]]:
    """Put the predictions together of the model that did best in the inner folds of each fold.

    Parameters
    ----------
    entries
        Model -> its rows (one permutation and target) that have an outcome; at least one.
    folds
        Repeat and outer fold; ``(0, 0)`` is the training set of all samples.
    task
        ``classification``, ``survival`` or ``regression``.

    Returns
    -------
    The rows of all scopes of the chosen models, and the chosen models, the most frequent first.
    """
    if len(entries) == 1:
        return next(iter(entries.values())), list(entries)
    chosen = {fold: _best_inside(entries, fold, task) for fold in folds}
    parts = [_of_fold(entries[model], fold) for fold, model in chosen.items()]
    counts = Counter(chosen.values())
    return pd.concat(parts), sorted(counts, key=lambda model: (-counts[model], model))


def inner_score(entry: pd.DataFrame, fold: Fold, task: str) -> float:
    """Score a model on the inner folds of one outer training set; NaN without any."""
    rows = _of_fold(entry, fold)
    # Held-out sets of the training set of all samples are not scored elsewhere: call it repeat 1.
    inner = rows[rows["scope"] == "inner"].assign(repeat=1)
    patients = sorted(inner["patient"].unique())
    sets = held_out_sets(inner, "inner", patients)
    if not sets:
        return float("nan")
    return float(headline_score(sets, task, np.ones((1, len(patients))))[0])


def _best_inside(entries: Mapping[str, pd.DataFrame], fold: Fold, task: str) -> str:
    """Of equal ones the first by name; a model without a score comes last."""
    scores = {model: inner_score(entry, fold, task) for model, entry in entries.items()}
    return min(scores, key=lambda model: (-np.nan_to_num(scores[model], nan=-np.inf), model))


def _of_fold(entry: pd.DataFrame, fold: Fold) -> pd.DataFrame:
    return entry[(entry["repeat"] == fold[0]) & (entry["fold"] == fold[1])]
