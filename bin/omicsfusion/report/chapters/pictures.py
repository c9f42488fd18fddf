"""The pictures of a layer's samples in two dimensions; the reader chooses method and colour."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from omicsfusion.report.blocks import Figure, Switch, View
from omicsfusion.report.chapters.colourings import Colouring, colourings
from omicsfusion.report.figures.embedding import HEIGHT, plane, points
from omicsfusion.report.figures.frame import label, values
from omicsfusion.report.results import Results
from omicsfusion.report.words import count, lowered, quantity, share, told

METHODS = {"pca": "PCA", "umap": "UMAP", "harmony": "UMAP after Harmony", "tsne": "t-SNE"}
HOW_TO_READ = {
    "pca": "Distances can be read: they are those of the layer along its two main directions.",
    "umap": "Neighbours are kept together; how far groups lie apart, and how wide they are, means "
    "little.",
    "harmony": "After Harmony, for looking only: nothing uses it. Batches are drawn together here, "
    "so that they mix says nothing of the values that models get; where classes go with batches, "
    "they are drawn together too.",
    "tsne": "For looking only: neighbours are kept together, all other distances mean nothing.",
}
MOST_POINTS = 2000
MOST_IN_ALL = 24_000
"""Over all layers, so that the page stays small enough to be sent."""
FEWEST_POINTS = 200


def pictured(results: Results, layer: str) -> bool:
    """Whether there is a picture of a layer."""
    return bool((results["embedding"]["layer"] == layer).any())


def picture(results: Results, layer: str, key: str, layers: int) -> tuple[Figure | None, str]:
    """Make the figure of a layer with all its views, and say which methods there are none of.

    Parameters
    ----------
    key
        The figure's.
    layers
        How many layers have pictures: they share what the page can hold.
    """
    table = results["embedding"][results["embedding"]["layer"] == layer]
    summary = results["embedding_summary"]
    summary = summary[summary["layer"] == layer].drop_duplicates("method").set_index("method")
    methods = [name for name in METHODS if (table["method"] == name).any()]
    note = _missing(summary, methods)
    if not methods:
        return None, note
    samples = sorted(table["sample"].unique())
    most = max(FEWEST_POINTS, min(MOST_POINTS, MOST_IN_ALL // max(layers, 1)))
    shown = samples[:: -(-len(samples) // most)]
    known = colourings(results, shown)
    columns: dict[str, Sequence[Any]] = {"sample": [label(sample) for sample in shown]}
    for method in methods:
        placed = table[table["method"] == method].drop_duplicates("sample").set_index("sample")
        placed = placed.reindex(shown)
        columns |= {f"{method}.{name}": values(placed[name]) for name in ("x", "y")}
    for colouring in known:
        for place in range(len(colouring.categories)):
            columns[f"{colouring.key}.{place}"] = list(colouring.rows(place))
    views = {
        f"{method}/{colouring.key}": _view(layer, method, colouring, summary, columns)
        for method in methods
        for colouring in known
    }
    first = next(iter(views.values()))
    some = ""
    if len(shown) < len(samples):
        some = f" An even choice of {len(shown):,} of {len(samples):,} samples is drawn."
    figure = Figure(
        key,
        f"Samples of {layer}, a mark each: marks that lie together have similar values. Fitted on "
        "the training cohorts' samples, external ones placed among them. No model uses it."
        f"{some}",
        first.alt,
        first.data,
        first.layout,
        HEIGHT,
        switches=_switches(methods, known),
        views=views,
        columns=columns,
    )
    return figure, note


def _switches(methods: list[str], known: list[Colouring]) -> list[Switch]:
    return [
        Switch("method", "Picture", [(name, METHODS[name]) for name in methods]),
        Switch("colour", "Coloured by", [(one.key, one.label) for one in known]),
    ]


def _view(
    layer: str,
    method: str,
    colouring: Colouring,
    summary: pd.DataFrame,
    columns: dict[str, Sequence[Any]],
) -> View:
    row = summary.loc[method] if method in summary.index else None
    placed = [x is not None for x in columns[f"{method}.x"]]
    sizes = [sum(placed[r] for r in colouring.rows(p)) for p in range(len(colouring.categories))]
    there = [place for place, size in enumerate(sizes) if size]
    said = [f"{colouring.categories[place]}: {sizes[place]:,}" for place in there]
    colours, n = colouring.colours, sum(placed)
    traces = points(colouring.categories, colours, colouring.key, method, n)
    return View(
        [traces[place] for place in there],
        plane(_titles(method, row)),
        f"{METHODS[method]}{_fitted_on(row)}. {HOW_TO_READ[method]}{_remark(row)}",
        f"{METHODS[method]} of {count(n, 'sample')} of {layer}, by {lowered(colouring.label)} "
        f"({'; '.join(said)}). What lies together can only be seen.",
    )


def _titles(method: str, row: pd.Series | None) -> dict[str, str]:
    name = METHODS[method]
    if method == "harmony":
        return {"x": "UMAP 1, after Harmony", "y": "UMAP 2, after Harmony"}
    if method != "pca":
        return {"x": f"{name} 1", "y": f"{name} 2"}
    titles = {"numbers": "yes"}
    for end, column in (("x", "explained_x"), ("y", "explained_y")):
        part = None if row is None else row[column]
        said = "" if part is None or part != part else f" ({share(part, 1)} of the variance)"
        titles[end] = f"PC{1 if end == 'x' else 2}{said}"
    return titles


def _fitted_on(row: pd.Series | None) -> str:
    if row is None or row["n_features"] != row["n_features"]:
        return ""
    return f" of {quantity(row['n_features'])} features"


def _remark(row: pd.Series | None) -> str:
    note = told(row["note"]) if row is not None else ""
    return f" Drawn {note.rstrip('.')}." if note.startswith("without") else f" {note}".rstrip()


def _missing(summary: pd.DataFrame, methods: list[str]) -> str:
    """Say why there is no picture by a method."""
    reasons: dict[str, list[str]] = {}
    for method, row in summary.iterrows():
        if method not in methods and told(row["note"]):
            reasons.setdefault(told(row["note"]), []).append(METHODS.get(str(method), str(method)))
    return " ".join(
        f"No picture by {', '.join(names)}: {reason.rstrip('.')}."
        for reason, names in reasons.items()
    )
