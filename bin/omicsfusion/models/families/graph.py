"""The graph network: genes as nodes, their values in all layers as states, edges between them.

::

    x_rna ──┐   one node      ┌──────────────┐   ┌──────────────┐
    x_cnv ──┼─► per gene: ──┬─► convolution ─┼─┬─► convolution ─┼─┐
    x_…   ──┘   values,     │ └───────▲──────┘ │ └───────▲──────┘ │
                masks       │         └── edges ─────────┘        │
                            └─────────────────┴───────────────────┴──► read-out ─► token ─┐
    x_mirna ─────────────────────────► encoder ──────────────────────────────────► token ─┼─► gate
    x_…     (layers that are not of genes of the network)                                 ┘    │
                                                                                               ▼
    x_rna, x_cnv, x_mirna, … ──► linear (wide path) ─────────────────────────► outputs ◄──── head

A convolution mixes the state of a gene with those of its neighbours in the network (GCN: Kipf and
Welling, ICLR 2017; GraphSAGE: Hamilton et al., NeurIPS 2017; GAT: Veličković et al., ICLR 2018).
The read-out has weights for every gene of its own, so that it knows which gene is in which state,
and sees the states before and after each convolution (Xu et al., ICML 2018: jumping knowledge).

A gene's value in a layer is the mean of the layer's features that are named for it (``gene_of``).
Its nodes are the genes of the layers' features in the scope; those that the network does not have
are isolated. A mask tells a gene that is not in a layer, or whose layer the sample lacks, from one
whose value is 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.encoder import Encoder
from omicsfusion.models.family import FusionNetwork, masked
from omicsfusion.models.fit import Fit
from omicsfusion.models.gene_network import GeneNetwork, edges_among, read_gene_network
from omicsfusion.models.gene_nodes import Features, GeneValues, Nodes, gene_layers_of
from omicsfusion.models.graph_edges import MemberEdges, TileShape, tile_shape
from omicsfusion.models.graph_layers import CONVOLUTIONS
from omicsfusion.models.layers import MaskedGate, MemberDense, register
from omicsfusion.models.network import train_networks
from omicsfusion.models.random_bits import Draw
from omicsfusion.models.random_layers import MemberDropout, OmicsDropout
from omicsfusion.models.read_out import ReadOut
from omicsfusion.models.request import ENSEMBLE, MissingKnowledgeError, TrainingRequest

ops = keras.ops

CONVOLUTION = "gcn"
CHANNELS = 8
DEPTH = 2
HIDDEN = 64

BYTES_OF_LIBRARIES = 10**9
BYTES_PER_EDGE = 100
BYTES_PER_ENTRY = 60
BYTES_PER_STATE = 24
BYTES_PER_WEIGHT = 40


def train(request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Train the graph network on every scope of a group.

    Raises
    ------
    MissingKnowledgeError
        When there is no network, or none of the run's features is named for one of its genes.
    GeneNetworkError
        When the network cannot be read.
    """
    if request.network is None:
        raise MissingKnowledgeError(
            f"Model {request.spec.name!r} needs a network of genes: name its file with --network."
        )
    network = read_gene_network(request.network)
    structure = structure_of(reader, request.spec.layers, network, convolution=CONVOLUTION)
    build = partial(GraphNetwork, **structure, network=network)
    return train_networks(build, request, reader, members_at_once=request.ensemble)


def estimate_bytes(
    nodes: int,
    edges: int,
    batch: int,
    channels: int,
    *,
    layers: int = 2,
    members: int = ENSEMBLE,
    depth: int = DEPTH,
    hidden: int = HIDDEN,
) -> int:
    """Estimate the most host memory that training takes, before anything is built.

    It counts what grows with the graph (benchmarks/graph_memory.py compares it with what is
    measured): edges, states and weights of the read-out, each as often as it is held.

    Parameters
    ----------
    nodes, edges
        Genes, and edges between them (each counted once).
    batch
        Samples in a batch.
    channels
        Of a gene's state.
    layers
        Omics layers of genes.
    """
    entries = 2 * edges + nodes
    states = layers + depth * channels
    of_edges = members * entries * BYTES_PER_ENTRY + edges * BYTES_PER_EDGE
    of_states = members * nodes * batch * (states + layers) * BYTES_PER_STATE
    of_weights = members * nodes * states * hidden * BYTES_PER_WEIGHT
    return BYTES_OF_LIBRARIES + of_edges + of_states + of_weights


