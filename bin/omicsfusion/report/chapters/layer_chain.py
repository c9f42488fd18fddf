"""What was done to one layer, step by step, and what became of its features."""

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from omicsfusion.report.blocks import Table
from omicsfusion.report.chapters.imputation import imputation_views
from omicsfusion.report.results import Results
from omicsfusion.report.words import count, quantity, share, shortened, times, told

STEP_NAMES = {
    "outliers": "Outlying samples",
    "encode": "Words to columns",
    "filter": "Filter",
    "normalise": "Normalise",
    "batch": "Batch",
    "impute": "Fill in missing values",
    "select": "Select",
    "scale": "Scale",
}
"""In the order of the chain."""
MOST_KEPT = 50
MOST_REASONS = 12
MOST_OUTLIERS = 20
SCOPE = ["repeat", "fold", "inner"]
FIGURES = re.compile(r"\d[\d.,]*")


def layer_chain(results: Results, layer: str) -> dict[str, Any]:
    """Make the views of one layer; a view without data is None or empty."""
    mine = {
        name: results[name][results[name]["layer"] == layer]
        for name in ("steps", "dropped", "kept", "features", "outliers", "absent", "imputation")
    }
    recipe = results.recipes.get(layer, {})
    return {
        "layer": layer,
        "summary": _summary(recipe, mine["features"]),
        "steps": _steps(mine["steps"], recipe),
        "dropped": _dropped(mine["dropped"], mine["features"]),
        **_kept(mine["kept"], mine["features"]),
        **imputation_views(mine["imputation"]),
        "outliers": _outliers(mine["outliers"], mine["features"]),
        "absent": _absent(mine["absent"]),
    }


def _summary(recipe: Mapping[str, Any], features: pd.DataFrame) -> str:
    outer = features[features["inner"] == "outer"]
    counts = [quantity(outer[name].median()) for name in ("n_in", "n_kept")] if len(outer) else []
    of_features = f"{counts[0]} features in, {counts[1]} kept" if counts else ""
    return ", ".join(part for part in (told(recipe.get("kind")), of_features) if part)


def _steps(steps: pd.DataFrame, recipe: Mapping[str, Any]) -> Table | None:
    if not len(steps):
        return None
    shown = steps[steps["inner"] == "final"]
    if not len(shown):
        first = steps[SCOPE].iloc[0]
        shown = steps[(steps[SCOPE] == first).all(axis=1)]
    chosen = set(recipe.get("chosen", ()))
    choices = {choice["step"]: choice for choice in recipe.get("choices", ())}
    rows = {
        row["step"]: [
            STEP_NAMES.get(row["step"], row["step"]),
            _method(row["method"], row["step"] in chosen, choices.get(row["step"], {})),
            _did(row, steps[steps["step"] == row["step"]]),
            f"{row['n_in']:,} → {row['n_out']:,}",
        ]
        for row in shown.sort_values("position").to_dict("records")
    }
    ordered = [name for name in STEP_NAMES if name in rows or name in chosen]
    ordered += [name for name in rows if name not in ordered]
    cells = [rows.get(name) or _without_row(name, choices) for name in ordered]
    header = ["Step", "Method", "What it did", "Features in → out"]
    if recipe:
        header[1] = "Method, and who chose it"
    n = len(steps[SCOPE].drop_duplicates())
    return Table(
        "The chain, in its order",
        header,
        cells,
        text_columns=(1, 2),
        note=f"Figures are those of the chain fitted on all training samples; each of the "
        f"{count(n, 'training set')} has a chain of its own, with figures of its own.",
    )


def _method(method: str, by_user: bool, choice: Mapping[str, Any]) -> str:
    file = f"\nfile {choice['file']}" if choice.get("file") else ""
    who = "\nchosen by you" if by_user else "\nby kind" if choice else ""
    return f"{method}{who}{file}"


