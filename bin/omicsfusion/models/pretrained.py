"""Encoders trained on another cohort without its outcome, and how members begin with them.

The file (HDF5; whom it has seen: ``pretraining.py`` of the library's root) holds for each omics
layer the names of its features and, for each of a few networks that differ in their random numbers
only, the weights of its encoder up to the hidden units::

    norm(x kernel + bias) * gamma + beta

Kernels are effective ones: nothing is multiplied with them. A network keeps W with kernel = W /
sqrt(fan_in) (``MemberDense``), and its fan_in is another one than in pretraining. What is taken
over is the kernel, so that x W / sqrt(fan_in) is what it was.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from omicsfusion.models.family import FusionNetwork
from omicsfusion.models.heads.base import Build
from omicsfusion.preprocess.matrices import read_names, write_names
from omicsfusion.pretraining import MARK, SCHEMA, UnusablePretrainingError, opened
from omicsfusion.tables.ids import shown

WEIGHTS = ("kernel", "bias", "gamma", "beta")
DIGEST_LETTERS = 12


@dataclass(frozen=True)
class LayerStart:
    """The encoder of one omics layer.

    Attributes
    ----------
    features
        Names of the rows of the kernels.
    kernel
        float32, networks x features x hidden.
    bias, gamma, beta
        float32, networks x hidden.
    """

    features: tuple[str, ...]
    kernel: np.ndarray
    bias: np.ndarray
    gamma: np.ndarray
    beta: np.ndarray


@dataclass(frozen=True)
class Pretrained:
    """What a file of pretrained encoders holds but for ids.

    Attributes
    ----------
    objective
        What they learnt: one of ``OBJECTIVES``.
    n_samples
        Samples of the cohort, those that told when to stop included.
    layers
        Omics layer -> encoder.
    digest
        Of the file.
    """

    objective: str
    n_samples: int
    layers: Mapping[str, LayerStart]
    digest: str = ""

    @property
    def hidden(self) -> int:
        """Hidden units of an encoder."""
        return int(next(iter(self.layers.values())).bias.shape[1])

    def shared(self, features: Mapping[str, Sequence[str]]) -> dict[str, int]:
        """Count the features of each layer that have an encoder and are among ``features``."""
        return {
            name: len(set(self.layers[name].features) & set(names))
            for name, names in features.items()
            if name in self.layers
        }

    def note(self, features: Mapping[str, Sequence[str]]) -> str:
        """Say in ``training.tsv`` what a network with these features begins with."""
        shared = self.shared(features)
        if not sum(shared.values()):
            return "none of its features has a pretrained encoder"
        of_layers = ", ".join(
            f"{name} {n} of {len(features[name])}" for name, n in sorted(shared.items()) if n
        )
        return (
            f"encoders pretrained on {self.n_samples} samples ({self.objective}), features "
            f"shared: {of_layers}"
        )

    def start(
        self, network: FusionNetwork, features: Mapping[str, Sequence[str]], number: int
    ) -> dict[int, np.ndarray]:
        """Return the weights with which a member begins.

        Parameters
        ----------
        network
            Built.
        features
            Omics layer -> names of the member's columns in use, without padding.
        number
            Which of the pretrained networks it takes, counted round.

        Returns
        -------
        Place among ``network.trainable_variables`` -> values without the member axis; NaN where the
        weight begins as without pretraining.
        """
        place = {id(variable): i for i, variable in enumerate(network.trainable_variables)}
        start = {}
        for name, encoder in network.pretrainable.items():
            if not self.shared(features).get(name):
                continue
            one = self.layers[name]
            which = number % len(one.kernel)
            width = encoder.dense.kernel.shape[1]
            start[place[id(encoder.dense.kernel)]] = _rows(one, which, features[name], width)
            start[place[id(encoder.dense.bias)]] = one.bias[which]
            start[place[id(encoder.norm.gamma)]] = one.gamma[which]
            start[place[id(encoder.norm.beta)]] = one.beta[which]
        return start


def _rows(one: LayerStart, which: int, features: Sequence[str], width: int) -> np.ndarray:
    """Return a kernel as ``MemberDense`` keeps it, width x hidden; NaN where nothing is known."""
    kernel = np.full((width, one.kernel.shape[2]), np.nan, np.float32)
    row_of = {feature: row for row, feature in enumerate(one.features)}
    here = [column for column, feature in enumerate(features) if feature in row_of]
    there = [row_of[features[column]] for column in here]
    kernel[here] = one.kernel[which, there] * math.sqrt(max(1, len(features)))
    return kernel


def read_pretrained(path: Path) -> Pretrained:
    """Read a file of pretrained encoders.

    Raises
    ------
    UnusablePretrainingError
        When it is none.
    """
    with opened(path) as file:
        layers = {
            name: LayerStart(read_names(node, "features"), *(node[part][:] for part in WEIGHTS))
            for name, node in sorted(file["layers"].items())
        }
        facts = dict(file.attrs)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:DIGEST_LETTERS]
    return Pretrained(str(facts["objective"]), int(facts["n_samples"]), layers, digest)


def write_pretrained(
    path: Path,
    pretrained: Pretrained,
    samples: Sequence[str],
    patients: Sequence[str],
    facts: Mapping[str, Any],
) -> None:
    """Write a file of pretrained encoders, whole or not at all.

    Parameters
    ----------
    samples, patients
        Whom they have seen, sorted.
    facts
        Further attributes of the file: settings, seed.
    """
    partial = path.with_name(path.name + ".partial")
    with h5py.File(partial, "w") as file:
        file.attrs[MARK] = SCHEMA
        file.attrs["objective"] = pretrained.objective
        file.attrs["n_samples"] = pretrained.n_samples
        file.attrs.update(facts)
        write_names(file, "samples", samples)
        write_names(file, "patients", patients)
        for name, one in pretrained.layers.items():
            node = file.create_group(f"layers/{name}")
            write_names(node, "features", one.features)
            for part in WEIGHTS:
                node.create_dataset(part, data=getattr(one, part).astype(np.float32))
    partial.replace(path)


def fitting_structures(
    build: Build,
    structures: Mapping[str, Mapping[str, Any]],
    layers: Sequence[str],
    pretrained: Pretrained,
) -> dict[str, Mapping[str, Any]]:
    """Return the structures whose encoders are as large as the pretrained ones, the default first.

    Raises
    ------
    UnusablePretrainingError
        When those of the default are not, or it takes no pretrained encoders.
    """
    fitting = {}
    for name, structure in structures.items():
        network = build(dict.fromkeys(sorted(layers), 1), 1, 1, **structure)
        sizes = {encoder.dense.units for encoder in network.pretrainable.values()}
        if not sizes:
            raise UnusablePretrainingError(
                f"The {network.family} network takes no pretrained encoders: train it without "
                "--pretrained."
            )
        if sizes == {pretrained.hidden}:
            fitting[name] = structure
        elif not structure:
            raise UnusablePretrainingError(
                f"The pretrained encoders have {pretrained.hidden} hidden units, those of the "
                f"{network.family} network have {shown(map(str, sorted(sizes)))}. Pretrain anew "
                "with this version of the pipeline."
            )
    return fitting


def refuse_strangers(
    pretrained: Pretrained, in_scopes: Sequence[Mapping[str, Sequence[str]]]
) -> None:
    """Refuse encoders none of whose features is among those of the layers of the same names.

    A model that has none of these layers begins without them, which is no mistake.

    Parameters
    ----------
    in_scopes
        For each scope: omics layer -> names of its features.

    Raises
    ------
    UnusablePretrainingError
        Naming features of both sides.
    """
    shared = [pretrained.shared(features) for features in in_scopes]
    if any(shared) and not any(sum(of_scope.values()) for of_scope in shared):
        name, features = next((min(s), f) for s, f in zip(shared, in_scopes, strict=True) if s)
        raise UnusablePretrainingError(
            f"No feature of this run has a pretrained encoder. Layer {name!r} has "
            f"{shown(features[name])}; the pretrained one has "
            f"{shown(pretrained.layers[name].features)}. Give the features the same names."
        )
