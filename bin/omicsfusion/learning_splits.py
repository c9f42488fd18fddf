"""Training sets of the learning curve: each outer one, cut down to shares of its patients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from omicsfusion.folds import deal
from omicsfusion.scopes import OUTER, Scope
from omicsfusion.splits import COLUMNS, design_of, list_groups, outer_scope
from omicsfusion.tables.outcome import Outcome

PARTS = 4
"""A training set is dealt into so many parts; share k of them is the first k parts."""

REPEAT = 1
"""The curve is drawn for the first repeat: others would cost as much and cut the same patients."""

GROUP_COLUMNS = ["share", "group", "n_scopes", "n_outer"]
SHARE_COLUMNS = ["share", "n_patients", "n_events", "reason"]


@dataclass(frozen=True)
class LearningSplits:
    """What is to be trained for a learning curve.

    Attributes
    ----------
    splits
        The columns of ``splits.tsv``. Of each share the outer scopes of the first repeat and their
        inner folds; ``group`` tells shares apart (``n25``, ``n50``, ``n75``).
    groups
        ``share, group, n_scopes, n_outer``.
    shares
        ``share, n_patients, n_events, reason``: patients and events (survival) in an outer training
        set, mean over folds; why a share is left out (else empty). The whole (1) is the last row.
    """

    splits: pd.DataFrame
    groups: pd.DataFrame
    shares: pd.DataFrame


def make_learning_splits(
    samples: pd.DataFrame,
    outcome: Outcome,
    splits: pd.DataFrame,
    inner_folds: int,
    folds_per_task: int,
    seed: int,
    links: Sequence[tuple[str, str]] = (),
) -> LearningSplits:
    """Cut each outer training set of the first repeat down to nested shares of its patients.

    A training set is dealt into four parts as folds are: whole units, each stratum spread evenly,
    by hashed names. A quarter is the first part, half the first two, and so on, so that a smaller
    share lies in a larger one. The test samples of a fold are those of the run. Shares have inner
    folds and samples that stop training as the whole has, so that models are trained, and tuned,
    in the same way on all of them.

    Parameters
    ----------
    samples, outcome, inner_folds, folds_per_task, seed, links
        As ``make_splits`` takes them.
    splits
        What ``make_splits`` made of them.
    """
    training = samples[samples["role"] == "train"].sort_values("sample").set_index("sample")
    design = design_of(training, outcome, links)
    tests = _tests(splits)
    part_of = {scope: _parts(design.drop(test), scope, seed) for scope, test in tests.items()}
    tables, groups, shares = [], [], []
    for n_parts in range(1, PARTS):
        kept = {scope: part.index[part <= n_parts] for scope, part in part_of.items()}
        reason = _too_few(design, kept, inner_folds)
        table = pd.DataFrame(columns=COLUMNS)
        if not reason:
            table = _scopes(design, tests, kept, inner_folds, seed)
            reason = _nothing_to_learn(table, outcome)
        shares.append(_share(n_parts / PARTS, kept, training["patient"], outcome, reason))
        if not reason:
            table["group"] = _group_names(table, f"n{100 * n_parts // PARTS}", folds_per_task)
            tables.append(table)
            groups.append(list_groups(table).assign(share=n_parts / PARTS))
    whole = {scope: part.index for scope, part in part_of.items()}
    shares.append(_share(1.0, whole, training["patient"], outcome, ""))
    return LearningSplits(
        _completed(tables, samples),
        pd.concat(groups)[GROUP_COLUMNS] if groups else pd.DataFrame(columns=GROUP_COLUMNS),
        pd.DataFrame(shares, columns=SHARE_COLUMNS),
    )


def _tests(splits: pd.DataFrame) -> dict[Scope, pd.Index]:
    """Return the test samples of each outer fold of the first repeat."""
    outer = (splits["repeat"] == REPEAT) & (splits["inner"] == OUTER) & (splits["role"] == "test")
    return {
        Scope(REPEAT, int(fold), OUTER): pd.Index(sorted(rows["sample"]))
        for fold, rows in splits[outer].groupby("fold")
    }


def _parts(design: pd.DataFrame, scope: Scope, seed: int) -> pd.Series:
    """Deal a training set into parts, 1 … ``PARTS``; all in the last where there are too few."""
    if design["unit"].nunique() < PARTS:
        return pd.Series(PARTS, index=design.index)
    return deal(design, PARTS, "--learning_curve", seed, "learning curve", scope.key)


def _scopes(
    design: pd.DataFrame,
    tests: Mapping[Scope, pd.Index],
    kept: Mapping[Scope, pd.Index],
    inner_folds: int,
    seed: int,
) -> pd.DataFrame:
    blocks = [
        outer_scope(
            design.loc[kept[scope].append(test).sort_values()], None, scope, test, inner_folds, seed
        )
        for scope, test in tests.items()
    ]
    return pd.concat(blocks, ignore_index=True)


def _too_few(design: pd.DataFrame, kept: Mapping[Scope, pd.Index], inner_folds: int) -> str:
    """Say that a training set has fewer units than inner folds; empty when none has."""
    fewest = min(design.loc[names, "unit"].nunique() for names in kept.values())
    if fewest >= inner_folds:
        return ""
    return (
        f"a training set would hold {fewest} patients (or groups of patients), fewer than its "
        f"{inner_folds} inner folds"
    )


def _nothing_to_learn(table: pd.DataFrame, outcome: Outcome) -> str:
    """Say what training sets, inner ones too, lack altogether; empty when they lack nothing."""
    train = table[table["role"] == "train"]
    scopes = [train["repeat"], train["fold"], train["inner"]]
    if outcome.task == "classification":
        truth = train["sample"].map(outcome.table["truth"])
        seen = pd.crosstab(scopes, truth).reindex(columns=list(outcome.classes), fill_value=0)
        lacking = {f"no sample of {name!r}": int((seen[name] == 0).sum()) for name in seen}
    elif outcome.task == "survival":
        events = train["sample"].map(outcome.table["event"]).groupby(scopes).sum()
        seen = events.to_frame()
        lacking = {"no event": int((events == 0).sum())}
    else:
        return ""
    told = [f"{n} would hold {what}" for what, n in lacking.items() if n]
    if not told:
        return ""
    return f"of {len(seen)} training sets, inner ones among them, {', '.join(told)}"


def _share(
    share: float,
    kept: Mapping[Scope, pd.Index],
    patient: pd.Series,
    outcome: Outcome,
    reason: str,
) -> dict[str, object]:
    n_patients = [patient.loc[names].nunique() for names in kept.values()]
    row = {"share": share, "n_patients": sum(n_patients) / len(kept), "reason": reason}
    if outcome.task == "survival":
        n_events = [outcome.table.loc[names, "event"].sum() for names in kept.values()]
        row["n_events"] = float(sum(n_events)) / len(kept)
    return row


def _group_names(table: pd.DataFrame, name: str, folds_per_task: int) -> pd.Series:
    if folds_per_task == 0:
        return pd.Series(name, index=table.index)
    number = table.groupby(["repeat", "fold"], sort=True).ngroup() // folds_per_task + 1
    return name + number.map("g{:03d}".format)


def _completed(tables: Sequence[pd.DataFrame], samples: pd.DataFrame) -> pd.DataFrame:
    if not tables:
        return pd.DataFrame(columns=COLUMNS)
    table = pd.concat(tables, ignore_index=True)
    table["patient"] = table["sample"].map(samples.set_index("sample")["patient"])
    return table.assign(permutation=0)[COLUMNS]
