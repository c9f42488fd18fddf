"""A chain for each scope of a group: fitted on training samples, applied to all samples."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from omicsfusion.preprocess.batch import ADAPT, MIN_ADAPT
from omicsfusion.preprocess.chain import Chain
from omicsfusion.preprocess.cohorts import CohortsLayer
from omicsfusion.preprocess.matrices import ScopeMatrix
from omicsfusion.preprocess.register import Register
from omicsfusion.recipes.recipe import Recipe
from omicsfusion.scopes import TRAINING_ROLES, Scope, scopes_in

FEATURES_COLUMNS = [
    "layer",
    "repeat",
    "fold",
    "inner",
    "n_in",
    "n_constant",
    "n_kept",
    "n_train",
    "note",
]
OUTLIER_COLUMNS = ["layer", "repeat", "fold", "inner", "sample", "reasons"]


def fit_chains(
    layer: CohortsLayer, splits: pd.DataFrame, recipe: Recipe, register: Register
) -> tuple[dict[Scope, Chain], pd.DataFrame]:
    """Fit a chain for each scope of ``splits``, on the scope's training samples only.

    Returns
    -------
    The fitted chains, and the training samples that were left out as outliers: columns ``layer,
    repeat, fold, inner, sample, reasons``.
    """
    fitted = splits[splits["role"].isin(TRAINING_ROLES)]
    external = _external(splits, recipe)
    chains, outlying = {}, []
    for scope, in_scope in samples_by_scope(fitted):
        X, samples = layer.rows_of(in_scope)
        chain = Chain(recipe, register.task)
        chain.fit(X, register.annotate(samples, layer.features, layer.categories))
        _adapt(chain, layer, external.get(scope, []), register)
        chains[scope] = chain
        outlying += [
            (layer.layer, scope.repeat, scope.fold, scope.inner, samples[row], reasons)
            for row, reasons in sorted(chain.outlying_.items())
        ]
    return chains, pd.DataFrame(outlying, columns=OUTLIER_COLUMNS)


def _external(splits: pd.DataFrame, recipe: Recipe) -> dict[Scope, list[str]]:
    """List the external samples of each scope, when new batches are to be learnt from them."""
    choice = recipe.uses("batch")
    if choice is None or choice.options.get("new_batch") != ADAPT:
        return {}
    found = samples_by_scope(splits[splits["role"] == "external"])
    return {scope: list(samples) for scope, samples in found}


def _adapt(chain: Chain, layer: CohortsLayer, external: list[str], register: Register) -> None:
    """Learn the batches of external cohorts that are large enough; a test sample shapes nothing."""
    step = chain.batch_step()
    if step is None or not step.batches_ or not external:
        return
    X, samples = layer.rows_of(external)
    annotations = register.annotate(samples, layer.features, layer.categories)
    if annotations.batch is None:
        return
    new = step.flags(annotations.batch) != ""
    labels = pd.Series(annotations.batch)
    enough = labels.map(labels[new].value_counts()).fillna(0).to_numpy() >= MIN_ADAPT
    rows = np.flatnonzero(new & enough & (labels != "").to_numpy())
    if len(rows):
        chain.adapt(X[rows], annotations.of_rows(rows))


def transform_scopes(
    layer: CohortsLayer,
    splits: pd.DataFrame,
    chains: Mapping[Scope, Chain],
    outliers: pd.DataFrame,
    register: Register,
) -> Iterator[ScopeMatrix]:
    """Transform, scope by scope, every sample of the scope that has the layer.

    A training sample that was left out as an outlier has no row: to a model it lacks the layer.
    """
    left_out = {
        (int(repeat), int(fold), str(inner)): set(group["sample"])
        for (repeat, fold, inner), group in outliers.groupby(["repeat", "fold", "inner"])
    }
    for scope, in_scope in samples_by_scope(splits):
        gone = left_out.get((scope.repeat, scope.fold, scope.inner), set())
        X, samples = layer.rows_of(sample for sample in in_scope if sample not in gone)
        annotations = register.annotate(samples, layer.features, layer.categories)
        chain = chains[scope]
        yield scope, chain.transform(X, annotations), samples, chain.get_feature_names_out()


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
