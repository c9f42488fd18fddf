"""A network of genes: read from a table of edges, cut to some genes, its matrix normalised.

The table has tabs between its columns, and may be gzipped. The first two columns are the genes of
an edge, the third, if there is one, its weight; further columns are not read. Edges have no
direction. An edge that is there twice (or once each way) counts once, with its largest weight; an
edge from a gene to itself is left out. Weights are divided by the largest one, so that no edge
outweighs the loop of weight 1 that a convolution adds to each gene.

The first line is a header if its third column is no number while the others have weights. A header
over two columns is an edge between two names that no layer has, and so does no harm.
"""

import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omicsfusion.tables.text_bytes import encodings, open_text
from omicsfusion.tables.unreadable import UnreadableTableError


class GeneNetworkError(ValueError):
    """A network of genes cannot be used; the message says why, where, and what to do."""


@dataclass(frozen=True)
class GeneNetwork:
    """Genes and the edges between them.

    Attributes
    ----------
    name
        Of its file.
    genes
        Sorted; every one has an edge.
    ends
        int32, 2 x edges: positions in ``genes``, the smaller first; each edge once.
    weights
        float32, edges; in (0, 1].
    """

    name: str
    genes: tuple[str, ...]
    ends: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Edges:
    """Entries of a sparse matrix over nodes: each edge stands in both directions.

    Attributes
    ----------
    nodes
        How many there are.
    sources, targets
        int32, entries: columns and rows of the matrix; sorted by target, then by source.
    weights
        float32, entries.
    """

    nodes: int
    sources: np.ndarray
    targets: np.ndarray
    weights: np.ndarray


def read_gene_network(path: str | Path) -> GeneNetwork:
    """Read a table of edges.

    Raises
    ------
    GeneNetworkError
        When it is no such table; with the row.
    """
    path = Path(path)
    try:
        encoding = encodings(path)[0]
        with open_text(path, encoding) as lines:
            names, first, second, weights = _read_edges(path.name, lines)
    except UnreadableTableError as error:
        raise GeneNetworkError(f"{path.name}: {error.problem} {error.cure}") from error
    except UnicodeDecodeError as error:
        raise GeneNetworkError(
            f"{path.name} is no text in UTF-8. Give a network as a tab-separated table."
        ) from error
    return gene_network(path.name, names, first, second, weights)


