"""Who is in it: layers, patterns of layers, outcome, sample size, the fate of samples, warnings."""

from collections.abc import Sequence

import pandas as pd

from omicsfusion.report.blocks import Bar, Chapter, Table
from omicsfusion.report.colours import NETWORK, layer_colours
from omicsfusion.report.results import Results
from omicsfusion.report.words import count, listed, quantity, sentence, share, shortened, span

MOST_PATTERNS = 12
MOST_REASONS = 15
MOST_WARNINGS = 20
MOST_CLASSES = 40


def cohort_chapter(results: Results) -> Chapter:
    """Make the chapter from the tables of CHECK_INPUT."""
    return Chapter(
        "cohort",
        "Who is in it",
        {
            "layers": _layers(results),
            "colours": layer_colours(results["layers"]["layer"]),
            "pattern_layers": sorted(results["layers"]["layer"].unique()),
            "patterns": _patterns(results["samples"]),
            "outcome": _outcome(results),
            "classes": _class_bars(results),
            "fates": _fates(results["accounting"]),
            "used": _used(results["accounting"]),
            "advice": results.advice,
            "warnings": [
                {"severity": sentence(problem.severity), "text": str(problem)}
                for problem in results.problems[:MOST_WARNINGS]
            ],
            "more_warnings": max(0, len(results.problems) - MOST_WARNINGS),
        },
    )


def has_layer(samples: pd.DataFrame, layer: str) -> pd.Series:
    """Say for each sample whether it has a layer."""
    return samples["layers"].fillna("").map(lambda text: layer in text.split(";"))


def _layers(results: Results) -> Table:
    samples, rows = results["samples"], []
    layers = results["layers"].sort_values(
        ["role", "cohort", "layer"], ascending=[False, True, True]
    )
    for layer in layers.to_dict("records"):
        here = samples[samples["cohort"] == layer["cohort"]]
        n = int(has_layer(here, layer["layer"]).sum())
        role = "external" if layer["role"] == "external" else "training"
        name = [layer["layer"], layer["kind"], f"{layer['cohort']} ({role})"]
        rows.append([*name, f"{n:,} of {len(here):,}", share(n, len(here))])
    header = ["Layer", "Kind", "Cohort", "Samples with it", "Share"]
    return Table("Layers and how many samples have them", header, rows, text_columns=(1, 2))


def _patterns(samples: pd.DataFrame) -> dict[str, object]:
    counts = samples["layers"].fillna("").value_counts()
    ordered = sorted(counts.items(), key=lambda item: (-int(item[1]), str(item[0])))
    shown = [
        {"layers": str(p).split(";"), "n": f"{int(n):,}", "share": share(n, len(samples))}
        for p, n in ordered[:MOST_PATTERNS]
    ]
    rest = ordered[MOST_PATTERNS:]
    more = f"{count(len(rest), 'rarer pattern')} with {count(sum(n for _, n in rest), 'sample')}."
    return {"rows": shown, "more": f"Not shown: {more}" if rest else ""}


def _outcome(results: Results) -> list[str]:
    lines = []
    for role, name in (("train", "Training"), ("external", "External")):
        rows = results["samples"][results["samples"]["role"] == role]
        if len(rows):
            people = f"{count(rows['patient'].nunique(), 'patient')}, {count(len(rows), 'sample')}"
            lines.append(f"{name}: {people}; {_outcome_of(rows, results.task)}.")
    return lines


def _outcome_of(rows: pd.DataFrame, task: str) -> str:
    if task == "survival":
        events = int((rows["event"] == 1).sum())
        spread = f"times from {quantity(rows['time'].min())} to {quantity(rows['time'].max())}"
        known = int(rows["event"].notna().sum())
        censored = f"{known - events:,} censored"
        return f"{count(events, 'event')} ({share(events, known)}), {censored}, {spread}"
    truth = rows["truth"].dropna()
    if task == "classification":
        return count(truth.nunique(), "class", "classes")
    return f"values from {quantity(truth.min())} to {quantity(truth.max())}"


def _class_bars(results: Results) -> list[Bar]:
    if results.task != "classification":
        return []
    training = results["samples"][results["samples"]["role"] == "train"]
    counts = training["truth"].value_counts()
    ordered = sorted(counts.items(), key=lambda item: (-int(item[1]), str(item[0])))
    return [
        Bar(str(name), 100 * n / counts.max(), NETWORK, f"{n:,}", remark=share(n, len(training)))
        for name, n in ordered[:MOST_CLASSES]
    ]


def _used(accounting: pd.DataFrame) -> str:
    used = accounting[accounting["status"] == "used"]
    places = used["where"].fillna("").value_counts().sort_index()
    parts = [f"{int(n):,} in {where}" for where, n in places.items() if where]
    named = f" ({listed(parts)})" if parts else ""
    seen = count(len(accounting), "sample")
    return f"Of {seen} seen in any table, {len(used):,} are used{named}."


def _fates(accounting: pd.DataFrame) -> Table | None:
    left_out = accounting[accounting["status"] == "left_out"].assign(
        reason=lambda table: table["reason"].fillna("no reason given")
    )
    if not len(left_out):
        return None
    groups = sorted(left_out.groupby("reason"), key=lambda item: (-len(item[1]), str(item[0])))
    rows = [
        [str(reason), f"{len(group):,}", _examples(list(group["sample"]))]
        for reason, group in groups[:MOST_REASONS]
    ]
    rest = groups[MOST_REASONS:]
    note = f"And {count(len(rest), 'further reason')}." if rest else ""
    note = f"{note} Every sample's fate: input/sample_accounting.tsv.".strip()
    header = ["Left out because", "Samples", "Such as"]
    return Table("Samples left out", header, rows, text_columns=(2,), note=note)


def _examples(samples: Sequence[str]) -> str:
    shown = ", ".join(shortened(sample, 24) for sample in sorted(samples)[:3])
    return f"{shown}, …" if len(samples) > 3 else shown


def cohort_line(results: Results) -> list[str]:
    """Say in a few words what the page is about: patients, samples, layers, task, validation."""
    training = results["samples"][results["samples"]["role"] == "train"]
    external = results["samples"][results["samples"]["role"] == "external"]
    omics = results["layers"][results["layers"]["kind"] != "clinical"]
    outer = results["splits"][results["splits"]["inner"] == "outer"]
    folds = outer[["repeat", "fold"]].drop_duplicates().groupby("repeat")["fold"].count()
    repeats = count(len(folds), "repeat")
    line = [
        count(training["patient"].nunique(), "patient"),
        count(len(training), "sample"),
        count(omics["layer"].nunique(), "omics layer"),
        f"{results.task} of {listed([results.target, *(one.target for one in results.others)])}",
        f"{span(list(folds))} {'fold' if set(folds) == {1} else 'folds'} × {repeats}",
    ]
    if len(external):
        line.insert(2, f"{count(len(external), 'external sample')}")
    return line
