"""Into a latent and back: encoder and decoder of one omics layer, and the error of what comes back.

Both are linear, and a hidden layer adds to that. With few samples most of what layers share is
linear, and the linear part, which starts at zero, finds it within some dozens of steps; a hidden
layer alone must first turn away from its random start.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.encoder import Encoder
from omicsfusion.models.layers import MemberDense, MemberLayer, MemberNorm, Shape, register
from omicsfusion.models.random_bits import Draw

ops = keras.ops


@register
class LatentEncoder(MemberLayer):
    """From the features of one omics layer to what it says of the latent.

    Parameters
    ----------
    hidden
        Hidden units.
    units
        What is said.
    place
        Of its dropout (``random_layers``).
    """

    def __init__(self, hidden: int, units: int, members: int, place: int, **kwargs: Any) -> None:
        super().__init__(members, **kwargs)
        self.hidden = Encoder(hidden, members, place, name="hidden")
        self.dense = MemberDense(units, members, name="dense")
        self.linear = MemberDense(units, members, start="zeros", name="linear")
        self.settings = {"hidden": hidden, "units": units, "place": place}

    def build(self, shape: Shape) -> None:
        self.hidden.build(shape)
        self.dense.build((*shape[:-1], self.settings["hidden"]))
        self.linear.build(shape)
        self.built = True

    def call(self, x: Tensor, draw: Draw | None = None) -> Tensor:
        return self.linear(x) + self.dense(self.hidden(x, draw))

    @property
    def readers(self) -> tuple[MemberDense, MemberDense]:
        """The dense layers that read the features."""
        return self.hidden.dense, self.linear

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}


@register
class Decoder(MemberLayer):
    """From a latent to the features of one omics layer.

    It says 0, the centre of a scaled feature, when training begins: a random start would have to be
    unlearnt first, which takes longer than the outcome needs.

    Parameters
    ----------
    hidden
        Hidden units.
    features
        Columns of the omics layer, padding included.
    """

    def __init__(self, hidden: int, features: int, members: int, **kwargs: Any) -> None:
        super().__init__(members, **kwargs)
        self.dense = MemberDense(hidden, members, name="dense")
        self.norm = MemberNorm(members, name="norm")
        self.readout = MemberDense(features, members, start="zeros", name="readout")
        self.settings = {"hidden": hidden, "features": features}

    def build(self, latent_shape: Shape) -> None:
        *some, latent = latent_shape
        self.dense.build(latent_shape)
        self.norm.build((*some, self.dense.units))
        self.readout.build((*some, latent + self.dense.units))
        # How many columns a member uses: the others are padding.
        self.in_use = self.add_member_weight(
            "in_use", (), keras.initializers.Constant(float(self.readout.units)), trainable=False
        )
        self.built = True

    def call(self, latent: Tensor) -> Tensor:
        hidden = ops.relu(self.norm(self.dense(latent)))
        return self.readout(ops.concatenate([latent, hidden], axis=-1))

    def total(self, errors: Tensor) -> Tensor:
        """Sum ``errors``, members x batch x features, over the columns in use."""
        column = ops.arange(self.readout.units, dtype="float32")
        used = column[None, None, :] < self.in_use[:, None, None]
        return ops.sum(ops.where(used, errors, 0.0), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}


def known_columns(
    decoders: Mapping[str, Decoder], features: Mapping[str, Sequence[str]]
) -> list[tuple[Any, np.ndarray]]:
    """Pair the decoders' counts of columns in use with their values (``FusionNetwork.known``)."""
    return [(decoder.in_use, np.array(len(features[name]))) for name, decoder in decoders.items()]


def mean_error(
    decoders: Sequence[Decoder], errors: Sequence[Tensor], present: Tensor
) -> tuple[Tensor, Tensor]:
    """Average errors over all features in use of the layers that a sample has.

    Every feature counts the same, whichever layer it is of.

    Parameters
    ----------
    errors
        For each decoder members x batch x features; finite also where a sample lacks the layer.
    present
        members x batch x layers: whose errors count.

    Returns
    -------
    The mean, members x batch, 0 for a sample without any layer; and the number of features that it
    is of, at least 1.
    """
    pairs = zip(decoders, errors, strict=True)
    total = ops.stack([decoder.total(error) for decoder, error in pairs], axis=-1)
    columns = ops.stack([decoder.in_use for decoder in decoders], axis=-1)
    count = ops.maximum(ops.sum(present * columns[:, None, :], axis=-1), 1.0)
    return ops.sum(present * total, axis=-1) / count, count
