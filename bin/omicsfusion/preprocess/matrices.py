"""The file that PREPROCESS hands to TRAIN: one layer, transformed for each scope of a group."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from omicsfusion.scopes import Scope, scopes_in


@dataclass(frozen=True)
class Matrix:
    """A layer as a model of one scope sees it.

    Attributes
    ----------
    layer, kind
        Name and kind of the layer.
    X
        float32, samples x kept features, without NaN. No columns when the layer could not be fitted
        in this scope: a model then treats the layer as absent.
    samples
        Ids of the rows, sorted: every sample of the scope, of any role, that has the layer.
    features
        Names of the columns.
    """

    layer: str
    kind: str
    X: np.ndarray
    samples: tuple[str, ...]
    features: tuple[str, ...]


ScopeMatrix = tuple[Scope, np.ndarray, Sequence[str], Sequence[str]]


def write_matrices(
    path: str | Path, layer: str, kind: str, group: str, scopes: Iterable[ScopeMatrix]
) -> None:
    """Write the matrices of one layer and group of scopes, whole or not at all.

    Parameters
    ----------
    path
        The file to make; it appears under its name only when it is complete.
    layer, kind, group
        Written as attributes of the file.
    scopes
        For each scope: the scope, ``X`` (samples x features), sample ids, feature names. May be a
        generator: one scope is held in memory at a time.

    Raises
    ------
    ValueError
        When ``X`` has not one row per sample and one column per feature, or holds NaN or infinity.
    """
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    with h5py.File(partial, "w") as file:
        file.attrs["layer"] = layer
        file.attrs["kind"] = kind
        file.attrs["group"] = group
        for scope, x, samples, features in scopes:
            _check(scope, x, samples, features)
            node = file.create_group(scope.key)
            node.attrs.update(asdict(scope))
            node.create_dataset("X", data=np.asarray(x, dtype=np.float32))
            write_names(node, "samples", samples)
            write_names(node, "features", features)
    partial.replace(path)


def read_matrix(path: str | Path, scope: Scope) -> Matrix:
    """Read the matrix of one scope.

    Raises
    ------
    KeyError
        When the file does not hold the scope.
    """
    with h5py.File(path) as file:
        node = file[scope.key]
        return Matrix(
            layer=str(file.attrs["layer"]),
            kind=str(file.attrs["kind"]),
            X=node["X"][:],
            samples=read_names(node, "samples"),
            features=read_names(node, "features"),
        )


def layer_of(path: str | Path) -> str:
    """Read the name of the layer that a file of matrices holds."""
    with h5py.File(path) as file:
        return str(file.attrs["layer"])


def scopes_of(path: str | Path) -> list[Scope]:
    """List the scopes that a file of matrices holds: a parent before its inner folds."""
    with h5py.File(path) as file:
        marks = [dict(node.attrs) for node in file.values()]
    return scopes_in(pd.DataFrame(marks, columns=["repeat", "fold", "inner"]))


def write_names(
    node: h5py.Group, name: str, names: Sequence[str], compression: str | None = None
) -> None:
    """Write text as UTF-8 of fixed width: compact, and the same bytes each time."""
    encoded = [text.encode() for text in names]
    width = max(map(len, encoded), default=1) or 1
    node.create_dataset(
        name,
        data=encoded,
        shape=(len(encoded),),
        dtype=h5py.string_dtype(length=width),
        compression=compression if encoded else None,
    )


def read_names(node: h5py.Group, name: str) -> tuple[str, ...]:
    """Read what :func:`write_names` wrote."""
    return tuple(node[name].asstr()[:])


def _check(scope: Scope, x: np.ndarray, samples: Sequence[str], features: Sequence[str]) -> None:
    if x.shape != (len(samples), len(features)):
        raise ValueError(
            f"The matrix of {scope.key} is {x.shape[0]} x {x.shape[1]} for "
            f"{len(samples)} samples and {len(features)} features."
        )
    if not np.isfinite(x).all():
        raise ValueError(f"The matrix of {scope.key} holds NaN or infinity.")
