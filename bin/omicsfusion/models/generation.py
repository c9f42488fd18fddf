"""Layers that a sample lacks, generated from those that it has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from omicsfusion.models.backend import keras
from omicsfusion.models.ensemble import MemberEnsemble
from omicsfusion.models.families.vae import VariationalNetwork
from omicsfusion.seeds import seed_for

ops = keras.ops

DRAWS = 128
"""Draws of the latent for each member."""


@dataclass(frozen=True)
class GeneratedLayer:
    """What a layer would be, in the unit of the matrices that the model was trained on.

    Attributes
    ----------
    features
        Names of the columns.
    mean, sd
        samples x features.
    """

    features: Sequence[str]
    mean: np.ndarray
    sd: np.ndarray


def generate_layer(
    model: MemberEnsemble, inputs: Mapping[str, Any], layer: str, seed: int
) -> GeneratedLayer:
    """Generate a layer from the other layers that each sample has.

    The layer itself is not looked at, whoever has it. Three things make the standard deviation: how
    far a feature lies from what its decoder says, how uncertain the latent is, and how far the
    members are apart.

    Parameters
    ----------
    model
        An ensemble of the family ``vae``.
    inputs
        As ``ensemble_inputs`` returns them.
    layer
        Its name.
    seed
        Of the draws of the latent. A sample's numbers do not hang on the other samples.

    Raises
    ------
    ValueError
        When the model cannot generate layers, or not this one.
    """
    network = model.network
    if not isinstance(network, VariationalNetwork):
        raise ValueError(f"{type(network).__name__} cannot generate layers: take a model of vae.")
    if not model.features.get(layer):
        known = ", ".join(name for name, features in model.features.items() if features)
        raise ValueError(f"The model has not learnt a layer {layer!r}: it knows {known}.")
    column = list(network.widths).index(layer)
    present = np.array(inputs["present"], np.float32)
    present[:, column] = 0.0
    members = network.members
    x = {name: _for_each(values, members) for name, values in inputs["x"].items()}
    means, variances = (
        np.asarray(part, np.float64)[:, :, : len(model.features[layer])]
        for part in network.generate(x, _for_each(present, members), layer, _noise(network, seed))
    )
    # The variance of a mixture: within its parts, and between them.
    variance = variances.mean(axis=0) + means.var(axis=0)
    return GeneratedLayer(model.features[layer], means.mean(axis=0), np.sqrt(variance))


def _noise(network: VariationalNetwork, seed: int) -> np.ndarray:
    """Draw N(0, 1), draws x members x latent; each member by itself, each draw with its mirror."""
    shape = (DRAWS // 2, network.structure["latent"])
    half = [
        np.random.default_rng(seed_for(seed, "generate", number)).standard_normal(shape)
        for number in range(network.members)
    ]
    stacked = np.stack(half, axis=1).astype(np.float32)
    return np.concatenate([stacked, -stacked])


def _for_each(values: Any, members: int) -> np.ndarray:
    return np.broadcast_to(np.asarray(values, np.float32)[None], (members, *np.shape(values)))
