"""The attention network: omics layers as tokens that attend to each other.

::

    x_rna ──► encoder ──► token ──┐
    x_cnv ──► encoder ──► token ──┼──► transformer ──► attention ──► products ──► head ──┐
    x_…   ──► encoder ──► token ──┘    block(s)        pooling                           │
    x_rna, x_cnv, x_… ──► linear (wide path) ────────────────────────────────────────────┴─► outputs

Each token is joined by a vector learnt for its layer. In the blocks (Vaswani et al., NeurIPS 2017)
the tokens read each other; then learnt queries, which play the part of a class token, attend to all
of them (``tokens``). Layers that a sample lacks are left out of every softmax: changing their
values changes nothing. The hidden units before the head are products (``products``): an average of
tokens, as attention is, says little of how two of them act together.
"""

from collections.abc import Mapping
from typing import Any

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.family import FusionNetwork, masked
from omicsfusion.models.fit import Fit
from omicsfusion.models.layers import MemberDense, MemberLayer, Shape, register
from omicsfusion.models.network import train_networks
from omicsfusion.models.products import LinearEncoder, ProductLayer
from omicsfusion.models.random_bits import Draw
from omicsfusion.models.random_layers import MemberDropout, OmicsDropout
from omicsfusion.models.read_out import ReadOut
from omicsfusion.models.request import TrainingRequest
from omicsfusion.models.tokens import AttentionPool, TokenBlock

ops = keras.ops


STRUCTURES: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "narrow": {"hidden": 16},
    "deep": {"depth": 2},
}
"""Among which tuning chooses."""


def train(request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Train the attention network on every scope of a group."""
    return train_networks(AttentionNetwork, request, reader, structures=STRUCTURES)


@register
class LayerEmbedding(MemberLayer):
    """Add to the token of each omics layer a vector learnt for it."""

    def build(self, tokens_shape: Shape) -> None:
        self.kernel = self.add_member_weight("kernel", tuple(tokens_shape[-2:]), "zeros")

    def call(self, tokens: Tensor) -> Tensor:
        return tokens + self.kernel[:, None, :, :]


@register
class AttentionNetwork(FusionNetwork):
    """The figure above.

    Parameters
    ----------
    hidden
        Units of a token, and of the products.
    heads, depth
        Of the attention between tokens; transformer blocks.
    queries
        Of the attention that pools the tokens.
    """

    family = "attention"

    def __init__(
        self,
        widths: Mapping[str, int],
        units: int,
        members: int,
        hidden: int = 64,
        heads: int = 4,
        depth: int = 1,
        queries: int = 4,
        **kwargs: Any,
    ) -> None:
        super().__init__(widths, units, members, **kwargs)
        self.structure = {"hidden": hidden, "heads": heads, "depth": depth, "queries": queries}
        self.omics_dropout = OmicsDropout("omics_dropout", members, place=0, name="omics_dropout")
        self.dropout = MemberDropout("hidden_dropout", members, place=1, name="dropout")
        self.products = ProductLayer(hidden, members, place=2, name="products")
        self.input_dropout = [
            MemberDropout("input_dropout", members, place=3 + 2 * i, name=f"input_dropout_{i}")
            for i in range(len(widths))
        ]
        self.encoders = [
            LinearEncoder(hidden, members, place=4 + 2 * i, name=f"encoder_{i}")
            for i in range(len(widths))
        ]
        self.wide = [
            MemberDense(units, members, start="zeros", name=f"wide_{i}") for i in range(len(widths))
        ]
        self.embedding = LayerEmbedding(members, name="embedding")
        self.blocks = [TokenBlock(hidden, heads, members, name=f"block_{i}") for i in range(depth)]
        self.pool = AttentionPool(queries, members, name="pool")
        self.head = ReadOut(units, members, name="head")

    def build(self, *shapes: Any) -> None:
        hidden, queries = self.structure["hidden"], self.structure["queries"]
        for encoder, wide, width in zip(
            self.encoders, self.wide, self.widths.values(), strict=True
        ):
            encoder.build((self.members, None, width))
            wide.build((self.members, None, width))
        for layer in (self.embedding, *self.blocks, self.pool):
            layer.build((self.members, None, len(self.widths), hidden))
        self.products.build((self.members, None, queries * hidden))
        self.head.build((self.members, None, hidden))
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
        state, there = self.embedding(ops.stack(tokens, axis=2)), present > 0
        for block in self.blocks:
            state = block(state, there)
        pooled = self.dropout(self.pool(state, there), draw)
        return self.head(self.products(pooled, draw), draw) + sum(wide)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.structure}
