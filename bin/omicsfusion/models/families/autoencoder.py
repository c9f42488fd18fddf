"""The multimodal autoencoder: one latent, from which all layers and the outcome are read.

::

    x_rna ──► encoder ──► token ──┐                              ┌──► decoder ──► x_rna'
    x_cnv ──► encoder ──► token ──┼──► gate ──► joint ──► latent ┼──► decoder ──► x_cnv'
    x_…   ──► encoder ──► token ──┘  (layers the sample has)     ├──► decoder ──► x_…'
                                                                 └──► head ──► outputs

It learns the outcome and, beside it, to reconstruct every layer that a sample has, also one that
omics dropout hid from it (Ngiam et al., ICML 2011, section 4, train bimodal autoencoders so): the
latent of few layers must tell of the others. What reconstruction does for prediction: Le et al.,
NeurIPS 2018. Prediction needs no decoder. A layer that a sample lacks takes part in nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from omicsfusion.models.autoencoding import Decoder, LatentEncoder, known_columns, mean_error
from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.encoder import Encoder
from omicsfusion.models.family import FusionNetwork, masked
from omicsfusion.models.fit import Fit
from omicsfusion.models.layers import MaskedGate, MemberDense, register
from omicsfusion.models.network import train_networks
from omicsfusion.models.random_bits import Draw, learns
from omicsfusion.models.random_layers import MemberDropout, OmicsDropout
from omicsfusion.models.read_out import ReadOut
from omicsfusion.models.request import TrainingRequest

ops = keras.ops


STRUCTURES: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "narrow": {"hidden": 32, "latent": 8},
    "wide": {"latent": 32},
    "light": {"reconstruction": 0.3},
}
"""Among which tuning chooses."""


def train(request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Train the multimodal autoencoder on every scope of a group."""
    return train_networks(AutoencoderNetwork, request, reader, structures=STRUCTURES)


@register
class AutoencoderNetwork(FusionNetwork):
    """The figure above.

    Parameters
    ----------
    hidden
        Units of a token, and of the hidden layer of a decoder.
    reconstruction
        Weight of the reconstruction error (the mean squared error of a feature) beside the
        outcome's loss.
    """

    family = "autoencoder"

    def __init__(
        self,
        widths: Mapping[str, int],
        units: int,
        members: int,
        hidden: int = 64,
        latent: int = 16,
        reconstruction: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(widths, units, members, **kwargs)
        self.structure = {"hidden": hidden, "latent": latent, "reconstruction": reconstruction}
        self.omics_dropout = OmicsDropout("omics_dropout", members, place=0, name="omics_dropout")
        self.input_dropout = [
            MemberDropout("input_dropout", members, place=2 + 2 * i, name=f"input_dropout_{i}")
            for i in range(len(widths))
        ]
        self.encoders = [
            LatentEncoder(hidden, latent, members, place=3 + 2 * i, name=f"encoder_{i}")
            for i in range(len(widths))
        ]
        self.gate = MaskedGate(members, name="gate")
        self.joint = Encoder(hidden, members, place=1, name="joint")
        self.joint_latent = MemberDense(latent, members, name="joint_latent")
        self.decoders = [
            Decoder(hidden, width, members, name=f"decoder_{i}")
            for i, width in enumerate(self.widths.values())
        ]
        self.head = ReadOut(units, members, name="head")

    def build(self, *shapes: Any) -> None:
        hidden, latent = self.structure["hidden"], self.structure["latent"]
        for i, width in enumerate(self.widths.values()):
            self.encoders[i].build((self.members, None, width))
            self.decoders[i].build((self.members, None, latent))
        self.gate.build((self.members, None, len(self.widths), latent))
        self.joint.build((self.members, None, latent))
        self.joint_latent.build((self.members, None, hidden))
        self.head.build((self.members, None, latent))
        self.built = True

    @property
    def readers(self) -> dict[str, tuple[MemberDense, MemberDense]]:
        """The dense layers that read each omics layer."""
        pairs = zip(self.widths, self.encoders, strict=True)
        return {name: encoder.readers for name, encoder in pairs}

    def known(self, features: Mapping[str, Sequence[str]]) -> list[tuple[Any, np.ndarray]]:
        decoders = dict(zip(self.widths, self.decoders, strict=True))
        return [*super().known(features), *known_columns(decoders, features)]

    @property
    def pretrainable(self) -> dict[str, Encoder]:
        """All encoders may begin pretrained; what makes latents of them does not."""
        pairs = zip(self.widths, self.encoders, strict=True)
        return {name: encoder.hidden for name, encoder in pairs}

    def call(self, x: Mapping[str, Tensor], present: Tensor, draw: Draw | None = None) -> Tensor:
        """Compute the outputs, members x batch x units (see ``FusionNetwork``)."""
        latent = self.encode(x, self.omics_dropout(present, draw), draw)
        if draw is not None and learns(draw):
            error = self.reconstruction_error(x, present, latent)
            self.add_loss(self.structure["reconstruction"] * error)
        return self.head(latent, draw)

    def encode(self, x: Mapping[str, Tensor], present: Tensor, draw: Draw | None = None) -> Tensor:
        """Compute the latent, members x batch x latent, from the layers of ``present``."""
        tokens = []
        for i, name in enumerate(self.widths):
            seen = self.input_dropout[i](masked(x[name], present[..., i : i + 1]), draw)
            tokens.append(self.encoders[i](seen, draw))
        fused = self.gate(ops.stack(tokens, axis=2), present)
        return fused + self.joint_latent(self.joint(fused, draw))

    def reconstruction_error(
        self, x: Mapping[str, Tensor], present: Tensor, latent: Tensor
    ) -> Tensor:
        """Mean squared error of a feature in use of the layers of ``present``, members x batch."""
        errors = [
            ops.square(decoder(latent) - masked(x[name], present[..., i : i + 1]))
            for i, (name, decoder) in enumerate(zip(self.widths, self.decoders, strict=True))
        ]
        return mean_error(self.decoders, errors, present)[0]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.structure}
