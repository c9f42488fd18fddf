"""All scopes of a run: outer folds, their inner folds, and the training set of all samples."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from omicsfusion.folds import (
    STOP_PARTS,
    SplitError,
    assign_folds,
    choose_stop,
    deal,
    merge_small_strata,
    units_of,
)
from omicsfusion.outer_tests import outer_tests
from omicsfusion.scopes import FINAL, OUTER, Scope
from omicsfusion.tables.outcome import Outcome

HORIZON_QUANTILES = (0.25, 0.5, 0.75)
FEWEST_KNOWN = 2
PRETRAINING_PARTS = 10
ALL = "all"
"""Name of the group where there is one."""
COLUMNS = ["permutation", "repeat", "fold", "inner", "group", "sample", "patient", "role"]


def make_splits(
    samples: pd.DataFrame,
    outcome: Outcome,
    how: str,
    folds: int,
    repeats: int,
    inner_folds: int,
    folds_per_task: int,
    seed: int,
    links: Sequence[tuple[str, str]] = (),
    further: Mapping[str, Outcome] = MappingProxyType({}),
) -> pd.DataFrame:
    """List every scope of a run with the role of each sample in it.

    Parameters
    ----------
    samples
        The clean ``samples.tsv``: ``sample, patient, role, group, split, layers``.
    outcome
        Of the same samples; stratifies the folds.
    how
        ``kfold``: repeated k-fold over units (patients, or groups of them), stratified by the
        outcome and, as far as that allows, by the layers that samples have.
        ``column:NAME``: the column ``split`` holds ``train``/``test`` or fold names.
        ``leave_out:NAME``: each value of ``split`` is held out once.
        ``temporal:NAME``: ``split`` holds dates or numbers, and the newest units are held out.
    folds, repeats
        For ``kfold``; a column is used once. Of a temporal split, one in ``folds`` units is tested.
    inner_folds
        Inner folds of each outer training set and of the set of all training samples.
    folds_per_task
        Outer folds in a group of scopes; 0: one group of everything.
    seed
        The run's seed.
    links
        Pairs of samples that are the same material and stay in one part.
    further
        Outcomes of the targets after the first, by name: they do not stratify, but each training
        set must have something to learn them from.

    Returns
    -------
    The columns of ``splits.tsv``, sorted by scope (a parent before its inner folds) and sample.

    Raises
    ------
    SplitError
        Fewer patients than folds, a class or all events missing from a training set, no event in
        a test fold, or a split column that tears a patient or a pair of duplicates apart, or
        whose dates cannot be read.
    """
    training = samples[samples["role"] == "train"].sort_values("sample").set_index("sample")
    external = samples[samples["role"] == "external"].sort_values("sample").set_index("sample")
    design = design_of(training, outcome, links)
    tests = outer_tests(design, training["split"], how, folds, repeats, seed, links)
    blocks = [_final_scope(design, external, inner_folds, seed)]
    for repeat, fold, test in tests:
        blocks.append(
            outer_scope(design, external, Scope(repeat, fold, OUTER), test, inner_folds, seed)
        )
    table = pd.concat(blocks, ignore_index=True)
    table["patient"] = table["sample"].map(samples.set_index("sample")["patient"])
    table["group"] = _group_names(table, folds_per_task)
    table["permutation"] = 0
    _refuse_useless_scopes(table, outcome, each_fold=how == "kfold")
    for target, of_target in further.items():
        try:
            _refuse_unknown(table, of_target)
            _refuse_useless_scopes(_known(table, of_target), of_target, each_fold=False)
        except SplitError as error:
            raise SplitError(
                f"The target {target!r}, by which folds are not dealt: {error}"
            ) from error
    return table[COLUMNS]


def pretraining_splits(
    samples: pd.DataFrame, seed: int, links: Sequence[tuple[str, str]] = ()
) -> pd.DataFrame:
    """List the one scope that encoders are pretrained on: all training samples, no one tested.

    One in ``PRETRAINING_PARTS`` units (patients, or groups of them) tells when to stop, of each
    combination of layers its share.

    Returns
    -------
    As ``make_splits``.

    Raises
    ------
    SplitError
        When there are fewer units than that.
    """
    training = samples[samples["role"] == "train"].sort_values("sample").set_index("sample")
    external = samples[samples["role"] == "external"].sort_values("sample").set_index("sample")
    unit = units_of(training.reset_index(), links)
    if unit.nunique() < PRETRAINING_PARTS:
        raise SplitError(
            f"{unit.nunique()} patients are too few to pretrain on: {PRETRAINING_PARTS} are needed "
            "at least, and some hundreds for it to be of use."
        )
    pattern = training["layers"].fillna("")
    fold = assign_folds(unit, pattern, pattern, PRETRAINING_PARTS, seed, "pretrain")
    role = fold.eq(1).map({True: "stop", False: "train"})
    table = _block(Scope(0, 0, FINAL), role, external)
    table["patient"] = table["sample"].map(samples.set_index("sample")["patient"])
    return table.assign(group=ALL, permutation=0)[COLUMNS]


def list_groups(splits: pd.DataFrame) -> pd.DataFrame:
    """Count scopes and outer folds of each group: ``group, n_scopes, n_outer``, in task order."""
    scopes = splits[["group", "repeat", "fold", "inner"]].drop_duplicates()
    counted = scopes.groupby("group").agg(
        n_scopes=("inner", "size"), n_outer=("inner", lambda inner: int((inner == OUTER).sum()))
    )
    return counted.sort_index(key=lambda names: names == FINAL, kind="stable").reset_index()


def choose_horizons(samples: pd.DataFrame, wanted: Sequence[float] = ()) -> pd.DataFrame:
    """Choose the times at which survival is predicted, one grid for the whole run.

    Returns
    -------
    Column ``time``, increasing: ``wanted``, or the quartiles of the event times of all training
    samples, in the unit of the input.

    Raises
    ------
    SplitError
        When a wanted time is not positive or lies beyond the follow-up of the training samples.
    """
    training = samples[samples["role"] == "train"]
    last = training["time"].max()
    outside = [time for time in wanted if not 0 < time < last]
    if outside:
        raise SplitError(
            f"The horizons {', '.join(f'{time:g}' for time in outside)} lie outside the follow-up "
            f"of the training samples, which ends at {last:g}. Give times between 0 and {last:g}."
        )
    events = training.loc[training["event"] == 1, "time"]
    times = wanted or np.quantile(events, HORIZON_QUANTILES)
    return pd.DataFrame({"time": np.unique(np.asarray(times, dtype=np.float64))})


def design_of(
    training: pd.DataFrame, outcome: Outcome, links: Sequence[tuple[str, str]]
) -> pd.DataFrame:
    """Return what folds are dealt by, of each training sample.

    Returns
    -------
    Index: sample, sorted. ``unit``; ``fine``, the class, the event with the quartile of its time,
    or the quintile of the number; ``coarse``, what a rare one of these falls back to (for survival
    the event); ``pattern``, the layers that the sample has.
    """
    here = replace(outcome, table=outcome.table.loc[training.index])
    fine = here.strata()
    columns = {
        "unit": units_of(training.reset_index(), links),
        "fine": fine,
        "coarse": here.events() if outcome.task == "survival" else fine,
        "pattern": training["layers"].fillna(""),
    }
    return pd.DataFrame(columns, index=training.index)


def _final_scope(
    design: pd.DataFrame, external: pd.DataFrame, inner_folds: int, seed: int
) -> pd.DataFrame:
    scope = Scope(0, 0, FINAL)
    own = _roles(design, design.index[:0], scope, seed)
    blocks = [_block(scope, own, external), *_inner_scopes(design, scope, inner_folds, seed)]
    return pd.concat(blocks)


def outer_scope(
    design: pd.DataFrame,
    external: pd.DataFrame | None,
    scope: Scope,
    test: pd.Index,
    inner_folds: int,
    seed: int,
) -> pd.DataFrame:
    """List an outer scope and its inner folds: ``repeat, fold, inner, sample, role``.

    Parameters
    ----------
    design
        As ``design_of`` returns it, of the samples to train on and of ``test``.
    external
        Samples of external cohorts (index: sample), or None.
    """
    own = _roles(design, test, scope, seed)
    blocks = [_block(scope, own, external)]
    return pd.concat(blocks + list(_inner_scopes(design.drop(test), scope, inner_folds, seed)))


def _inner_scopes(
    design: pd.DataFrame, parent: Scope, inner_folds: int, seed: int
) -> Iterator[pd.DataFrame]:
    fold_of = deal(design, inner_folds, "--inner_folds", seed, "inner folds", parent.key)
    for inner in range(inner_folds):
        scope = replace(parent, inner=str(inner))
        yield _block(scope, _roles(design, design.index[fold_of == inner + 1], scope, seed))


def _roles(design: pd.DataFrame, test: pd.Index, scope: Scope, seed: int) -> pd.Series:
    """Role of each sample of ``design``: test as given, the others train or stop."""
    fitted = design.drop(test)
    stratum = merge_small_strata(fitted["unit"], fitted["fine"], fitted["coarse"], STOP_PARTS)
    stop = choose_stop(fitted["unit"], stratum, seed, "stop", scope.key)
    role = pd.Series("train", index=design.index)
    role[test] = "test"
    role[stop.index[stop]] = "stop"
    return role


def _block(scope: Scope, role: pd.Series, external: pd.DataFrame | None = None) -> pd.DataFrame:
    if external is not None:
        role = pd.concat([role, pd.Series("external", index=external.index)]).sort_index()
    return pd.DataFrame(
        {
            "repeat": scope.repeat,
            "fold": scope.fold,
            "inner": scope.inner,
            "sample": role.index,
            "role": role.to_numpy(),
        }
    )


def _group_names(table: pd.DataFrame, folds_per_task: int) -> pd.Series:
    if folds_per_task == 0:
        return pd.Series(ALL, index=table.index)
    outer = table[table["repeat"] > 0]
    number = outer.groupby(["repeat", "fold"], sort=True).ngroup() // folds_per_task + 1
    return number.map("g{:03d}".format).reindex(table.index, fill_value=FINAL)


def _known(table: pd.DataFrame, outcome: Outcome) -> pd.DataFrame:
    return table[outcome.known.loc[table["sample"]].to_numpy()]


def _refuse_unknown(table: pd.DataFrame, outcome: Outcome) -> None:
    """Refuse training sets of which fewer than two samples have an outcome."""
    train = table[table["role"] == "train"]
    known = outcome.known.loc[train["sample"]].to_numpy()
    n_known = pd.Series(known).groupby(
        [train[name].to_numpy() for name in ("repeat", "fold", "inner")]
    )
    if (n_known.sum() < FEWEST_KNOWN).any():
        raise SplitError(
            f"some training set would hold fewer than {FEWEST_KNOWN} samples that have it. Leave "
            "the target out, or use fewer --folds and --inner_folds."
        )


def _refuse_useless_scopes(table: pd.DataFrame, outcome: Outcome, each_fold: bool) -> None:
    """Refuse training sets and test sets from which nothing can be learnt or told."""
    if outcome.task == "classification":
        _refuse_missing_classes(table, outcome)
    elif outcome.task == "survival":
        _refuse_missing_events(table, outcome, each_fold)


def _refuse_missing_classes(table: pd.DataFrame, outcome: Outcome) -> None:
    train = table[table["role"] == "train"]
    truth = train["sample"].map(outcome.table["truth"])
    seen = pd.crosstab([train["repeat"], train["fold"], train["inner"]], truth)
    rare = [name for name in outcome.classes if (seen[name] == 0).any()]
    if rare:
        final = table.loc[(table["inner"] == FINAL) & (table["role"] != "external"), "sample"]
        n = outcome.table.loc[final, "truth"].value_counts()
        named = ", ".join(f"{name!r} ({n[name]} in all)" for name in rare)
        raise SplitError(
            f"Too few samples of {named}: some training set would hold none. Leave these samples "
            "out or merge the classes. A class needs at least 3 patients."
        )


def _refuse_missing_events(table: pd.DataFrame, outcome: Outcome, each_fold: bool) -> None:
    event = table["sample"].map(outcome.table["event"])
    n_events = event.groupby([table["role"], table["repeat"], table["fold"], table["inner"]]).sum()
    if (n_events["train"] == 0).any():
        raise SplitError(
            f"The training samples have {_n_training_events(n_events)} events in all, and some "
            "training set would hold none. Use more samples, or other --folds and --inner_folds."
        )
    of_test = n_events["test"].xs(OUTER, level="inner")
    if (of_test == 0).any() if each_fold else (of_test == 0).all():
        raise SplitError(
            f"{(of_test == 0).sum()} of {len(of_test)} test folds hold no event (all training "
            f"samples have {_n_training_events(n_events)}), so that nothing could be told about "
            "survival in them. Use fewer folds (--folds), or another --split."
        )


def _n_training_events(n_events: pd.Series) -> int:
    """Count the events of all training samples, given the sums per role and scope."""
    final = n_events.xs((0, 0, FINAL), level=("repeat", "fold", "inner"))
    return int(final.drop("external", errors="ignore").sum())
