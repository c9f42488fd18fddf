"""What a classification adds: ROC curves, the confusion matrix, recall of each class."""

import pandas as pd

from omicsfusion.report.blocks import Figure, Table
from omicsfusion.report.colours import SVG_DASHES, model_colours
from omicsfusion.report.figures.classes import roc_curves
from omicsfusion.report.results import Results
from omicsfusion.report.verdict import main_model
from omicsfusion.report.words import (
    count,
    interval,
    lowered,
    model_name,
    quantity,
    score,
    share,
    short_model_name,
    shortened,
)

MOST_PANELS = 9
LINES = ("fused", "linear", "clinical")
"""Models whose curves are drawn, where there are any of them: more lines hide each other."""
MOST_CELLS = 20
MOST_RECALLS = 40


def class_views(results: Results) -> dict[str, object]:
    """Make the views; a view without data is None."""
    return {
        "roc": _roc(results),
        "roc_legend": _roc_legend(results),
        "roc_more": max(0, results["roc"]["class"].nunique() - MOST_PANELS),
        "confusion": _confusion(results),
        "recall": _recall(results),
    }


def commonest_classes(results: Results) -> list[str]:
    """List the classes by their number of training samples, the commonest first."""
    training = results["samples"][results["samples"]["role"] == "train"]
    counts = training["truth"].value_counts()
    return sorted(results.classes, key=lambda name: (-int(counts.get(name, 0)), name))


def _roc(results: Results) -> list[Figure]:
    roc, colours = results["roc"], model_colours(results.models)
    known = set(roc["class"])
    classes = [name for name in commonest_classes(results) if name in known]
    models = _drawn(results)
    figures = []
    for place, name in enumerate(classes[:MOST_PANELS], 1):
        data, layout, height = roc_curves(roc[roc["class"] == name], models, colours)
        said = f"ROC curves of {name} against all other classes, {count(len(models), 'model')}."
        figures.append(Figure(f"roc-{place}", shortened(name, 60), said, data, layout, height))
    return figures


def _drawn(results: Results) -> list[str]:
    return [m for m in results.models if m in LINES] or list(results.models[: len(LINES)])


def _roc_legend(results: Results) -> list[dict[str, str]]:
    colours = model_colours(results.models)
    return [
        {
            "name": short_model_name(model),
            "colour": colours[model],
            "dash": SVG_DASHES[index % len(SVG_DASHES)],
        }
        for index, model in enumerate(_drawn(results))
    ]


def _confusion(results: Results) -> dict[str, object] | None:
    main = main_model(results)
    table = results["confusion"][results["confusion"]["model"] == main]
    if not len(table):
        return None
    classes = commonest_classes(results)
    shown = classes[:MOST_CELLS]
    counts = table.pivot_table(index="truth", columns="predicted", values="n", aggfunc="sum")
    counts = counts.reindex(index=shown, columns=classes, fill_value=0.0).fillna(0.0)
    rest = len(classes) - len(shown)
    return {
        "model": lowered(model_name(main)),
        "columns": [shortened(name, 24) for name in shown],
        "rows": [_confusion_row(name, counts.loc[name], shown) for name in shown],
        "more": f"{count(rest, 'rarer class', 'rarer classes')} not shown." if rest else "",
    }


def _confusion_row(truth: str, counts: pd.Series, shown: list[str]) -> dict[str, object]:
    total = float(counts.sum())
    cells = [
        {
            "n": quantity(float(counts[name]), 2) if counts[name] < 10 else f"{counts[name]:,.0f}",
            "percent": share(counts[name], total) if total else "",
            "shade": round(float(counts[name]) / total, 3) if total else 0.0,
            "hit": name == truth,
        }
        for name in shown
    ]
    return {"truth": shortened(truth, 24), "n": f"{total:,.0f}", "cells": cells}


def _recall(results: Results) -> Table | None:
    rows = []
    for name in commonest_classes(results)[:MOST_RECALLS]:
        found = [results.metric(model, f"recall:{name}") for model in results.models]
        n = max((int(row["n"]) for row in found if row is not None), default=0)
        rows.append([name, f"{n:,}", *(_recall_cell(row) for row in found)])
    if not rows:
        return None
    rest = len(results.classes) - len(rows)
    note = f"{count(rest, 'rarer class', 'rarer classes')} not shown." if rest else ""
    header = ["Class", "Samples", *(short_model_name(model) for model in results.models)]
    caption = "Recall: the share of each class that was recognised, with 95 % intervals"
    return Table(caption, header, rows, note=note)


def _recall_cell(row: pd.Series | None) -> str:
    if row is None:
        return "—"
    return f"{score(row['estimate'])}\n{interval(row['ci_low'], row['ci_high'])}"
