"""Estimates of several models side by side: with their intervals, and fold by fold."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from omicsfusion.report.colours import SYMBOLS
from omicsfusion.report.figures.frame import axis, label, layout, reference_line, values
from omicsfusion.report.words import interval, short_model_name

ROW_HEIGHT = 46
FRAME_HEIGHT = 90


def dots_and_intervals(
    rows: pd.DataFrame, title: str, chance: float, chance_text: str, colours: Mapping[str, str]
) -> tuple[list[dict[str, Any]], dict[str, Any], int]:
    """Draw one dot with its interval per model, the first at the top.

    Parameters
    ----------
    rows
        ``model, estimate, ci_low, ci_high``.

    Returns
    -------
    Traces, layout, height.
    """
    places = range(len(rows), 0, -1)
    traces = []
    for place, (index, row) in zip(places, enumerate(rows.to_dict("records")), strict=True):
        estimate, low, high = values([row["estimate"], row["ci_low"], row["ci_high"]])
        error: dict[str, Any] = {"type": "data", "symmetric": False}
        if None not in (estimate, low, high):
            ends = values([row["ci_high"] - row["estimate"], row["estimate"] - row["ci_low"]])
            error |= {"array": ends[:1], "arrayminus": ends[1:], "thickness": 3, "width": 0}
        shown = interval(row["ci_low"], row["ci_high"], 3)
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [estimate],
                "y": [place],
                "error_x": error,
                "marker": {
                    "color": colours[row["model"]],
                    "size": 13,
                    "symbol": SYMBOLS[index % len(SYMBOLS)],
                },
                "hovertemplate": f"{label(row['model'])}: %{{x:.3f}} ({shown})<extra></extra>",
            }
        )
    ticks = _model_axis(list(rows["model"]))
    frame = layout(axis(title), ticks, **reference_line(chance, chance_text))
    frame["margin"] = {**frame["margin"], "t": 26}
    return traces, frame, FRAME_HEIGHT + ROW_HEIGHT * len(rows)


def folds_as_dots(
    by_fold: pd.DataFrame, models: Sequence[str], title: str, colours: Mapping[str, str]
) -> tuple[list[dict[str, Any]], dict[str, Any], int]:
    """Draw one dot per outer fold and model; repeats lie one below the other within a model.

    Parameters
    ----------
    by_fold
        ``model, repeat, fold, estimate``.
    """
    repeats = max(int(by_fold["repeat"].max()), 1)
    traces = []
    for index, model in enumerate(models):
        rows = by_fold[by_fold["model"] == model]
        place = len(models) - index
        offsets = 0.5 - (rows["repeat"] - 0.5) / repeats
        about = [f"repeat {r}, fold {f}" for r, f in zip(rows["repeat"], rows["fold"], strict=True)]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": values(rows["estimate"]),
                "y": values(place + 0.6 * offsets),
                "text": about,
                "marker": {"color": colours[model], "size": 8, "opacity": 0.75},
                "hovertemplate": f"{label(model)}, %{{text}}: %{{x:.3f}}<extra></extra>",
            }
        )
    frame = layout(axis(title), _model_axis(models))
    return traces, frame, FRAME_HEIGHT + ROW_HEIGHT * len(models)


def _model_axis(models: Sequence[str]) -> dict[str, Any]:
    return axis(
        tickvals=list(range(len(models), 0, -1)),
        ticktext=[label(short_model_name(model)) for model in models],
        range=[0.4, len(models) + 0.6],
        showgrid=False,
        fixedrange=True,
    )
