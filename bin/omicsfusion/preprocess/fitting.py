"""A chain for each scope of a group: fitted on training samples, applied to all samples."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from omicsfusion.preprocess.annotations import Annotations
from omicsfusion.preprocess.batch.correction import ADAPT, MIN_ADAPT
from omicsfusion.preprocess.blocks import why_not_in_blocks
from omicsfusion.preprocess.chain import LEAVE_OUT, OUTLIERS, Chain
from omicsfusion.preprocess.cohorts import CohortsLayer, OpenLayer, which_rows
from omicsfusion.preprocess.fates import SCOPE_COLUMNS, dropped_table, steps_table
from omicsfusion.preprocess.matrices import ScopeMatrix
from omicsfusion.preprocess.register import Register
from omicsfusion.recipes.recipe import Recipe
from omicsfusion.scopes import TRAINING_ROLES, Scope, scopes_in

FEATURES_COLUMNS = [*SCOPE_COLUMNS, "n_in", "n_constant", "n_kept", "n_train", "note"]
OUTLIER_COLUMNS = [*SCOPE_COLUMNS, "sample", "reasons"]
# Tables whose values take more as doubles are fitted in blocks of features.
WIDE_BYTES = 512 * 2**20


@dataclass(frozen=True)
class Fitted:
    """The chains of all scopes, and what was done.

    Attributes
    ----------
    chains
        Scope -> fitted chain.
    features, steps, dropped
        Tables, see :func:`count_features` and ``fates.py``.
    outliers
        Training samples that were left out: ``layer, repeat, fold, inner, sample, reasons``.
    """

    chains: dict[Scope, Chain]
    features: pd.DataFrame
    steps: pd.DataFrame
    dropped: pd.DataFrame
    outliers: pd.DataFrame


def open_layer(opened: OpenLayer, recipe: Recipe, task: str) -> OpenLayer | CohortsLayer:
    """Read the layer into memory, unless it is large and its chain can be fitted in blocks."""
    outliers = recipe.uses(OUTLIERS)
    small = len(opened.samples) * len(opened.features) * 8 <= WIDE_BYTES
    whole = outliers is not None and outliers.method == LEAVE_OUT
    if small or whole or why_not_in_blocks(Chain(recipe, task).steps):
        return opened.in_memory()
    return opened


def fit_chains(
    layer: OpenLayer | CohortsLayer, splits: pd.DataFrame, recipe: Recipe, register: Register
) -> Fitted:
    """Fit a chain for each scope of ``splits``, on the scope's training samples only."""
    external = _external(splits, recipe)
    chains: dict[Scope, Chain] = {}
    tables: dict[str, list[pd.DataFrame]] = {"features": [], "steps": [], "dropped": []}
    outlying = []
    for scope, in_scope in samples_by_scope(splits[splits["role"].isin(TRAINING_ROLES)]):
        chain = Chain(recipe, register.task)
        rows, samples = which_rows(layer.samples, in_scope)
        annotations = register.annotate(samples, layer.features, layer.categories)
        if isinstance(layer, OpenLayer):
            whole = chain.fit_in_blocks(layer, rows, annotations)
        else:
            whole = chain.fit(layer.X[rows], annotations)
        _adapt(chain, layer, external.get(scope, []), register)
        chains[scope] = chain
        tables["features"].append(count_features(layer.layer, {scope: whole}))
        tables["steps"].append(steps_table(layer.layer, {scope: whole}))
        tables["dropped"].append(dropped_table(layer.layer, {scope: whole}))
        outlying += [
            (layer.layer, scope.repeat, scope.fold, scope.inner, samples[row], reasons)
            for row, reasons in sorted(chain.outlying_.items())
        ]
    return Fitted(
        chains,
        **{name: pd.concat(found, ignore_index=True) for name, found in tables.items()},
        outliers=pd.DataFrame(outlying, columns=OUTLIER_COLUMNS),
    )


def _external(splits: pd.DataFrame, recipe: Recipe) -> dict[Scope, list[str]]:
    """List the external samples of each scope, when new batches are to be learnt from them."""
    choice = recipe.uses("batch")
    if choice is None or choice.options.get("new_batch") != ADAPT:
        return {}
    found = samples_by_scope(splits[splits["role"] == "external"])
    return {scope: list(samples) for scope, samples in found}


