"""Survival curves of two groups, and learning curves of many fits."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from omicsfusion.report.colours import HIGH_RISK, LOW_RISK, NETWORK
from omicsfusion.report.figures.frame import axis, layout, translucent, values

RISK_LOOKS: dict[str, dict[str, Any]] = {
    "low": {"color": LOW_RISK, "dash": "solid", "width": 2.5},
    "high": {"color": HIGH_RISK, "dash": "dash", "width": 2.5},
}


def kaplan_meier(
    curves: pd.DataFrame, times: Sequence[float]
) -> tuple[list[dict[str, Any]], dict[str, Any], int]:
    """Draw the survival of both risk groups with their bands.

    Parameters
    ----------
    curves
        One model's ``risk_group, time, survival, ci_low, ci_high, events``.
    times
        Where the axis has its marks.

    Returns
    -------
    Traces, layout, height.
    """
    traces = []
    for group, look in RISK_LOOKS.items():
        rows = curves[curves["risk_group"] == group]
        if len(rows):
            traces += [_band(rows, look["color"]), _steps(rows, group, look)]
    frame = layout(
        axis("Time, in the unit of the input", rangemode="tozero", tickvals=values(times)),
        axis("Share without the event", range=[0, 1.02], tickformat=".0%"),
        legend=True,
    )
    return traces, frame, 400


def learning_curves(curves: pd.DataFrame) -> tuple[list[dict[str, Any]], dict[str, Any], int]:
    """Draw the losses of one model's fits, training on the left and stopping on the right.

    Parameters
    ----------
    curves
        ``repeat, fold, epoch, train_loss, stop_loss`` of the fits to be drawn.
    """
    traces = []
    for (repeat, fold), rows in curves.groupby(["repeat", "fold"]):
        about = f"repeat {repeat}, fold {fold}" if repeat else "all training samples"
        for number, column in (("", "train_loss"), ("2", "stop_loss")):
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": [int(epoch) for epoch in rows["epoch"]],
                    "y": values(rows[column]),
                    "xaxis": f"x{number}",
                    "yaxis": f"y{number}",
                    "line": {"color": translucent(NETWORK, 0.45), "width": 1.3},
                    "hovertemplate": f"{about}, epoch %{{x}}: %{{y:.3g}}<extra></extra>",
                }
            )
    frame = layout(
        axis("Epoch", domain=[0, 0.46], anchor="y"),
        axis("Loss on training samples"),
        xaxis2=axis("Epoch", domain=[0.56, 1], anchor="y2"),
        yaxis2=axis("Loss on stopping samples", anchor="x2"),
    )
    return traces, frame, 300


def _steps(rows: pd.DataFrame, group: str, look: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"{group} risk",
        "x": values(rows["time"]),
        "y": values(rows["survival"]),
        "line": {**look, "shape": "hv"},
        "hovertemplate": f"{group} risk: %{{y:.1%}} at %{{x}}<extra></extra>",
    }


def _band(rows: pd.DataFrame, colour: str) -> dict[str, Any]:
    """Outline the interval as one shape: steps forward along its top, back along its foot."""
    defined = rows.dropna(subset=["ci_low", "ci_high"])
    time, low, high = (values(defined[name]) for name in ("time", "ci_low", "ci_high"))
    top = [point for i in range(len(time)) for point in _step(time, high, i)]
    foot = [point for i in range(len(time)) for point in _step(time, low, i)]
    outline = top + foot[::-1]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [x for x, _ in outline],
        "y": [y for _, y in outline],
        "fill": "toself",
        "fillcolor": translucent(colour, 0.16),
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _step(time: list[Any], height: list[Any], i: int) -> list[tuple[Any, Any]]:
    return [(time[i], height[i - 1]), (time[i], height[i])] if i else [(time[i], height[i])]
