"""How strongly the batch shows, whether it goes with the outcome, and what was done about it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from omicsfusion.report.blocks import Chapter, Table
from omicsfusion.report.results import Results
from omicsfusion.report.words import (
    count,
    listed,
    p_value,
    quantity,
    sentence,
    span,
    times,
    told,
)

MEANINGS = {
    "PC regression": "Share of the layer's variance, along its main directions, that the batch "
    "explains. 0: none of it.",
    "PC regression, partial": "The same, of what the outcome leaves unexplained: what batch and "
    "outcome share is not held against the batch.",
    "kBET rejection": "Share of samples whose nearest neighbours come from other batches than "
    "chance would bring together. 1: batches lie apart.",
    "LISI": "How many batches a sample's neighbourhood looks like. 1: neighbours are of one "
    "batch; the more, the better mixed.",
    "silhouette": "How much closer samples lie to their own batch than to the next one. 0: mixed, "
    "1: apart.",
}
FLAGGED = "flagged"
SIZES, ALIASED, ONE_CLASS = "batches", "aliased", "share in batches with one class"
VERDICTS = {
    "refuse": "Batch and outcome cannot be told apart: a correction is refused, unless forced.",
    "warn": "Batch and outcome hang together, or some batches hold one class only: a correction "
    "may take a part of the outcome away too.",
    "none": "No sign that batch and outcome hang together.",
}
MEASURED_BY = {
    "Cramer's V": "Cramér's V: 0, batch and class are independent; 1, the one tells the other.",
    "eta squared": "Eta squared: the share of the outcome's variance that lies between batches.",
    "log-rank chi-squared": "The log-rank test asks whether the batches' survival differs.",
}
NEW_BATCH = {
    "pass": "Samples of a batch that was not seen in training pass uncorrected, and are flagged.",
    "refuse": "Samples of a batch that was not seen in training are refused.",
    "adapt": "A batch that was not seen in training is learnt from 20 or more of its samples, "
    "without their outcome; means and variances of the training stay as they are.",
}
SMALL_BATCH = {
    "pool": "Batches with fewer than 5 training samples are corrected together, as one.",
    "pass": "Batches with fewer than 5 training samples are left as they are.",
}
MOST_FLAGGED = 20
MOST_OPEN = 6
"""With more layers than this, each is folded away."""
SCOPE = ["repeat", "fold", "inner"]


def batch_chapter(results: Results) -> Chapter | None:
    """Make the chapter from the batch tables of PREPROCESS; None when no batch is known."""
    table = results["batch"]
    if not len(table):
        return None
    layers = sorted(table["layer"].unique())
    measures = set(table["measure"])
    return Chapter(
        "batch",
        "Batch",
        {
            "layers": [_layer(results, layer) for layer in layers],
            "meanings": [
                (_measure_name(name), MEANINGS[name]) for name in MEANINGS if name in measures
            ],
            "batches": _batches(results),
            "open": MOST_OPEN,
        },
    )


def _batches(results: Results) -> str:
    training = results["samples"][results["samples"]["role"] == "train"]
    sizes = training["batch"].map(told).loc[lambda names: names != ""].value_counts()
    if not len(sizes):
        return ""
    small = int((sizes < 5).sum())
    few = f", {small:,} of them with fewer than 5" if small else ""
    return (
        f"The training samples come from {count(len(sizes), 'batch', 'batches')} of "
        f"{span(list(sizes))} samples{few}."
    )


def _layer(results: Results, layer: str) -> dict[str, Any]:
    table = results["batch"][results["batch"]["layer"] == layer]
    outer = table[table["inner"] == "outer"]
    final = table[table["inner"] == "final"]
    outer, final = (outer if len(outer) else table), (final if len(final) else table)
    is_strength = outer["stage"].isin(["before", "after"]) & (outer["measure"] != SIZES)
    return {
        "layer": layer,
        "done": [*_sizes(final), *_done(results, layer)],
        "strength": _strength(outer[is_strength]),
        "flagged": _flagged(outer),
        "outcome": _outcome(outer[outer["stage"] == "outcome"]),
        "notes": _notes(outer, final),
    }


def _sizes(final: pd.DataFrame) -> list[str]:
    rows = final[final["measure"] == SIZES].head(1).to_dict("records")
    return [
        f"{count(row['value'], 'batch', 'batches')} among all training samples with this layer: "
        f"{told(row['note'])}."
        for row in rows
    ]


def _done(results: Results, layer: str) -> list[str]:
    """Say how the layer was corrected, if it was, and what becomes of batches not learnt."""
    steps = results["steps"]
    here = (steps["layer"] == layer) & (steps["step"] == "batch") & (steps["inner"] == "final")
    choices = results.recipes.get(layer, {}).get("choices", ())
    asked = (choice["options"] for choice in choices if choice["step"] == "batch")
    options: Mapping[str, Any] = next(asked, {})
    rows = steps[here].to_dict("records")
    if not rows and not options:
        stages = results["batch"].loc[results["batch"]["layer"] == layer, "stage"]
        only = "Nothing was corrected: the batch was only measured."
        return [] if (stages == "after").any() else [only]
    lines = []
    for row in rows:
        said = "; ".join(text for text in (told(row["did"]), told(row["skipped"])) if text)
        lines.append(f"Corrected by {row['method']}{f' ({said})' if said else ''}.")
    protected = list(options.get("protect") or ())
    kept = [f"Protected: the effect of {listed(protected)}."] if protected else []
    return [*lines, *kept, *_policy(options)]


def _policy(options: Mapping[str, Any]) -> list[str]:
    """Say what becomes of batches that could not be learnt."""
    new, small = options.get("new_batch", ""), options.get("small_batch", "")
    chosen = (NEW_BATCH.get(new), SMALL_BATCH.get(small))
    forced = "It was asked for even where batch and outcome cannot be told apart (force)."
    return [*(line for line in chosen if line), *([forced] if options.get("force") else [])]


def _strength(table: pd.DataFrame) -> Table | None:
    if not len(table):
        return None
    n = len(table[SCOPE].drop_duplicates())
    after = (table["stage"] == "after").any()
    rows = []
    for measure in table["measure"].drop_duplicates():
        here = table[table["measure"] == measure]
        stages = ("before", "after") if after else ("before",)
        cells = [_median_and_range(here.loc[here["stage"] == s, "value"]) for s in stages]
        rows.append([_measure_name(measure), *cells, _commonest(here["note"])])
    header = ["Measure", "Before", *(["After"] if after else []), "Compare with"]
    return Table(
        "How strongly the batch shows in the training samples"
        + (", before and after the correction" if after else ""),
        header,
        rows,
        text_columns=(len(header) - 1,),
        note=f"Median over {count(n, 'outer training set')}"
        + (" and, below it, the range." if n > 1 else "."),
    )


def _flagged(table: pd.DataFrame) -> Table | None:
    """List the samples that the correction left as they are: ``measure`` says why."""
    found = table[table["stage"] == FLAGGED]
    if not len(found):
        return None
    n = len(table[SCOPE].drop_duplicates())
    rows = [
        [
            sentence(str(reason)),
            span(list(group["value"])),
            told(note),
            times(len(group[SCOPE].drop_duplicates()), n),
        ]
        for (reason, note), group in found.fillna({"note": ""}).groupby(["measure", "note"])
    ]
    rest = len(rows) - MOST_FLAGGED
    return Table(
        "Samples that the correction left as they are",
        ["Why", "Samples", "Which", "Outer training sets"],
        rows[:MOST_FLAGGED],
        text_columns=(2,),
        note=f"And {count(rest, 'further reason')}." if rest > 0 else "",
    )


def _median_and_range(values: pd.Series) -> str:
    known = values.dropna()
    if not len(known):
        return "—"
    line = f"\n{span(list(known), 2)}" if known.min() < known.max() else ""
    return f"{quantity(known.median(), 3)}{line}"


def _measure_name(measure: object) -> str:
    """Write a measure with a capital, but for names that have one within (kBET)."""
    text = str(measure)
    return text if text[1:2].isupper() else sentence(text)


def _commonest(notes: pd.Series) -> str:
    found = notes.map(told).loc[lambda texts: texts != ""]
    return str(found.mode().iloc[0]) if len(found) else ""


def _outcome(table: pd.DataFrame) -> Table | None:
    if not len(table):
        return None
    rows = []
    for measure in table["measure"].drop_duplicates():
        here = table[table["measure"] == measure]
        p = pd.to_numeric(here["p"]).dropna()
        small = _median_and_largest(p)
        if measure != ALIASED:
            rows.append([_measure_name(measure), _median_and_range(here["value"]), small])
    n = len(table[SCOPE].drop_duplicates())
    return Table(
        "How far the batch goes with the outcome",
        ["Measure", "Value", "Test"],
        rows,
        note=f"Median over {count(n, 'outer training set')} and, below it, the range. "
        f"{MEASURED_BY.get(str(table['measure'].iloc[0]), '')}".strip(),
    )


def _median_and_largest(p: pd.Series) -> str:
    if not len(p):
        return "—"
    middle, largest = p_value(p.median()), p_value(p.max())
    return middle if middle == largest else f"{middle}\nlargest {largest}"


def _notes(outer: pd.DataFrame, final: pd.DataFrame) -> list[str]:
    """Say what follows from the figures: a verdict over all training sets, then the details."""
    verdicts = outer["note"].map(told)
    verdicts = verdicts[verdicts.str.startswith("verdict: ")].str.removeprefix("verdict: ")
    n = len(verdicts)
    lines = [
        f"{text} So it is in {times(int((verdicts == verdict).sum()), n)} outer training sets."
        for verdict, text in VERDICTS.items()
        if (verdicts == verdict).any()
    ]
    details = final.loc[final["measure"] == ONE_CLASS, "note"].map(told)
    return lines + [f"Of all training samples: {text}" for text in details.head(1) if text]