def _adapt(
    chain: Chain, layer: OpenLayer | CohortsLayer, external: list[str], register: Register
) -> None:
    """Learn the batches of external cohorts that are large enough; a test sample shapes nothing."""
    step = chain.batch_step()
    if step is None or not step.batches_ or not external:
        return
    X, _, annotations = values_of(chain, layer, external, register)
    if annotations.batch is None:
        return
    new = step.flags(annotations.batch) != ""
    labels = pd.Series(annotations.batch)
    enough = labels.map(labels[new].value_counts()).fillna(0).to_numpy() >= MIN_ADAPT
    rows = np.flatnonzero(new & enough & (labels != "").to_numpy())
    if len(rows):
        chain.adapt(X[rows], annotations.of_rows(rows))


def transform_scopes(
    layer: OpenLayer | CohortsLayer, splits: pd.DataFrame, fitted: Fitted, register: Register
) -> Iterator[ScopeMatrix]:
    """Transform, scope by scope, every sample of the scope that has the layer.

    A training sample that was left out as an outlier has no row: to a model it lacks the layer.
    """
    left_out = {
        (int(repeat), int(fold), str(inner)): set(group["sample"])
        for (repeat, fold, inner), group in fitted.outliers.groupby(["repeat", "fold", "inner"])
    }
    for scope, in_scope in samples_by_scope(splits):
        gone = left_out.get((scope.repeat, scope.fold, scope.inner), set())
        present = [sample for sample in in_scope if sample not in gone]
        chain = fitted.chains[scope]
        X, samples, annotations = values_of(chain, layer, present, register)
        yield scope, chain.transform(X, annotations), samples, chain.get_feature_names_out()


def values_of(
    chain: Chain, layer: OpenLayer | CohortsLayer, samples: Iterable[str], register: Register
) -> tuple[np.ndarray, tuple[str, ...], Annotations]:
    """Return those of ``samples`` that have the layer: values, ids, and what is known of them.

    The values are those of the features that the chain takes; the samples are sorted.
    """
    rows, found = which_rows(layer.samples, samples)
    annotations = register.annotate(found, chain.features_in_, layer.categories)
    if isinstance(layer, CohortsLayer):
        return layer.X[rows], found, annotations
    position = {name: column for column, name in enumerate(layer.features)}
    columns = np.array([position[name] for name in chain.features_in_], dtype=np.int64)
    return layer.picked(columns, rows), found, annotations


def count_features(layer: str, chains: Mapping[Scope, Chain]) -> pd.DataFrame:
    """Say for each scope how many features came in, were constant and were kept, and why none was.

    Returns
    -------
    Columns ``layer, repeat, fold, inner, n_in, n_constant, n_kept, n_train, note``.
    """
    rows = [
        {
            "layer": layer,
            "repeat": scope.repeat,
            "fold": scope.fold,
            "inner": scope.inner,
            "n_in": len(chain.features_in_),
            "n_constant": chain.n_constant,
            "n_kept": len(chain.get_feature_names_out()),
            "n_train": chain.n_train_,
            "note": chain.absent_,
        }
        for scope, chain in chains.items()
    ]
    return pd.DataFrame(rows, columns=FEATURES_COLUMNS)


def write_chains(path: str | Path, chains: Mapping[Scope, Chain]) -> None:
    """Write fitted chains, each in a group named by the scope's key, whole or not at all."""
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    with h5py.File(partial, "w") as file:
        first = ""
        for scope, chain in chains.items():
            chain.to_h5(file.create_group(scope.key))
            first = first or scope.key
            # All scopes of a layer start from the same features: their names are kept once.
            if scope.key != first:
                del file[scope.key]["features_in"]
                file[scope.key]["features_in"] = file[first]["features_in"]
    partial.replace(path)


def read_chain(path: str | Path, scope: Scope) -> Chain:
    """Read the fitted chain of one scope."""
    with h5py.File(path) as file:
        return Chain.from_h5(file[scope.key])


def samples_by_scope(splits: pd.DataFrame) -> Iterator[tuple[Scope, pd.Series]]:
    """Walk the scopes in their order (one pass over the table: there may be hundreds)."""
    found = dict(iter(splits.groupby(["repeat", "fold", "inner"], sort=False)["sample"]))
    for scope in scopes_in(splits):
        yield scope, found[scope.repeat, scope.fold, scope.inner]
