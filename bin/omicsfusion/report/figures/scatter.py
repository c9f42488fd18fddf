"""Predicted against observed values."""

from typing import Any

import pandas as pd

from omicsfusion.report.colours import NETWORK
from omicsfusion.report.figures.frame import axis, label, layout, values

MOST_POINTS = 2000


def predicted_against_observed(
    rows: pd.DataFrame, target: str
) -> tuple[list[dict[str, Any]], dict[str, Any], int]:
    """Draw one dot per sample, and the line on which a perfect prediction lies.

    Parameters
    ----------
    rows
        ``sample, truth, mean``; of more than ``MOST_POINTS`` an even choice is drawn.

    Returns
    -------
    Traces, layout, height.
    """
    shown = rows.iloc[:: -(-len(rows) // MOST_POINTS)]
    both = pd.concat([shown["truth"], shown["mean"]])
    ends = values([both.min(), both.max()])
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": ends,
        "y": ends,
        "line": {"color": "#808080", "dash": "dash", "width": 1.5},
        "hoverinfo": "skip",
    }
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": values(shown["truth"]),
        "y": values(shown["mean"]),
        "text": [label(sample) for sample in shown["sample"]],
        "marker": {"color": NETWORK, "size": 7, "opacity": 0.55},
        "hovertemplate": "%{text}: observed %{x}, predicted %{y}<extra></extra>",
    }
    frame = layout(axis(f"Observed {label(target)}"), axis(f"Predicted {label(target)}"))
    return [line, dots], frame, 430
