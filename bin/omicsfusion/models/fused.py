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

from collections.abc import Mapping, Sequence
from typing import Any

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.fit import Fit
from omicsfusion.models.layers import (
    MaskedGate,
    MemberDense,
    MemberDropout,
    MemberNorm,
    OmicsDropout,
    Shape,
    register,
)
from omicsfusion.models.network import train_networks
from omicsfusion.models.registry import ModelSpec
from omicsfusion.tables.outcome import Outcome

ops = keras.ops

HIDDEN = 64
INPUT_DROPOUT = 0.3
HIDDEN_DROPOUT = 0.3
OMICS_DROPOUT = 0.2


def train(
    spec: ModelSpec, reader: GroupReader, outcome: Outcome, horizons: Sequence[float], seed: int
) -> list[Fit]:
    """Train the fused network on every scope of a group (see ``models.registry``)."""
    return train_networks(FusedNetwork, spec, reader, outcome, horizons, seed)


@register
class FusedNetwork(keras.layers.Layer):
    """Many fits of the fused network, side by side on a leading member axis.

    Parameters
    ----------
    widths
        Features of each layer; layers are taken in sorted order.
    units
        Outputs: classes, or 1.
    members
        Fits.
    """

    def __init__(self, widths: Mapping[str, int], units: int, members: int, **kwargs: Any) -> None:
        super().__init__(name=kwargs.pop("name", "fused"), **kwargs)
        self.widths = dict(sorted(widths.items()))
        self.units = units
        self.members = members
        self.omics_dropout = OmicsDropout(OMICS_DROPOUT, place=0, name="omics_dropout")
        self.dropout = MemberDropout(HIDDEN_DROPOUT, place=1, name="dropout")
        self.input_dropout = [
            MemberDropout(INPUT_DROPOUT, place=2 + 2 * i, name=f"input_dropout_{i}")
            for i in range(len(widths))
        ]
        self.encoders = [
            Encoder(HIDDEN, members, place=3 + 2 * i, name=f"encoder_{i}")
            for i in range(len(widths))
        ]
        self.wide = [
            MemberDense(units, members, start="zeros", name=f"wide_{i}") for i in range(len(widths))
        ]
        self.gate = MaskedGate(members, name="gate")
        self.head = MemberDense(units, members, start="zeros", name="head")

    def build(self, *shapes: Any) -> None:
        for encoder, wide, width in zip(
            self.encoders, self.wide, self.widths.values(), strict=True
        ):
            encoder.build((self.members, None, width))
            wide.build((self.members, None, width))
        self.gate.build((self.members, None, len(self.widths), HIDDEN))
        self.head.build((self.members, None, HIDDEN))
        self.built = True

    @property
    def readers(self) -> dict[str, tuple[MemberDense, MemberDense]]:
        """The dense layers that read each omics layer."""
        pairs = zip(self.encoders, self.wide, strict=True)
        return {
            name: (encoder.dense, wide)
            for name, (encoder, wide) in zip(self.widths, pairs, strict=True)
        }

    def call(self, x: Mapping[str, Tensor], present: Tensor, draw: Tensor | None = None) -> Tensor:
        """Compute the outputs, members x batch x units.

        Parameters
        ----------
        x
            Layer -> members x batch x features.
        present
            Members x batch x layers, 1 where the sample has the layer.
        draw
            See ``models.layers``; without it the network predicts.
        """
        present = self.omics_dropout(present, draw)
        tokens, wide = [], []
        for i, name in enumerate(self.widths):
            here = present[..., i : i + 1]
            seen = self.input_dropout[i](ops.where(here > 0, x[name], 0.0), draw)
            tokens.append(self.encoders[i](seen, draw))
            wide.append(self.wide[i](seen) * here)
        fused = self.gate(ops.stack(tokens, axis=2), present)
        return self.head(self.dropout(fused, draw)) + sum(wide)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "widths": self.widths,
            "units": self.units,
            "members": self.members,
        }


@register
class Encoder(keras.layers.Layer):
    """From the features of one omics layer to its token."""

    def __init__(self, width: int, members: int, place: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = MemberDense(width, members, name="dense")
        self.norm = MemberNorm(members, name="norm")
        self.dropout = MemberDropout(HIDDEN_DROPOUT, place=place, name="dropout")
        self.settings = {"width": width, "members": members, "place": place}

    def build(self, shape: Shape) -> None:
        self.dense.build(shape)
        self.norm.build((*shape[:-1], self.dense.units))
        self.built = True

    def call(self, x: Tensor, draw: Tensor | None = None) -> Tensor:
        return self.dropout(ops.relu(self.norm(self.dense(x))), draw)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}
