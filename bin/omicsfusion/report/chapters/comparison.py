"""Model against model: paired differences, what each layer adds, and ranks over the folds."""

import pandas as pd

from omicsfusion.report.blocks import Chapter, Figure, Table
from omicsfusion.report.colours import model_colours
from omicsfusion.report.figures.estimates import dots_and_intervals
from omicsfusion.report.metric_words import metric_in_words
from omicsfusion.report.results import Results
from omicsfusion.report.verdict import QUESTIONS, best_of
from omicsfusion.report.words import (
    count,
    interval,
    lowered,
    model_name,
    number,
    score,
    sentence,
    short_model_name,
)

SINGLE_SPLIT = ("p_delong", "p_mcnemar")
"""Tests of a single split, and of external samples."""

METHODS = {"nadeau_bengio": "corrected t-test", "bootstrap": "bootstrap"}


def comparison_chapter(results: Results) -> Chapter | None:
    """Make the chapter from the comparisons; None without any (older runs, a single model)."""
    table = results["comparison"]
    test = table[table["scope"] == "test"]
    if not len(test):
        return None
    return Chapter(
        "comparison",
        "Model against model",
        {
            "questions": _table(test[test["family"] == "question"], "The questions of the verdict"),
            "differences": _differences(results, test[test["family"] == "model"]),
            "layers": _layers(results),
            "ranks": _ranks(results),
            "external": _table(
                table[(table["scope"] == "external") & (table["family"] == "question")],
                "The same questions on the external samples",
            ),
        },
    )


def _table(rows: pd.DataFrame, caption: str) -> Table | None:
    if not len(rows):
        return None
    cells = []
    for row in rows.to_dict("records"):
        name = row["name"]
        asked = QUESTIONS[name][0] if name in QUESTIONS else model_name(name)
        cells.append(
            [
                asked,
                sentence(best_of(row["model"])),
                sentence(best_of(row["against"])),
                score(row["score"], 3),
                score(row["score_against"], 3),
                score(row["difference"], 3),
                interval(row["ci_low"], row["ci_high"], 3),
                number(row["p_holm"], 2),
                METHODS[row["method"]],
                *[number(row[p], 2) if pd.notna(row[p]) else "—" for p in SINGLE_SPLIT],
                f"{int(row['n_patients']):,}",
            ]
        )
    header = ["Question", "Model", "Against", "Score", "Of the other", "Difference"]
    header += ["90 % interval", "p (Holm)", "Test", "p (DeLong)", "p (McNemar)", "Patients"]
    metric = metric_in_words(rows["metric"].iloc[0]).label
    note = f"{metric}, on the patients that both models predict."
    return Table(caption, header, cells, (1, 2, 8), note)


def _differences(results: Results, rows: pd.DataFrame) -> Figure | None:
    if not len(rows):
        return None
    network = rows["model"].iloc[0]
    metric = metric_in_words(rows["metric"].iloc[0]).label
    drawn = rows.rename(columns={"difference": "estimate"}).drop(columns="model")
    drawn = drawn.rename(columns={"name": "model"})
    drawn = drawn.set_index("model").reindex(results.models).dropna(how="all").reset_index()
    title = f"{metric} of the {lowered(short_model_name(network))} minus that of the model"
    data, layout, height = dots_and_intervals(
        drawn, title, 0.0, "no difference", model_colours(results.models)
    )
    cells = [
        [
            model_name(row["model"]),
            score(row["estimate"], 3),
            interval(row["ci_low"], row["ci_high"], 3),
            number(row["p_holm"], 2),
            f"{int(row['n_patients']):,}",
        ]
        for row in drawn.to_dict("records")
    ]
    return Figure(
        "differences",
        f"By how much the {lowered(short_model_name(network))} differs from each model on the "
        "patients that both predict: mean difference (mark) and its 90 % interval (bar). Right of "
        "the dashed line it is better. Only the questions above were set beforehand; to pick from "
        "many models here finds differences by luck.",
        f"{title}. " + "; ".join(f"{row[0]}: {row[1]}, {row[2]}" for row in cells),
        data,
        layout,
        height,
        Table(title, ["Model", "Difference", "90 % interval", "p (Holm)", "Patients"], cells),
    )


def _layers(results: Results) -> Table | None:
    found = results.verdict.get("layers", ())
    if not found:
        return None
    cells = [
        [
            layer["layer"],
            score(layer["difference"], 3),
            interval(layer["ci_low"], layer["ci_high"], 3),
            "useless" if layer["verdict"] == "useless" else "not shown to be useless",
        ]
        for layer in found
    ]
    return Table(
        "What the network loses without a layer",
        ["Layer", "Loss", "90 % interval", "Verdict"],
        cells,
        (3,),
        f"Useless: the loss is surely below {results.verdict['margin']:g}.",
    )


def _ranks(results: Results) -> Figure | None:
    table = results["ranks"]
    if not len(table):
        return None
    first = table.iloc[0]
    half = first["critical_difference"] / 2
    rows = table.rename(columns={"mean_rank": "estimate"})
    rows = rows.assign(ci_low=rows["estimate"] - half, ci_high=rows["estimate"] + half)
    even = (first["n_models"] + 1) / 2
    data, layout, height = dots_and_intervals(
        rows, "Mean rank over the folds", even, "all alike", model_colours(results.models)
    )
    return Figure(
        "ranks",
        f"Mean rank of the models in {count(first['n_folds'], 'outer fold')}; 1 is the best. Bars "
        "are as long as the critical difference at .05 (Nemenyi): two models whose bars do not "
        f"overlap differ in rank. Friedman's test of all: p = {number(first['p'], 2)}. It is a "
        "picture: folds share most of their training patients, and no verdict rests on it.",
        "Mean ranks. "
        + "; ".join(
            f"{model_name(row['model'])}: {row['estimate']:.1f}" for row in rows.to_dict("records")
        ),
        data,
        layout,
        height,
    )
