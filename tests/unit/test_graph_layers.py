"""The convolutions against dense computations, cut into tiles in several ways."""

import numpy as np
import pytest

from omicsfusion.models.backend import compiled, gradients, keras
from omicsfusion.models.gene_network import Edges
from omicsfusion.models.graph_edges import MemberEdges, TileShape, cut, tile_shape
from omicsfusion.models.graph_layers import HEADS, SLOPE, GatLayer, GcnLayer, SageLayer

ops = keras.ops

MEMBERS, NODES, BATCH, WIDTH, CHANNELS = 2, 12, 3, 5, 4
SHAPES = {
    "one tile": (1, 12, False),
    "tiles": (3, 4, False),
    "tiles with padding": (2, 7, False),
    "one matrix": (1, 12, True),
    "matrices with padding": (3, 5, True),
}
RUNS = {
    **{name: (shape, lambda f: f) for name, shape in SHAPES.items()},
    "tiles, compiled": (SHAPES["tiles with padding"], compiled),
    "matrices, compiled": (SHAPES["matrices with padding"], compiled),
}


def adjacency(seed: int) -> np.ndarray:
    """Return a weighted matrix whose last node is isolated."""
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.random((NODES, NODES)) * (rng.random((NODES, NODES)) < 0.4), 1)
    upper[:, -1] = 0
    return (upper + upper.T).astype(np.float32)


ADJACENCY = np.stack([adjacency(seed) for seed in range(MEMBERS)])
LOOPED = ADJACENCY + np.eye(NODES, dtype=np.float32)


def edges_of(matrix: np.ndarray) -> Edges:
    targets, sources = (part.astype(np.int32) for part in np.nonzero(matrix))
    return Edges(len(matrix), sources, targets, matrix[targets, sources])


