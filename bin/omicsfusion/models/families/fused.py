"""The fused network: an encoder per omics layer, masked gated fusion, one head.

::

    x_rna ──► encoder ──► token ──┐
    x_cnv ──► encoder ──► token ──┼──► gate ──► fused ──► head ──┐
    x_…   ──► encoder ──► token ──┘  (layers the sample has)     ├──► outputs
    x_rna, x_cnv, x_… ──► linear (wide path) ────────────────────┘

The wide path is a linear model on all features beside the deep one (Cheng et al., DLRS 2016): with
few samples most of what can be learnt is linear, and the deep path learns what is left. A layer
that a sample lacks takes part in neither: changing its values changes nothing.
"""

from collections.abc import Mapping
from typing import Any

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.encoder import Encoder
from omicsfusion.models.family import FusionNetwork, masked
from omicsfusion.models.fit import Fit
from omicsfusion.models.layers import MaskedGate, MemberDense, register
from omicsfusion.models.network import train_networks
from omicsfusion.models.random_bits import Draw
from omicsfusion.models.random_layers import MemberDropout, OmicsDropout
from omicsfusion.models.read_out import ReadOut
from omicsfusion.models.request import TrainingRequest

ops = keras.ops

STRUCTURES: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "narrow": {"hidden": 16},
    "wide": {"hidden": 128},
}
"""Among which tuning chooses."""


def train(request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Train the fused network on every scope of a group."""
    return train_networks(FusedNetwork, request, reader, structures=STRUCTURES)


@register
class FusedNetwork(FusionNetwork):
    """The figure above.

    Parameters
    ----------
    hidden
        Units of a token.
    """

    family = "fused"

    def __init__(
        self,
        widths: Mapping[str, int],
        units: int,
        members: int,
        hidden: int = 64,
        **kwargs: Any,
    ) -> None:
        super().__init__(widths, units, members, **kwargs)
        self.hidden = hidden
        self.omics_dropout = OmicsDropout("omics_dropout", members, place=0, name="omics_dropout")
        self.dropout = MemberDropout("hidden_dropout", members, place=1, name="dropout")
        self.input_dropout = [
            MemberDropout("input_dropout", members, place=2 + 2 * i, name=f"input_dropout_{i}")
            for i in range(len(widths))
        ]
        self.encoders = [
            Encoder(hidden, members, place=3 + 2 * i, name=f"encoder_{i}")
            for i in range(len(widths))
        ]
        self.wide = [
            MemberDense(units, members, start="zeros", name=f"wide_{i}") for i in range(len(widths))
        ]
        self.gate = MaskedGate(members, name="gate")
        self.head = ReadOut(units, members, name="head")

    def build(self, *shapes: Any) -> None:
        for encoder, wide, width in zip(
            self.encoders, self.wide, self.widths.values(), strict=True
        ):
            encoder.build((self.members, None, width))
            wide.build((self.members, None, width))
        self.gate.build((self.members, None, len(self.widths), self.hidden))
        self.head.build((self.members, None, self.hidden))
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
    def pretrainable(self) -> dict[str, Encoder]:
        """All encoders may begin pretrained."""
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
        fused = self.gate(ops.stack(tokens, axis=2), present)
        return self.head(self.dropout(fused, draw), draw) + sum(wide)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "hidden": self.hidden}
