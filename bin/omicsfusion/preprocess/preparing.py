"""PREPROCESS: one layer on one group of scopes, from its files to matrices and what was done."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from omicsfusion.preprocess.accounts import (
    absent_table,
    batch_effects,
    coverages,
    imputation_table,
    training_annotations,
)
from omicsfusion.preprocess.batch.confounding import confounding_problems
from omicsfusion.preprocess.chain import AbsentFeaturesError, Coverage, refuse_absent_features
from omicsfusion.preprocess.cohorts import CohortsLayer, OpenLayer, open_cohorts
from omicsfusion.preprocess.fates import kept_table
from omicsfusion.preprocess.fitting import (
    fit_chains,
    open_layer,
    transform_scopes,
    write_chains,
)
from omicsfusion.preprocess.matrices import write_matrices
from omicsfusion.preprocess.methods import METHODS
from omicsfusion.preprocess.register import Register
from omicsfusion.recipes.catalogue import read_catalogue
from omicsfusion.recipes.contents import with_contents
from omicsfusion.recipes.recipe import Choice, Recipe
from omicsfusion.scopes import read_splits
from omicsfusion.tables.outcome import NO_TASK
from omicsfusion.tables.tsv import read_tsv, write_tsv

SHOWN = 10


class PreparingError(ValueError):
    """The layer cannot be prepared as asked; the text says why and what to do."""


@dataclass(frozen=True)
class PrepareRequest:
    """What to do; fields are the arguments of ``preprocess.py``."""

    id: str
    files: list[Path]
    splits: Path
    samples: Path
    group: str
    task: str
    recipe: Path
    tables: tuple[tuple[str, Path], ...] = ()
    covariates: Path | None = None


def prepare(request: PrepareRequest) -> None:
    """Fit and apply the layer's chain on every scope of the group, and write all outputs.

    Raises
    ------
    PreparingError
        The group has no scopes, a step learns from an outcome that there is not, batch and outcome
        are confounded, or a cohort lacks too many features.
    omicsfusion.tables.cohort_table.LayerFilesError, omicsfusion.recipes.files.FileProblem
        An input cannot be used.
    """
    splits = read_splits(request.splits, request.group)
    if splits.empty:
        raise PreparingError(f"{request.splits} has no scopes in the group {request.group!r}.")
    recipe = with_contents(
        Recipe.from_json(request.recipe.read_text(encoding="utf-8")),
        read_catalogue(),
        dict(request.tables),
    )
    samples = read_tsv(request.samples, text_columns=("role", "batch", *_words(request.task)))
    covariates = read_tsv(request.covariates) if request.covariates else None
    refuse_supervised(request, recipe)
    register = Register.of(samples, request.task, covariates)
    layer = open_layer(open_cohorts(request.files, samples), recipe, request.task)
    refuse_confounded(layer, splits, recipe, register)
    fitted = fit_chains(layer, splits, recipe, register)
    chains = fitted.chains
    found = coverages(request.files, chains)
    refuse_absent(layer.layer, found, samples, recipe)
    matrices = transform_scopes(layer, splits, fitted, register)
    write_chains(f"{request.id}.chains.h5", chains)
    write_matrices(f"{request.id}.matrices.h5", layer.layer, layer.kind, request.group, matrices)
    for name, table in {
        "features": fitted.features,
        "steps": fitted.steps,
        "dropped": fitted.dropped,
        "kept": kept_table(layer.layer, chains),
        "batch": batch_effects(layer, splits, chains, register),
        "imputation": imputation_table(layer.layer, chains),
        "outliers": fitted.outliers,
        "absent": absent_table(layer.layer, found),
    }.items():
        write_tsv(table, f"{request.id}.{name}.tsv")


def refuse_supervised(request: PrepareRequest, recipe: Recipe) -> None:
    """Refuse steps that learn from the outcome where there is none.

    Raises
    ------
    PreparingError
        Naming them.
    """
    if request.task != NO_TASK:
        return
    found = [c for c in recipe.choices if (c.step, c.method) in METHODS and _is_supervised(c)]
    if found:
        named = ", ".join(f"{choice.step}: {choice.method}" for choice in found)
        raise PreparingError(
            f"{request.id.rpartition('.')[0]}: {named} learns from the outcome, and encoders are "
            "pretrained without one. Choose another method for --step pretrain, such as variance."
        )


def _is_supervised(choice: Choice) -> bool:
    return METHODS[choice.step, choice.method].supervised


def refuse_confounded(
    layer: OpenLayer | CohortsLayer, splits: pd.DataFrame, recipe: Recipe, register: Register
) -> None:
    """Refuse to correct for batches that are confounded with the outcome, unless forced.

    Raises
    ------
    PreparingError
        Naming each scope and its figures.
    """
    choice = recipe.uses("batch")
    if choice is None or choice.options.get("force"):
        return
    found = []
    for scope, annotations in training_annotations(layer, splits, register):
        if annotations.batch is not None and annotations.outcome is not None:
            found += [
                f"{scope.key}: {text}"
                for text in confounding_problems(
                    annotations.batch, annotations.outcome, register.task
                )
            ]
    if found:
        more = f"\n  and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        told = "\n".join(f"  - {text}" for text in found[:SHOWN])
        raise PreparingError(
            f"Layer {layer.layer!r}: the batch and the outcome are confounded, so that correcting "
            f"for the one would take away the other, in {len(found)} training sets:\n{told}{more}\n"
            "Leave the batch step out (batch: none), or write 'force: true' beside its method if "
            "you know better."
        )


def refuse_absent(
    layer: str, found: Mapping[str, Coverage], samples: pd.DataFrame, recipe: Recipe
) -> None:
    """Refuse external cohorts that lack too many of the features that the chains need.

    Raises
    ------
    PreparingError
        Naming each of them, its figures and some features.
    """
    problems = []
    for cohort in sorted(set(samples.loc[samples["role"] == "external", "cohort"]) & set(found)):
        try:
            refuse_absent_features(found[cohort], recipe.max_absent)
        except AbsentFeaturesError as error:
            problems.append(f"Layer {layer!r}, cohort {cohort!r}: {error}")
    if problems:
        raise PreparingError("\n".join(problems))


def _words(task: str) -> tuple[str, ...]:
    return ("truth",) if task == "classification" else ()
