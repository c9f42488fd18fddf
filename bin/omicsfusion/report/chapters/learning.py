"""The learning curve: the headline metric against the number of patients trained on."""

from typing import Any

import pandas as pd

from omicsfusion.report.blocks import Figure, Table
from omicsfusion.report.colours import model_colours
from omicsfusion.report.figures.learning import learning_lines
from omicsfusion.report.metric_words import chance_in_words, chance_of, metric_in_words
from omicsfusion.report.results import Results
from omicsfusion.report.words import (
    count,
    interval,
    listed,
    lowered,
    model_name,
    quantity,
    score,
    sentence,
    share,
    short_model_name,
)

MOST_LINES = 6
FILE = "assess/learning_curve.tsv"


def learning_view(results: Results) -> dict[str, Any] | None:
    """Make figure, sentence and remarks; None for a run without ``--learning_curve``."""
    rows = results["learning_curve"]
    rows = rows[rows["metric"] == results.headline]
    if not len(rows):
        return None
    points = rows.dropna(subset=["estimate"])
    models = [model for model in results.models if (points["model"] == model).any()]
    drawn = points["share"].nunique() > 1
    return {
        "figure": _figure(results, points, models) if drawn else None,
        "sentence": _end_of_curve(results, points, models[0]) if drawn else "",
        "remarks": [*_left_out(rows), *_failed(points)],
    }


def _figure(results: Results, points: pd.DataFrame, models: list[str]) -> Figure:
    label = metric_in_words(results.headline).label
    chance = chance_of(results.headline, len(results.classes))
    named = f"{chance_in_words(results.headline)} {score(chance)}"
    shown = models[:MOST_LINES]
    data, layout, height = learning_lines(
        points[points["model"].isin(shown)],
        shown,
        label,
        (chance, named),
        model_colours(results.models),
    )
    rest = f" {count(len(models) - len(shown), 'more model')}: in the table below."
    shares = listed([share(part, 1) for part in sorted(points["share"].unique())])
    return Figure(
        "learning-curve",
        f"{label} of models that were trained on {shares} of the training patients of each fold, "
        "on the same held-out patients of the first repeat. A smaller share lies in a larger one. "
        f"The band is the 95 % interval of the {lowered(short_model_name(models[0]))}; it does not "
        "include what another draw of patients would change. The dashed line is "
        f"{chance_in_words(results.headline)}.{rest if len(models) > len(shown) else ''}",
        f"{label} against the number of patients, {count(len(shown), 'model')}; "
        "the numbers are in the table below.",
        data,
        layout,
        height,
        _table(label, points, models),
    )


def _table(label: str, points: pd.DataFrame, models: list[str]) -> Table:
    """Lay out a row per share, a column per model."""
    of_one = {(row["share"], row["model"]): row for row in points.to_dict("records")}
    rows = []
    for part, here in points.groupby("share"):
        first = here.iloc[0]
        events = "" if pd.isna(first["n_events"]) else f"\n{quantity(first['n_events'], 3)} events"
        size = f"{quantity(first['n_patients'], 3)}{events}"
        cells = [_cell(of_one.get((part, model))) for model in models]
        rows.append([share(float(str(part)), 1), size, *cells])
    header = ["Share", "Patients", *(short_model_name(model) for model in models)]
    note = "Patients and events: mean over the training sets of the folds. 95 % intervals."
    return Table(f"{label} by the share of the training patients", header, rows, note=note)


def _cell(row: Any) -> str:
    if row is None:
        return "—"
    return f"{score(row['estimate'], 3)}\n{interval(row['ci_low'], row['ci_high'], 3)}"


def _end_of_curve(results: Results, points: pd.DataFrame, model: str) -> str:
    """Say whether the curve of a model still rises where it ends."""
    rows = points[points["model"] == model].sort_values("share")
    name, label = lowered(short_model_name(model)), metric_in_words(results.headline).label
    last = rows.iloc[-1]
    if len(rows) < 2 or pd.isna(last["gain"]):
        return f"Of the {name} the curve has no second point, so that nothing can be said of it."
    before, after = (quantity(n, 3) for n in rows["n_patients"].iloc[-2:])
    ends = interval(last["gain_low"], last["gain_high"], 3)
    return (
        f"From {before} to {after} patients the {lowered(label)} of the {name} changed by "
        f"{_signed(last['gain'])} (95 % interval of the paired difference: {ends}): "
        f"{_verdict(last)} What more than {after} patients would bring is not said: the curve is "
        "not drawn beyond its data."
    )


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{score(value, 3)}"


def _verdict(row: pd.Series) -> str:
    if pd.isna(row["gain_low"]) or pd.isna(row["gain_high"]):
        return "whether it still rises at its end is not known."
    if row["gain_low"] > 0:
        return "it still rises at its end."
    if row["gain_high"] < 0:
        return "it falls at its end, which more patients seldom bring about and chance may."
    return "it cannot be told whether it still rises at its end."


def _left_out(rows: pd.DataFrame) -> list[str]:
    """Say which shares have no score, and why."""
    absent = rows[rows["estimate"].isna()]
    told = []
    for (part, reason), here in absent.fillna({"reason": ""}).groupby(["share", "reason"]):
        everyone = here["model"].nunique() == rows["model"].nunique()
        names = listed([lowered(model_name(model)) for model in here["model"]])
        who = "" if everyone else f" ({names})"
        why = reason or "the metric is not defined"
        told.append(f"Not scored at {share(float(str(part)), 1)} of the patients{who}: {why}.")
    return told


def _failed(points: pd.DataFrame) -> list[str]:
    """Say which fits failed: they count as chance and bend the curve."""
    failed = points[pd.to_numeric(points["n_failed"]) > 0]
    return [
        f"{sentence(model_name(row['model']))}, {share(row['share'], 1)} of the patients: "
        f"{count(row['n_failed'], 'fit')} failed and count as chance."
        for row in failed.to_dict("records")
    ]
