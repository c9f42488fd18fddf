"""Is there enough to learn from, and to tell by? Rules of thumb, said with the run's own numbers.

They stop nothing and are no warnings: a small cohort is not a mistake in its tables.

26 of a class and a ratio of 3:1: Han, Kwon & Jung 2025, BMC Genomics 26:769 (clusterings of TCGA
cohorts were stable from there on). Ten events per parameter: Peduzzi, Concato, Feinstein & Holford
1995, J Clin Epidemiol 48:1503-1510. Ten events in a fold is our own: below it the C-index of a fold
rests on too few pairs.
"""

import pandas as pd

from omicsfusion.tables.findings import Request
from omicsfusion.tables.numbers import is_number
from omicsfusion.tables.outcome import outcome_columns
from omicsfusion.tables.samplesheet import TRAIN

FEWEST_OF_CLASS = 26
WIDEST_RATIO = 3
FEWEST_EVENTS = 10
CLINICAL_MODEL = "clinical"


def advise(request: Request, clean: pd.DataFrame, covariates: pd.DataFrame | None) -> list[str]:
    """Say where a cohort is small for what is asked of it.

    Parameters
    ----------
    clean
        The clean ``samples.tsv``.
    covariates
        Of the used samples (index: sample), as text, empty where missing; None without any.

    Returns
    -------
    Sentences; none where there is enough, and none for numbers.
    """
    training = clean[clean["role"] == TRAIN]
    told = []
    for number, target in enumerate(request.targets):
        stored = outcome_columns(request.task, target if number else "")
        known = training[list(stored.values())].set_axis(list(stored), axis=1)
        table = training[["sample", "patient", "split"]].join(known)
        table = table[known.notna().all(axis=1) & (known != "").all(axis=1)]
        told += [
            f"{target}: {sentence}" if len(request.targets) > 1 else sentence
            for sentence in _of_target(request, table, covariates)
        ]
    return told


def _of_target(request: Request, table: pd.DataFrame, covariates: pd.DataFrame | None) -> list[str]:
    if table.empty:
        return []
    if request.task == "classification":
        return _of_classes(table.groupby("truth")["patient"].nunique())
    if request.task == "survival":
        events = table[table["event"] == 1].drop_duplicates("patient")
        return _of_folds(request, table, events) + _of_parameters(request, events, covariates)
    return []


def _of_classes(sizes: pd.Series) -> list[str]:
    told = []
    few = sizes[sizes < FEWEST_OF_CLASS]
    if len(few):
        named = ", ".join(f"{name} {size}" for name, size in few.items())
        told.append(
            f"Classes with fewer than {FEWEST_OF_CLASS} patients: {named}. How well they are "
            "recognised can be told only roughly."
        )
    large, small = sizes.max(), sizes.min()
    if large > WIDEST_RATIO * small:
        told.append(
            f"The largest class ({sizes.idxmax()}) has {large} patients and the smallest "
            f"({sizes.idxmin()}) {small}: {large / small:.3g} to 1, more than {WIDEST_RATIO} to 1. "
            "Look at balanced accuracy and at the recall of each class, not at accuracy."
        )
    return told


def _of_folds(request: Request, table: pd.DataFrame, events: pd.DataFrame) -> list[str]:
    tested, n_folds = _tested(request, table, events)
    if not n_folds or tested >= FEWEST_EVENTS * n_folds:
        return []
    folds = "the test part" if n_folds == 1 else f"a test fold ({tested} in {n_folds} folds)"
    return [
        f"{tested / n_folds:.3g} events fall into {folds}, fewer than {FEWEST_EVENTS}: the scores "
        "of folds scatter widely, and models can hardly be told apart. Fewer --folds help a little."
    ]


def _tested(request: Request, table: pd.DataFrame, events: pd.DataFrame) -> tuple[int, int]:
    """Count the events that are tested once each, and the folds that they fall into."""
    if request.split == "kfold" or request.split.startswith("temporal"):
        return len(events), request.folds
    values = set(table["split"]) - {""}
    if request.split.startswith("column") and values == {"train", "test"}:
        return int((events["split"] == "test").sum()), 1
    return len(events), len(values)


def _of_parameters(
    request: Request, events: pd.DataFrame, covariates: pd.DataFrame | None
) -> list[str]:
    if covariates is None or CLINICAL_MODEL not in request.models:
        return []
    n = sum(_n_parameters(covariates[name]) for name in covariates)
    if not n or len(events) >= FEWEST_EVENTS * n:
        return []
    return [
        f"{len(events)} events are {len(events) / n:.2g} for each of the {n} parameters of the "
        f"clinical model ({', '.join(covariates)}), fewer than {FEWEST_EVENTS}: its weights are "
        "uncertain. Fewer --covariates, or ones with fewer levels, would be known better."
    ]


def _n_parameters(cells: pd.Series) -> int:
    """Count the parameters of a covariate: one of a number, one for each level after the first."""
    known = set(cells) - {""}
    if all(is_number(cell) for cell in known):
        return int(len(known) > 1)
    return len(known) - 1
