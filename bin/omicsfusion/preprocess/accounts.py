"""What was done to a layer and to its samples, as tables: batches, imputation, absent features."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from omicsfusion.preprocess.annotations import Annotations
from omicsfusion.preprocess.batch.table import BATCH_COLUMNS, measure_batch
from omicsfusion.preprocess.chain import Chain, Coverage
from omicsfusion.preprocess.cohorts import CohortsLayer, OpenLayer, which_rows
from omicsfusion.preprocess.fates import SCOPE_COLUMNS
from omicsfusion.preprocess.fitting import samples_by_scope, values_of
from omicsfusion.preprocess.impute.auto import AutoImputer
from omicsfusion.preprocess.register import Register
from omicsfusion.scopes import TRAINING_ROLES, Scope, rows_of
from omicsfusion.tables.layer import read_header

IMPUTATION_COLUMNS = ["method", "mask", "mechanism", "error", "se", "chosen"]
ABSENT_COLUMNS = ["layer", "cohort", "n_needed", "n_absent", "share_absent", "features"]
SHOWN = 10


def batch_effects(
    layer: OpenLayer | CohortsLayer,
    splits: pd.DataFrame,
    chains: Mapping[Scope, Chain],
    register: Register,
) -> pd.DataFrame:
    """Measure batch strength before and after correction, in the scopes that are no inner folds.

    Of a table that was fitted in blocks, on the features that are left after the selection.

    Returns
    -------
    Columns ``layer, repeat, fold, inner`` and those of ``measure_batch``, on training samples; and
    with stage ``flagged`` how many samples of which role were not corrected, and why.
    """
    tables = []
    for scope, chain in chains.items():
        if scope.is_inner or chain.absent_ or layer.kind == "clinical":
            continue
        here = rows_of(splits, scope)
        training = here.loc[here["role"].isin(TRAINING_ROLES), "sample"]
        X, _, known = values_of(chain, layer, training, register)
        if known.batch is None:
            continue
        before = chain.values_before(X, known, "batch")
        corrected = chain.batch_step() is not None
        after = chain.values_before(X, known, "impute") if corrected else None
        measured = measure_batch(before, after, known.batch, known.outcome, register.task)
        rows = [*measured.to_dict("records"), *_flagged(chain, here, layer, register)]
        table = pd.DataFrame(rows, columns=BATCH_COLUMNS)
        tables.append(
            table.assign(layer=layer.layer, repeat=scope.repeat, fold=scope.fold, inner=scope.inner)
        )
    columns = [*SCOPE_COLUMNS, *BATCH_COLUMNS]
    return pd.concat(tables)[columns] if tables else pd.DataFrame(columns=columns)


def _flagged(
    chain: Chain, here: pd.DataFrame, layer: OpenLayer | CohortsLayer, register: Register
) -> list[dict[str, object]]:
    """Count the samples of a scope that the batch step leaves as they are."""
    step = chain.batch_step()
    _, samples = which_rows(layer.samples, here["sample"])
    batch = register.annotate(samples, ()).batch
    if step is None or step.skipped_ or batch is None:
        return []
    roles = here.set_index("sample")["role"].loc[list(samples)].to_numpy()
    flags = step.flags(batch)
    counts = pd.Series(flags).groupby([roles, flags]).size()
    return [
        {
            "stage": "flagged",
            "measure": reason,
            "value": n,
            "note": f"{role} samples left as they are",
        }
        for (role, reason), n in counts.items()
        if reason
    ]


def imputation_table(layer: str, chains: Mapping[Scope, Chain]) -> pd.DataFrame:
    """Return the errors of the imputation methods that ``auto`` compared.

    Returns
    -------
    Columns ``layer, repeat, fold, inner, method, mask, mechanism, error, se, chosen``: a row for
    each method, mask and mechanism; errors in standard deviations of the feature. ``se``: standard
    error of the method's mean error over the masks; ``chosen``: yes or no.
    """
    rows = [
        {
            "layer": layer,
            "repeat": scope.repeat,
            "fold": scope.fold,
            "inner": scope.inner,
            **row,
            "se": step.choice_["standard_error"][row["method"]],
            "chosen": "yes" if row["method"] == step.choice_["method"] else "no",
        }
        for scope, chain in chains.items()
        for step in chain.steps
        if isinstance(step, AutoImputer) and not chain.absent_
        for row in step.table_
    ]
    return pd.DataFrame(rows, columns=[*SCOPE_COLUMNS, *IMPUTATION_COLUMNS])


def coverages(files: Sequence[Path], chains: Mapping[Scope, Chain]) -> dict[str, Coverage]:
    """Say for each cohort, sorted, which needed features its table lacks, at worst over scopes."""
    headers = sorted((read_header(path) for path in files), key=lambda header: header.cohort)
    return {
        header.cohort: max(
            (chain.coverage(header.features) for chain in chains.values()),
            key=lambda coverage: coverage.share_absent,
        )
        for header in headers
    }


def absent_table(layer: str, found: Mapping[str, Coverage]) -> pd.DataFrame:
    """Return ``layer, cohort, n_needed, n_absent, share_absent, features``, a row for each cohort.

    ``features`` are the first ten absent ones, joined by ``;``.
    """
    rows = [
        (
            layer,
            cohort,
            worst.n_needed,
            len(worst.absent),
            worst.share_absent,
            ";".join(worst.absent[:SHOWN]),
        )
        for cohort, worst in found.items()
    ]
    return pd.DataFrame(rows, columns=ABSENT_COLUMNS)


def training_annotations(
    layer: OpenLayer | CohortsLayer, splits: pd.DataFrame, register: Register
) -> Iterator[tuple[Scope, Annotations]]:
    """Walk the scopes with what is known of their training samples that have the layer."""
    for scope, in_scope in samples_by_scope(splits[splits["role"].isin(TRAINING_ROLES)]):
        _, samples = which_rows(layer.samples, in_scope)
        yield scope, register.annotate(samples, layer.features, layer.categories)
