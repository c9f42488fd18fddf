"""The predictions of all models in one table: gathered from TRAIN's files, checked and sorted."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from omicsfusion.tables.tsv import read_tsv

SCOPES = ("test", "inner", "external")
KEYS = ("permutation", "target", "model", "scope", "repeat", "fold", "inner", "sample")
MEMBER = "member"
MEMBER_KEYS = (*KEYS[:-1], MEMBER, KEYS[-1])
"""Of predictions of single networks."""

ID_COLUMNS = (*KEYS, "patient")
OWN_SURVIVAL = "own_survival"
"""Predicted survival at a sample's own time."""

FIXED_COLUMNS = {
    "classification": ((), ("truth",)),
    "survival": (("risk",), (OWN_SURVIVAL, "time", "event")),
    "regression": (("mean", "sd"), ("truth",)),
}
"""For each task the columns before and after the ``p_<class>`` or ``s_<time>`` columns."""

PROBABILITY_SUM_TOLERANCE = 1e-3


class PredictionsError(ValueError):
    """The predictions files cannot be assessed; the message says which and why."""


def gather_predictions(
    paths: Sequence[str | Path], task: str, keys: tuple[str, ...] = KEYS
) -> pd.DataFrame:
    """Read the predictions of all models and groups into one table.

    Parameters
    ----------
    paths
        Files ``<model>.<group>.predictions.tsv`` as TRAIN writes them, in any order; or, with
        ``MEMBER_KEYS``, ``<model>.<group>.members.tsv``.
    task
        ``classification``, ``survival`` or ``regression``.
    keys
        What tells one row from another.

    Returns
    -------
    Columns in the order of the contract (docs/architecture.md): ids, then ``p_<class>…`` by class
    name, or ``risk`` and ``s_<time>…`` by time, or ``mean, sd``; the outcome last. Rows sorted by
    permutation, target, model, scope (test, inner, external), repeat, fold, inner and sample.

    Raises
    ------
    PredictionsError
        A column is missing, files differ in their columns, a row occurs twice, a scope is unknown,
        or probabilities are no probabilities.
    """
    text = ("target", "scope", "truth") if task == "classification" else ("target", "scope")
    tables = [(Path(path).name, read_tsv(path, text_columns=text)) for path in paths]
    ids = (*keys, "patient")
    problems = [p for name, table in tables for p in _column_problems(name, table, task, ids)]
    widest = set().union(*(table.columns for _, table in tables))
    for name, table in tables:
        lacking = sorted(widest - set(table.columns))
        if lacking:
            problems.append(f"{name} lacks columns that others have: {', '.join(lacking)}.")
    if problems:
        raise PredictionsError("\n".join(problems))
    gathered = pd.concat([table for _, table in tables if len(table)] or [tables[0][1]])
    problems = _row_problems(gathered, task, keys)
    if problems:
        raise PredictionsError("\n".join(problems))
    return _sorted(gathered, keys)[list(_column_order(gathered, task, ids))]


def classes_of(table: pd.DataFrame) -> tuple[str, ...]:
    """List the classes of a classification, from the columns ``p_<class>``, sorted by name."""
    return tuple(sorted(name[2:] for name in table.columns if name.startswith("p_")))


def horizons_of(table: pd.DataFrame) -> tuple[str, ...]:
    """List the times at which survival is predicted, as the columns ``s_<time>`` write them."""
    return tuple(sorted((n[2:] for n in table.columns if n.startswith("s_")), key=float))


def of_targets(table: pd.DataFrame, task: str) -> dict[str, pd.DataFrame]:
    """Part predictions by target, sorted by name, each with the columns of its own classes.

    A class of another target has no probability of any sample in it. Where every fit of a target
    failed, its classes are those that its samples have.
    """
    parts = {str(target): rows for target, rows in table.groupby("target")}
    if task != "classification" or len(parts) < 2:
        return parts
    return {target: rows.drop(columns=_of_others(rows)) for target, rows in parts.items()}


def _of_others(rows: pd.DataFrame) -> list[str]:
    of_classes = {f"p_{name}" for name in classes_of(rows)}
    own = {name for name in of_classes if rows[name].notna().any()}
    own = own or {f"p_{name}" for name in rows["truth"].dropna().unique()}
    return sorted(of_classes - own)


def with_outcome(table: pd.DataFrame, task: str) -> pd.DataFrame:
    """Return the rows that can be assessed.

    A sample of an external cohort may have no outcome, or a class that no training sample has (no
    model can say it); its rows are left out of all metrics, which their ``n`` shows.
    """
    if task == "survival":
        return table[table["time"].notna() & table["event"].notna()]
    if task == "classification":
        return table[table["truth"].isin(classes_of(table))]
    return table[table["truth"].notna()]


def _column_problems(name: str, table: pd.DataFrame, task: str, ids: tuple[str, ...]) -> list[str]:
    before, after = FIXED_COLUMNS[task]
    lacking = [column for column in (*ids, *before, *after) if column not in table.columns]
    if task == "classification" and not classes_of(table):
        lacking.append("p_<class>")
    return [f"{name} has no column {column}, which a {task} needs." for column in lacking]


def _row_problems(table: pd.DataFrame, task: str, keys: tuple[str, ...]) -> list[str]:
    problems = []
    unknown = sorted(set(table["scope"].astype(str)) - set(SCOPES))
    if unknown:
        problems.append(f"Unknown scope in the predictions: {', '.join(unknown)}.")
    twice = table[table.duplicated(list(keys))]
    if len(twice):
        row = ", ".join(f"{key} {twice.iloc[0][key]}" for key in keys)
        problems.append(f"{len(twice)} predictions occur more than once; the first: {row}.")
    for rows in of_targets(table, task).values() if task == "classification" else ():
        probabilities = rows[[f"p_{name}" for name in classes_of(rows)]].dropna()
        odd = ((probabilities < 0) | (probabilities > 1)).any(axis=1)
        odd |= (probabilities.sum(axis=1) - 1).abs() > PROBABILITY_SUM_TOLERANCE
        if odd.any():
            problems.append(f"Probabilities outside 0 to 1, or not of sum 1, in {odd.sum()} rows.")
    return problems


def _column_order(table: pd.DataFrame, task: str, ids: tuple[str, ...]) -> tuple[str, ...]:
    before, after = FIXED_COLUMNS[task]
    between: tuple[str, ...] = ()
    if task == "classification":
        between = tuple(f"p_{name}" for name in classes_of(table))
    if task == "survival":
        between = tuple(f"s_{time}" for time in horizons_of(table))
    return (*ids, *before, *between, *after)


def _sorted(table: pd.DataFrame, keys: tuple[str, ...]) -> pd.DataFrame:
    scope = pd.CategoricalDtype(list(SCOPES), ordered=True)
    ordered = table.astype({"scope": scope}).sort_values(list(keys), ignore_index=True)
    return ordered.astype({"scope": str})
