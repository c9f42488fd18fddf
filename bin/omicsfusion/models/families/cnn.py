"""The convolutional network: features in the order of the genome, windows that share weights.

::

               in genome order
    x_cnv ─┬─► ▪▪▪▪▪▪▪▪▪▪▪ ─► convolution ─► convolution ─► dense ─► token ─┐
           └─► the others ─► encoder ─────────────────────────────► token ─┤
    x_rna ─┬─► ▪▪▪▪▪▪▪▪▪▪▪ ─► convolution ─► convolution ─► dense ─► token ─┼─► gate ─► head ─┐
           └─► the others ─► encoder ─────────────────────────────► token ─┘                 ├─► out
    x_cnv, x_rna, … ─► linear (wide path) ───────────────────────────────────────────────────┘

Neighbours on the genome often change together: copies of a segment, methylation of an island. A
convolution (LeCun et al., Proceedings of the IEEE 86, 1998) learns what to look for once, for the
whole genome; the dense layer after it knows where it was found. Chromosomes follow each other
without a gap, so that the windows at their ends see both. A layer that a sample lacks takes part in
nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.columns import PartEncoder
from omicsfusion.models.convolution import GenomeEncoder
from omicsfusion.models.family import FusionNetwork, masked
from omicsfusion.models.fit import Fit
from omicsfusion.models.genome_order import genome_order
from omicsfusion.models.layers import MaskedGate, MemberDense, register
from omicsfusion.models.network import train_networks
from omicsfusion.models.random_bits import Draw
from omicsfusion.models.random_layers import MemberDropout, OmicsDropout
from omicsfusion.models.read_out import ReadOut
from omicsfusion.models.request import MissingKnowledgeError, TrainingRequest
from omicsfusion.tables.positions import Position, read_positions

ops = keras.ops

WIDTH = 64
CHANNELS = (8, 8)
MEMBERS_AT_ONCE = 8

Order = Callable[[str, Sequence[str]], np.ndarray]


def train(request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Train the convolutional network on every scope of a group.

    Raises
    ------
    BedError, MissingKnowledgeError
        When the positions cannot be read, or no feature of a scope has one.
    """
    known = {} if request.positions is None else read_positions(request.positions)
    order = partial(genome_order, positions=known)
    placed: set[str] = set()
    unplaced: set[str] = set()
    for scope in reader.scopes:
        features = reader.features(scope, request.spec.layers)
        counts = {name: len(order(name, names)) for name, names in features.items()}
        if not any(counts.values()):
            raise MissingKnowledgeError(_no_position(scope.key, features, request, known))
        placed.update(name for name, count in counts.items() if count)
        unplaced.update(name for name, count in counts.items() if count < len(features[name]))
    build = partial(CnnNetwork, placed=sorted(placed), unplaced=sorted(unplaced), order=order)
    return train_networks(build, request, reader, MEMBERS_AT_ONCE)


def _no_position(
    scope: str,
    features: Mapping[str, Sequence[str]],
    request: TrainingRequest,
    known: Mapping[str, Position],
) -> str:
    """Say that nothing has a position, with names of both sides."""
    layers = "; ".join(f"{name}: {', '.join(names[:3])}" for name, names in features.items())
    told = f"None of the features in scope {scope} ({layers}) has a position on the genome."
    if request.positions is None:
        return (
            f"{told} Model {request.spec.name!r} needs them: name a BED file with --positions, or "
            f"features like chr7:100001-200000."
        )
    return (
        f"{told} {request.positions.name} has positions of {', '.join(sorted(known)[:3])}: its "
        f"fourth column must have the names of the features."
    )


