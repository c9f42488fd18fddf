"""Optimism: what models would have claimed with the usual mistakes, beside what they are worth."""

from typing import Any

import pandas as pd

from omicsfusion.report.blocks import Table
from omicsfusion.report.metric_words import metric_in_words
from omicsfusion.report.results import Results
from omicsfusion.report.words import (
    count,
    decimals_to_tell,
    listed,
    lowered,
    model_name,
    score,
    short_model_name,
)
from omicsfusion.tables.mistakes import BATCH, MISTAKES, SELECTION, TUNING

NAMES = {
    SELECTION: "Selection before splitting",
    TUNING: "Tuning on the test folds",
    BATCH: "Batch correction of everything",
}
WITH = {
    SELECTION: "features selected by the outcome before the samples were split",
    TUNING: "settings chosen, and networks stopped, on the test folds",
    BATCH: "batches corrected on all samples, the outcome protected",
}
NO_RESULT = (
    "No claim is a result of this run: each was made by a model that had seen something of the "
    "patients on whom it was tested."
)
FILE = "assess/optimism.tsv"


def optimism_view(results: Results) -> dict[str, Any] | None:
    """Make sentence, table and remarks; None for a run without ``--show_optimism``."""
    rows = results["optimism"]
    rows = rows[rows["metric"] == results.headline]
    if not len(rows):
        return None
    return {
        "sentence": f"{_greatest(results, rows)} {NO_RESULT}",
        "table": _table(results, rows),
        "remarks": _remarks(rows),
    }


def _greatest(results: Results, rows: pd.DataFrame) -> str:
    """Tell of the greatest claim; the higher of two headline metrics is the better."""
    label = lowered(metric_in_words(results.headline).label)
    claimed = rows.dropna(subset=["difference"])
    if not (claimed["difference"] > 0).any():
        return f"None of the mistakes would have claimed a higher {label} than the models reach."
    row = claimed.loc[claimed["difference"].idxmax()]
    decimals = decimals_to_tell([row["claimed"], row["honest"]])
    return (
        f"With {WITH[row['mistake']]}, one would have claimed {score(row['claimed'], decimals)} as "
        f"the {label} of the {lowered(short_model_name(row['model']))}, which is "
        f"{score(row['honest'], decimals)} on the same patients and folds."
    )


def _table(results: Results, rows: pd.DataFrame) -> Table:
    label = metric_in_words(results.headline).label
    of_one = {(row["model"], row["mistake"]): row for row in rows.to_dict("records")}
    models = [model for model in results.models if (rows["model"] == model).any()]
    cells = [
        [
            short_model_name(model),
            score(of_one[model, MISTAKES[0]]["honest"], 3),
            *(_cell(of_one[model, mistake]) for mistake in MISTAKES),
        ]
        for model in models
    ]
    n = rows["n"].max()
    size = f"; {count(n, 'sample')}" if pd.notna(n) else ""
    return Table(
        f"{label}: the honest one, and what each mistake would have claimed",
        ["Model", "Honest", *(NAMES[mistake] for mistake in MISTAKES)],
        cells,
        note=(
            "Below each claim its difference to the honest score, of the first repeat of the folds"
            f"{size}. Where the layers' own selection is not by the outcome, selection before "
            "splitting has taken its place, and the difference holds that, too. All metrics: "
            f"{FILE}."
        ),
    )


def _cell(row: dict[str, Any]) -> str:
    if pd.isna(row["claimed"]):
        return "—"
    return f"{score(row['claimed'], 3)}\n{_signed(row['difference'])}"


def _signed(difference: float) -> str:
    if pd.isna(difference):
        return "not defined"
    text = score(difference, 3)
    if float(f"{difference:.3f}") == 0:
        return "no difference"
    return f"+{text}" if difference > 0 else text


def _remarks(rows: pd.DataFrame) -> list[str]:
    """Say which mistakes were not made, or not by all, and which fits failed."""
    told = []
    for mistake in MISTAKES:
        here = rows[(rows["mistake"] == mistake) & rows["reason"].notna() & (rows["reason"] != "")]
        for reason, some in here.groupby("reason"):
            everyone = some["model"].nunique() == rows["model"].nunique()
            names = listed([lowered(model_name(model)) for model in some["model"]])
            told.append(f"{NAMES[mistake]}{'' if everyone else f' ({names})'}: {reason}.")
    return told
