"""The networks of pretraining: an encoder per omics layer, and what it learns by.

::

    reconstruction   x_rna ──► hide features ──► encoder ──► token ──► decoder ──► x_rna'
                     x_…   ──► hide features ──► encoder ──► token ──► decoder ──► x_…'

    contrastive      x_rna ──► hide features ──► encoder ──► token ──► linear ──► view ──┐
                     x_…   ──► hide features ──► encoder ──► token ──► linear ──► view ──┴► alike?

The encoders are those of the fused network, and see what they see there: scaled features, some of
them hidden. Nothing but the encoders is kept. A layer that a sample lacks takes part in nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from omicsfusion.models.autoencoding import Decoder, known_columns
from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.encoder import HIDDEN, Encoder
from omicsfusion.models.family import FusionNetwork, masked
from omicsfusion.models.layers import MemberDense
from omicsfusion.models.random_bits import Draw
from omicsfusion.models.random_layers import MemberDropout

ops = keras.ops

VIEW = 32
"""Units of the vector in which the layers of a sample are compared."""
SMALLEST_LENGTH = 1e-6


class PretextNetwork(FusionNetwork):
    """What both have in common: from features to tokens."""

    def __init__(self, widths: Mapping[str, int], units: int, members: int, **kwargs: Any) -> None:
        super().__init__(widths, units, members, **kwargs)
        self.input_dropout = [
            MemberDropout("input_dropout", members, place=2 * i, name=f"input_dropout_{i}")
            for i in range(len(widths))
        ]
        self.encoders = [
            Encoder(HIDDEN, members, place=1 + 2 * i, name=f"encoder_{i}")
            for i in range(len(widths))
        ]

    def build(self, *shapes: Any) -> None:
        for encoder, width in zip(self.encoders, self.widths.values(), strict=True):
            encoder.build((self.members, None, width))

    @property
    def readers(self) -> dict[str, tuple[MemberDense]]:
        """The dense layers that read each omics layer."""
        pairs = zip(self.widths, self.encoders, strict=True)
        return {name: (encoder.dense,) for name, encoder in pairs}

    @property
    def pretrainable(self) -> dict[str, Encoder]:
        """What is kept."""
        return dict(zip(self.widths, self.encoders, strict=True))

    def tokens(self, x: Mapping[str, Tensor], present: Tensor, draw: Draw | None) -> list[Tensor]:
        """Return the token of each layer, members x batch x hidden."""
        return [
            encoder(hide(masked(x[name], present[..., i : i + 1]), draw), draw)
            for i, (name, encoder, hide) in enumerate(
                zip(self.widths, self.encoders, self.input_dropout, strict=True)
            )
        ]


class ReconstructionNetwork(PretextNetwork):
    """A denoising autoencoder (Vincent et al., ICML 2008) for each omics layer.

    It returns members x batch x 1: how badly a sample is rebuilt. That is the mean squared error of
    a feature, averaged over the layers that the sample has; 1 for who says the mean.
    """

    family = "reconstruction"

    def __init__(self, widths: Mapping[str, int], units: int, members: int, **kwargs: Any) -> None:
        super().__init__(widths, units, members, **kwargs)
        self.decoders = [
            Decoder(HIDDEN, width, members, name=f"decoder_{i}")
            for i, width in enumerate(self.widths.values())
        ]

    def build(self, *shapes: Any) -> None:
        super().build()
        for decoder in self.decoders:
            decoder.build((self.members, None, HIDDEN))
        self.built = True

    def known(self, features: Mapping[str, Sequence[str]]) -> list[tuple[Any, np.ndarray]]:
        decoders = dict(zip(self.widths, self.decoders, strict=True))
        return [*super().known(features), *known_columns(decoders, features)]

    def call(self, x: Mapping[str, Tensor], present: Tensor, draw: Draw | None = None) -> Tensor:
        """Compute the errors (see the class)."""
        errors = []
        tokens = self.tokens(x, present, draw)
        for i, (name, decoder) in enumerate(zip(self.widths, self.decoders, strict=True)):
            whole = masked(x[name], present[..., i : i + 1])
            total = decoder.total(ops.square(decoder(tokens[i]) - whole))
            errors.append(total / ops.maximum(decoder.in_use, 1.0)[:, None])
        held = ops.maximum(ops.sum(present, axis=-1), 1.0)
        return (ops.sum(present * ops.stack(errors, axis=-1), axis=-1) / held)[..., None]


class ContrastiveNetwork(PretextNetwork):
    """A unit vector for each omics layer of a sample, by which it is told from other samples.

    It returns members x batch x (layers * ``VIEW``). Not the token itself is compared but a linear
    map of it, which is thrown away: what tells samples apart is not all that a token should keep
    (Chen et al., ICML 2020, section 4.2).
    """

    family = "contrastive"

    def __init__(self, widths: Mapping[str, int], units: int, members: int, **kwargs: Any) -> None:
        super().__init__(widths, units, members, **kwargs)
        self.projections = [
            MemberDense(VIEW, members, name=f"projection_{i}") for i in range(len(widths))
        ]

    def build(self, *shapes: Any) -> None:
        super().build()
        for projection in self.projections:
            projection.build((self.members, None, HIDDEN))
        self.built = True

    def call(self, x: Mapping[str, Tensor], present: Tensor, draw: Draw | None = None) -> Tensor:
        """Compute the views of all layers, side by side (see the class)."""
        tokens = self.tokens(x, present, draw)
        views = [project(token) for project, token in zip(self.projections, tokens, strict=True)]
        return ops.concatenate([_of_length_one(view) for view in views], axis=-1)


def _of_length_one(view: Tensor) -> Tensor:
    square = ops.sum(ops.square(view), axis=-1, keepdims=True)
    return view * ops.rsqrt(square + SMALLEST_LENGTH**2)
