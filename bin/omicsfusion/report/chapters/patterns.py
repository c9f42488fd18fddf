"""The headline metric by the layers that patients have."""

import pandas as pd

from omicsfusion.report.blocks import Table
from omicsfusion.report.metric_words import metric_in_words
from omicsfusion.report.results import Results
from omicsfusion.report.words import count, interval, listed, lowered, score, short_model_name

MOST_PATTERNS = 12
FILE = "assess/metrics_by_pattern.tsv"


def patterns_table(results: Results) -> Table | None:
    """Lay out a row per pattern, a column per model; None with one pattern, or without the table.

    Older runs have no such table.
    """
    rows = results["by_pattern"]
    rows = rows[(rows["scope"] == "test") & (rows["metric"] == results.headline)]
    patterns = _by_size(rows)
    if len(patterns) < 2:
        return None
    label = lowered(metric_in_words(results.headline).label)
    models = [model for model in results.models if (rows["model"] == model).any()]
    of_one = {(row["pattern"], row["model"]): row for row in rows.to_dict("records")}
    cells = [
        [listed(pattern.split(";")), _size(rows, pattern)]
        + [_cell(of_one.get((pattern, model))) for model in models]
        for pattern in patterns[:MOST_PATTERNS]
    ]
    more = len(patterns) - MOST_PATTERNS
    rest = f" {count(more, 'rarer combination')}: {FILE}." if more > 0 else ""
    return Table(
        f"The {label} on held-out patients, by the layers that they have",
        ["Layers", "Samples", *(short_model_name(model) for model in models)],
        cells,
        note=(
            "Each row is the same models on only those samples that have exactly these layers, "
            "with 95 % intervals. Rows differ in who the patients are as well as in what was "
            "measured, so a lower row is no proof that a missing layer costs that much. "
            "Calibration is not shown here: from a few patients of each fold its slope comes out "
            f"too high.{rest}"
        ),
    )


def _by_size(rows: pd.DataFrame) -> list[str]:
    sizes = rows.groupby("pattern")["n"].max()
    return sorted(sizes.index, key=lambda pattern: (-sizes[pattern], pattern))


def _size(rows: pd.DataFrame, pattern: str) -> str:
    row = rows[rows["pattern"] == pattern].iloc[0]
    if pd.isna(row["n_events"]):
        return f"{int(row['n']):,}"
    return f"{int(row['n']):,}\n{count(row['n_events'], 'event')}"


def _cell(row: dict[str, float] | None) -> str:
    if row is None:
        return "—"
    if pd.isna(row["estimate"]):
        return f"—\n{row['reason']}"
    return f"{score(row['estimate'])}\n{interval(row['ci_low'], row['ci_high'])}"
