"""The usual mistakes of validation, each made by what PREPROCESS and TRAIN are given.

Somebody looks at the test folds before the model is tested on them. No step and no model is told
so: the tables of scopes, the recipes and the covariates differ from those of the run, and nothing
else does. The mistakes are those of Ambroise & McLachlan 2002, PNAS 99, 6562-6566 (selection of
features before splitting), Cawley & Talbot 2010, J. Mach. Learn. Res. 11, 2079-2107 (tuning on what
is then reported), and Nygaard et al. 2016, Biostatistics 17, 29-39 (batch correction that is shown
the outcome).
"""

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from omicsfusion.preprocess.methods import METHODS
from omicsfusion.recipes.catalogue import STEPS, Catalogue
from omicsfusion.recipes.recipe import Choice, Recipe, settled_choice
from omicsfusion.scopes import OUTER
from omicsfusion.splits import ALL, COLUMNS, list_groups
from omicsfusion.tables.mistakes import BATCH, SELECTION, TUNING
from omicsfusion.tables.outcome import outcome_columns

SELECTED = 50
"""Features of each layer that are selected before splitting, by the outcome of all samples."""

REPEAT = 1
"""One repeat tells what a mistake claims; more of them would cost as much again."""

GROUP_COLUMNS = ["group", "n_scopes", "n_outer"]
_INNER = "0"


@dataclass(frozen=True)
class LookAhead:
    """The scopes of one mistake, three times, with the columns of ``splits.tsv``.

    The outer folds of the first repeat and their inner folds; external samples are left out.

    Attributes
    ----------
    prepare
        On whom PREPROCESS fits chains.
    train
        On whom TRAIN fits, tunes and tests shallow models.
    networks
        The same for networks.
    groups
        ``group, n_scopes, n_outer``: groups are named after the mistake (``tuning``, or
        ``tuningg001 …`` where the run parts its folds into groups).
    """

    prepare: pd.DataFrame
    train: pd.DataFrame
    networks: pd.DataFrame
    groups: pd.DataFrame


def look_ahead(splits: pd.DataFrame, mistake: str) -> LookAhead:
    """Make the scopes of a mistake from those of the run.

    ``selection``, ``batch``: chains of all scopes, inner ones too, are fitted on all samples;
    models are fitted, tuned and tested as ever. ``tuning``: each outer fold has one inner fold,
    which is that fold itself: what is chosen is chosen on its test samples. Networks also stop on
    them, and learn from the samples that would have stopped them: there a test sample stands
    twice, as ``stop`` and as ``test``.

    Parameters
    ----------
    splits
        ``splits.tsv`` of the run.
    mistake
        One of ``MISTAKES``.
    """
    honest = _first_repeat(splits, mistake)
    if mistake == TUNING:
        tested = _tuned_on_tests(honest)
        prepare, train, networks = tested, tested, _stopped_by_tests(tested)
    else:
        prepare, train, networks = _fitted_on_all(honest), honest, honest
    return LookAhead(prepare, train, networks, list_groups(train)[GROUP_COLUMNS])


def _first_repeat(splits: pd.DataFrame, mistake: str) -> pd.DataFrame:
    table = splits[(splits["repeat"] == REPEAT) & (splits["role"] != "external")]
    group = mistake + table["group"].where(table["group"] != ALL, "")
    return table.assign(group=group)[COLUMNS].reset_index(drop=True)


def _fitted_on_all(honest: pd.DataFrame) -> pd.DataFrame:
    """Make every sample of an outer fold a training sample of all its scopes."""
    keys = ["permutation", "repeat", "fold", "group"]
    outer = honest.loc[honest["inner"] == OUTER, [*keys, "sample", "patient"]]
    scopes = honest[[*keys, "inner"]].drop_duplicates()
    return scopes.merge(outer, on=keys, how="left").assign(role="train")[COLUMNS]


def _tuned_on_tests(honest: pd.DataFrame) -> pd.DataFrame:
    outer = honest[honest["inner"] == OUTER]
    return _ordered(pd.concat([outer, outer.assign(inner=_INNER)]))


def _stopped_by_tests(table: pd.DataFrame) -> pd.DataFrame:
    tests = table[table["role"] == "test"]
    learnt_from = table.assign(role=table["role"].replace("stop", "train"))
    return _ordered(pd.concat([learnt_from, tests.assign(role="stop")]))


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Sort by scope, a parent before its inner fold, sample and role."""
    within = table.assign(is_inner=table["inner"] != OUTER)
    order = ["repeat", "fold", "is_inner", "sample", "role"]
    return within.sort_values(order, ignore_index=True)[COLUMNS]


def mistaken_recipe(mistake: str, recipe: Recipe, task: str, catalogue: Catalogue) -> Recipe:
    """Return how a layer is prepared where the mistake is made.

    ``selection``: by ``SELECTED`` features that tell most of the outcome, in place of the layer's
    own selection; a selection by the outcome that the run has itself stays. ``batch``: by ComBat
    that protects the outcome, in place of what the run does about batches, and without asking
    whether batches and outcome are confounded. A kind of layer that has no such step, and
    ``tuning``, change nothing.
    """
    options: dict[str, Any]
    if mistake == SELECTION:
        step, method = "select", "univariate"
        options = {"max_features": SELECTED, "min_features": SELECTED}
    elif mistake == BATCH:
        step, method = "batch", "combat"
        options = {"protect": list(outcome_columns(task)), "force": True}
    else:
        return recipe
    own = recipe.uses(step)
    supervised = own is not None and METHODS[own.step, own.method].supervised
    if supervised or method not in catalogue.for_kind(recipe.kind, step):
        return recipe
    return _with(recipe, settled_choice(catalogue, step, method, options))


def _with(recipe: Recipe, choice: Choice) -> Recipe:
    others = [one for one in recipe.choices if one.step != choice.step]
    ordered = sorted([*others, choice], key=lambda one: STEPS.index(one.step))
    return replace(recipe, choices=tuple(ordered))


def outcome_as_covariates(samples: pd.DataFrame, task: str) -> pd.DataFrame:
    """Write the outcome as covariates, which a batch correction can be told to protect.

    Parameters
    ----------
    samples
        The clean ``samples.tsv``.

    Returns
    -------
    ``sample, cohort`` and ``truth``, or ``time`` and ``event``, of all samples. Classes are words,
    so that none is taken for a number.
    """
    names = list(outcome_columns(task))
    table = samples[["sample", "cohort", *names]].copy()
    if task == "classification":
        table["truth"] = "class " + table["truth"]
    return table
