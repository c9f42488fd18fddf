import gzip
from pathlib import Path

import numpy as np
import pytest

from omicsfusion.models.gene_network import (
    Edges,
    GeneNetworkError,
    averaging,
    edges_among,
    read_gene_network,
    symmetric,
    with_loops,
)


def write(folder: Path, *rows: str) -> Path:
    path = folder / "net.tsv"
    path.write_text("".join(f"{row}\n" for row in rows))
    return path


def edges_of(path: Path) -> dict[tuple[str, str], float]:
    network = read_gene_network(path)
    names = [(network.genes[a], network.genes[b]) for a, b in network.ends.T]
    return dict(zip(names, network.weights.tolist(), strict=True))


def dense(edges: Edges) -> np.ndarray:
    matrix = np.zeros((edges.nodes, edges.nodes))
    np.add.at(matrix, (edges.targets, edges.sources), edges.weights)
    return matrix


def test_a_plain_and_a_gzipped_table_say_the_same(tmp_path):
    path = write(tmp_path, "B\tA", "C\tB")
    zipped = tmp_path / "zipped.tsv.gz"
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    assert edges_of(path) == edges_of(zipped) == {("A", "B"): 1.0, ("B", "C"): 1.0}
    assert read_gene_network(zipped).name == "zipped.tsv.gz"


def test_an_edge_counts_once_whatever_its_direction_and_with_its_largest_weight(tmp_path):
    path = write(tmp_path, "A\tB\t300", "B\tA\t400", "A\tB\t100", "B\tC\t800")
    assert edges_of(path) == {("A", "B"): 0.5, ("B", "C"): 1.0}


def test_an_edge_from_a_gene_to_itself_is_left_out(tmp_path):
    path = write(tmp_path, "A\tA", "A\tB", "D\tD")
    assert edges_of(path) == {("A", "B"): 1.0}
    assert read_gene_network(path).genes == ("A", "B")


@pytest.mark.parametrize("header", ["one\ttwo\tscore", "one\ttwo\t", "one\ttwo"])
def test_a_header_over_weights_is_no_edge(tmp_path, header):
    assert edges_of(write(tmp_path, header, "A\tB\t2", "", "B\tC\t1")) == {
        ("A", "B"): 1.0,
        ("B", "C"): 0.5,
    }


def test_columns_after_the_third_and_spaces_around_names_do_not_matter(tmp_path):
    path = write(tmp_path, " A\tB \t1\ttext\tmore", "B\tC\t1\t\t")
    assert set(edges_of(path)) == {("A", "B"), ("B", "C")}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["A\tB\t1", "B\tC\tphysical"], r"net\.tsv, row 2: the third column.*'physical'"),
        (["one\ttwo\tkind", "B\tC\tphysical"], r"row 2: the third column.*'physical'"),
        (["A\tB\t1", "", "B\tC\t-0.5"], "row 3: the third column.*'-0.5'"),
        (["A\tB\t0"], "row 1: the third column.*'0'"),
        (["A\tB\t1", "B\tC\tinf"], "row 2: the third column.*'inf'"),
        (["A\tB\t1", "B\tC\tNA"], "row 2: the third column.*'NA'"),
        (["A\tB\t1", "B\tC\t2", "C\tD"], "row 3: the third column is empty"),
        (["A\tB", "B\tC\t2", "C\tD"], "row 3: the third column is empty"),
        (["A\tB", "A pp B"], "row 2: an edge needs two genes.*'A pp B'"),
        (["A\tB", "\tB"], "row 2: an edge needs two genes"),
        (["A\tA"], "no edge between two different genes"),
        (["\n"], "empty"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_the_row(tmp_path, rows, said):
    with pytest.raises(GeneNetworkError, match=said):
        read_gene_network(write(tmp_path, *rows))


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "net.tsv"
    path.write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(GeneNetworkError, match=r"net\.tsv.*Excel"):
        read_gene_network(path)
    path.write_bytes("A\tB\nGÉNE\tB\n".encode("cp1252"))
    with pytest.raises(GeneNetworkError, match="UTF-8"):
        read_gene_network(path)


def test_genes_that_the_network_does_not_have_are_isolated_and_its_other_genes_left_out(tmp_path):
    network = read_gene_network(write(tmp_path, "A\tB\t2", "B\tC\t1", "C\tD\t2"))
    edges = edges_among(network, ["D", "X", "C", "B"])
    expected = np.zeros((4, 4))
    expected[0, 2] = expected[2, 0] = 1.0
    expected[2, 3] = expected[3, 2] = 0.5
    np.testing.assert_array_equal(dense(edges), expected)
    assert (np.diff(edges.targets) >= 0).all()


def random_adjacency(nodes: int = 12) -> tuple[Edges, np.ndarray]:
    """Return weighted edges whose last node is isolated, and the same as a matrix."""
    rng = np.random.default_rng(0)
    upper = np.triu(rng.random((nodes, nodes)) * (rng.random((nodes, nodes)) < 0.3), 1)
    upper[:, -1] = 0
    matrix = (upper + upper.T).astype(np.float32)
    targets, sources = (part.astype(np.int32) for part in np.nonzero(matrix))
    return Edges(nodes, sources, targets, matrix[targets, sources]), matrix


def test_the_symmetric_normalisation_is_that_of_kipf_and_welling():
    edges, adjacency = random_adjacency()
    looped = adjacency + np.eye(len(adjacency))
    root = np.diag(looped.sum(axis=1) ** -0.5)
    np.testing.assert_allclose(dense(symmetric(edges)), root @ looped @ root, atol=1e-6)
    np.testing.assert_array_equal(dense(with_loops(edges)), looped)


def test_the_mean_over_neighbours_has_rows_that_add_up_to_one_or_to_zero():
    edges, adjacency = random_adjacency()
    mean = dense(averaging(edges))
    assert not mean[-1].any()
    np.testing.assert_allclose(mean[:-1].sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(
        mean[:-1], adjacency[:-1] / adjacency[:-1].sum(axis=1, keepdims=True), atol=1e-6
    )
