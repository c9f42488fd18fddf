"""A chain for each scope of a group: fitted on training samples, applied to all samples."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import h5py
import pandas as pd

from omicsfusion.preprocess.chain import Chain
from omicsfusion.preprocess.cohorts import CohortsLayer
from omicsfusion.preprocess.matrices import ScopeMatrix
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


def fit_chains(layer: CohortsLayer, splits: pd.DataFrame) -> dict[Scope, Chain]:
    """Fit a chain for each scope of ``splits``, on the scope's training samples only."""
    fitted = splits[splits["role"].isin(TRAINING_ROLES)]
    return {
        scope: Chain.for_kind(layer.kind, layer.categories).fit(
            layer.rows_of(samples)[0], layer.features
        )
        for scope, samples in _samples_by_scope(fitted)
    }


def transform_scopes(
    layer: CohortsLayer, splits: pd.DataFrame, chains: Mapping[Scope, Chain]
) -> Iterator[ScopeMatrix]:
    """Transform, scope by scope, every sample of the scope that has the layer."""
    for scope, in_scope in _samples_by_scope(splits):
        X, samples = layer.rows_of(in_scope)
        yield scope, chains[scope].transform(X), samples, chains[scope].get_feature_names_out()


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
        for scope, chain in chains.items():
            chain.to_h5(file.create_group(scope.key))
    partial.replace(path)


def read_chain(path: str | Path, scope: Scope) -> Chain:
    """Read the fitted chain of one scope."""
    with h5py.File(path) as file:
        return Chain.from_h5(file[scope.key])


def _samples_by_scope(splits: pd.DataFrame) -> Iterator[tuple[Scope, pd.Series]]:
    """Walk the scopes in their order (one pass over the table: there may be hundreds)."""
    found = dict(iter(splits.groupby(["repeat", "fold", "inner"], sort=False)["sample"]))
    for scope in scopes_in(splits):
        yield scope, found[scope.repeat, scope.fold, scope.inner]
