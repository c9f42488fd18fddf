"""The nodes of a graph of genes: which features each is named for, and its value in each layer."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.gene_network import GeneNetwork
from omicsfusion.models.layers import MemberLayer, Shape, register
from omicsfusion.models.request import MissingKnowledgeError
from omicsfusion.tables.genes import gene_of

ops = keras.ops

EXAMPLES = 5
"""Names that an error shows."""

Features = Mapping[str, Sequence[str]]
"""Layer -> names of its columns in a scope."""


def gene_layers_of(scopes: Sequence[Features], network: GeneNetwork) -> tuple[str, ...]:
    """Return the layers that have a feature named for a gene of the network in any scope.

    Raises
    ------
    MissingKnowledgeError
        When there is none.
    """
    genes = frozenset(network.genes)
    of_layer: dict[str, set[str]] = {}
    for features in scopes:
        for name, columns in features.items():
            of_layer.setdefault(name, set()).update(columns)
    found = [
        name
        for name, columns in sorted(of_layer.items())
        if any(gene_of(column, genes) in genes for column in columns)
    ]
    if not found:
        named = "; ".join(
            f"{name}: {_some(sorted(columns))}" for name, columns in sorted(of_layer.items())
        )
        raise MissingKnowledgeError(
            f"No feature of any layer is named for a gene of {network.name}. Features of {named}. "
            f"Genes of the network: {_some(network.genes)}. Give a network with the names that "
            f"the layers use (for example, gene symbols)."
        )
    return tuple(found)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:EXAMPLES])
    return f"{shown}, … ({len(names)} in all)" if len(names) > EXAMPLES else shown


class Nodes:
    """The nodes of one scope.

    Attributes
    ----------
    names
        Sorted: the gene that a feature is named for; or the feature's own name, where the network
        does not have its gene.
    node
        Layer of genes -> int32, features: the node of each.
    """

    def __init__(
        self, features: Features, gene_layers: Sequence[str], network: GeneNetwork
    ) -> None:
        genes = frozenset(network.genes)
        named = {}
        for layer in gene_layers:
            columns = features.get(layer, ())
            of_column = [gene_of(column, genes) for column in columns]
            named[layer] = [
                gene if gene in genes else column
                for gene, column in zip(of_column, columns, strict=True)
            ]
        self.names = tuple(sorted(set().union(*named.values())))
        place = {name: position for position, name in enumerate(self.names)}
        self.node = {
            layer: np.array([place[name] for name in names], np.int32)
            for layer, names in named.items()
        }


@register
class GeneValues(MemberLayer):
    """The value of each gene in one layer: the mean of the features that are named for it."""

    def __init__(self, nodes: int, members: int, **kwargs: Any) -> None:
        super().__init__(members, **kwargs)
        self.nodes = nodes

    def build(self, shape: Shape) -> None:
        fixed = {"trainable": False}
        self.node = self.add_member_weight("node", shape[-1:], "zeros", dtype="int32", **fixed)
        self.share = self.add_member_weight("share", shape[-1:], "zeros", **fixed)
        self.measured = self.add_member_weight("measured", (self.nodes,), "zeros", **fixed)

    def known(self, node: np.ndarray) -> list[tuple[Any, np.ndarray]]:
        """Pair the weights with their values, given the node of each of a member's features."""
        count = np.bincount(node, minlength=self.nodes)
        padding = self.node.shape[1] - len(node)
        return [
            (self.node, np.pad(node, (0, padding))),
            (self.share, np.pad(1.0 / count[node], (0, padding))),
            (self.measured, count > 0),
        ]

    def call(self, x: Tensor) -> Tensor:
        """From members x batch x features to members x nodes x batch."""
        members, batch, _ = ops.shape(x)
        rows = ops.reshape(ops.transpose(x * self.share[:, None, :], (0, 2, 1)), (-1, batch))
        first = self.nodes * ops.arange(members, dtype="int32")
        # Not the other way round: Keras 3.15 takes what is added to a variable for a bias of its
        # columns where there are as many of them as members.
        place = first[:, None] + self.node
        summed = ops.segment_sum(rows, ops.ravel(place), members * self.nodes)
        return ops.reshape(summed, (members, self.nodes, batch))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "nodes": self.nodes}
