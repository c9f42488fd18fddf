"""What a model is given of one scope: every layer's matrix on the same rows, and who has what."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from omicsfusion.preprocess.matrices import layer_of, read_matrix, read_names
from omicsfusion.scopes import Scope, rows_of, scopes_in

DIGEST_ROWS = 1024
"""Rows read at a time where only a digest of them is wanted."""


@dataclass(frozen=True)
class LayerBlock:
    """One layer on the rows of a scope.

    Attributes
    ----------
    x
        float32, samples x features; a row of zeros where the sample lacks the layer.
    present
        bool, samples: who has the layer. Zeros of absent samples mean nothing: mask them.
    features
        Names of the columns.
    """

    x: np.ndarray
    present: np.ndarray
    features: tuple[str, ...]


@dataclass(frozen=True)
class LayerRows:
    """Where the samples of a scope stand in the file of a layer.

    Attributes
    ----------
    path, scope
        The file, and the scope whose matrix it is.
    rows
        int64, samples: row of the matrix; -1 where the sample lacks the layer. They increase.
    """

    path: Path
    scope: Scope
    rows: np.ndarray


@dataclass(frozen=True)
class ScopeData:
    """All layers of one scope, on the same rows, sorted by sample id.

    Attributes
    ----------
    roles
        ``train``, ``stop``, ``test`` or ``external`` of each sample.
    layers
        Layer name -> block, layers in sorted order; layers without features in this scope are left
        out.
    """

    scope: Scope
    samples: tuple[str, ...]
    patients: tuple[str, ...]
    roles: np.ndarray
    layers: Mapping[str, LayerBlock]

    def rows(self, *roles: str) -> np.ndarray:
        """Return the positions of the samples with these roles, in order."""
        return np.flatnonzero(np.isin(self.roles, roles))


class GroupReader:
    """Reads the scopes of one group, one at a time, from the files that PREPROCESS wrote.

    Parameters
    ----------
    matrices
        The ``.matrices.h5`` of every layer, in any order.
    splits
        Rows of ``splits.tsv`` of the scopes to read.
    run
        ``splits.tsv`` of the whole run. What is trained on is padded to the largest training set
        of the run, not of the group, so that sums are rounded in the same way however the scopes
        are grouped. Default: the group is the run.
    """

    def __init__(
        self,
        matrices: Sequence[str | Path],
        splits: pd.DataFrame,
        run: pd.DataFrame | None = None,
    ) -> None:
        self._run = splits if run is None else run
        self._matrices = {layer_of(path): Path(path) for path in sorted(map(str, matrices))}
        self._splits = splits
        self.scopes = scopes_in(splits)

    @property
    def layer_names(self) -> tuple[str, ...]:
        """All layers, sorted; ``clinical`` among them when there are covariates."""
        return tuple(sorted(self._matrices))

    def role_counts(self, scope: Scope) -> dict[str, int]:
        """Count the samples of each role in a scope."""
        roles = rows_of(self._splits, scope)["role"]
        return {str(role): int(n) for role, n in roles.value_counts().items()}

    def largest(self, role: str) -> int:
        """Return the most samples that any scope of the run has of a role, at least 1."""
        of_role = self._run[self._run["role"] == role]
        # The shares of a learning curve have scopes of the same names, each in a group of its own.
        scopes = of_role.groupby(["group", "repeat", "fold", "inner"])
        return int(scopes.size().max()) if len(of_role) else 1

    def width(self, scope: Scope, name: str) -> int:
        """Count the features that a layer kept in a scope, without reading its values."""
        with h5py.File(self._matrices[name]) as file:
            return int(file[scope.key]["X"].shape[1])

    def features(self, scope: Scope, layers: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return the features that layers kept in a scope, without reading their values.

        Layers without features are left out, as in ``ScopeData``.
        """
        found = {}
        for name in sorted(layers):
            with h5py.File(self._matrices[name]) as file:
                found[name] = read_names(file[scope.key], "features")
        return {name: features for name, features in found.items() if features}

    def layer_rows(self, scope: Scope, layers: Iterable[str]) -> dict[str, LayerRows]:
        """Find where samples stand in the files of layers; layers without features are left out."""
        samples = tuple(rows_of(self._splits, scope)["sample"])
        places = {}
        for name in self.features(scope, layers):
            with h5py.File(self._matrices[name]) as file:
                found = _found(read_names(file[scope.key], "samples"), samples)
            places[name] = LayerRows(self._matrices[name], scope, found)
        return places

    def digest(self, scope: Scope, name: str) -> bytes:
        """Return a digest of a layer's features, and of the samples of a scope and their values."""
        digest = hashlib.sha256()
        wanted = set(rows_of(self._splits, scope)["sample"])
        with h5py.File(self._matrices[name]) as file:
            node = file[scope.key]
            samples = read_names(node, "samples")
            digest.update(repr((read_names(node, "features"), sorted(wanted))).encode())
            for first in range(0, len(samples), DIGEST_ROWS):
                used = [sample in wanted for sample in samples[first : first + DIGEST_ROWS]]
                values = node["X"][first : first + DIGEST_ROWS][used]
                digest.update(np.ascontiguousarray(values).tobytes())
        return digest.digest()

    def load(self, scope: Scope, layers: Sequence[str]) -> ScopeData:
        """Read some layers of a scope.

        Parameters
        ----------
        scope
            One of ``scopes``.
        layers
            Names of the layers to read.
        """
        rows = rows_of(self._splits, scope)
        samples = tuple(rows["sample"])
        blocks = {name: self._block(name, scope, samples) for name in sorted(layers)}
        return ScopeData(
            scope=scope,
            samples=samples,
            patients=tuple(rows["patient"]),
            roles=rows["role"].to_numpy(dtype=str),
            layers={name: block for name, block in blocks.items() if block.features},
        )

    def narrowed(self, name: str) -> "GroupReader":
        """Return a reader of one layer that leaves out the samples without it.

        It leaves out the scopes, too, in which no ``train`` sample has the layer.
        """
        kept = [self._rows_with(name, scope) for scope in self.scopes]
        kept = [rows for rows in kept if (rows["role"] == "train").any()]
        splits = pd.concat(kept) if kept else self._splits.iloc[:0]
        return GroupReader([self._matrices[name]], splits, self._run)

    def having(self, samples: Set[str]) -> "GroupReader":
        """Return a reader that leaves out the samples that are not among some or external."""
        kept = self._splits["sample"].isin(samples) | (self._splits["role"] == "external")
        return GroupReader(list(self._matrices.values()), self._splits[kept], self._run)

    def _rows_with(self, name: str, scope: Scope) -> pd.DataFrame:
        with h5py.File(self._matrices[name]) as file:
            node = file[scope.key]
            here = set(read_names(node, "samples")) if node["X"].shape[1] else set()
        rows = rows_of(self._splits, scope)
        return rows[rows["sample"].isin(here)].assign(**asdict(scope))

    def _block(self, name: str, scope: Scope, samples: tuple[str, ...]) -> LayerBlock:
        matrix = read_matrix(self._matrices[name], scope)
        found = _found(matrix.samples, samples)
        present = found >= 0
        x = np.zeros((len(samples), len(matrix.features)), dtype=np.float32)
        x[present] = matrix.X[found[present]]
        return LayerBlock(x=x, present=present, features=matrix.features)


def _found(names: Sequence[str], samples: Sequence[str]) -> np.ndarray:
    """Return the position of each sample among ``names``; -1 where it is not there."""
    position = {name: row for row, name in enumerate(names)}
    return np.array([position.get(sample, -1) for sample in samples], dtype=np.int64)
