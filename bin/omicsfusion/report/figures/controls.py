"""Scores of models on permuted outcomes, and the score on the real one among them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from omicsfusion.report.figures.frame import axis, label, layout, reference_line, values
from omicsfusion.report.words import short_model_name

ROW_HEIGHT = 54
FRAME_HEIGHT = 110
SPREAD = 0.5
STEPS = 7
"""Dots of a row lie on so many heights by turns, so that equal scores can be told apart."""
GREY = "#808080"


def control_strips(
    controls: pd.DataFrame,
    real: Mapping[str, float],
    models: Sequence[str],
    title: str,
    chance: tuple[float, str],
    colours: Mapping[str, str],
) -> tuple[list[dict[str, Any]], dict[str, Any], int]:
    """Draw a row per model: a grey dot per permuted outcome, a mark where the real one stands.

    Parameters
    ----------
    controls
        ``model, permutation, estimate``.
    real
        Score of each model on the real outcome.
    chance
        What knowing nothing scores, and what that is called.

    Returns
    -------
    Traces, layout, height.
    """
    rows = [len(models) - index for index in range(len(models))]
    traces = [
        _dots(controls[controls["model"] == model], model, row, row == rows[0])
        for model, row in zip(models, rows, strict=True)
    ]
    mark = {"size": 17, "symbol": "line-ns", "color": [colours[model] for model in models]}
    mark["line"] = {"width": 4, "color": [colours[model] for model in models]}
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": "real outcome",
            "x": values(real[model] for model in models),
            "y": rows,
            "text": [label(short_model_name(model)) for model in models],
            "marker": mark,
            "hovertemplate": "%{text}, real outcome: %{x:.3f}<extra></extra>",
        }
    )
    names = axis(
        tickvals=rows,
        ticktext=[label(short_model_name(model)) for model in models],
        range=[0.4, len(models) + 0.6],
        showgrid=False,
        fixedrange=True,
    )
    frame = layout(axis(title), names, **reference_line(*chance))
    frame["margin"] = {**frame["margin"], "t": 26}
    return traces, frame, FRAME_HEIGHT + ROW_HEIGHT * len(models)


def _dots(rows: pd.DataFrame, model: str, place: int, named: bool) -> dict[str, Any]:
    ordered = rows.sort_values(["estimate", "permutation"])
    turns = [(3 * index) % STEPS / (STEPS - 1) - 0.5 for index in range(len(ordered))]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "permuted outcomes" if named else label(model),
        "x": values(ordered["estimate"]),
        "y": values(place + SPREAD * turn for turn in turns),
        "text": [f"permutation {number}" for number in ordered["permutation"]],
        "marker": {"color": GREY, "size": 7, "opacity": 0.6},
        "hovertemplate": f"{label(short_model_name(model))}, %{{text}}: %{{x:.3f}}<extra></extra>",
    }
