"""What stands between the test samples and the training: each guard, and what it found."""

from typing import Any

import pandas as pd

from omicsfusion.report.blocks import Chapter, Table
from omicsfusion.report.results import Results
from omicsfusion.report.words import count, listed, lowered, sentence, told

STATUSES = {
    "failed": "✕ failed",
    "warning": "▲ warning",
    "not_checked": "– not checked",
    "ok": "✓ in order",
}
"""In the order of the table; a sign and a word each, so that no colour is needed."""
NAMES = {
    "patients_in_one_part": "Patients parted by a split",
    "groups_in_one_part": "Groups parted by a split",
    "duplicates_in_one_part": "Near-identical samples parted by a split",
    "temporal_order": "Order in time",
    "external_patients": "Training patients in external cohorts",
    "pretrained_on_tested": "Tested patients in the pretraining cohort",
    "batch_decides_outcome": "Batches with one outcome",
    "batch_predicts_outcome": "Outcome told by the batch alone",
    "batch_importance": "Importance of the batch",
    "scaled_before": "Scaling over all samples",
    "selected_by_spread": "Selection by spread over all samples",
    "selected_before": "Selection by the outcome over all samples",
}
ALARMS = ("failed", "warning")
MOST_ALARMS = 20
MOST_ROWS = 200


def guards_chapter(results: Results) -> Chapter | None:
    """Make the chapter from the table of GUARD; None when no guard ran."""
    table = _sorted(results["guards"])
    if not len(table):
        return None
    alarms = table[table["status"].isin(ALARMS)]
    return Chapter(
        "guards",
        "Guards against leakage",
        {
            "summary": _summary(table),
            "alarms": [_alarm(row) for row in alarms.head(MOST_ALARMS).to_dict("records")],
            "more": max(0, len(alarms) - MOST_ALARMS),
            "table": _table(table),
        },
    )


def guards_line(results: Results) -> str:
    """Say in one line which guards gave the alarm; empty when none did."""
    table = _sorted(results["guards"])
    parts = []
    for status, verb in (
        ("failed", "failed"),
        (
            "warning",
            "warns",
        ),
    ):
        found = table[table["status"] == status]
        if len(found):
            names = [lowered(name) for name in dict.fromkeys(found["guard"].map(guard_name))]
            several = "warn" if verb == "warns" and len(names) > 1 else verb
            parts.append(
                f"{count(len(names), 'guard')} against leakage {several} ({listed(names)})"
            )
    return f"{'; '.join(parts)}." if parts else ""


def guard_name(guard: object) -> str:
    """Write the name of a guard in words."""
    text = told(guard)
    return NAMES.get(text, sentence(text.replace("_", " ")))


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    order = {status: place for place, status in enumerate(STATUSES)}
    place = table["status"].map(lambda status: order.get(status, len(order)))
    keys = table.assign(_place=place, _layer=table["layer"].map(told))
    return keys.sort_values(["_place", "guard", "_layer"], kind="stable")


def _summary(table: pd.DataFrame) -> str:
    counts = table["status"].value_counts()
    words = {
        "failed": "failed",
        "warning": "warned",
        "ok": "found nothing wrong",
        "not_checked": "could not be made",
    }
    parts = [f"{counts[status]:,} {text}" for status, text in words.items() if status in counts]
    return f"{count(len(table), 'check')}: {listed(parts)}."


def _alarm(row: dict[str, Any]) -> dict[str, str]:
    layer = told(row["layer"])
    return {
        "status": STATUSES[row["status"]],
        "tone": row["status"],
        "name": guard_name(row["guard"]) + (f", {layer}" if layer else ""),
        "detail": _ended(told(row["detail"])),
        "advice": _ended(told(row["advice"])),
    }


def _ended(text: str) -> str:
    return sentence(text) if not text or text.endswith((".", "!", "?")) else f"{sentence(text)}."


def _value(row: dict[str, Any]) -> str:
    value, limit = told(row["value"]), told(row["threshold"])
    return f"{value}\nlimit {limit}" if value and limit else value


def _table(table: pd.DataFrame) -> Table:
    rows = [
        [
            guard_name(row["guard"]),
            told(row["layer"]) or "all",
            STATUSES.get(row["status"], told(row["status"])),
            _value(row),
            _ended(told(row["detail"])),
        ]
        for row in table.head(MOST_ROWS).to_dict("records")
    ]
    rest = len(table) - len(rows)
    header = ["Guard", "Layer", "Found", "Value", "In words"]
    note = f"{count(rest, 'further check')} in qc/guards.tsv." if rest > 0 else ""
    return Table("All checks, alarms first", header, rows, text_columns=(1, 2, 4), note=note)
