"""What tuning tried and chose, and which of the choices made a difference."""

from typing import Any

import pandas as pd

from omicsfusion.report.blocks import Bar, Table
from omicsfusion.report.colours import NETWORK
from omicsfusion.report.metric_words import metric_in_words
from omicsfusion.report.published import TRIED
from omicsfusion.report.results import Results
from omicsfusion.report.words import (
    count,
    decimals_to_tell,
    model_name,
    model_order,
    quantity,
    score,
    share,
    span,
)

SETTINGS = {
    "learning_rate": "Learning rate",
    "weight_decay": "Weight decay",
    "input_dropout": "Dropout of features",
    "hidden_dropout": "Dropout of hidden units",
    "omics_dropout": "Dropout of whole layers",
    "input_noise": "Noise on the features",
    "label_smoothing": "Label smoothing",
    "structure": "Structure of the network",
}
SET = ["repeat", "fold", "inner"]


def tuned_networks(results: Results) -> list[dict[str, Any]]:
    """Return what the page says of each network that was tuned; nothing without trials."""
    trials = results["trials"]
    label = metric_in_words(results.headline).label
    told = []
    for model in sorted(trials["model"].unique(), key=model_order):
        rows = trials[trials["model"] == model].astype({"score": float})
        importance = results["trials_importance"]
        importance = importance[importance["model"] == model]
        told.append(
            {
                "name": model_name(model),
                "sentence": _sentence(rows, label),
                "settings": _settings(rows),
                "bars": _bars(importance),
                "importance": _importance_sentence(importance),
            }
        )
    return told


def _chosen(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["chosen"] == "True"]


def _sentence(rows: pd.DataFrame, label: str) -> str:
    sizes = rows.groupby(SET).size()
    dropped = int((rows["state"] == "dropped").sum())
    tried = (
        f"For each of {count(len(sizes), 'training set')}, {span(list(sizes))} settings were "
        f"tried on its inner folds; {share(dropped, len(rows))} of them were given up half way."
    )
    scores = [part["score"].dropna() for part in (_chosen(rows), _default(rows))]
    if not all(len(known) for known in scores):
        return f"{tried} No score of the chosen ones beside the defaults is known."
    chosen, default = (known.median() for known in scores)
    digits = decimals_to_tell([chosen, default])
    return (
        f"{tried} On those folds the chosen one reached a {label} of {score(chosen, digits)}, the "
        f"defaults {score(default, digits)} (medians over the training sets). The best of many "
        "looks better than it is: what it is worth on new patients is told by the held-out ones."
    )


def _default(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["trial"] == 0]


def _settings(rows: pd.DataFrame) -> Table:
    chosen = _chosen(rows)
    final = chosen[chosen["inner"] == "final"]
    cells = [
        [SETTINGS[name], _one(_default(rows)[name]), _typical(chosen[name]), _one(final[name])]
        for name in TRIED
        if rows[name].notna().any()
    ]
    n = len(chosen)
    header = ["Setting", "Default", "Chosen", "On all training samples"]
    note = f"Chosen: median and range over {count(n, 'training set')}, or how many chose what."
    return Table("What was chosen", header, cells, note=note)


def _one(values: pd.Series) -> str:
    known = values.dropna()
    if not len(known):
        return "—"
    return known.iloc[0] if isinstance(known.iloc[0], str) else quantity(known.iloc[0])


def _typical(values: pd.Series) -> str:
    known = values.dropna()
    if not len(known):
        return "—"
    if isinstance(known.iloc[0], str):
        counts = known.value_counts()
        names = sorted(counts.index, key=lambda name: (-counts[name], name))
        return ", ".join(f"{name} {counts[name]}" for name in names)
    return f"{quantity(known.median(), 3)} ({span(list(known))})"


def _bars(importance: pd.DataFrame) -> list[Bar]:
    means = importance.groupby("parameter")["importance"].mean()
    longest = float(means.max()) if len(means) else 1.0
    return [
        Bar(
            name=SETTINGS.get(name, name),
            percent=round(100 * means[name] / (longest or 1.0), 1),
            colour=NETWORK,
            value=share(means[name], 1),
        )
        for name in sorted(means.index, key=lambda name: (-means[name], name))
    ]


def _importance_sentence(importance: pd.DataFrame) -> str:
    if not len(importance):
        return (
            "Which setting made the difference cannot be told: it takes at least 10 trials with "
            "different scores in a training set."
        )
    sets = importance.groupby(SET)["n_trials"].first()
    return (
        "How much of the differences between trials each setting explains by itself (functional "
        f"ANOVA), mean over {count(len(sets), 'training set')} with {span(list(sets))} trials "
        f"each. Chance alone would give most of these {importance['parameter'].nunique()} "
        "settings like shares, so only one that stands out says something."
    )
