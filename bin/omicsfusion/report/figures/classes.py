"""ROC curves of one class: a line for each model."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from omicsfusion.report.colours import DASHES
from omicsfusion.report.figures.frame import axis, label, layout, values

HEIGHT = 270


def roc_curves(
    roc: pd.DataFrame, models: Sequence[str], colours: Mapping[str, str]
) -> tuple[list[dict[str, Any]], dict[str, Any], int]:
    """Draw the ROC curves of the models, and the diagonal of guessing.

    Parameters
    ----------
    roc
        ``model, fpr, tpr`` of one class.

    Returns
    -------
    Traces, layout, height.
    """
    traces = [_diagonal()]
    for index, model in enumerate(models):
        line = roc[roc["model"] == model]
        dash = DASHES[index % len(DASHES)]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": values(line["fpr"]),
                "y": values(line["tpr"]),
                "line": {"color": colours[model], "width": 2.2, "dash": dash},
                "hovertemplate": f"{label(model)}: %{{y:.2f}} at %{{x:.2f}}<extra></extra>",
            }
        )
    ticks = {"range": [-0.02, 1.02], "tickvals": [0, 0.5, 1], "fixedrange": True}
    across, up = axis("False positive rate", **ticks), axis("True positive rate", **ticks)
    return traces, layout(across, up), HEIGHT


def _diagonal() -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [0, 1],
        "y": [0, 1],
        "line": {"color": "#808080", "dash": "dot", "width": 1},
        "hoverinfo": "skip",
    }
