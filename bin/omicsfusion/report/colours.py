"""Colours that readers with any colour vision tell apart (Okabe & Ito 2008; Tol 2021, 'muted').

Middle tones only: they must be seen on white and on the dark page.
"""

from collections.abc import Sequence

from omicsfusion.report.words import family_of

NETWORK, LINEAR, CLINICAL = "#1874B8", "#D9691E", "#1B9E77"
OTHERS = ("#B4679A", "#4FA3D9", "#C99400", "#808080")
LAYERS = ("#4C5FB5", "#2F9E91", "#B8862B", "#C05A70", "#4796C9", "#7E9A3C", "#9C5BB0", "#8A6D5B")
CATEGORIES, REST = (NETWORK, LINEAR, CLINICAL, *OTHERS[:3]), OTHERS[3]
"""Of what samples are: six that differ, and grey for others and the unknown."""
QUARTERS = (OTHERS[1], NETWORK, OTHERS[2], LINEAR)
"""From low to high."""
HIGH_RISK, LOW_RISK = "#D9691E", "#1874B8"
OWN = {"fused": NETWORK, "linear": LINEAR, "clinical": CLINICAL}
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star")
DASHES = ("solid", "dash", "dot", "dashdot")
SVG_DASHES = ("none", "7 5", "2 3", "7 4 2 4")
"""The same four, for the legend that the page draws itself."""


def model_colours(models: Sequence[str]) -> dict[str, str]:
    """Give each model its colour: one for the plain model of a family, others in turn."""
    others = [model for model in models if model not in OWN]
    in_turn = {model: OTHERS[i % len(OTHERS)] for i, model in enumerate(others)}
    return {model: in_turn.get(model) or OWN[family_of(model)] for model in models}


def layer_colours(layers: Sequence[str]) -> dict[str, str]:
    """Give each layer its colour, by name."""
    return {layer: LAYERS[i % len(LAYERS)] for i, layer in enumerate(sorted(set(layers)))}
