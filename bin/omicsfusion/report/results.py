"""The published tables of one run, read once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from omicsfusion.report.published import (
    NEEDED,
    OPTIONAL,
    RECIPES,
    TEXT_COLUMNS,
    VERDICT,
    VERDICT_SCHEMA,
)
from omicsfusion.report.words import model_order
from omicsfusion.tables.outcome import further_targets, outcome_columns
from omicsfusion.tables.problems import Problem, read_problems
from omicsfusion.tables.tsv import read_tsv

HEADLINE = {"classification": "balanced_accuracy", "survival": "c_index", "regression": "r2"}


class ResultsError(ValueError):
    """The folder holds no results a page can be made of; the message says what is missing."""


@dataclass(frozen=True)
class Results:
    """What a run published (columns: docs/architecture.md).

    Attributes
    ----------
    task
        ``classification``, ``survival`` or ``regression``, told by the columns of the predictions.
    target
        Name of the outcome.
    tables
        By the names in ``published.py``; what was not published is empty. Only the real
        outcome (permutation 0) and this target; ``controls`` are the metrics of permuted outcomes.
    problems
        What CHECK_INPUT and IMPORT had to say.
    recipes
        By layer: what its chain was to be (``recipes/recipe.py``, as JSON); older runs have none.
    verdict
        What ``assess/verdict.json`` says of the target; empty for older runs.
    params
        The run's parameters; empty when they were not recorded.
    advice
        Where the cohort is small for what was asked of it, in sentences of CHECK_INPUT.
    version
        Of the pipeline; empty when not recorded.
    others
        The same of the targets after the first, which the page tells less of.
    """

    task: str
    target: str
    tables: Mapping[str, pd.DataFrame]
    problems: tuple[Problem, ...] = ()
    recipes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    verdict: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    advice: tuple[str, ...] = ()
    version: str = ""
    others: "tuple[Results, ...]" = ()

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.tables[name]

    @property
    def headline(self) -> str:
        """The metric that answers the question of the task."""
        return HEADLINE[self.task]

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Classes of a classification, sorted; empty for other tasks."""
        table = self["predictions"]
        names = [name for name in table.columns if name.startswith("p_")]
        own = [name for name in names if table[name].notna().any()]  # others: of another target
        return tuple(sorted(name[2:] for name in own or names))

    @cached_property
    def models(self) -> tuple[str, ...]:
        """All models, as the page lists them: networks first, the main one at the top."""
        return tuple(sorted(self["metrics"]["model"].unique(), key=model_order))

    def metric(self, model: str, metric: str, scope: str = "test") -> pd.Series | None:
        """Return a metric's row ``estimate, ci_low, ci_high, n, n_events``; None without one."""
        table = self["metrics"]
        here = (table["model"] == model) & (table["metric"] == metric) & (table["scope"] == scope)
        return table[here].iloc[0] if here.any() else None


def read_results(folder: Path) -> Results:
    """Read the published tables under a folder.

    Raises
    ------
    ResultsError
        Tables are missing without which there is nothing to tell, no model was assessed, or the
        verdict is of another version.
    """
    missing = [name for name in NEEDED.values() if not (folder / name).is_file()]
    if missing:
        raise ResultsError(
            f"{folder} lacks {', '.join(missing)}. Give the folder of a finished run."
        )
    task = _task_of(folder / NEEDED["predictions"])
    tables = {name: _read(folder / path, task) for name, path in NEEDED.items()}
    tables |= {name: _gather(folder, *where, task) for name, where in OPTIONAL.items()}
    targets = _targets(tables["metrics"]["target"], tables["samples"])
    if not targets:
        raise ResultsError(f"{folder / NEEDED['metrics']} has no rows: no model was assessed.")
    record = _record(folder / "pipeline_info" / "params.json")
    problems = folder / "input" / "problems.tsv"
    verdicts = _verdicts(folder)
    first, *others = targets
    return Results(
        task=task,
        target=first,
        tables=_of_target(tables, task, first),
        problems=tuple(read_problems(problems).found) if problems.is_file() else (),
        recipes={
            path.name.removesuffix(RECIPES[1:]): _record(path)
            for path in sorted((folder / "preprocess").glob(RECIPES))
        },
        verdict=verdicts.get(first, {}),
        params=record.get("params", {}),
        advice=tuple(_record(folder / "input" / "plan.json").get("advice", ())),
        version=record.get("version") or "",
        others=tuple(
            Results(
                task,
                name,
                _of_target(tables, task, name, further=name),
                verdict=verdicts.get(name, {}),
            )
            for name in others
        ),
    )


def _targets(assessed: pd.Series, samples: pd.DataFrame) -> list[str]:
    """List the targets in the order in which the run named them."""
    further = [name for name in further_targets(samples.columns) if name in set(assessed)]
    return [*sorted(set(assessed) - set(further)), *further]


def _of_target(
    tables: Mapping[str, pd.DataFrame], task: str, target: str, further: str = ""
) -> dict[str, pd.DataFrame]:
    stored = {column: name for name, column in outcome_columns(task, further).items()}
    found = {name: _real_outcome(table, target) for name, table in tables.items()}
    metrics = tables["metrics"]
    found["controls"] = _telling(metrics[metrics["permutation"] > 0], target)
    if further:
        own = found["samples"].drop(columns=list(stored.values())).rename(columns=stored)
        found["samples"] = own
    return found


def _task_of(predictions: Path) -> str:
    columns = pd.read_csv(predictions, sep="\t", nrows=0).columns
    if "risk" in columns:
        return "survival"
    return "classification" if any(name.startswith("p_") for name in columns) else "regression"


def _read(path: Path, task: str) -> pd.DataFrame:
    classes: list[str] = []
    if task == "classification":
        header = pd.read_csv(path, sep="\t", nrows=0).columns
        further = further_targets(header)
        classes = [outcome_columns(task, name)["truth"] for name in ("", *further)]
    return read_tsv(path, text_columns=(*TEXT_COLUMNS, *classes))


def _gather(folder: Path, pattern: str, columns: tuple[str, ...], task: str) -> pd.DataFrame:
    tables = [_read(path, task) for path in sorted(folder.glob(pattern))]
    filled = [table for table in tables if len(table)]
    if not filled:
        return pd.DataFrame(columns=list(columns))
    table = pd.concat(filled, ignore_index=True)
    # With several targets tables name theirs that otherwise do not.
    named = ["target"] if "target" in table and "target" not in columns else []
    return table.reindex(columns=[*columns, *named])


def _real_outcome(table: pd.DataFrame, target: str) -> pd.DataFrame:
    """Return the rows of the real outcome that tell of a target."""
    if "permutation" in table.columns:
        table = table[table["permutation"] == 0]
    return _telling(table, target)


def _telling(table: pd.DataFrame, target: str) -> pd.DataFrame:
    """Return the rows that tell of a target, maybe among others."""
    if "target" in table.columns:
        telling = [name for name in table["target"].unique() if target in str(name).split(",")]
        table = table[table["target"].isin(telling)]
    return table.reset_index(drop=True)


def _verdicts(folder: Path) -> dict[str, Mapping[str, Any]]:
    """Return target -> its part of the verdict; none for runs from before there was one."""
    record = _record(folder / VERDICT)
    if record and record.get("schema_version") != VERDICT_SCHEMA:
        raise ResultsError(f"{folder / VERDICT} is of another version than this report reads.")
    return {found["target"]: found for found in record.get("targets", ())}


def _record(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
