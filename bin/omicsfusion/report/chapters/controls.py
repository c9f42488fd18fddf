"""The negative control: where the real score stands among those of permuted outcomes."""

from typing import Any

import pandas as pd

from omicsfusion.report.blocks import Figure, Table
from omicsfusion.report.colours import model_colours
from omicsfusion.report.figures.controls import control_strips
from omicsfusion.report.metric_words import chance_in_words, chance_of, metric_in_words
from omicsfusion.report.results import Results
from omicsfusion.report.words import (
    count,
    lowered,
    model_name,
    score,
    short_model_name,
    span,
)

FEWEST = 19
"""With fewer controls than this no score, however high, can have a p of 0.05: 1 / (1 + 19)."""
ENOUGH = 99
"""So many steady a p near 0.05: its standard error is 0.02."""


def controls_view(results: Results) -> dict[str, Any] | None:
    """Make figure and sentence; None for a run without ``--negative_control``."""
    rows = results["controls"]
    rows = rows[(rows["scope"] == "test") & (rows["metric"] == results.headline)]
    rows = rows.dropna(subset=["estimate"])
    real = {model: results.metric(model, results.headline) for model in results.models}
    known = {
        model: float(row["estimate"])
        for model, row in real.items()
        if row is not None and row["estimate"] == row["estimate"]
    }
    models = [model for model in known if (rows["model"] == model).any()]
    if not models:
        return None
    return {
        "figure": _figure(results, rows, known, models),
        "sentence": _sentence(results, rows, known, models[0]),
        "omics": _about_omics(results),
    }


def as_high(rows: pd.DataFrame, model: str, real: float) -> tuple[int, int]:
    """Count the controls of a model that scored at least as high as on the real outcome, and all.

    The higher of two headline metrics is the better.
    """
    estimates = rows.loc[rows["model"] == model, "estimate"]
    return int((estimates >= real).sum()), len(estimates)


def _sentence(results: Results, rows: pd.DataFrame, known: dict[str, float], model: str) -> str:
    hits, n = as_high(rows, model, known[model])
    metric = lowered(metric_in_words(results.headline).label)
    return (
        f"{hits:,} of {count(n, 'run')} with permuted outcomes scored as high as the "
        f"{lowered(short_model_name(model))} did on the real one ({metric} "
        f"{score(known[model])}). {_worth(n)}"
    )


def _about_omics(results: Results) -> str:
    """Say how often permuted omics added as much to clinical data; empty where not asked."""
    p, n = (results.verdict.get(name) for name in ("omics_permutation_p", "n_omics_controls"))
    if not n or p is None:
        return ""
    hits = round(p * (n + 1)) - 1
    return (
        f"In {hits:,} of {count(n, 'run')} in which each patient had all omics of another one, "
        "while outcome and clinical data stayed together, omics added as much to clinical data as "
        "the patients' own did."
    )


def _worth(n: int) -> str:
    if n < FEWEST:
        return (
            f"That is a look, and no test: with fewer than {FEWEST} permutations no score could "
            f"be told from chance at p = 0.05. Give --negative_control {ENOUGH} for that."
        )
    if n < ENOUGH:
        return (
            f"A p-value of so few permutations is rough: give --negative_control {ENOUGH} before "
            "speaking of p = 0.05."
        )
    return "The p-value of the network stands with the answer."


def _figure(
    results: Results, rows: pd.DataFrame, known: dict[str, float], models: list[str]
) -> Figure:
    label = metric_in_words(results.headline).label
    chance = chance_of(results.headline, len(results.classes))
    named = f"{chance_in_words(results.headline)} {score(chance)}"
    data, layout, height = control_strips(
        rows, known, models, label, (chance, named), model_colours(results.models)
    )
    table = _table(label, rows, known, models)
    return Figure(
        "negative-control",
        f"{label} on held-out patients. Grey: the whole chain, from splitting to tuning and "
        "training, run again on outcomes that were permuted between patients (within cohorts, and "
        "within batches and sites where these are known), one repeat of the folds each. Coloured "
        "mark: the real outcome, all repeats.",
        f"{label} with permuted outcomes and with the real one. "
        + "; ".join(f"{row[0]}: real {row[1]}, permuted {row[2]}" for row in table.rows),
        data,
        layout,
        height,
        table,
    )


def _table(label: str, rows: pd.DataFrame, known: dict[str, float], models: list[str]) -> Table:
    cells, sizes = [], []
    for model in models:
        hits, n = as_high(rows, model, known[model])
        sizes.append(n)
        ends = span(list(rows.loc[rows["model"] == model, "estimate"]), 3)
        cells.append([model_name(model), score(known[model], 3), ends, f"{hits:,} of {n:,}"])
    return Table(
        f"{label} with permuted outcomes",
        ["Model", "Real outcome", "Permuted outcomes", "Scored as high"],
        cells,
        note=_worth(min(sizes)),
    )
