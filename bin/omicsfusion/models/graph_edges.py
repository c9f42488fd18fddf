"""Sparse sums over the edges of a graph, a tile of rows at a time.

Edges are kept as a list (source, target, weight), sorted by target and cut into *tiles*: so many
targets in a row, with all their edges. Every sum is computed tile by tile, and so is its gradient,
which computes each tile anew: what is held at once is one tile, never edges x samples x channels.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from omicsfusion.models.backend import Tensor, gradients, keras
from omicsfusion.models.gene_network import Edges
from omicsfusion.models.layers import MemberLayer, Shape, register

ops = keras.ops

TILE_CELLS = 1 << 24
"""Cells of a tile that is filled in as a dense matrix (64 MB)."""

TILE_EDGES = 1 << 16
"""Edges of a tile whose messages are gathered (256 MB for two members, 64 samples, 8 channels) …"""

EDGES_PER_NODE = 4
"""… or so many per node of the graph: then they take as much as as many states of all nodes."""

DENSE_SHARE = 0.01
"""Share of the matrix above which a tile is filled in and multiplied. An edge whose message is
gathered costs as much as a hundred cells of a matrix product, on CPU (benchmarks/graph_memory.py).
"""

NO_EDGE = -1e30

Tile = dict[str, Tensor]
Add = Callable[[Tile, Sequence[Tensor]], Tensor]
"""From a tile and inputs of all nodes to members x rows of the tile x …"""


@dataclass(frozen=True)
class TileShape:
    """Into what edges are cut; the graphs of several members share it.

    Attributes
    ----------
    tiles
        How many.
    rows
        Targets of a tile. There are tiles x rows nodes, the last of which may be padding.
    edges
        Edges of a tile, at most.
    dense
        Whether a weighted sum fills in the tile and multiplies; else it gathers messages.
    """

    tiles: int
    rows: int
    edges: int
    dense: bool

    @property
    def nodes(self) -> int:
        """Nodes, those of padding among them."""
        return self.tiles * self.rows


def tile_shape(degrees: Sequence[np.ndarray], gathers: bool = False) -> TileShape:
    """Find the tiles that the graphs of all members fit into.

    Parameters
    ----------
    degrees
        Of each graph: nodes, the number of entries in each row of its matrix.
    gathers
        Whether messages must be gathered, however many edges there are.
    """
    nodes = max(1, *map(len, degrees))
    edges = max(1, *(int(degree.sum()) for degree in degrees))
    dense = not gathers and edges > DENSE_SHARE * nodes**2
    gathered = max(TILE_EDGES, EDGES_PER_NODE * nodes)
    rows = TILE_CELLS // nodes if dense else gathered * nodes // edges
    tiles = -(-nodes // min(max(1, rows), nodes))
    rows = -(-nodes // tiles)
    first = np.arange(0, nodes, rows)
    padded = [np.pad(degree, (0, nodes - len(degree))) for degree in degrees]
    most = max(int(np.add.reduceat(degree, first).max()) for degree in padded)
    return TileShape(len(first), rows, max(1, most), dense)


def cut(edges: Edges, shape: TileShape) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut edges into tiles; what a tile lacks is filled up with edges of weight 0.

    Returns
    -------
    Source, row within the tile, and weight: each tiles x edges.
    """
    tile = edges.targets // shape.rows
    first = np.searchsorted(tile, np.arange(shape.tiles))
    place = tile, np.arange(len(tile)) - first[tile]
    size = (shape.tiles, shape.edges)
    source, row = np.zeros(size, np.int32), np.zeros(size, np.int32)
    weight = np.zeros(size, np.float32)
    source[place], row[place] = edges.sources, edges.targets % shape.rows
    weight[place] = edges.weights
    return source, row, weight