def member_edges(convolution: type, shape: tuple[int, int, bool]) -> MemberEdges:
    tiles, rows, dense = shape
    graphs = [convolution.matrix(edges_of(matrix)) for matrix in ADJACENCY]
    most = max(np.bincount(graph.targets // rows).max() for graph in graphs)
    edges = MemberEdges(tiles, rows, int(most), dense, MEMBERS)
    known = zip(*(edges.known(graph) for graph in graphs), strict=True)
    for pairs in known:
        pairs[0][0].assign(np.stack([values for _, values in pairs]))
    return edges


def states(nodes: int = NODES) -> np.ndarray:
    """Return random states; nodes of padding are zeros."""
    h = np.random.default_rng(5).normal(size=(MEMBERS, NODES, BATCH, WIDTH)).astype(np.float32)
    return np.pad(h, ((0, 0), (0, nodes - NODES), (0, 0), (0, 0)))


def built(convolution: type, shape: tuple[int, int, bool]):
    """Return the layer, with random weights, and its edges."""
    edges = member_edges(convolution, shape)
    layer = convolution(CHANNELS, MEMBERS)
    layer.build((MEMBERS, edges.sizes.nodes, None, WIDTH))
    rng = np.random.default_rng(6)
    for variable in layer.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    return layer, edges


def dense_gcn(layer, h):
    root = LOOPED.sum(axis=2) ** -0.5
    matrix = root[:, :, None] * LOOPED * root[:, None, :]
    mixed = np.einsum("mij,mjbc->mibc", matrix, h)
    out = np.einsum("mnbi,mio->mnbo", mixed, layer.kernel) / np.sqrt(WIDTH)
    return out + np.asarray(layer.bias)[:, None, None, :]


def dense_sage(layer, h):
    degree = ADJACENCY.sum(axis=2, keepdims=True)
    mean = ADJACENCY / np.where(degree > 0, degree, 1.0)
    both = np.concatenate([h, np.einsum("mij,mjbc->mibc", mean, h)], axis=-1)
    out = np.einsum("mnbi,mio->mnbo", both, layer.kernel) / np.sqrt(2 * WIDTH)
    return out + np.asarray(layer.bias)[:, None, None, :]


def dense_gat(layer, h, kernel=None, score=None):
    """Compute it with a matrix of scores of all pairs; in ``keras.ops``, for its gradient."""
    kernel = layer.kernel if kernel is None else kernel
    score = layer.score if score is None else score
    seen = ops.einsum("mnbi,mio->mnbo", h, kernel) * WIDTH**-0.5
    seen = ops.reshape(seen, (MEMBERS, NODES, BATCH, HEADS, -1))
    ours = ops.einsum("mnbhc,mhc->mnbh", seen, score[:, 0])
    theirs = ops.einsum("mnbhc,mhc->mnbh", seen, score[:, 1])
    pairs = ops.leaky_relu(ours[:, :, None] + theirs[:, None], SLOPE)
    pairs = ops.where(LOOPED[..., None, None] > 0, pairs, -np.inf)
    share = ops.softmax(pairs, axis=2)
    out = ops.einsum("mijbh,mjbhc->mibhc", share, seen)
    return ops.reshape(out, (MEMBERS, NODES, BATCH, -1)) + layer.bias[:, None, None, :]


DENSE = {GcnLayer: dense_gcn, SageLayer: dense_sage, GatLayer: dense_gat}


@pytest.mark.parametrize(("shape", "run"), RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("convolution", DENSE)
def test_a_convolution_agrees_with_a_dense_computation(convolution, shape, run):
    layer, edges = built(convolution, shape)
    found = np.asarray(run(lambda h: layer(h, edges=edges))(states(edges.sizes.nodes)))
    expected = np.asarray(DENSE[convolution](layer, states()))
    np.testing.assert_allclose(found[:, :NODES], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("shape", "run"), RUNS.values(), ids=RUNS)
def test_the_gradient_of_a_weighted_sum_is_the_transposed_matrix(shape, run):
    edges = member_edges(SageLayer, shape)  # its matrix is not symmetric
    nodes = edges.sizes.nodes
    factor = np.random.default_rng(7).normal(size=(MEMBERS, nodes, BATCH, WIDTH))
    factor = factor.astype(np.float32)

    def gradient(h):
        return gradients(lambda at: edges.weighted_sum(at[0]) * factor, [h])[1][0]

    degree = ADJACENCY.sum(axis=2, keepdims=True)
    mean = ADJACENCY / np.where(degree > 0, degree, 1.0)
    expected = np.einsum("mji,mjbc->mibc", mean, factor[:, :NODES])
    found = np.asarray(run(gradient)(ops.convert_to_tensor(states(nodes))))
    np.testing.assert_allclose(found[:, :NODES], expected, rtol=1e-5, atol=1e-5)
    assert not found[:, NODES:].any()


@pytest.mark.parametrize(("shape", "run"), RUNS.values(), ids=RUNS)
def test_the_gradient_of_attention_is_that_of_the_dense_computation(shape, run):
    layer, edges = built(GatLayer, shape)
    nodes = edges.sizes.nodes
    factor = np.random.default_rng(8).normal(size=(MEMBERS, NODES, BATCH, CHANNELS))
    factor = factor.astype(np.float32)
    weights = [ops.array(np.asarray(part)) for part in layer.trainable_variables]

    def sparse(kernel, bias, score, h):
        padded = ops.pad(h, [(0, 0), (0, nodes - NODES), (0, 0), (0, 0)])
        out = layer.stateless_call([kernel, bias, score], [], padded, edges=edges)[0]
        return out[:, :NODES] * factor

    def dense(kernel, bias, score, h):
        return (
            dense_gat(layer, h, kernel, score) - layer.bias[:, None, None] + bias[:, None, None]
        ) * factor

    at = [*weights, ops.convert_to_tensor(states())]
    found = run(lambda at: gradients(lambda a: sparse(*a), at)[1])(at)
    expected = gradients(lambda a: dense(*a), at)[1]
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_an_isolated_node_keeps_to_itself():
    h = states()
    layer, edges = built(GcnLayer, SHAPES["tiles"])
    own = np.einsum("mbi,mio->mbo", h[:, -1], layer.kernel) / np.sqrt(WIDTH)
    own = own + np.asarray(layer.bias)[:, None]
    np.testing.assert_allclose(layer(h, edges=edges)[:, -1], own, rtol=1e-5, atol=1e-6)
    changed = h.copy()
    changed[:, :-1] += 1.0
    for convolution in DENSE:
        for shape in (SHAPES["tiles"], SHAPES["one matrix"]):
            layer, edges = built(convolution, shape)
            np.testing.assert_array_equal(
                layer(h, edges=edges)[:, -1], layer(changed, edges=edges)[:, -1]
            )


def test_attention_ignores_the_values_of_nodes_without_an_edge_and_huge_scores_stay_finite():
    layer, edges = built(GatLayer, SHAPES["tiles"])
    layer.score.assign(np.full(layer.score.shape, 1e4))
    found = np.asarray(layer(states(), edges=edges))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, dense_gat(layer, states()), rtol=1e-4, atol=1e-4)


def test_cut_edges_are_all_there_once():
    graph = edges_of(LOOPED[0])
    shape = TileShape(tiles=4, rows=3, edges=40, dense=False)
    source, row, weight = cut(graph, shape)
    matrix = np.zeros((NODES, NODES), np.float32)
    tile, place = np.nonzero(weight)
    np.add.at(matrix, (row[tile, place] + 3 * tile, source[tile, place]), weight[tile, place])
    np.testing.assert_array_equal(matrix, LOOPED[0])


def degrees(nodes: int, edges: int) -> np.ndarray:
    return np.bincount(np.random.default_rng(9).integers(0, nodes, edges), minlength=nodes)


def test_tiles_hold_every_graph_and_stay_small():
    graphs = [degrees(18_000, 400_000), degrees(17_000, 390_000)]
    shape = tile_shape(graphs)
    assert not shape.dense
    assert 18_000 <= shape.nodes < 18_000 + shape.tiles
    assert shape.edges <= 1.1 * 4 * 18_000
    for degree in graphs:
        first = np.arange(0, len(degree), shape.rows)
        assert np.add.reduceat(degree, first).max() <= shape.edges
    many = [degrees(18_000, 20_000_000)]
    assert tile_shape(many).dense
    assert tile_shape(many).rows * 18_000 <= 1 << 24
    assert not tile_shape(many, gathers=True).dense


def test_a_graph_without_an_edge_or_a_node_has_a_tile():
    for degree in (np.zeros(5, int), np.zeros(0, int)):
        shape = tile_shape([degree])
        assert shape.tiles * shape.rows >= len(degree)
        assert shape.edges == 1
