"""What the predictions rest on: features, layers, gene sets."""

from typing import Any

import pandas as pd

from omicsfusion.report.blocks import Bar, Chapter, Table
from omicsfusion.report.chapters.classes import commonest_classes
from omicsfusion.report.colours import layer_colours
from omicsfusion.report.results import Results
from omicsfusion.report.words import (
    count,
    model_name,
    model_order,
    number,
    output_name,
    sentence,
    share,
)

FEATURES_OF_ONE = 20
FEATURES_OF_MANY = 8
MOST_OUTPUTS = 8
MOST_TERMS = 25
MOST_NOTES = 12
CLEAR_DIRECTION = 0.1
"""Below this rank correlation a feature is said to have no single direction."""


def explanation_chapter(results: Results) -> Chapter:
    """Make the chapter from the tables of EXPLAIN and ENRICH."""
    importance = results["importance"]
    models = sorted(importance["model"].unique(), key=model_order)
    layers = sorted({*results["layers"]["layer"], *importance["layer"]})
    return Chapter(
        "explanation",
        "What it rests on",
        {
            "networks": [_network(results, model, layers) for model in models],
            "layers": layers,
            "colours": layer_colours(layers),
            "terms": _terms(results["enrichment"]),
            "notes": _notes(results["enrichment_notes"]),
        },
    )


def direction_sign(direction: float) -> tuple[str, str]:
    """Say which way a feature pushes the output when its value is high: a sign, and words."""
    if direction != direction or abs(direction) < CLEAR_DIRECTION:
        return "↕", "no single direction"
    return ("↑", "up when high") if direction > 0 else ("↓", "down when high")


def _network(results: Results, model: str, layers: list[str]) -> dict[str, Any]:
    rows = results["importance"][results["importance"]["model"] == model]
    outputs = _outputs(results, rows)
    # Outputs of several targets have units of their own, which do not add up.
    others = tuple(f"{other.target}:" for other in results.others)
    first = rows[~rows["output"].str.startswith(others)] if others else rows
    most = FEATURES_OF_ONE if len(outputs) == 1 else FEATURES_OF_MANY
    colours = layer_colours(layers)
    rest = len(outputs) - MOST_OUTPUTS
    return {
        "name": model_name(model),
        "shares": _shares(first, colours),
        "outputs": [
            {
                "title": sentence(output_name(output)),
                "bars": _bars(rows[rows["output"] == output], most, colours),
            }
            for output in outputs[:MOST_OUTPUTS]
        ],
        "more": f"{count(rest, 'rarer class', 'rarer classes')} not shown." if rest > 0 else "",
        "folds": int(rows["n_folds"].max()),
        "file": f"explain/{model}.importance.tsv",
        "additivity": _additivity(results["additivity"], model, others),
    }


def _outputs(results: Results, rows: pd.DataFrame) -> list[str]:
    known = set(rows["output"])
    classes = commonest_classes(results) if results.classes else []
    first = [name for name in classes if name in known]
    return first + sorted(known - set(first))


def _bars(rows: pd.DataFrame, most: int, colours: dict[str, str]) -> list[Bar]:
    top = rows.sort_values(["rank", "layer", "feature"]).head(most)
    longest = float(top["mean_abs_shap"].max()) or 1.0
    return [
        Bar(
            name=row["feature"],
            percent=round(100 * row["mean_abs_shap"] / longest, 1),
            colour=colours[row["layer"]],
            value=number(row["mean_abs_shap"], 2),
            group=row["layer"],
            remark=direction_sign(row["direction"])[0],
            meaning=direction_sign(row["direction"])[1],
        )
        for row in top.to_dict("records")
    ]


def _shares(rows: pd.DataFrame, colours: dict[str, str]) -> list[Bar]:
    sums = rows.groupby("layer")["mean_abs_shap"].sum()
    total = float(sums.sum())
    if not total:
        return []
    ordered = sorted(sums.items(), key=lambda item: (-float(item[1]), str(item[0])))
    features = rows.groupby("layer")["feature"].nunique()
    return [
        Bar(
            name=str(layer),
            percent=round(100 * amount / total, 2),
            colour=colours[str(layer)],
            value=share(amount, total),
            remark=count(features[layer], "feature"),
        )
        for layer, amount in ordered
    ]


def _additivity(table: pd.DataFrame, model: str, others: tuple[str, ...]) -> str:
    rows = table[table["model"] == model]
    rows = rows[~rows["output"].str.startswith(others)] if others else rows
    if not len(rows):
        return ""
    weights = rows["n_samples"].astype(float)
    gap, size = (
        float((rows[name] * weights).sum() / weights.sum())
        for name in ("mean_abs_gap", "mean_abs_difference")
    )
    part = f", {share(gap, size)} of what they explain" if size > 0 else ""
    return (
        "Do attributions add up to the prediction? On average they miss it by "
        f"{number(gap, 2)}{part}; the largest gap of any sample is "
        f"{number(float(rows['max_abs_gap'].max()), 2)}."
    )


def _terms(table: pd.DataFrame) -> Table | None:
    if not len(table):
        return None
    top = table.sort_values(["fdr", "p", "term", "model", "output", "layer"]).head(MOST_TERMS)
    several = table["model"].nunique() > 1
    rows = [
        [
            row["term"],
            *([row["model"]] if several else []),
            output_name(row["output"]),
            row["layer"],
            number(row["nes"]),
            "< 0.001" if row["fdr"] < 0.001 else number(row["fdr"], 2),
            f"{int(row['n_genes']):,}",
            _leading(row["leading_edge"]),
        ]
        for row in top.to_dict("records")
    ]
    header = ["Gene set", *(["Model"] if several else []), "Output", "Layer", "NES", "FDR", "Genes"]
    words = tuple(range(1, 4 if several else 3))
    below = count((table["fdr"] < 0.05).sum(), "of them has", "of them have")
    note = (
        f"The {len(top)} sets with the least false discovery rate of {len(table):,} tested; "
        f"{below} one below 0.05. NES: normalised enrichment score; above 0, high values of "
        "the set's genes raise the output. All of them: enrich/enrichment.tsv."
    )
    caption = "Gene sets among the features that matter"
    return Table(caption, [*header, "Leading genes"], rows, (*words, len(header)), note)


def _leading(genes: object) -> str:
    names = str(genes).split(";") if isinstance(genes, str) else []
    return ", ".join(names[:4]) + (", …" if len(names) > 4 else "")


def _notes(table: pd.DataFrame) -> list[str]:
    told = table.drop_duplicates(["layer", "note"]).sort_values(["layer", "note"])
    notes = [f"{row['layer']}: {row['note']}" for row in told.to_dict("records")]
    more = len(notes) - MOST_NOTES
    if more > 0:
        return [*notes[:MOST_NOTES], f"And {count(more, 'further note')} in the folder enrich/."]
    return notes