def _without_row(step: str, choices: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the row of a step that was chosen and makes no values: outliers, or none at all."""
    choice = choices.get(step)
    if choice is None:
        return [STEP_NAMES[step], "none\nchosen by you", "Nothing: left out.", ""]
    did = "Samples that are unlike the others are left out of the training, see below."
    text = did if choice["method"] == "leave_out" else "Nothing is removed."
    return [STEP_NAMES[step], _method(choice["method"], True, choice), text, ""]


def _did(row: Mapping[str, Any], everywhere: pd.DataFrame) -> str:
    """Say what a step did, why it did not, and in how many training sets it was otherwise."""
    n = len(everywhere)
    did, skipped = told(row["did"]), told(row["skipped"])
    lines = [did] if did else []
    why = everywhere["skipped"].map(told)
    if skipped:
        lines.append(f"Left out: {skipped}")
    elif (why != "").any():
        commonest = why[why != ""].mode().iloc[0]
        lines.append(f"Left out in {times(int((why != '').sum()), n)} training sets: {commonest}")
    other = int((everywhere["did"].map(told).map(_form) != _form(did)).sum())
    if other:
        lines.append(f"Otherwise in {times(other, n)} training sets")
    return "\n".join(lines) or "—"


def _form(text: str) -> str:
    """Return a phrase without its figures: they differ between training sets by nature."""
    return FIGURES.sub("#", text)


def _dropped(dropped: pd.DataFrame, features: pd.DataFrame) -> Table | None:
    outer = dropped[dropped["inner"] == "outer"]
    n = int((features["inner"] == "outer").sum()) or len(outer[SCOPE].drop_duplicates())
    if not len(outer):
        return None
    rows: list[tuple[float, list[str]]] = []
    for (step, reason), group in outer.groupby(["step", "reason"]):
        # A training set without the reason has no row: none was dropped for it.
        counts = pd.Series([*group["n"], *[0] * (n - len(group))])
        found = times(int((counts > 0).sum()), n)
        cells = [str(reason), STEP_NAMES.get(str(step), str(step)), quantity(counts.median())]
        rows.append((-counts.median(), [*cells, found]))
    rows.sort()
    rest = len(rows) - MOST_REASONS
    return Table(
        "Why features were left out: median count over the outer folds",
        ["Reason", "Step", "Features", "Outer folds"],
        [cells for _, cells in rows[:MOST_REASONS]],
        text_columns=(1,),
        note=f"And {count(rest, 'rarer reason')}." if rest > 0 else "",
    )


def _kept(kept: pd.DataFrame, features: pd.DataFrame) -> dict[str, Any]:
    """Say how stable the selection was.

    Where scopes were handled in several tasks, each task counted its own outer folds: they add up.
    """
    if not len(kept):
        return {"stability": "", "kept": None}
    table = kept.groupby("feature", sort=False)[["n_kept", "in_final"]].sum().reset_index()
    n_outer = int(((features["inner"] == "outer") & (features["n_kept"] > 0)).sum())
    n_outer = n_outer or int(kept["n_outer"].max())
    in_all = int((table["n_kept"] == n_outer).sum())
    if in_all == len(table):
        folds = count(n_outer, "outer fold")
        same = f"{count(in_all, 'feature')} kept, the same in all {folds}."
        return {"stability": same, "kept": None}
    half = int(((table["n_kept"] < n_outer) & (2 * table["n_kept"] >= n_outer)).sum())
    few = len(table) - in_all - half
    features = count(len(table), "feature")
    text = (
        f"{features} kept at least once: {in_all:,} ({share(in_all, len(table))}) in all "
        f"{count(n_outer, 'outer fold')}, {half:,} in half of them or more, {few:,} in fewer."
    )
    ranked = table.sort_values(["n_kept", "in_final", "feature"], ascending=[False, False, True])
    rows = [
        [shortened(row["feature"]), times(int(row["n_kept"]), n_outer), _yes(row["in_final"])]
        for row in ranked.head(MOST_KEPT).to_dict("records")
    ]
    rest = len(table) - len(rows)
    note = f"{count(rest, 'further feature')} in the files preprocess/*.kept.tsv." if rest else ""
    header = ["Feature", "Outer folds", "In the chain of all samples"]
    caption = "Features kept in the most folds; within these in alphabetical order"
    return {"stability": text, "kept": Table(caption, header, rows, note=note)}


def _yes(flag: object) -> str:
    return "yes" if flag else "no"


def _outliers(outliers: pd.DataFrame, features: pd.DataFrame) -> Table | None:
    if not len(outliers):
        return None
    n = len(features) or len(outliers[SCOPE].drop_duplicates())
    groups = sorted(outliers.groupby("sample"), key=lambda item: (-len(item[1]), str(item[0])))
    rows = []
    for sample, group in groups[:MOST_OUTLIERS]:
        final = group[group["inner"] == "final"]
        reason = told((final if len(final) else group)["reasons"].iloc[0])
        rows.append([shortened(str(sample)), times(len(group), n), reason])
    rest = len(groups) - len(rows)
    return Table(
        "Outlying samples, left out of the training",
        ["Sample", "Training sets", "Why"],
        rows,
        text_columns=(2,),
        note="To the models they lack this layer where they would have trained; they are scored "
        "like everyone else where they are held out."
        + (f" {count(rest, 'further sample')} in preprocess/*.outliers.tsv." if rest > 0 else ""),
    )


def _absent(absent: pd.DataFrame) -> Table | None:
    lacking = absent[absent["n_absent"] > 0].sort_values("share_absent", ascending=False)
    lacking = lacking.drop_duplicates("cohort")
    if not len(lacking):
        return None
    rows = [
        [
            row["cohort"],
            f"{int(row['n_absent']):,} of {int(row['n_needed']):,}",
            share(row["n_absent"], row["n_needed"]),
            _such_as(told(row["features"])),
        ]
        for row in lacking.to_dict("records")
    ]
    return Table(
        "Needed features that a cohort's table lacks",
        ["Cohort", "Features", "Share", "Such as"],
        rows,
        text_columns=(3,),
        note="They count as missing values there. The worst training set is shown.",
    )


def _such_as(features: str) -> str:
    names = [shortened(name, 24) for name in features.split(";") if name]
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
