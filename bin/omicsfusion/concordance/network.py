"""Correlations between features of different layers, the hubs among them, the graph as a file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from omicsfusion.concordance.layers import CohortLayer
from omicsfusion.concordance.ranks import correlation_blocks, p_values, stratified_ranks

HIGHEST_FDR = 0.05
LOWEST_CORRELATION = 0.3
MOST_EDGES = 5000
MOST_HUBS = 50
FEWEST_SAMPLES = 20

EDGE_COLUMNS = ["layer", "feature", "other_layer", "other_feature", "rho", "p", "fdr", "n"]
HUB_COLUMNS = ["layer", "feature", "degree", "n_layers", "rank"]


def edges_between(pairs: Sequence[tuple[CohortLayer, CohortLayer]]) -> pd.DataFrame:
    """Find the correlated features of two layers over the training cohorts.

    Ranks are taken within each cohort. All pairs of features are tested, and p-values adjusted over
    all of them (Benjamini & Hochberg, J. R. Stat. Soc. B 57, 1995, 289-300). An edge has an
    adjusted p-value of at most ``HIGHEST_FDR`` and an absolute correlation of at least
    ``LOWEST_CORRELATION``; the ``MOST_EDGES`` strongest are kept.

    Parameters
    ----------
    pairs
        The two layers in each training cohort. A cohort with fewer than ``FEWEST_SAMPLES`` samples
        that have both is left out; so is a feature that one of the others lacks.

    Returns
    -------
    ``EDGE_COLUMNS``, the strongest first.
    """
    common = [(one, two, sorted(set(one.samples) & set(two.samples))) for one, two in pairs]
    common = [entry for entry in common if len(entry[2]) >= FEWEST_SAMPLES]
    if not common:
        return pd.DataFrame(columns=EDGE_COLUMNS)
    names = _shared([one for one, _, _ in common]), _shared([two for _, two, _ in common])
    A = stratified_ranks([_columns(one, names[0], samples) for one, _, samples in common])
    B = stratified_ranks([_columns(two, names[1], samples) for _, two, samples in common])
    found = _strongest(A, B, freedom=len(A) - len(common) - 1)
    return pd.DataFrame(
        {
            "layer": common[0][0].layer,
            "feature": [names[0][i] for i in found["i"]],
            "other_layer": common[0][1].layer,
            "other_feature": [names[1][j] for j in found["j"]],
            "rho": found["rho"].round(6),
            "p": [float(f"{p:.6g}") for p in found["p"]],
            "fdr": [float(f"{fdr:.6g}") for fdr in found["fdr"]],
            "n": len(A),
        },
        columns=EDGE_COLUMNS,
    )


def _shared(layers: Sequence[CohortLayer]) -> list[str]:
    known = set.intersection(*(set(layer.features) for layer in layers))
    return sorted(known)


def _columns(layer: CohortLayer, names: Sequence[str], samples: Sequence[str]) -> np.ndarray:
    column = {feature: position for position, feature in enumerate(layer.features)}
    return layer.rows_of(samples)[:, [column[name] for name in names]]


def _strongest(A: np.ndarray, B: np.ndarray, freedom: int) -> pd.DataFrame:
    """Columns ``i, j, rho, p, fdr`` of the edges, the strongest first."""
    n_tests = int((A != 0).any(axis=0).sum()) * int((B != 0).any(axis=0).sum())
    small, blocks = [np.empty(0)], []
    for start, rho in correlation_blocks(A, B):
        p = p_values(rho, freedom)
        # Larger p-values cannot lower an adjusted one to HIGHEST_FDR: p_j n / j >= p_j for all j.
        small.append(p[p <= HIGHEST_FDR])
        i, j = np.nonzero(np.abs(rho) >= LOWEST_CORRELATION)
        block = pd.DataFrame({"i": start + i, "j": j, "rho": rho[i, j], "p": p[i, j]})
        blocks.append(_first(block))
    edges = _first(pd.concat(blocks, ignore_index=True))
    p = np.sort(np.concatenate(small))
    edges = edges[edges["p"] <= HIGHEST_FDR].reset_index(drop=True)
    if len(p) == 0 or edges.empty:
        return edges.head(0).assign(fdr=[])
    adjusted = false_discovery_control(p) * (n_tests / len(p))
    edges["fdr"] = adjusted[np.searchsorted(p, edges["p"], side="right") - 1]
    return edges[edges["fdr"] <= HIGHEST_FDR].reset_index(drop=True)


def _first(edges: pd.DataFrame) -> pd.DataFrame:
    """Sort by strength; rounded, so that no last bit decides a tie."""
    strength = edges["rho"].abs().round(6)
    order = np.lexsort((edges["j"], edges["i"], -strength))
    return edges.iloc[order[:MOST_EDGES]]


def find_hubs(edges: pd.DataFrame) -> pd.DataFrame:
    """List the features with most edges: ``HUB_COLUMNS``, at most ``MOST_HUBS``.

    ``n_layers`` counts the other layers that a feature has edges to; of equal degrees, more layers
    come first, then names.
    """
    turned = edges.rename(
        columns={
            "layer": "other_layer",
            "feature": "other_feature",
            "other_layer": "layer",
            "other_feature": "feature",
        }
    )
    ends = pd.concat([edges, turned])[["layer", "feature", "other_layer"]]
    hubs = ends.groupby(["layer", "feature"], as_index=False).agg(
        degree=("other_layer", "size"), n_layers=("other_layer", "nunique")
    )
    hubs = hubs.sort_values(
        ["degree", "n_layers", "layer", "feature"], ascending=[False, False, True, True]
    ).head(MOST_HUBS)
    return hubs.assign(rank=np.arange(1, len(hubs) + 1))[HUB_COLUMNS].reset_index(drop=True)


def write_graph(edges: pd.DataFrame, path: str | Path) -> None:
    """Write the network as GraphML: nodes ``layer:feature``, edges with ``rho`` and ``fdr``."""
    import networkx

    path = Path(path)
    graph = networkx.Graph()
    for edge in edges.itertuples(index=False):
        ends = [(edge.layer, edge.feature), (edge.other_layer, edge.other_feature)]
        for layer, feature in ends:
            graph.add_node(f"{layer}:{feature}", layer=layer, feature=feature)
        one, two = (f"{layer}:{feature}" for layer, feature in ends)
        graph.add_edge(one, two, rho=float(edge.rho), fdr=float(edge.fdr))
    partial = path.with_name(path.name + ".partial")
    # The writer without lxml: the same bytes whether or not it is installed.
    networkx.write_graphml_xml(graph, partial)
    partial.replace(path)
