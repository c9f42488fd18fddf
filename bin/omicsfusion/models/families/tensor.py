"""The tensor network: the outer product of the layers' tokens, in factors of low rank.

::

    x_rna ──► encoder ──► [token, 1] ──► factor ──┐
    x_cnv ──► encoder ──► [token, 1] ──► factor ──┼──► product ──► sum ──► norm ──► head ─┐
    x_…   ──► encoder ──► [token, 1] ──► factor ──┘    (layers     over                   │
                                                        there)     rank                   │
    x_rna, x_cnv, x_… ──► linear (wide path) ─────────────────────────────────────────────┴► outputs

Low-rank multimodal fusion (Liu et al., ACL 2018): the outer product of all [token, 1] holds what
the layers say alone, in pairs, in threes and so on; a linear map of it, whose tensor is a sum of
``rank`` outer products, is a product of one factor per layer. A layer that a sample lacks has the
factor one.
"""

from collections.abc import Mapping
from typing import Any

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.family import FusionNetwork, masked
from omicsfusion.models.fit import Fit
from omicsfusion.models.layers import MemberDense, MemberLayer, MemberNorm, Shape, register
from omicsfusion.models.network import train_networks
from omicsfusion.models.products import LinearEncoder
from omicsfusion.models.random_bits import Draw
from omicsfusion.models.random_layers import MemberDropout, OmicsDropout
from omicsfusion.models.read_out import ReadOut
from omicsfusion.models.request import TrainingRequest

ops = keras.ops


STRUCTURES: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "narrow": {"hidden": 16, "fused": 16},
    "rich": {"rank": 8},
}
"""Among which tuning chooses."""


def train(request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Train the tensor network on every scope of a group."""
    return train_networks(TensorNetwork, request, reader, structures=STRUCTURES)


@register
class LowRankFusion(MemberLayer):
    """A linear map of the outer product of tokens, each with a 1 appended (Liu et al., section 3).

    unit o = sum over ranks r of the product over layers l of (token_l . U_lro + c_lro). The c begin
    at one: what few layers say together weighs as much as what all of them do.

    Tokens should be normalised, lest one far off make the product overflow.
    """

    def __init__(self, units: int, rank: int, members: int, **kwargs: Any) -> None:
        super().__init__(members, **kwargs)
        self.units = units
        self.rank = rank

    def build(self, tokens_shape: Shape, present_shape: Shape | None = None) -> None:
        layers, width = tokens_shape[-2:]
        self.kernel = self.add_member_weight(
            "kernel", (layers, width, self.rank * self.units), "zeros"
        )
        self.constant = self.add_member_weight("constant", (layers, self.rank * self.units), "ones")

    def call(self, tokens: Tensor, present: Tensor) -> Tensor:
        """Fuse ``tokens``, members x batch x layers x width; ``present`` has no width."""
        width = tokens.shape[-1]
        factors = ops.einsum("mblh,mlhu->mblu", tokens, self.kernel) * width**-0.5
        factors = ops.where(present[..., None] > 0, factors + self.constant[:, None], 1.0)
        product = factors[:, :, 0]
        for layer in range(1, factors.shape[2]):
            product = product * factors[:, :, layer]
        of_ranks = ops.reshape(product, (self.members, -1, self.rank, self.units))
        return ops.sum(of_ranks, axis=2) * self.rank**-0.5

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "rank": self.rank}


@register
class TensorNetwork(FusionNetwork):
    """The figure above.

    Parameters
    ----------
    hidden
        Units of a token.
    fused
        Units of the map of the outer product.
    rank
        Of the tensor of each unit.
    """

    family = "tensor"

    def __init__(
        self,
        widths: Mapping[str, int],
        units: int,
        members: int,
        hidden: int = 64,
        fused: int = 64,
        rank: int = 4,
        **kwargs: Any,
    ) -> None:
        super().__init__(widths, units, members, **kwargs)
        self.structure = {"hidden": hidden, "fused": fused, "rank": rank}
        self.omics_dropout = OmicsDropout("omics_dropout", members, place=0, name="omics_dropout")
        self.dropout = MemberDropout("hidden_dropout", members, place=1, name="dropout")
        self.input_dropout = [
            MemberDropout("input_dropout", members, place=2 + 2 * i, name=f"input_dropout_{i}")
            for i in range(len(widths))
        ]
        self.encoders = [
            LinearEncoder(hidden, members, place=3 + 2 * i, name=f"encoder_{i}")
            for i in range(len(widths))
        ]
        self.wide = [
            MemberDense(units, members, start="zeros", name=f"wide_{i}") for i in range(len(widths))
        ]
        self.fusion = LowRankFusion(fused, rank, members, name="fusion")
        self.norm = MemberNorm(members, name="norm")
        self.head = ReadOut(units, members, name="head")

    def build(self, *shapes: Any) -> None:
        hidden, fused = self.structure["hidden"], self.structure["fused"]
        for encoder, wide, width in zip(
            self.encoders, self.wide, self.widths.values(), strict=True
        ):
            encoder.build((self.members, None, width))
            wide.build((self.members, None, width))
        self.fusion.build((self.members, None, len(self.widths), hidden))
        self.norm.build((self.members, None, fused))
        self.head.build((self.members, None, fused))
        self.built = True

    @property
    def readers(self) -> dict[str, tuple[MemberDense, MemberDense]]:
        """The dense layers that read each omics layer."""
        pairs = zip(self.encoders, self.wide, strict=True)
        return {
            name: (encoder.dense, wide)
            for name, (encoder, wide) in zip(self.widths, pairs, strict=True)
        }

    @property
    def pretrainable(self) -> dict[str, LinearEncoder]:
        """All encoders may begin pretrained: they are the pretrained ones without the ReLU."""
        return dict(zip(self.widths, self.encoders, strict=True))

    def call(self, x: Mapping[str, Tensor], present: Tensor, draw: Draw | None = None) -> Tensor:
        """Compute the outputs, members x batch x units (see ``FusionNetwork``)."""
        present = self.omics_dropout(present, draw)
        tokens, wide = [], []
        for i, name in enumerate(self.widths):
            here = present[..., i : i + 1]
            seen = self.input_dropout[i](masked(x[name], here), draw)
            tokens.append(self.encoders[i](seen, draw))
            wide.append(self.wide[i](seen) * here)
        fused = self.norm(self.fusion(ops.stack(tokens, axis=2), present))
        return self.head(self.dropout(fused, draw), draw) + sum(wide)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.structure}
