"""The first screen: how well the outcome is predicted, and beside what."""

from collections.abc import Sequence

import pandas as pd

from omicsfusion.report.blocks import Chapter, Figure, Table
from omicsfusion.report.chapters.guards import guards_line
from omicsfusion.report.colours import model_colours
from omicsfusion.report.figures.estimates import dots_and_intervals
from omicsfusion.report.metric_words import (
    chance_in_words,
    chance_of,
    metric_cell,
    metric_in_words,
)
from omicsfusion.report.results import Results
from omicsfusion.report.verdict import (
    QUESTIONS,
    answer_to_chance,
    answer_to_course,
    answer_to_question,
    headline_sentence,
    lead_sentence,
    main_model,
)
from omicsfusion.report.words import count, interval, model_name, score

CALIBRATION = {
    "classification": ("brier", "calibration_slope"),
    "survival": ("ibs", "calibration_slope"),
    "regression": ("calibration_slope",),
}
"""For each task what stands beside the headline: patients told apart may still be told wrong."""

READING = {
    "brier": "Brier score: 0 is perfect, lower is better.",
    "ibs": "Integrated Brier score: 0 is perfect, lower is better.",
    "calibration_slope": (
        "Calibration slope: 1 is right; below 1 the predictions for patients lie too far apart, "
        "above 1 too close together."
    ),
}


def answer_chapter(results: Results) -> Chapter:
    """Make the chapter from the headline metric of all models."""
    main = main_model(results)
    rows = headline_rows(results)
    metric = metric_in_words(results.headline)
    return Chapter(
        "answer",
        "The answer",
        {
            "sentence": lead_sentence(results),
            "second": headline_sentence(results, main) if results.verdict else "",
            "answers": [
                *(answer_to_question(results, name) for name in QUESTIONS),
                answer_to_chance(results, main),
                answer_to_course(results),
            ],
            "compared": (results["comparison"]["scope"] == "test").any(),
            "caveats": results.verdict.get("caveats", []),
            "others": [_of_other(other) for other in results.others],
            "guards": guards_line(results),
            "figure": _figure(results, rows),
            "metric": metric,
            "table": _table(results, rows),
        },
    )


def _of_other(results: Results) -> str:
    """Say of a target after the first what is said of the first."""
    reached = headline_sentence(results, main_model(results))
    verdict = results.verdict.get("sentence")
    return f"{results.target}: {verdict} {reached}" if verdict else reached


def headline_rows(results: Results, scope: str = "test") -> pd.DataFrame:
    """Return the headline metric's rows of a scope in the order of the models."""
    table = results["metrics"]
    rows = table[(table["metric"] == results.headline) & (table["scope"] == scope)]
    return rows.set_index("model").reindex(results.models).dropna(how="all").reset_index()


def _figure(results: Results, rows: pd.DataFrame) -> Figure:
    label = metric_in_words(results.headline).label
    chance = chance_of(results.headline, len(results.classes))
    name = f"{chance_in_words(results.headline)} {score(chance)}"
    colours = model_colours(results.models)
    data, layout, height = dots_and_intervals(rows, label, chance, name, colours)
    return Figure(
        "headline",
        f"{label} of every model on the same held-out patients: estimate (mark) and 95 % interval "
        f"(bar). Dashed line: {chance_in_words(results.headline)}.",
        f"{label} by model. {_read_out(rows)}. A dashed line marks {name}.",
        data,
        layout,
        height,
    )


def _read_out(rows: pd.DataFrame) -> str:
    parts: Sequence[str] = [
        f"{model_name(row['model'])}: {score(row['estimate'])}, "
        f"{interval(row['ci_low'], row['ci_high'])}"
        for row in rows.to_dict("records")
    ]
    return "; ".join(parts)


def _table(results: Results, rows: pd.DataFrame) -> Table:
    names = (results.headline, *CALIBRATION[results.task])
    cells = [
        [
            model_name(row["model"]),
            *(metric_cell(results.metric(row["model"], name), name) for name in names),
            f"{int(row['n']):,}",
        ]
        for row in rows.to_dict("records")
    ]
    events = rows["n_events"].dropna()
    among = f" Among the samples are {count(events.max(), 'event')}." if len(events) else ""
    reading = " ".join(READING[name] for name in names[1:])
    note = f"Estimate and, below it, 95 % interval. {reading}{among}"
    labels = [metric_in_words(name).label for name in names]
    caption = f"{labels[0]} by model, and how far the predictions can be taken at their word"
    return Table(caption, ["Model", *labels, "Samples"], cells, note=note)