def structure_of(
    reader: GroupReader, layers: Sequence[str], network: GeneNetwork, convolution: str
) -> dict[str, Any]:
    """Find the arguments of ``GraphNetwork`` into which every scope of a group fits.

    Raises
    ------
    MissingKnowledgeError
        When no feature of any layer is named for a gene of the network.
    """
    scopes = [reader.features(scope, layers) for scope in reader.scopes]
    gene_layers = gene_layers_of(scopes, network)
    kind = CONVOLUTIONS[convolution]
    degrees = []
    for features in scopes:
        graph = kind.matrix(edges_among(network, Nodes(features, gene_layers, network).names))
        degrees.append(np.bincount(graph.targets, minlength=graph.nodes))
    return {
        "gene_layers": gene_layers,
        "tiles": asdict(tile_shape(degrees, kind.gathers)),
        "convolution": convolution,
    }


@register
class GraphNetwork(FusionNetwork):
    """The figure above.

    Parameters
    ----------
    gene_layers
        Layers whose features are named for genes, sorted.
    tiles
        Fields of a ``TileShape``.
    convolution
        One of ``CONVOLUTIONS``.
    channels, depth, hidden
        Channels of a gene's state, number of convolutions, width of a token.
    network
        From which the graph of a member is cut; one that was read from an archive needs it no more.
    """

    family = "graph"

    def __init__(
        self,
        widths: Mapping[str, int],
        units: int,
        members: int,
        *,
        gene_layers: Sequence[str],
        tiles: Mapping[str, Any],
        convolution: str = CONVOLUTION,
        channels: int = CHANNELS,
        depth: int = DEPTH,
        hidden: int = HIDDEN,
        network: GeneNetwork | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(widths, units, members, **kwargs)
        self.structure: dict[str, Any] = {
            "gene_layers": list(gene_layers),
            "tiles": dict(tiles),
            "convolution": convolution,
            "channels": channels,
            "depth": depth,
            "hidden": hidden,
        }
        self.network = network
        self.nodes = TileShape(**tiles).nodes
        self.omics_dropout = OmicsDropout("omics_dropout", members, place=0, name="omics_dropout")
        self.dropout = MemberDropout("hidden_dropout", members, place=1, name="dropout")
        self.input_dropout = [
            MemberDropout("input_dropout", members, place=2 + 2 * i, name=f"input_dropout_{i}")
            for i in range(len(widths))
        ]
        self.genes = {
            name: GeneValues(self.nodes, members, name=f"genes_{i}")
            for i, name in enumerate(self.widths)
            if name in gene_layers
        }
        self.encoders = {
            name: Encoder(hidden, members, place=3 + 2 * i, name=f"encoder_{i}")
            for i, name in enumerate(self.widths)
            if name not in gene_layers
        }
        self.edges = MemberEdges(**tiles, members=members, name="edges")
        self.convolutions = [
            CONVOLUTIONS[convolution](channels, members, name=f"convolution_{i}")
            for i in range(depth)
        ]
        self.read_out = Encoder(hidden, members, place=2 + 2 * len(widths), name="read_out")
        self.wide = [
            MemberDense(units, members, start="zeros", name=f"wide_{i}") for i in range(len(widths))
        ]
        self.gate = MaskedGate(members, name="gate")
        self.head = ReadOut(units, members, name="head")

    def build(self, *shapes: Any) -> None:
        for i, (name, width) in enumerate(self.widths.items()):
            reader = self.genes[name] if name in self.genes else self.encoders[name]
            reader.build((self.members, None, width))
            self.wide[i].build((self.members, None, width))
        self.edges.build()
        channels = 2 * len(self.genes)
        for convolution in self.convolutions:
            convolution.build((self.members, self.nodes, None, channels))
            channels = convolution.channels
        self.read_out.build((self.members, None, self.nodes * self._states_width))
        hidden = self.structure["hidden"]
        self.gate.build((self.members, None, len(self.encoders) + 1, hidden))
        self.head.build((self.members, None, hidden))
        self.built = True

    @property
    def _states_width(self) -> int:
        """Numbers that the read-out sees of each gene."""
        return len(self.genes) + sum(one.channels for one in self.convolutions)

    @property
    def readers(self) -> dict[str, tuple[MemberDense, ...]]:
        """The dense layers that read each omics layer."""
        readers: dict[str, tuple[MemberDense, ...]] = {}
        for wide, name in zip(self.wide, self.widths, strict=True):
            encoder = self.encoders.get(name)
            readers[name] = (encoder.dense, wide) if encoder else (wide,)
        return readers

    def known(self, features: Features) -> list[tuple[Any, np.ndarray]]:
        """Pair weights that hang on a member's features with their values."""
        if self.network is None:
            raise ValueError("A network from an archive has its graph; it cannot make another.")
        nodes = Nodes(features, list(self.genes), self.network)
        kind = CONVOLUTIONS[self.structure["convolution"]]
        graph = kind.matrix(edges_among(self.network, nodes.names))
        fan_in = max(1, len(nodes.names)) * self._states_width
        return [
            *super().known(features),
            *(pair for name, layer in self.genes.items() for pair in layer.known(nodes.node[name])),
            *self.edges.known(graph),
            (self.read_out.dense.fan_in, np.array(fan_in)),
        ]

    def call(self, x: Mapping[str, Tensor], present: Tensor, draw: Draw | None = None) -> Tensor:
        """Compute the outputs, members x batch x units (see ``FusionNetwork``)."""
        present = self.omics_dropout(present, draw)
        values, masks, tokens, there, wide = [], [], [], [], []
        for i, name in enumerate(self.widths):
            here = present[..., i : i + 1]
            seen = self.input_dropout[i](masked(x[name], here), draw)
            wide.append(self.wide[i](seen) * here)
            if name in self.genes:
                values.append(self.genes[name](seen))
                masks.append(here)
            else:
                tokens.append(self.encoders[name](seen, draw))
                there.append(here)
        graph = self._graph_token(values, masks, draw)
        some_genes = ops.max(ops.concatenate(masks, axis=-1), axis=-1, keepdims=True)
        fused = self.gate(
            ops.stack([*tokens, graph], axis=2), ops.concatenate([*there, some_genes], axis=-1)
        )
        return self.head(self.dropout(fused, draw), draw) + sum(wide)

    def _graph_token(
        self, values: Sequence[Tensor], masks: Sequence[Tensor], draw: Draw | None
    ) -> Tensor:
        """From each layer's genes (members x nodes x batch) to members x batch x hidden."""
        measured = ops.stack([layer.measured for layer in self.genes.values()], axis=-1)
        here = ops.concatenate(masks, axis=-1)[:, None, :, :]
        inputs = ops.stack(values, axis=-1)
        state = ops.concatenate([inputs, measured[:, :, None, :] * here], axis=-1)
        # Nodes of padding must stay at zero.
        real = ops.max(measured, axis=-1)[:, :, None, None]
        states = [inputs]
        for convolution in self.convolutions:
            state = ops.relu(convolution(state, edges=self.edges)) * real
            states.append(state)
        seen = ops.transpose(ops.concatenate(states, axis=-1), (0, 2, 1, 3))
        flat = ops.reshape(seen, (*ops.shape(seen)[:2], self.nodes * self._states_width))
        return self.read_out(flat, draw)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.structure}