@register
class MemberEdges(MemberLayer):
    """The edges of each member's graph. They are not learnt."""

    def __init__(
        self, tiles: int, rows: int, edges: int, dense: bool, members: int, **kwargs: Any
    ) -> None:
        super().__init__(members, **kwargs)
        self.sizes = TileShape(tiles, rows, edges, dense)
        size = (tiles, edges)
        fixed = {"trainable": False}
        self.source = self.add_member_weight("source", size, "zeros", dtype="int32", **fixed)
        self.row = self.add_member_weight("row", size, "zeros", dtype="int32", **fixed)
        self.weight = self.add_member_weight("weight", size, "zeros", **fixed)

    def build(self, *shapes: Any) -> None:
        self.built = True

    def known(self, edges: Edges) -> list[tuple[Any, np.ndarray]]:
        """Pair the weights with their values for the edges of one member."""
        values = cut(edges, self.sizes)
        return list(zip((self.source, self.row, self.weight), values, strict=True))

    def weighted_sum(self, h: Tensor) -> Tensor:
        """Multiply the matrix of each member with ``h``, members x nodes x anything."""
        flat = ops.reshape(h, (*ops.shape(h)[:2], -1))
        add = self._filled_in if self.sizes.dense else self._gathered
        return ops.reshape(self._over_tiles(add, [flat], ops.shape(flat)[-1:]), ops.shape(h))

    def attention(self, h: Tensor, ours: Tensor, theirs: Tensor, slope: float) -> Tensor:
        """Average neighbours by a softmax of scores; a node without an edge gets zeros.

        The score of an edge is leaky ReLU(ours[target] + theirs[source]). Weights of edges play no
        part, but that there is no edge where the weight is 0.

        Parameters
        ----------
        h
            members x nodes x batch x heads x channels.
        ours, theirs
            members x nodes x batch x heads.
        slope
            Of the leaky ReLU below 0.
        """

        def add(tile: Tile, inputs: Sequence[Tensor]) -> Tensor:
            return self._attended(tile, inputs, slope)

        return self._over_tiles(add, [h, ours, theirs], ops.shape(h)[2:])

    def _filled_in(self, tile: Tile, inputs: Sequence[Tensor]) -> Tensor:
        rows, nodes = self.sizes.rows, self.sizes.nodes
        cell = self._of_member(tile["row"], rows) * nodes + tile["source"]
        cells = self.members * rows * nodes
        matrix = ops.segment_sum(ops.ravel(tile["weight"]), ops.ravel(cell), cells)
        return ops.matmul(ops.reshape(matrix, (self.members, rows, nodes)), inputs[0])

    def _gathered(self, tile: Tile, inputs: Sequence[Tensor]) -> Tensor:
        messages = self._take(inputs[0], tile["source"]) * ops.ravel(tile["weight"])[:, None]
        return self._sum_of_rows(messages, tile["row"])

    def _attended(self, tile: Tile, inputs: Sequence[Tensor], slope: float) -> Tensor:
        h, ours, theirs = inputs
        score = self._take(ours, tile["target"]) + self._take(theirs, tile["source"])
        score = ops.where(score > 0, score, slope * score)
        is_edge = ops.reshape(tile["weight"], (-1, 1, 1)) > 0
        score = ops.where(is_edge, score, NO_EDGE)
        row = ops.ravel(self._of_member(tile["row"], self.sizes.rows))
        top = ops.segment_max(ops.stop_gradient(score), row, self.members * self.sizes.rows)
        share = ops.where(is_edge, ops.exp(score - ops.take(top, row, axis=0)), 0.0)
        total = self._sum_of_rows(share, tile["row"])
        summed = self._sum_of_rows(share[..., None] * self._take(h, tile["source"]), tile["row"])
        return summed / ops.where(total > 0, total, 1.0)[..., None]

    def _take(self, h: Tensor, node: Tensor) -> Tensor:
        """Gather nodes of all members: (members edges) x …"""
        flat = ops.reshape(h, (-1, *ops.shape(h)[2:]))
        return ops.take(flat, ops.ravel(self._of_member(node, self.sizes.nodes)), axis=0)

    def _sum_of_rows(self, values: Tensor, row: Tensor) -> Tensor:
        """Add up the edges of each row: from (members edges) x … to members x rows x …"""
        segments = self.members * self.sizes.rows
        flat = ops.segment_sum(values, ops.ravel(self._of_member(row, self.sizes.rows)), segments)
        return ops.reshape(flat, (self.members, self.sizes.rows, *ops.shape(values)[1:]))

    def _of_member(self, position: Tensor, size: int) -> Tensor:
        """Make positions (members x edges) within a member positions among all of them."""
        return position + size * ops.arange(self.members, dtype="int32")[:, None]

    def _tile(self, edges: Tile, number: Tensor) -> Tile:
        tile = {name: ops.take(part, number, axis=1) for name, part in edges.items()}
        return {**tile, "target": tile["row"] + self.sizes.rows * ops.cast(number, "int32")}

    def _over_tiles(self, add: Add, inputs: list[Tensor], width: Shape) -> Tensor:
        """Compute all tiles one after the other: members x nodes x ``width``."""
        # Read here, once: TensorFlow asks for the gradient after the call, when a network called
        # with values of its own for its weights (``stateless_call``) has forgotten them.
        parts = {"source": self.source, "row": self.row, "weight": self.weight}
        edges = {name: part.value for name, part in parts.items()}
        if self.sizes.tiles == 1:
            return add(self._tile(edges, 0), inputs)

        @ops.custom_gradient
        def joined(*inputs: Tensor) -> tuple[Tensor, Callable[..., Any]]:
            def gradient(*arguments: Any, upstream: Any = None) -> Any:
                upstream = arguments[0] if upstream is None else upstream
                found = self._gradient_of_tiles(add, edges, inputs, upstream)
                return found if len(found) > 1 else found[0]

            # TensorFlow would look for a gradient of the loop itself, and some parts have none.
            fixed = [ops.stop_gradient(one) for one in inputs]
            return self._joined_tiles(add, edges, fixed, width), gradient

        return joined(*inputs)

    def _joined_tiles(
        self, add: Add, edges: Tile, inputs: Sequence[Tensor], width: Shape
    ) -> Tensor:
        def one(number: Tensor, out: Tensor) -> Tensor:
            rows = add(self._tile(edges, number), inputs)
            return ops.slice_update(out, self._start(number, out), rows)

        start = ops.zeros((self.members, self.sizes.nodes, *width))
        return ops.fori_loop(0, self.sizes.tiles, one, start)

    def _gradient_of_tiles(
        self, add: Add, edges: Tile, inputs: Sequence[Tensor], upstream: Tensor
    ) -> list[Tensor]:
        """Return the gradient of each input, computing each tile anew."""
        size = (self.members, self.sizes.rows, *ops.shape(upstream)[2:])

        def one(number: Tensor, totals: list[Tensor]) -> list[Tensor]:
            tile = self._tile(edges, number)
            part = ops.slice(upstream, self._start(number, upstream), size)
            _, found = gradients(lambda at: add(tile, at) * part, list(inputs))
            return [total + more for total, more in zip(totals, found, strict=True)]

        start = [ops.zeros_like(one) for one in inputs]
        return ops.fori_loop(0, self.sizes.tiles, one, start)

    def _start(self, number: Tensor, of: Tensor) -> list[Any]:
        """Return where a tile begins in members x nodes x …"""
        return [0, number * self.sizes.rows, *[0] * (len(ops.shape(of)) - 2)]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **asdict(self.sizes)}
