"""How the samples were split, and what was done to each layer."""

import pandas as pd

from omicsfusion.report.blocks import Chapter, Table
from omicsfusion.report.chapters.layer_chain import layer_chain
from omicsfusion.report.results import Results
from omicsfusion.report.words import count, quantity, span

ROLES = {
    "train": "everything is fitted on these",
    "stop": "a part of the training patients that tells a network when to stop",
    "test": "held out: only transformed and predicted",
    "external": "other cohorts: only transformed and predicted",
}

MOST_OPEN = 6
"""With more layers than this, what was done to each is folded away."""


def preparation_chapter(results: Results) -> Chapter:
    """Make the chapter from the tables of SPLIT and PREPROCESS."""
    outer = results["splits"][results["splits"]["inner"] == "outer"]
    return Chapter(
        "preparation",
        "How it was split and prepared",
        {
            "scopes": _scopes(results["splits"]),
            "roles": _roles(outer),
            "features": _features(results),
            "notes": _notes(results["features"]),
            "chains": [layer_chain(results, layer) for layer in chained_layers(results)],
            "open": MOST_OPEN,
        },
    )


def chained_layers(results: Results) -> list[str]:
    """List the layers of whose chains something was published."""
    found = {*results["steps"]["layer"], *results["kept"]["layer"], *results.recipes}
    return sorted(str(layer) for layer in found)


def _scopes(splits: pd.DataFrame) -> str:
    scopes = splits[["repeat", "fold", "inner"]].drop_duplicates()
    outer = scopes[scopes["inner"] == "outer"]
    inner = scopes[~scopes["inner"].isin(["outer", "final"])]
    sizes = inner[inner["repeat"] > 0].groupby(["repeat", "fold"]).size()
    each = f", each with {span(list(sizes))} inner folds" if len(sizes) else ""
    final = " and one set of all training samples" if (scopes["inner"] == "final").any() else ""
    folds = count(len(outer), "outer training set")
    return f"{folds}{each}{final}: {count(len(scopes), 'set')} on which everything is fitted anew."


def _roles(outer: pd.DataFrame) -> Table:
    sizes = outer.groupby(["repeat", "fold", "role"])["sample"].nunique().reset_index()
    patients = outer.groupby(["repeat", "fold", "role"])["patient"].nunique().reset_index()
    rows = []
    for role, meaning in ROLES.items():
        here = sizes.loc[sizes["role"] == role, "sample"]
        if len(here):
            people = patients.loc[patients["role"] == role, "patient"]
            rows.append([role, meaning, span(list(here)), span(list(people))])
    header = ["Role", "What it is for", "Samples per fold", "Patients per fold"]
    return Table("Roles of the samples in an outer fold", header, rows, text_columns=(1,))


def _features(results: Results) -> Table | None:
    outer = results["features"][results["features"]["inner"] == "outer"]
    if not len(outer):
        return None
    kinds = dict(zip(results["layers"]["layer"], results["layers"]["kind"], strict=True))
    rows = []
    for layer, group in outer.groupby("layer"):
        medians = [quantity(group[name].median()) for name in ("n_in", "n_constant", "n_kept")]
        trained = span(list(group["n_train"]))
        rows.append([str(layer), kinds.get(layer, ""), *medians, trained])
    header = ["Layer", "Kind", "Features in", "Constant", "Kept", "Samples fitted on"]
    return Table(
        "Features per layer, median over the outer folds",
        header,
        rows,
        text_columns=(1,),
        note="Samples fitted on: training and stopping samples that have the layer.",
    )


def _notes(features: pd.DataFrame) -> list[str]:
    told = features.dropna(subset=["note"])
    groups = told.groupby(["layer", "note"]).size()
    return [f"{layer}: {note} ({count(n, 'training set')})" for (layer, note), n in groups.items()]
