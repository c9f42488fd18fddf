"""The plan of a run, made of what the checks have found."""

from collections.abc import Mapping, Sequence

import pandas as pd

from omicsfusion.tables.findings import Findings, Request
from omicsfusion.tables.outcome import NO_TASK, outcome_columns
from omicsfusion.tables.plan import Design, LayerCount, Plan, count_patterns
from omicsfusion.tables.sample_size import advise
from omicsfusion.tables.samplesheet import CLINICAL, EXTERNAL, TRAIN


def make_plan(found: Findings, clean: pd.DataFrame, covariates: pd.DataFrame | None) -> Plan:
    """Return the plan: what is there, and what would run on it."""
    request = found.request
    layers_of = {
        sample: layers.split(";")
        for sample, layers in zip(clean["sample"], clean["layers"], strict=True)
    }
    n_external = int((clean["role"] == EXTERNAL).sum())
    return Plan(
        design=Design(
            task=request.task,
            target=request.target,
            models=request.models,
            split=request.split,
            folds=_n_folds(request, clean),
            repeats=request.repeats if request.split == "kfold" else 1,
            inner_folds=request.inner_folds,
            folds_per_task=request.folds_per_task,
        ),
        layers=_layer_counts(found, clean, layers_of, covariates),
        patterns=count_patterns(layers_of),
        outcome=_outcome_lines(request, clean),
        samples={
            "used": len(clean),
            "train": len(clean) - n_external,
            "external": n_external,
            "left_out": len(found.members.left_out),
        },
        notes=sorted(found.notes),
        advice=advise(request, clean, covariates),
    )


def _n_folds(request: Request, clean: pd.DataFrame) -> int:
    """Outer folds of one repeat: --folds, or the values of the split column.

    A column of train and test makes one, and so does one of dates.
    """
    if request.split == "kfold":
        return request.folds
    if request.split.startswith("temporal"):
        return 1
    values = set(clean.loc[clean["role"] == TRAIN, "split"]) - {""}
    return 1 if request.split.startswith("column") and values == {"train", "test"} else len(values)


def _layer_counts(
    found: Findings,
    clean: pd.DataFrame,
    layers_of: Mapping[str, Sequence[str]],
    covariates: pd.DataFrame | None,
) -> list[LayerCount]:
    cohort_of = dict(zip(clean["sample"], clean["cohort"], strict=True))
    sizes = {(layer.cohort, layer.layer): (layer.kind, layer.n_features) for layer in found.layers}
    if covariates is not None:
        sizes |= {(cohort, CLINICAL): (CLINICAL, covariates.shape[1]) for cohort in found.roles}
    counts = []
    for (cohort, layer), (kind, n_features) in sorted(sizes.items()):
        n_samples = sum(
            layer in layers and cohort_of[sample] == cohort for sample, layers in layers_of.items()
        )
        counts.append(LayerCount(cohort, layer, kind, found.roles[cohort], n_samples, n_features))
    return counts


def _outcome_lines(request: Request, clean: pd.DataFrame) -> list[str]:
    """Say what the training samples' outcome looks like, target by target where there are more."""
    training = clean[clean["role"] == TRAIN]
    if len(request.targets) < 2:
        return _outcome_line(request.task, training)
    lines = []
    for number, target in enumerate(request.targets):
        stored = outcome_columns(request.task, target if number else "")
        known = training[list(stored.values())].set_axis(list(stored), axis=1).dropna()
        of_target = _outcome_line(request.task, known)
        lines += [f"{target}, known of {len(known)} samples. {line}" for line in of_target]
    return lines


def _outcome_line(task: str, known: pd.DataFrame) -> list[str]:
    if known.empty or task == NO_TASK:
        return []
    if task == "survival":
        events = int((known["event"] == 1).sum())
        return [
            f"Outcome: {events} events among {len(known)} samples; median observed time "
            f"{known['time'].median():g}, longest {known['time'].max():g}."
        ]
    if task == "classification":
        sizes = known["truth"].value_counts().sort_index()
        return ["Outcome: " + ", ".join(f"{name} {size}" for name, size in sizes.items()) + "."]
    return [
        f"Outcome: mean {known['truth'].mean():.4g}, from {known['truth'].min():.4g} to "
        f"{known['truth'].max():.4g}."
    ]
