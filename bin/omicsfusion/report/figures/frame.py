"""What all figures share: clean numbers, safe text, axes, legend."""

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from omicsfusion.report.words import shortened

SIGNIFICANT_DIGITS = 5
"""More cannot be seen, and the page would grow."""

LEGEND = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "itemwidth": 30}


def values(numbers: Iterable[Any]) -> list[float | None]:
    """Return numbers as JSON may hold them: rounded, what is not defined as null."""
    return [None if x != x else float(f"{x:.{SIGNIFICANT_DIGITS}g}") for x in map(float, numbers)]


def label(name: str) -> str:
    """Return a name as text that plotly draws as it is.

    Plotly reads a part of HTML in its texts; ``<`` and ``&`` of a name must not be taken for it.
    """
    return escape(shortened(name), quote=False)


def axis(title: str = "", **more: Any) -> dict[str, Any]:
    """Return an axis with its title."""
    return {"title": {"text": title, "standoff": 8}, "automargin": True, "zeroline": False, **more}


def layout(
    xaxis: Mapping[str, Any], yaxis: Mapping[str, Any], legend: bool = False, **more: Any
) -> dict[str, Any]:
    """Return a figure's layout; fonts and the colours of its frame come from the page's style."""
    return {
        "xaxis": dict(xaxis),
        "yaxis": dict(yaxis),
        "showlegend": legend,
        "legend": LEGEND,
        "margin": {"l": 8, "r": 12, "t": 12, "b": 8},
        "hovermode": "closest",
        "dragmode": False,
        **more,
    }


def reference_line(x: float, text: str) -> dict[str, Any]:
    """Return a dashed vertical line over the whole height, named at its top."""
    return {
        "shapes": [
            {
                "type": "line",
                "x0": x,
                "x1": x,
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "line": {"dash": "dash", "width": 1.5, "color": "#808080"},
            }
        ],
        "annotations": [
            {"x": x, "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False, "text": text}
        ],
    }


def translucent(colour: str, opacity: float) -> str:
    """Return a hexadecimal colour as CSS with an opacity."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def as_json(data: object) -> str:
    """Write JSON that may stand inside a script element of an HTML page.

    Keys keep their order, numbers are finite, and no character of it ends or begins a tag.
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
