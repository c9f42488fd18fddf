"""Survival curves of two groups, and losses of many fits."""

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


def training_curves(
    summary: pd.DataFrame, best_epoch: float
) -> tuple[list[dict[str, Any]], dict[str, Any], int]:
    """Draw the losses of one model's fits, training on the left and stopping on the right.

    Parameters
    ----------
    summary
        ``epoch``, and ``<loss>_low``, ``<loss>_median``, ``<loss>_high`` of ``train_loss`` and
        ``stop_loss``.
    best_epoch
        Where a line marks both panels; NaN: no line.
    """
    traces = []
    for number, loss in (("", "train_loss"), ("2", "stop_loss")):
        axes = {"xaxis": f"x{number}", "yaxis": f"y{number}", "mode": "lines", "type": "scatter"}
        ends = summary.dropna(subset=[f"{loss}_low", f"{loss}_high"])
        band = {
            "x": [*values(ends["epoch"]), *values(ends["epoch"][::-1])],
            "y": [*values(ends[f"{loss}_high"]), *values(ends[f"{loss}_low"][::-1])],
            "fill": "toself",
            "fillcolor": translucent(NETWORK, 0.16),
            "line": {"width": 0},
            "hoverinfo": "skip",
        }
        median = {
            "x": values(summary["epoch"]),
            "y": values(summary[f"{loss}_median"]),
            "line": {"color": NETWORK, "width": 2},
            "hovertemplate": "epoch %{x}: %{y:.3g}<extra></extra>",
        }
        traces += [{**axes, **band}, {**axes, **median}]
    marked = ("", "2") if best_epoch == best_epoch else ()
    frame = layout(
        axis("Epoch", domain=[0, 0.46], anchor="y"),
        axis("Loss"),
        xaxis2=axis("Epoch", domain=[0.56, 1], anchor="y2"),
        yaxis2=axis(anchor="x2"),
        shapes=[_mark(best_epoch, number) for number in marked],
        annotations=[
            _heading(text, number) for number, text in (("", "Training"), ("2", "Stopping"))
        ],
    )
    frame["margin"] = {**frame["margin"], "t": 26}
    return traces, frame, 300


def _heading(text: str, number: str) -> dict[str, Any]:
    """Name a panel above it; beside its axis the words would reach into the other panel."""
    return {
        "text": text,
        "xref": f"x{number} domain",
        "yref": "paper",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
    }


def _mark(x: float, number: str) -> dict[str, Any]:
    """Return a dotted vertical line over the height of one panel."""
    return {
        "type": "line",
        "xref": f"x{number}",
        "yref": f"y{number} domain",
        "x0": x,
        "x1": x,
        "y0": 0,
        "y1": 1,
        "line": {"dash": "dot", "width": 1.5, "color": "#808080"},
    }


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
