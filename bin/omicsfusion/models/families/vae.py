"""The multimodal variational autoencoder: what the layers say of one latent is multiplied.

::

                       prior N(0, 1) ──┐
    x_rna ──► encoder ──► expert ──────┤                        ┌──► decoder ──► p(x_rna | z)
    x_cnv ──► encoder ──► expert ──────┼──► product ──► z drawn ┼──► decoder ──► p(x_cnv | z)
    x_…   ──► encoder ──► expert ──────┘  (layers that          ├──► decoder ──► p(x_… | z)
                                           are there)           └──► joint ──► head ──► outputs

Wu and Goodman, NeurIPS 2018: each layer's encoder is a Gaussian expert on the latent, and what is
believed of a sample is the product of the experts of its layers and of the prior. Omics dropout
picks the subsets of layers of their section 2.2; what is hidden is not reconstructed then, so that
the belief is as wide as the layers that are seen leave it. At prediction the latent is its mean.

From the same belief it generates layers that a sample lacks (``generate``): each feature is normal
around what the decoder says of the latent, with a variance of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from omicsfusion.models.autoencoding import Decoder, LatentEncoder, known_columns, mean_error
from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.encoder import Encoder
from omicsfusion.models.experts import (
    STANDARD_NORMAL,
    divergence_from_normal,
    product_of_experts,
)
from omicsfusion.models.family import FusionNetwork, masked
from omicsfusion.models.fit import Fit
from omicsfusion.models.layers import MemberDense, MemberLayer, register
from omicsfusion.models.network import train_networks
from omicsfusion.models.random_bits import Draw, learns
from omicsfusion.models.random_layers import MemberDropout, OmicsDropout
from omicsfusion.models.random_normal import normal
from omicsfusion.models.read_out import ReadOut
from omicsfusion.models.request import TrainingRequest

ops = keras.ops

LARGEST_LOG_VARIANCE = 8.0
"""Of an expert, either way: what it learns stays far from overflow."""

FIRST_LOG_VARIANCE = -4.0
"""Of an expert when training begins. A latent drawn as widely as the prior would hide from the head
what the encoders begin to say."""

SMALLEST_VARIANCE = 0.01
"""Of a feature around what the decoder says; features are scaled to about 1."""


STRUCTURES: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "narrow": {"hidden": 32, "latent": 8},
    "light": {"reconstruction": 0.3, "beta": 0.3},
}
"""Among which tuning chooses."""


def train(request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Train the multimodal variational autoencoder on every scope of a group."""
    return train_networks(VariationalNetwork, request, reader, structures=STRUCTURES)


@register
class FeatureVariance(MemberLayer):
    """The variance of each feature of an omics layer around what the decoder says.

    It is the same for all samples, and is 1 at the start: that of a scaled feature.
    """

    def build(self, shape: Sequence[Any]) -> None:
        self.log_variance = self.add_member_weight("log_variance", (shape[-1],), "zeros")

    def call(self, mean: Tensor) -> Tensor:
        """Return the variances, members x 1 x features, of what has the mean ``mean``."""
        return (SMALLEST_VARIANCE + ops.exp(self.log_variance))[:, None, :]


