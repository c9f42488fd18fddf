"""Samples in two dimensions, in the colours of what is known of them; the reader chooses."""

from collections.abc import Mapping, Sequence
from typing import Any

from omicsfusion.report.colours import REST, SYMBOLS
from omicsfusion.report.figures.frame import axis, label, layout

HEIGHT = 470
OPEN_SYMBOLS = ("circle-open", "triangle-down-open")
"""For others, and for what is not known."""
OPACITY = 0.75
RADIUS = {500: 8, 1000: 7, 2000: 6}
"""Diameter of a dot, up to so many samples."""


def points(
    categories: Sequence[str],
    colours: Sequence[str],
    colouring: str,
    method: str,
    n: int,
) -> list[dict[str, Any]]:
    """Return a trace for each category; the points are in the figure's columns.

    Parameters
    ----------
    categories, colours
        Names and their colours; grey ones get an open mark.
    colouring, method
        Names in the columns: ``<colouring>.<category>`` holds rows, ``<method>.x`` and ``.y``
        places, ``sample`` names.
    n
        How many samples there are.
    """
    size = next((size for most, size in RADIUS.items() if n <= most), 5)
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": label(name),
            "from": {
                "rows": f"{colouring}.{place}",
                "x": f"{method}.x",
                "y": f"{method}.y",
                "text": "sample",
            },
            "marker": {
                "color": colours[place],
                "symbol": _symbol(colours, place),
                "size": size,
                "opacity": OPACITY,
            },
            "hovertemplate": f"%{{text}}: {label(name)}<extra></extra>",
        }
        for place, name in enumerate(categories)
    ]


def _symbol(colours: Sequence[str], place: int) -> str:
    greys = [position for position, colour in enumerate(colours) if colour == REST]
    if place in greys:
        return OPEN_SYMBOLS[greys.index(place) % len(OPEN_SYMBOLS)]
    return SYMBOLS[place]


def plane(titles: Mapping[str, str]) -> dict[str, Any]:
    """Return the layout.

    Parameters
    ----------
    titles
        ``x`` and ``y``; and ``numbers`` where distances along the axes mean something.
    """
    has_unit = bool(titles.get("numbers"))
    numbered = {"showticklabels": has_unit, "showgrid": has_unit, "fixedrange": True}
    return layout(axis(titles["x"], **numbered), axis(titles["y"], **numbered), legend=True)