@register
class CnnNetwork(FusionNetwork):
    """The figure above.

    Parameters
    ----------
    placed, unplaced
        Omics layers of which some member has features with, and without, a position.
    order
        Puts a member's features in order. It is not saved: the order is.
    width
        Of a token.
    channels
        Outputs of each convolution.
    """

    family = "cnn"

    def __init__(
        self,
        widths: Mapping[str, int],
        units: int,
        members: int,
        placed: Sequence[str],
        unplaced: Sequence[str],
        order: Order | None = None,
        width: int = WIDTH,
        channels: Sequence[int] = CHANNELS,
        **kwargs: Any,
    ) -> None:
        super().__init__(widths, units, members, **kwargs)
        self.order = order
        self.structure = {"width": width, "channels": list(channels)}
        self.placed, self.unplaced = sorted(placed), sorted(unplaced)
        place = {name: 2 + 3 * i for i, name in enumerate(self.widths)}
        self.omics_dropout = OmicsDropout("omics_dropout", members, place=0, name="omics_dropout")
        self.dropout = MemberDropout("hidden_dropout", members, place=1, name="dropout")
        self.input_dropout = [
            MemberDropout("input_dropout", members, place=place[name], name=f"input_dropout_{i}")
            for i, name in enumerate(self.widths)
        ]
        self.genomes = {
            name: GenomeEncoder(width, channels, members, place[name] + 1, name=f"genome_{i}")
            for i, name in enumerate(self.placed)
        }
        self.encoders = {
            name: PartEncoder(width, members, place[name] + 2, name=f"encoder_{i}")
            for i, name in enumerate(self.unplaced)
        }
        self.wide = [
            MemberDense(units, members, start="zeros", name=f"wide_{i}") for i in range(len(widths))
        ]
        self.gate = MaskedGate(members, name="gate")
        self.head = ReadOut(units, members, name="head")
        # The tokens: of the features with a position, then of those without, layer by layer.
        self.in_use = self.add_weight(
            name="in_use",
            shape=(members, len(self.placed) + len(self.unplaced)),
            initializer="ones",
            trainable=False,
        )

    def build(self, *shapes: Any) -> None:
        for (name, columns), wide in zip(self.widths.items(), self.wide, strict=True):
            wide.build((self.members, None, columns))
            for of_layer in (self.genomes, self.encoders):
                if name in of_layer:
                    of_layer[name].build((self.members, None, columns))
        width = self.structure["width"]
        self.gate.build((self.members, None, self.in_use.shape[1], width))
        self.head.build((self.members, None, width))
        self.built = True

    @property
    def readers(self) -> dict[str, list[MemberDense]]:
        """The dense layers that read each omics layer; convolutions are not among them."""
        readers = {name: [wide] for name, wide in zip(self.widths, self.wide, strict=True)}
        for name, encoder in self.encoders.items():
            readers[name].append(encoder.dense)
        return readers

    def known(self, features: Mapping[str, Sequence[str]]) -> list[tuple[Any, np.ndarray]]:
        if self.order is None:
            raise ValueError("A network that was read from a file has its order in its weights.")
        orders = {name: self.order(name, names) for name, names in features.items()}
        pairs = super().known(features)
        in_use = []
        for name, genome in self.genomes.items():
            pairs += genome.known(orders[name])
            in_use.append(len(orders[name]) > 0)
        for name, encoder in self.encoders.items():
            others = np.ones(len(features[name]), bool)
            others[orders[name]] = False
            pairs += encoder.known(others)
            in_use.append(bool(others.any()))
        return [*pairs, (self.in_use, np.array(in_use))]

    def call(self, x: Mapping[str, Tensor], present: Tensor, draw: Draw | None = None) -> Tensor:
        """Compute the outputs, members x batch x units (see ``FusionNetwork``)."""
        present = self.omics_dropout(present, draw)
        seen, here, wide = {}, {}, []
        for i, name in enumerate(self.widths):
            here[name] = present[..., i : i + 1]
            seen[name] = self.input_dropout[i](masked(x[name], here[name]), draw)
            wide.append(self.wide[i](seen[name]) * here[name])
        encoders: list[tuple[str, PartEncoder | GenomeEncoder]]
        encoders = [*self.genomes.items(), *self.encoders.items()]
        tokens = [encoder(seen[name], draw) for name, encoder in encoders]
        has = ops.concatenate([here[name] for name, _ in encoders], axis=-1)
        fused = self.gate(ops.stack(tokens, axis=2), has * self.in_use[:, None, :])
        return self.head(self.dropout(fused, draw), draw) + sum(wide)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "placed": self.placed, "unplaced": self.unplaced}
        return {**config, **self.structure}
