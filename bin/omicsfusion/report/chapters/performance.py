"""All metrics of all models, fold by fold, and on external cohorts."""

from collections.abc import Callable

import pandas as pd

from omicsfusion.report.blocks import Chapter, Figure, Table
from omicsfusion.report.chapters.answer import headline_rows
from omicsfusion.report.chapters.classes import class_views
from omicsfusion.report.chapters.controls import controls_view
from omicsfusion.report.chapters.learning import learning_view
from omicsfusion.report.chapters.optimism import optimism_view
from omicsfusion.report.chapters.patterns import patterns_table
from omicsfusion.report.chapters.risk import risk_views
from omicsfusion.report.chapters.seeds import seeds_view
from omicsfusion.report.chapters.values import value_views
from omicsfusion.report.colours import model_colours
from omicsfusion.report.figures.estimates import dots_and_intervals, folds_as_dots
from omicsfusion.report.metric_words import (
    chance_in_words,
    chance_of,
    is_of_a_class,
    metric_cell,
    metric_in_words,
)
from omicsfusion.report.results import Results
from omicsfusion.report.words import (
    count,
    model_name,
    score,
    short_model_name,
)

VIEWS: dict[str, Callable[[Results], dict[str, object]]] = {
    "classification": class_views,
    "survival": risk_views,
    "regression": value_views,
}


def performance_chapter(results: Results) -> Chapter:
    """Make the chapter from the tables of ASSESS."""
    external = headline_rows(results, "external")
    return Chapter(
        "performance",
        "How well it predicts",
        {
            "metrics": metrics_table(results, "test", "All metrics on held-out patients"),
            "meanings": [metric_in_words(name) for name in metric_names(results, "test")],
            "folds": _folds(results),
            "seeds": seeds_view(results),
            "patterns": patterns_table(results),
            "learning": learning_view(results),
            "controls": controls_view(results),
            "optimism": optimism_view(results),
            **VIEWS[results.task](results),
            "external": _external(results, external) if len(external) else None,
            "external_table": metrics_table(
                results, "external", "All metrics on the external samples"
            ),
            "others": [_other(other) for other in results.others],
        },
    )


def _other(results: Results) -> dict[str, object]:
    """Lay out what is told of a target after the first."""
    return {
        "target": results.target,
        "metrics": metrics_table(
            results, "test", f"{results.target}: metrics on held-out patients"
        ),
        "external": metrics_table(
            results, "external", f"{results.target}: metrics on the external samples"
        ),
    }


def metric_names(results: Results, scope: str) -> list[str]:
    """List the metrics of a scope, but for those of single classes."""
    table = results["metrics"]
    names = table.loc[table["scope"] == scope, "metric"].unique()
    return [str(name) for name in names if not is_of_a_class(str(name))]


def metrics_table(results: Results, scope: str, caption: str) -> Table | None:
    """Lay out a scope's metrics: a row per metric, a column per model; None without any."""
    names = metric_names(results, scope)
    if not names:
        return None
    rows = []
    for name in names:
        cells = [metric_cell(results.metric(model, name, scope), name) for model in results.models]
        rows.append([metric_in_words(name).label, *cells])
    header = ["Metric", *(short_model_name(model) for model in results.models)]
    n = results["metrics"].loc[results["metrics"]["scope"] == scope, "n"]
    note = f"Estimate and, below it, 95 % interval; {count(n.max(), 'sample')}."
    return Table(caption, header, rows, note=note)


def _folds(results: Results) -> Figure | None:
    table = results["by_fold"]
    rows = table[(table["scope"] == "test") & (table["metric"] == results.headline)]
    rows = rows.dropna(subset=["estimate"])
    if not len(rows):
        return None
    label = metric_in_words(results.headline).label
    models = [model for model in results.models if (rows["model"] == model).any()]
    data, layout, height = folds_as_dots(rows, models, label, model_colours(results.models))
    cells = []
    for model in models:
        estimates = rows.loc[rows["model"] == model, "estimate"]
        ends = [score(v, 3) for v in (estimates.min(), estimates.median(), estimates.max())]
        cells.append([model_name(model), f"{len(estimates)}", *ends])
    header = ["Model", "Folds", "Lowest", "Median", "Highest"]
    return Figure(
        "folds",
        f"{label} of each outer fold, a dot per fold, repeats below each other. Folds are small, "
        "so single dots scatter; a model whose dots lie far apart depends on who is in the fold.",
        f"{label} by model and fold. "
        + "; ".join(f"{row[0]}: {row[2]} to {row[4]}, median {row[3]}" for row in cells),
        data,
        layout,
        height,
        Table(f"{label} over the outer folds", header, cells),
    )


def _external(results: Results, rows: pd.DataFrame) -> Figure:
    label = metric_in_words(results.headline).label
    chance = chance_of(results.headline, len(results.classes))
    name = f"{chance_in_words(results.headline)} {score(chance)}"
    colours = model_colours(results.models)
    data, layout, height = dots_and_intervals(rows, label, chance, name, colours)
    return Figure(
        "external",
        f"{label} on the external samples of the models that were fitted on all training samples, "
        "with 95 % intervals. None of these samples was used to fit anything.",
        f"{label} on external samples; the numbers are in the table below.",
        data,
        layout,
        height,
    )
