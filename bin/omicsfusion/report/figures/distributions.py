"""The values of many samples side by side, and of many features in bins."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pandas as pd

from omicsfusion.report.colours import CATEGORIES, DASHES, HIGH_RISK, NETWORK
from omicsfusion.report.figures.frame import axis, label, layout, translucent, values

HEIGHT = 300
SMALL_HEIGHT = 190
PER_CENT = ".2~p"
"""As many digits as it takes, two at most: shares may be small."""


def ribbons(
    rows: pd.DataFrame, flagged: Sequence[bool], ends: Sequence[tuple[str, int]]
) -> tuple[list[dict[str, Any]], dict[str, Any], int]:
    """Draw the quantiles of each sample: a line for the median, ribbons for the others.

    Parameters
    ----------
    rows
        ``sample, q05, q25, q50, q75, q95``, in the order from left to right.
    flagged
        Of each sample, whether its median gets a mark.
    ends
        Cohorts from left to right, and the position after the last sample of each.
    """
    place = list(range(1, len(rows) + 1))
    names = [label(sample) for sample in rows["sample"]]
    parts = list(pairwise([0, *(end for _, end in ends)]))
    traces = [
        _ribbon(parts, rows["q05"], rows["q95"], 0.18, "5 to 95 % of the values"),
        _ribbon(parts, rows["q25"], rows["q75"], 0.4, "middle half"),
        {
            "type": "scatter",
            "mode": "lines",
            "name": "median",
            "x": _parted(parts, place),
            "y": _parted(parts, values(rows["q50"])),
            "text": _parted(parts, names),
            "line": {"color": NETWORK, "width": 2},
            "hovertemplate": "%{text}: median %{y}<extra></extra>",
        },
    ]
    marked = [position for position, flag in enumerate(flagged) if flag]
    if marked:
        medians = values(rows["q50"])
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": "flagged",
                "x": [place[position] for position in marked],
                "y": [medians[position] for position in marked],
                "text": [names[position] for position in marked],
                "marker": {"color": HIGH_RISK, "symbol": "diamond", "size": 9},
                "hovertemplate": "%{text}: flagged, median %{y}<extra></extra>",
            }
        )
    x = axis("Samples, sorted by their median", showticklabels=False, showgrid=False)
    frame = layout(x, axis("Value"), legend=True, **_borders(ends))
    return traces, frame, HEIGHT


def histogram(
    bins: pd.DataFrame, per_cent: bool
) -> tuple[list[dict[str, Any]], dict[str, Any], int]:
    """Draw the share of the features in each bin, a line for each cohort.

    Parameters
    ----------
    bins
        ``cohort, low, high, n``, from left to right.
    per_cent
        Whether the measure is a share.
    """
    traces = []
    for place, (cohort, rows) in enumerate(bins.groupby("cohort", sort=False)):
        share = rows["n"] / rows["n"].sum()
        edges = [*rows["low"], rows["high"].iloc[-1]]
        colour = CATEGORIES[place % len(CATEGORIES)]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": label(str(cohort)),
                "x": values([edges[0], *edges]),
                "y": values([0, *share, share.iloc[-1]]),
                "fill": "tozeroy" if place == 0 else "none",
                "fillcolor": translucent(colour, 0.25),
                "line": {
                    "color": colour,
                    "width": 1.5,
                    "shape": "hv",
                    "dash": DASHES[place % len(DASHES)],
                },
                "hovertemplate": f"{label(str(cohort))}: %{{y:.1%}} of the features from %{{x}}"
                "<extra></extra>",
            }
        )
    ticks = {"tickformat": PER_CENT} if per_cent else {}
    frame = layout(
        axis(fixedrange=True, nticks=5, **ticks),
        axis(fixedrange=True, tickformat=PER_CENT, nticks=4, rangemode="tozero"),
    )
    return traces, frame, SMALL_HEIGHT


def _parted(parts: Sequence[tuple[int, int]], numbers: Sequence[Any]) -> list[Any]:
    """Put a gap between the cohorts."""
    return [x for start, end in parts for x in [*numbers[start:end], None]][:-1]


def _ribbon(
    parts: Sequence[tuple[int, int]], low: pd.Series, high: pd.Series, opacity: float, name: str
) -> dict[str, Any]:
    """Outline each cohort's ribbon: forward along its top, back along its foot."""
    top, foot = values(high), values(low)
    x: list[float | None] = []
    y: list[float | None] = []
    for start, end in parts:
        there = list(range(start + 1, end + 1))
        x += [*there, *there[::-1], None]
        y += [*top[start:end], *foot[start:end][::-1], None]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x[:-1],
        "y": y[:-1],
        "fill": "toself",
        "fillcolor": translucent(NETWORK, opacity),
        "line": {"width": 0},
        "hoverinfo": "skip",
    }


def _borders(ends: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """Return lines between cohorts, and their names at the foot; nothing for one cohort."""
    if len(ends) < 2:
        return {}
    starts = [0, *(end for _, end in ends[:-1])]
    line = {"type": "line", "y0": 0, "y1": 1, "yref": "paper"}
    look = {"dash": "dot", "width": 1, "color": "#808080"}
    return {
        "shapes": [{**line, "x0": x + 0.5, "x1": x + 0.5, "line": look} for x in starts[1:]],
        "annotations": [
            {
                "x": start + 0.5,
                "y": 0,
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
                "text": label(name),
            }
            for start, (name, _) in zip(starts, ends, strict=True)
        ],
    }