@register
class VariationalNetwork(FusionNetwork):
    """The figure above.

    Parameters
    ----------
    hidden
        Hidden units of an encoder, of a decoder and of the joint layer.
    latent
        Units of the latent.
    reconstruction
        Weight of the negative evidence bound, per feature, beside the outcome's loss.
    beta
        Weight of the divergence from the prior in the bound.
    """

    family = "vae"

    def __init__(
        self,
        widths: Mapping[str, int],
        units: int,
        members: int,
        hidden: int = 64,
        latent: int = 32,
        reconstruction: float = 1.0,
        beta: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(widths, units, members, **kwargs)
        self.structure = {"hidden": hidden, "latent": latent}
        self.loss_weights = {"reconstruction": reconstruction, "beta": beta}
        self.omics_dropout = OmicsDropout("omics_dropout", members, place=0, name="omics_dropout")
        self.input_dropout = [
            MemberDropout("input_dropout", members, place=3 + 2 * i, name=f"input_dropout_{i}")
            for i in range(len(widths))
        ]
        self.encoders = [
            LatentEncoder(hidden, 2 * latent, members, place=4 + 2 * i, name=f"encoder_{i}")
            for i in range(len(widths))
        ]
        self.decoders = [
            Decoder(hidden, width, members, name=f"decoder_{i}")
            for i, width in enumerate(self.widths.values())
        ]
        self.variances = [
            FeatureVariance(members, name=f"variance_{i}") for i in range(len(widths))
        ]
        self.joint = Encoder(hidden, members, place=1, name="joint")
        self.head = ReadOut(units, members, name="head")

    def build(self, *shapes: Any) -> None:
        hidden, latent = self.structure["hidden"], self.structure["latent"]
        for i, width in enumerate(self.widths.values()):
            self.encoders[i].build((self.members, None, width))
            self.decoders[i].build((self.members, None, latent))
            self.variances[i].build((self.members, None, width))
        self.joint.build((self.members, None, latent))
        self.head.build((self.members, None, latent + hidden))
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
        present = self.omics_dropout(present, draw)
        mean, variance = self.posterior(x, present, draw)
        latent = mean
        if draw is not None and learns(draw):
            noise = normal(draw, 2, ops.shape(mean)[1], ops.shape(mean)[2])
            latent = mean + ops.sqrt(variance) * noise
            bound = self.negative_bound(x, present, latent, mean, variance)
            self.add_loss(self.loss_weights["reconstruction"] * bound)
        return self.head(ops.concatenate([latent, self.joint(latent, draw)], axis=-1), draw)

    def posterior(
        self, x: Mapping[str, Tensor], present: Tensor, draw: Draw | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return mean and variance of the latent, members x batch x latent, given ``present``."""
        means, variances = [], []
        for i, name in enumerate(self.widths):
            seen = self.input_dropout[i](masked(x[name], present[..., i : i + 1]), draw)
            mean, log_variance = ops.split(self.encoders[i](seen, draw), 2, axis=-1)
            means.append(mean)
            log_variance = bounded(FIRST_LOG_VARIANCE + log_variance, LARGEST_LOG_VARIANCE)
            variances.append(ops.exp(log_variance))
        return product_of_experts(
            ops.stack(means, axis=2), ops.stack(variances, axis=2), present, STANDARD_NORMAL
        )

    def negative_bound(
        self,
        x: Mapping[str, Tensor],
        present: Tensor,
        latent: Tensor,
        mean: Tensor,
        variance: Tensor,
    ) -> Tensor:
        """Minus the evidence lower bound of the layers of ``present``, per feature in use.

        -log p(x | latent) + beta * KL(N(mean, variance) from N(0, 1)), less the constants of the
        normal density; members x batch.
        """
        surprise = []
        for i, name in enumerate(self.widths):
            says = self.decoders[i](latent)
            around = self.variances[i](says)
            off = ops.square(says - masked(x[name], present[..., i : i + 1]))
            surprise.append(0.5 * (off / around + ops.log(around)))
        per_feature, features = mean_error(self.decoders, surprise, present)
        divergence = divergence_from_normal(mean, variance)
        return per_feature + self.loss_weights["beta"] * divergence / features

    def generate(
        self, x: Mapping[str, Tensor], present: Tensor, layer: str, noise: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Say what an omics layer would be, given the layers of ``present``.

        Parameters
        ----------
        layer
            Its name.
        noise
            draws x members x latent, N(0, 1): where the latent is drawn, for every sample alike, so
            that samples do not notice each other.

        Returns
        -------
        Mean and variance of each feature, members x batch x features: over the draws, the mean of
        what the decoder says, and its variance plus that of the feature around it.
        """
        i = list(self.widths).index(layer)
        mean, variance = self.posterior(x, present)
        middle = self.decoders[i](mean)
        shift, square = ops.zeros_like(middle), ops.zeros_like(middle)
        for direction in noise:
            away = self.decoders[i](mean + ops.sqrt(variance) * direction[:, None, :]) - middle
            shift, square = shift + away, square + ops.square(away)
        shift, square = shift / len(noise), square / len(noise)
        spread = ops.maximum(square - ops.square(shift), 0.0)
        return middle + shift, spread + self.variances[i](middle)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.structure, **self.loss_weights}


def bounded(values: Tensor, most: float) -> Tensor:
    """Return about the same values near 0, and nothing beyond ``most`` either way."""
    return most * ops.tanh(values / most)
