"""What the layers look like before anything is learnt from them: nothing here is removed."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from omicsfusion.report.blocks import Chapter, Table
from omicsfusion.report.chapters.belonging import belonging_views
from omicsfusion.report.chapters.layer_values import value_views
from omicsfusion.report.chapters.pictures import picture, pictured
from omicsfusion.report.results import Results
from omicsfusion.report.words import (
    count,
    number,
    quantity,
    score,
    sentence,
    share,
    shortened,
    told,
)

TABLES = ("qc_samples", "qc_features", "qc_summary", "embedding", "duplicates_summary")
ON_SAMPLES = ("used_samples", "outliers", "sex_called", "sex_disagrees")
"""Rows of the summary that are no signs of an earlier transformation."""
RELATIONS = {
    "same_patient": "the same patient",
    "different_patients": "two patients",
    "across_cohorts": "two cohorts",
}
CONTENT = ("signs", "flagged", "distributions", "histograms", "points", "sex", "duplicates")
"""Views of a layer, one of which is needed to unfold it."""
MOST_OPEN = 2
MOST_FLAGGED = 25
MOST_SIGNS = 12
MOST_PAIRS = 25


def quality_chapter(results: Results) -> Chapter | None:
    """Make the chapter from the tables of QC and CONCORDANCE; None when neither ran."""
    belonging = belonging_views(results)
    layers = _ordered(results)
    if not layers and belonging is None:
        return None
    with_points = sum(pictured(results, layer) for layer in layers)
    cohorts = _cohorts(results)
    made = [_layer(results, layer, place, with_points) for place, layer in enumerate(layers, 1)]
    views = [view for view in made if any(view[name] for name in CONTENT)]
    return Chapter(
        "quality",
        "Quality of the data",
        {
            "overview": _overview(results["qc_samples"], cohorts),
            "layers": views,
            "open": MOST_OPEN,
            "belonging": belonging,
        },
    )


def _ordered(results: Results) -> list[str]:
    """Sort the layers by name, covariates last."""
    kinds = dict(zip(results["layers"]["layer"], results["layers"]["kind"], strict=True))
    found = {str(name) for table in TABLES for name in results[table]["layer"]}
    return sorted(found, key=lambda layer: (kinds.get(layer) == "clinical", layer))


def _cohorts(results: Results) -> dict[str, int]:
    """Give each cohort its place, those that are trained on first."""
    rows = results["layers"].drop_duplicates("cohort")
    pairs = zip(rows["role"] == "external", rows["cohort"], strict=True)
    return {cohort: place for place, (_, cohort) in enumerate(sorted(pairs))}


def _overview(samples: pd.DataFrame, cohorts: Mapping[str, int]) -> Table | None:
    if not len(samples):
        return None
    rows = []
    groups = sorted(
        samples.groupby(["layer", "cohort"]),
        key=lambda item: (item[0][0], cohorts.get(item[0][1], len(cohorts))),
    )
    for (layer, cohort), group in groups:
        missing = group["missing"].mean()
        flagged, wrong = (
            int((group[name] == v).sum()) for name, v in (("outlier", "yes"), ("sex_agrees", "no"))
        )
        known = int(group["sex_agrees"].map(told).isin(["yes", "no"]).sum())
        rows.append(
            [
                str(layer),
                str(cohort),
                f"{len(group):,}",
                quantity(group["n_features"].max()),
                "none" if missing == 0 else share(missing, 1),
                f"{flagged:,}",
                f"{wrong:,} of {known:,}" if known else "—",
            ]
        )
    header = ["Layer", "Cohort", "Samples", "Features", "Missing", "Flagged", "Wrong sex"]
    return Table(
        "Layers as they came",
        header,
        rows,
        text_columns=(1,),
        note="Missing: share of the values. Flagged: samples far from the training samples in a "
        "measure below. Wrong sex: samples whose sex genes tell another sex than was given, of "
        "those where both are known (— where none is).",
    )


def _layer(results: Results, layer: str, place: int, with_points: int) -> dict[str, Any]:
    mine = {
        name: results[name][results[name]["layer"] == layer]
        for name in (
            *("qc_samples", "qc_features", "qc_distributions", "qc_summary"),
            *("duplicates", "duplicates_summary"),
        )
    }
    flagged = set(mine["qc_samples"].loc[mine["qc_samples"]["outlier"] == "yes", "sample"])
    points, pictures_note = picture(results, layer, f"points-{place}", with_points)
    return {
        "layer": layer,
        "summary": _summary(mine, flagged),
        "signs": _signs(mine["qc_summary"]),
        "flagged": _flagged(mine["qc_samples"]),
        **value_views(
            mine["qc_distributions"], mine["qc_features"], layer, flagged, place, _cohorts(results)
        ),
        "points": points,
        "points_note": pictures_note,
        "sex": _sex(mine["qc_samples"]),
        "sex_notes": _sex_notes(mine["qc_summary"]),
        "duplicates": _duplicates(mine["duplicates"]),
        "duplicates_note": _compared(mine["duplicates_summary"]),
    }


def _summary(mine: dict[str, pd.DataFrame], flagged: set[str]) -> str:
    signs = len(_sign_rows(mine["qc_summary"]))
    pairs = len(mine["duplicates"])
    parts = [
        count(len(mine["qc_samples"]), "sample"),
        f"{len(flagged):,} flagged" if flagged else "",
        count(signs, "sign of an earlier transformation", "signs of an earlier transformation")
        if signs
        else "",
        count(pairs, "pair of near-identical samples", "pairs of near-identical samples")
        if pairs
        else "",
    ]
    return ", ".join(part for part in parts if part)


def _sign_rows(summary: pd.DataFrame) -> pd.DataFrame:
    return summary[(summary["note"].map(told) != "") & ~summary["name"].isin(ON_SAMPLES)]


def _signs(summary: pd.DataFrame) -> list[str]:
    rows = _sign_rows(summary).to_dict("records")
    lines = []
    for row in rows[:MOST_SIGNS]:
        name = told(row["name"]).replace("_", " ")
        lines.append(
            f"{row['cohort']}: {sentence(told(row['note']))} ({name}: {number(row['value'])})."
        )
    rest = len(rows) - len(lines)
    return [*lines, f"And {count(rest, 'further sign')} in qc/."] if rest > 0 else lines


def _flagged(samples: pd.DataFrame) -> Table | None:
    rows = samples[samples["outlier"] == "yes"].sort_values(
        ["role", "sample"], ascending=[False, True]
    )
    if not len(rows):
        return None
    cells = [
        [
            shortened(row["sample"]),
            row["cohort"],
            "external" if row["role"] == "external" else "training",
            told(row["reasons"]),
        ]
        for row in rows.head(MOST_FLAGGED).to_dict("records")
    ]
    rest = len(rows) - len(cells)
    more = f" {count(rest, 'further sample')} in qc/*.qc_samples.tsv." if rest > 0 else ""
    return Table(
        "Flagged samples",
        ["Sample", "Cohort", "Role", "Why"],
        cells,
        text_columns=(1, 2, 3),
        note="Robust z: distance from the median of the training samples, in 1.4826 times their "
        "median absolute deviation. Missing: share of the features; total: sum of the values, "
        "log2; median, spread: of the sample's values; distance: from the middle in the principal "
        f"components. Flagged only: nobody was removed for it here.{more}",
    )


def _sex(samples: pd.DataFrame) -> Table | None:
    wrong = samples[samples["sex_agrees"] == "no"].sort_values("sample")
    if not len(wrong):
        return None
    rows = [
        [shortened(row["sample"]), row["cohort"], told(row["sex_given"]), told(row["sex_called"])]
        for row in wrong.head(MOST_FLAGGED).to_dict("records")
    ]
    rest = len(wrong) - len(rows)
    return Table(
        "Samples whose sex genes tell another sex than was given",
        ["Sample", "Cohort", "Given", "By the genes"],
        rows,
        text_columns=(1, 2, 3),
        note="Such a sample may be another patient's."
        + (f" {count(rest, 'further sample')} in qc/*.qc_samples.tsv." if rest > 0 else ""),
    )


def _sex_notes(summary: pd.DataFrame) -> list[str]:
    rows = summary[summary["name"] == "sex_called"].to_dict("records")
    return [
        f"{row['cohort']}: sex called in {count(row['value'], 'sample')}, {told(row['note'])}."
        for row in rows
        if told(row["note"])
    ]


def _duplicates(pairs: pd.DataFrame) -> Table | None:
    if not len(pairs):
        return None
    ordered = pairs.sort_values(["relation", "sample", "other"])
    rows = [
        [
            f"{shortened(row['sample'])} and {shortened(row['other'])}",
            RELATIONS.get(row["relation"], told(row["relation"])),
            *(score(row[name], 4) for name in ("correlation", "centred_correlation")),
        ]
        for row in ordered.head(MOST_PAIRS).to_dict("records")
    ]
    rest = len(pairs) - len(rows)
    more = f" {count(rest, 'further pair')} in qc/*.duplicates.tsv." if rest > 0 else ""
    return Table(
        "Samples that are all but identical",
        ["Samples", "Of", "Correlation", "Centred"],
        rows,
        text_columns=(1,),
        note="Centred: the correlation once every feature is centred and scaled. Such samples are "
        f"put into one group, which no split parts.{more}",
    )


def _compared(summary: pd.DataFrame) -> str:
    rows = summary.to_dict("records")
    if not rows:
        return ""
    row, note = rows[0], told(rows[0]["note"])
    if not row["n_pairs_compared"]:
        return f"Near-identical samples: {note}" if note else ""
    pairs = count(row["n_pairs_compared"], "pair")
    found = count(row["n_duplicates"], "is", "are") if row["n_duplicates"] else "none is"
    return f"Of {pairs} of samples {found} all but identical. {note}".strip()
