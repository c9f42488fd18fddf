"""Convolutions on a graph, with a leading member axis.

From the states of the nodes, members x nodes x batch x channels, to new ones. All nodes of a member
share a kernel.
"""

from collections.abc import Callable
from typing import Any

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.gene_network import Edges, averaging, symmetric, with_loops
from omicsfusion.models.graph_edges import MemberEdges
from omicsfusion.models.layers import MemberLayer, Shape, register

ops = keras.ops

HEADS = 2
SLOPE = 0.2
"""Of the leaky ReLU in GAT, below 0 (Veličković et al., section 3.3)."""


class GraphConvolution(MemberLayer):
    """A convolution.

    Parameters
    ----------
    channels
        Of a node's new state.
    """

    matrix: Callable[[Edges], Edges]
    """What the edges must have been made into."""

    gathers = False
    """Whether it needs the messages of edges one by one."""

    def __init__(self, channels: int, members: int, **kwargs: Any) -> None:
        super().__init__(members, **kwargs)
        self.channels = channels

    def add_kernel(self, width: int) -> None:
        """Add the kernel (width x channels), and a bias."""
        self.kernel = self.add_member_weight("kernel", (width, self.channels), "zeros")
        self.bias = self.add_member_weight("bias", (self.channels,), "zeros")

    def dense(self, h: Tensor) -> Tensor:
        """Apply the kernel to each node, as ``MemberDense`` does."""
        scale = ops.shape(h)[-1] ** -0.5
        return ops.einsum("mnbi,mio->mnbo", h, self.kernel) * scale

    def shifted(self, h: Tensor) -> Tensor:
        """Add the bias."""
        return h + self.bias[:, None, None, :]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "channels": self.channels}


@register
class GcnLayer(GraphConvolution):
    """D^-1/2 (A + I) D^-1/2 H W + b (Kipf and Welling, ICLR 2017, equation 2)."""

    matrix = staticmethod(symmetric)

    def build(self, shape: Shape) -> None:
        self.add_kernel(shape[-1])

    def call(self, h: Tensor, *, edges: MemberEdges) -> Tensor:
        return self.shifted(self.dense(edges.weighted_sum(h)))


@register
class SageLayer(GraphConvolution):
    """[h, mean of the neighbours' h] W + b for each node.

    Hamilton et al., NeurIPS 2017, algorithm 1 with the mean aggregator, all neighbours taken, and
    without bringing each state to length 1. A node without neighbours gets zeros for their mean.
    """

    matrix = staticmethod(averaging)

    def build(self, shape: Shape) -> None:
        self.add_kernel(2 * shape[-1])

    def call(self, h: Tensor, *, edges: MemberEdges) -> Tensor:
        return self.shifted(self.dense(ops.concatenate([h, edges.weighted_sum(h)], axis=-1)))


@register
class GatLayer(GraphConvolution):
    """Graph attention with ``HEADS`` heads side by side, a node among its own neighbours.

    Veličković et al., ICLR 2018, equations 1 to 5: of each head
    sum_j softmax_j(LeakyReLU(a · [W h_i, W h_j])) W h_j. The vectors a start at zero: at first all
    neighbours count alike.
    """

    matrix = staticmethod(with_loops)
    gathers = True

    def build(self, shape: Shape) -> None:
        self.add_kernel(shape[-1])
        size = (2, HEADS, self.channels // HEADS)
        self.score = self.add_member_weight("score", size, "zeros")

    def call(self, h: Tensor, *, edges: MemberEdges) -> Tensor:
        split = (*ops.shape(h)[:3], HEADS, self.channels // HEADS)
        seen = ops.reshape(self.dense(h), split)
        ours, theirs = (
            ops.einsum("mnbhc,mhc->mnbh", seen, self.score[:, side]) for side in range(2)
        )
        found = edges.attention(seen, ours, theirs, SLOPE)
        return self.shifted(ops.reshape(found, (*split[:3], self.channels)))


CONVOLUTIONS: dict[str, type[GraphConvolution]] = {
    "gcn": GcnLayer,
    "sage": SageLayer,
    "gat": GatLayer,
}
