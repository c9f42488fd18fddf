"""Scores against the number of patients that models were trained on: a line for each model."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from omicsfusion.report.colours import DASHES, SYMBOLS
from omicsfusion.report.figures.frame import axis, label, layout, translucent, values
from omicsfusion.report.words import interval, short_model_name

HEIGHT = 380


def learning_lines(
    points: pd.DataFrame,
    models: Sequence[str],
    title: str,
    chance: tuple[float, str],
    colours: Mapping[str, str],
) -> tuple[list[dict[str, Any]], dict[str, Any], int]:
    """Draw a line for each model, the first with the band of its interval.

    Parameters
    ----------
    points
        ``model, n_patients, estimate, ci_low, ci_high``, by rising number of patients.
    models
        In the order of the legend.
    title
        Of the score.
    chance
        What knowing nothing scores, and what that is called.

    Returns
    -------
    Traces, layout, height.
    """
    by_model = {model: points[points["model"] == model] for model in models}
    first = by_model[models[0]]
    traces = [_band(first, colours[models[0]])]
    for index, (model, rows) in enumerate(by_model.items()):
        ends = zip(rows["ci_low"], rows["ci_high"], strict=True)
        name = label(short_model_name(model))
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": values(rows["n_patients"]),
                "y": values(rows["estimate"]),
                "text": [interval(low, high, 3) for low, high in ends],
                "line": {
                    "color": colours[model],
                    "width": 2.2,
                    "dash": DASHES[index % len(DASHES)],
                },
                "marker": {
                    "color": colours[model],
                    "size": 9,
                    "symbol": SYMBOLS[index % len(SYMBOLS)],
                },
                "hovertemplate": f"{name}: %{{y:.3f}} (%{{text}}) with %{{x:.0f}} patients"
                "<extra></extra>",
            }
        )
    numbers = sorted(set(points["n_patients"]))
    across = axis(
        "Patients trained on, mean over folds",
        range=[0, 1.04 * numbers[-1]],
        tickvals=values(numbers),
        ticktext=[f"{n:,.0f}" for n in numbers],
        fixedrange=True,
    )
    frame = layout(across, axis(title, fixedrange=True), legend=True, **_level(*chance))
    return traces, frame, HEIGHT


def _band(rows: pd.DataFrame, colour: str) -> dict[str, Any]:
    """Outline the interval as one shape: forward along its top, back along its foot."""
    ends = rows.dropna(subset=["ci_low", "ci_high"])
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [*values(ends["n_patients"]), *values(ends["n_patients"][::-1])],
        "y": [*values(ends["ci_high"]), *values(ends["ci_low"][::-1])],
        "fill": "toself",
        "fillcolor": translucent(colour, 0.16),
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _level(height: float, text: str) -> dict[str, Any]:
    """Return a dashed line over the whole width, named at its left end."""
    line = {"dash": "dash", "width": 1.5, "color": "#808080"}
    place = {"xref": "paper", "x": 0.01, "xanchor": "left", "y": height, "yanchor": "bottom"}
    ends = {"xref": "paper", "x0": 0, "x1": 1, "y0": height, "y1": height}
    return {
        "shapes": [{"type": "line", **ends, "line": line}],
        "annotations": [{**place, "showarrow": False, "text": text}],
    }
