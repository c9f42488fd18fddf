"""The early network: the columns of all omics layers side by side, and one network on them.

::

    x_rna ──┐                                            ┌──────────────────────┐
    x_cnv ──┼──► [x_rna, x_cnv, x_…, who is there] ──► linear ──► products ──► head ──┐
    x_…   ──┘    (zeros where a layer is not)                                         ├──► outputs
    x_rna, x_cnv, x_… ──► linear (wide path) ─────────────────────────────────────────┘

Early integration (Picard et al., Computational and Structural Biotechnology Journal 19, 2021). Each
layer's columns are divided by the root of their number, so that a layer of 20,000 features does not
drown one of 50. Its bias counts only where the layer is there: it is the weight of the column that
says so. The hidden units are products (``products``). The head sees the linear units beside the
last of them: products find on few samples only late what one factor says alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.family import FusionNetwork, masked
from omicsfusion.models.fit import Fit
from omicsfusion.models.layers import MemberDense, MemberNorm, register
from omicsfusion.models.network import train_networks
from omicsfusion.models.products import ProductLayer
from omicsfusion.models.random_bits import Draw
from omicsfusion.models.random_layers import MemberDropout, OmicsDropout
from omicsfusion.models.read_out import ReadOut
from omicsfusion.models.request import TrainingRequest

ops = keras.ops

STRUCTURES: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "shallow": {"hidden": (64,)},
    "narrow": {"hidden": (16, 16)},
    "deep": {"hidden": (64, 64, 64)},
}
"""Among which tuning chooses."""


def train(request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Train the early network on every scope of a group."""
    return train_networks(EarlyNetwork, request, reader, structures=STRUCTURES)


@register
class EarlyNetwork(FusionNetwork):
    """The figure above.

    Parameters
    ----------
    hidden
        Units of the linear layer, then of each layer of products.
    """

    family = "early"

    def __init__(
        self,
        widths: Mapping[str, int],
        units: int,
        members: int,
        hidden: Sequence[int] = (64, 64),
        **kwargs: Any,
    ) -> None:
        super().__init__(widths, units, members, **kwargs)
        self.hidden = list(hidden)
        deeper = self.hidden[1:]
        self.omics_dropout = OmicsDropout("omics_dropout", members, place=0, name="omics_dropout")
        self.dropout = MemberDropout("hidden_dropout", members, place=1, name="dropout")
        self.products = [
            ProductLayer(width, members, place=2 + i, name=f"products_{i}")
            for i, width in enumerate(deeper)
        ]
        self.input_dropout = [
            MemberDropout(
                "input_dropout", members, place=2 + len(deeper) + i, name=f"input_dropout_{i}"
            )
            for i in range(len(widths))
        ]
        self.first = [
            MemberDense(self.hidden[0], members, name=f"first_{i}") for i in range(len(widths))
        ]
        self.norm = MemberNorm(members, name="norm")
        self.wide = [
            MemberDense(units, members, start="zeros", name=f"wide_{i}") for i in range(len(widths))
        ]
        self.head = ReadOut(units, members, name="head")

    def build(self, *shapes: Any) -> None:
        for first, wide, width in zip(self.first, self.wide, self.widths.values(), strict=True):
            first.build((self.members, None, width))
            wide.build((self.members, None, width))
        self.norm.build((self.members, None, self.hidden[0]))
        for layer, width in zip(self.products, self.hidden, strict=False):
            layer.build((self.members, None, width))
        seen = [self.hidden[0], *self.hidden[1:][-1:]]
        self.head.build((self.members, None, sum(seen)))
        self.built = True

    @property
    def readers(self) -> dict[str, tuple[MemberDense, MemberDense]]:
        """The dense layers that read each omics layer."""
        pairs = zip(self.first, self.wide, strict=True)
        return dict(zip(self.widths, pairs, strict=True))

    def call(self, x: Mapping[str, Tensor], present: Tensor, draw: Draw | None = None) -> Tensor:
        """Compute the outputs, members x batch x units (see ``FusionNetwork``)."""
        present = self.omics_dropout(present, draw)
        parts, wide = [], []
        for i, name in enumerate(self.widths):
            here = present[..., i : i + 1]
            seen = self.input_dropout[i](masked(x[name], here), draw)
            # A matrix times columns side by side is the sum of its blocks times the columns.
            parts.append(self.first[i](seen) * here)
            wide.append(self.wide[i](seen) * here)
        linear = self.dropout(self.norm(sum(parts)), draw)
        seen = [linear]
        for layer in self.products:
            seen = [linear, layer(seen[-1], draw)]
        return self.head(ops.concatenate(seen, axis=-1), draw) + sum(wide)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "hidden": self.hidden}