def gene_network(
    name: str, genes: Sequence[str], first: np.ndarray, second: np.ndarray, weights: np.ndarray
) -> GeneNetwork:
    """Make a network of edges as they come: in any order and direction, repeated, from x to x.

    Parameters
    ----------
    genes
        Names, each once, in any order.
    first, second
        edges: positions in ``genes``.
    weights
        edges; finite and positive.

    Raises
    ------
    GeneNetworkError
        When there is no edge between two different genes.
    """
    order = np.array(sorted(range(len(genes)), key=genes.__getitem__), dtype=np.int64)
    rank = np.empty(len(genes), np.int64)
    rank[order] = np.arange(len(genes))
    a, b = rank[first], rank[second]
    apart = a != b
    if not apart.any():
        raise GeneNetworkError(f"{name} holds no edge between two different genes.")
    low, high = np.minimum(a, b)[apart], np.maximum(a, b)[apart]
    kept, group = np.unique(low * len(genes) + high, return_inverse=True)
    heaviest = np.zeros(len(kept), np.float32)
    np.maximum.at(heaviest, group, np.asarray(weights, np.float32)[apart])
    ends = np.stack([kept // len(genes), kept % len(genes)])
    used, positions = np.unique(ends, return_inverse=True)
    return GeneNetwork(
        name=name,
        genes=tuple(genes[order[position]] for position in used),
        ends=positions.reshape(ends.shape).astype(np.int32),
        weights=heaviest / heaviest.max(),
    )


def edges_among(network: GeneNetwork, nodes: Sequence[str]) -> Edges:
    """Return the adjacency matrix of some genes; those the network does not have are isolated."""
    place = {gene: position for position, gene in enumerate(nodes)}
    node = np.array([place.get(gene, -1) for gene in network.genes], np.int32)
    a, b = node[network.ends]
    inside = (a >= 0) & (b >= 0)
    a, b, weights = a[inside], b[inside], network.weights[inside]
    return _sorted(
        len(nodes),
        np.concatenate([a, b]),
        np.concatenate([b, a]),
        np.concatenate([weights, weights]),
    )


def with_loops(edges: Edges) -> Edges:
    """Return A + I."""
    loops = np.arange(edges.nodes, dtype=np.int32)
    return _sorted(
        edges.nodes,
        np.concatenate([edges.sources, loops]),
        np.concatenate([edges.targets, loops]),
        np.concatenate([edges.weights, np.ones(edges.nodes, np.float32)]),
    )


def symmetric(edges: Edges) -> Edges:
    """Return D^-1/2 (A + I) D^-1/2, D the row sums of A + I.

    Kipf and Welling, ICLR 2017, section 2.2 (the renormalisation trick).
    """
    looped = with_loops(edges)
    factor = 1.0 / np.sqrt(_row_sums(looped))
    weights = looped.weights * factor[looped.sources] * factor[looped.targets]
    return Edges(looped.nodes, looped.sources, looped.targets, weights.astype(np.float32))


def averaging(edges: Edges) -> Edges:
    """Return D^-1 A, D the row sums of A: the weighted mean over neighbours.

    An isolated node has a row of zeros. (Hamilton et al., NeurIPS 2017, section 3.3: mean
    aggregator.)
    """
    total = _row_sums(edges)
    weights = edges.weights / total[edges.targets]
    return Edges(edges.nodes, edges.sources, edges.targets, weights.astype(np.float32))


def _row_sums(edges: Edges) -> np.ndarray:
    return np.bincount(edges.targets, weights=edges.weights, minlength=edges.nodes)


def _sorted(nodes: int, sources: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> Edges:
    order = np.argsort(targets.astype(np.int64) * nodes + sources)
    return Edges(nodes, sources[order], targets[order], weights[order])


def _read_edges(
    name: str, lines: Iterator[str]
) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Return the genes in order of appearance, and the ends and weights of all rows."""
    position: dict[str, int] = {}
    ends, weights, rows = array("i"), array("f"), array("q")
    for row, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("\t", 3)[:3]]
        weight = _weight(name, row, cells[2]) if len(cells) > 2 and cells[2] else math.nan
        if weight == 0:  # a header
            continue
        if len(cells) < 2 or not cells[0] or not cells[1]:
            raise GeneNetworkError(
                f"{name}, row {row}: an edge needs two genes, with a tab between them; "
                f"the row is {line.strip()[:60]!r}."
            )
        ends.extend([position.setdefault(gene, len(position)) for gene in cells[:2]])
        weights.append(weight)
        rows.append(row)
    found = np.array(ends, np.int32).reshape(-1, 2)
    known = np.array(weights, np.float32)
    kept = _check_weights(name, known, rows)
    return list(position), found[kept, 0], found[kept, 1], np.nan_to_num(known[kept], nan=1.0)


def _weight(name: str, row: int, text: str) -> float:
    """Return a weight; 0 for what the header calls it."""
    try:
        weight = float(text)
    except ValueError:
        if row == 1:
            return 0.0
        weight = math.nan
    if not (math.isfinite(weight) and weight > 0):
        raise GeneNetworkError(
            f"{name}, row {row}: the third column is the weight of the edge, a number above 0; "
            f"it is {text!r}. Correct it, or leave the column out: then all edges weigh the same."
        )
    return weight


def _check_weights(name: str, weights: np.ndarray, rows: Sequence[int]) -> np.ndarray:
    """Return the rows that are edges: either all have a weight or none has."""
    lacking = np.isnan(weights)
    if lacking.all():
        return np.ones(len(weights), bool)
    # The first row may be a header that has no name there.
    missing = [row for row in np.asarray(rows)[lacking] if row > 1]
    if missing:
        raise GeneNetworkError(
            f"{name}, row {missing[0]}: the third column is empty, but other rows have a weight "
            f"there. Fill it in, or leave the column out: then all edges weigh the same."
        )
    return ~lacking
