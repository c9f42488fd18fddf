"""How much of a network's score is luck of the seed, beside how much is who is in which fold."""

from typing import Any

import pandas as pd

from omicsfusion.report.blocks import Table
from omicsfusion.report.metric_words import metric_in_words
from omicsfusion.report.results import Results
from omicsfusion.report.words import count, lowered, model_name, number, score, short_model_name

VERDICT_QUESTION = "shallow"


def seeds_view(results: Results) -> dict[str, Any] | None:
    """Make sentence and table; None without networks, and for older runs."""
    rows = results["seeds"]
    rows = rows[rows["metric"].isin([results.headline, _asked(results).get("metric")])]
    if not len(rows):
        return None
    return {"sentence": _sentence(results, rows), "table": _table(results, rows)}


def _asked(results: Results) -> dict[str, Any]:
    """Return the comparison on which the verdict rests; empty where there is none."""
    table = results["comparison"]
    here = (table["scope"] == "test") & (table["family"] == "question")
    found = table[here & (table["name"] == VERDICT_QUESTION)].to_dict("records")
    return {str(name): value for name, value in found[0].items()} if found else {}


def _sentence(results: Results, rows: pd.DataFrame) -> str:
    """Say whether seeds differ by as much as the network differs from shallow models."""
    asked = _asked(results)
    of_verdict = (rows["model"] == asked.get("model")) & (rows["metric"] == asked.get("metric"))
    known = rows[of_verdict].dropna(subset=["sd_seeds"])
    if not len(known) or pd.isna(asked["difference"]):
        return ""
    row, difference = known.iloc[0], abs(asked["difference"])
    network = lowered(short_model_name(row["model"]))
    label = metric_in_words(row["metric"]).label
    told = (
        f"Single networks of the {network} differ by {score(row['sd_seeds'], 3)} (standard "
        f"deviation of the {lowered(label)}) for no other reason than their random numbers; from "
        f"the best shallow model the mean of {count(row['n_seeds'], 'network')} differs by "
        f"{score(difference, 3)}."
    )
    if row["sd_seeds"] < difference:
        return f"{told} A mean of several hangs less on their seeds than one network does."
    return (
        f"{told} Luck of the seed is as large as that: do not read the difference as a finding "
        "before a larger --ensemble, whose mean hangs less on single networks, shows it too."
    )


def _table(results: Results, rows: pd.DataFrame) -> Table:
    cells = []
    for model in results.models:
        for row in rows[rows["model"] == model].to_dict("records"):
            metric = metric_in_words(row["metric"])
            cells.append(
                [
                    model_name(model),
                    metric.label,
                    f"{int(row['n_seeds'])}",
                    _written(row["mean"], metric.scale),
                    _written(row["sd_seeds"], metric.scale),
                    _written(row["sd_folds"], metric.scale),
                    _written(row["sd_repeats"], metric.scale),
                    _written(row["ensemble"], metric.scale),
                ]
            )
    header = ["Network", "Metric", "Networks a fit", "Mean of single networks", "SD of seeds"]
    header += ["SD of folds", "SD of repeats", "Networks together"]
    failed = rows.drop_duplicates("model")["n_failed"].sum()
    left = (
        f" {count(failed, 'single network')} did not train and count as chance." if failed else ""
    )
    few = rows.loc[rows["reason"].fillna("") != "", "reason"].unique()
    why = f" No SD of seeds: {few[0]}." if len(few) else ""
    return Table(
        "Scores of single networks: how they differ between seeds, folds and repeats",
        header,
        cells,
        (1,),
        "SD: standard deviation. Of seeds: between networks that were trained on the same patients "
        "with other random numbers, each scored over all folds. Of folds: between the outer folds "
        "of a repeat, which are small and differ in their patients; of repeats: between other "
        f"ways to deal the patients into folds; both of the networks' mean score.{why}{left}",
    )


def _written(value: float, on_scale: bool) -> str:
    if pd.isna(value):
        return "—"
    return score(value, 3) if on_scale else number(value)
