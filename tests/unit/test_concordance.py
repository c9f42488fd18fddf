"""CONCORDANCE as a whole: its tables, its network, its hubs, its graph."""

import subprocess
import sys
from pathlib import Path

import networkx
import numpy as np
import pandas as pd
import pytest

from omicsfusion.concordance import layers as layers_subject
from omicsfusion.concordance import network as network_subject
from omicsfusion.concordance.examine import CONCORDANCE_COLUMNS, examine
from omicsfusion.concordance.layers import read_layers
from omicsfusion.concordance.network import (
    EDGE_COLUMNS,
    HUB_COLUMNS,
    edges_between,
    find_hubs,
    write_graph,
)
from omicsfusion.concordance.swaps import SWAP_COLUMNS
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.several_layers import as_layer, related_values, samples_of, write_layers

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "concordance.py"
THREE = ("mirna", "protein", "rna")


def test_each_pair_of_layers_of_each_cohort_has_a_row_and_covariates_have_none(tmp_path):
    paths = write_layers(tmp_path, related_values(60, 40, 1, THREE))
    paths += write_layers(tmp_path, related_values(30, 40, 2, ("protein", "rna")), "ext", "e")
    clinical = {"clinical": np.zeros((60, 2), dtype=np.float32)}
    paths += write_layers(tmp_path, clinical, kinds={"clinical": "clinical"})
    samples = pd.concat([samples_of(60), samples_of(30, "ext", "external", "e")])
    found = examine(paths[::-1], samples, seed=1)
    assert list(found.concordance.columns) == CONCORDANCE_COLUMNS
    assert found.concordance[["cohort", "layer", "other"]].to_numpy().tolist() == [
        ["ext", "protein", "rna"],
        ["main", "mirna", "protein"],
        ["main", "mirna", "rna"],
        ["main", "protein", "rna"],
    ]
    assert found.concordance["n_samples"].tolist() == [30, 60, 60, 60]
    assert list(found.swaps.columns) == SWAP_COLUMNS
    judged = found.concordance[found.concordance["judged"] == "yes"]
    assert len(judged) >= 3
    assert len(found.swaps) == judged["n_samples"].sum()
    assert (found.network["n"] == 60).all()


def test_few_common_samples_and_silent_layers_are_said(tmp_path):
    rng = np.random.default_rng(0)
    values = {"protein": rng.normal(size=(12, 30)), "rna": rng.normal(size=(60, 30))}
    found = examine(write_layers(tmp_path, values), samples_of(60), seed=1)
    (row,) = found.concordance.to_dict("records")
    assert (row["judged"], row["n_samples"], row["n_pairs"]) == ("no", 12, 0)
    assert row["note"] == "Not judged: 12 samples have both layers (20 needed)."
    assert found.swaps.empty
    assert list(found.network.columns) == EDGE_COLUMNS
    assert list(found.hubs.columns) == HUB_COLUMNS


def test_features_that_are_constant_or_often_missing_are_left_out(tmp_path):
    X = related_values(40, 30, 3)["rna"]
    X[:, 4] = 2.5
    X[:9, 7] = np.nan  # 22.5 %
    X[:8, 8] = np.nan  # 20 %
    (layer,) = read_layers(write_layers(tmp_path, {"rna": X}), samples_of(40))
    assert layer.n_in == 30
    assert {f"rna{number:04d}" for number in range(30)} - set(layer.features) == {
        "rna0004",
        "rna0007",
    }
    assert layer.note == "rna: 28 of 30 features compared."
    np.testing.assert_array_equal(layer.X[:, 4], X[:, 5])


def test_a_wide_layer_keeps_what_varies_most_and_what_others_name_too(tmp_path, monkeypatch):
    monkeypatch.setattr(layers_subject, "MOST_FEATURES", 6)
    monkeypatch.setattr(layers_subject, "BLOCK_VALUES", 40 * 7)  # seven features at a time
    rng = np.random.default_rng(4)
    X = rng.normal(size=(40, 20)) * np.arange(1, 21)
    X[0, 2] = 1e6  # one wild value makes no variable feature
    paths = write_layers(tmp_path, {"rna": X})
    named = write_layers(tmp_path, {"protein": rng.normal(size=(40, 3))})
    rename = {"protein0000": "rna0001", "protein0001": "rna0005"}
    import h5py

    with h5py.File(named[0], "r+") as file:
        names = [rename.get(name, name) for name in file["var/_index"].asstr()[:]]
        file["var/_index"][:] = names
    protein, rna = read_layers(paths + named, samples_of(40))
    assert len(rna.features) == 6
    assert {"rna0001", "rna0005"} < set(rna.features)
    assert "rna0002" not in rna.features
    assert set(rna.features) - {"rna0001", "rna0005"} <= {f"rna{j:04d}" for j in range(12, 20)}
    assert len(protein.features) == 3


def test_samples_that_are_not_used_are_ignored(tmp_path):
    X = related_values(40, 30, 5)["rna"]
    samples = samples_of(40).drop(index=[3, 7])
    (layer,) = read_layers(write_layers(tmp_path, {"rna": X}), samples)
    assert len(layer.samples) == 38
    assert "s0003" not in layer.samples


def test_the_network_holds_what_is_related_and_little_else():
    values = related_values(100, 40, 6)
    # No common factor: feature j is related to feature j alone.
    rng = np.random.default_rng(7)
    one = rng.normal(size=(100, 40))
    two = one + 0.7 * rng.normal(size=(100, 40))
    edges = edges_between([(as_layer("protein", one), as_layer("rna", two))])
    pairs = {(a[-4:], b[-4:]) for a, b in edges[["feature", "other_feature"]].to_numpy()}
    assert {(f"{j:04d}", f"{j:04d}") for j in range(40)} <= pairs
    assert len(pairs) <= 40 * 1.15  # 5 % false ones are allowed by the rate
    assert edges["rho"].abs().is_monotonic_decreasing
    assert (edges["fdr"] <= 0.05).all()
    assert (edges["rho"].abs() >= 0.3).all()
    assert values["rna"].shape == (100, 40)


def test_a_shift_between_cohorts_correlates_nothing():
    rng = np.random.default_rng(8)
    cohorts = []
    for cohort, shift in (("a", 0), ("b", 5)):
        layers = [
            as_layer(name, rng.normal(size=(50, 20)) + shift, cohort=cohort)
            for name in ("protein", "rna")
        ]
        cohorts.append(tuple(layers))
    assert len(edges_between(cohorts)) <= 2
    pooled = [np.concatenate([cohort[which].X for cohort in cohorts]) for which in (0, 1)]
    naive = edges_between([(as_layer("protein", pooled[0]), as_layer("rna", pooled[1]))])
    assert len(naive) == 400


def test_the_strongest_edges_stay_where_there_are_too_many(monkeypatch):
    values = related_values(80, 30, 9)
    pair = [(as_layer("protein", values["protein"]), as_layer("rna", values["rna"]))]
    whole = edges_between(pair)
    assert len(whole) > 50
    monkeypatch.setattr(network_subject, "MOST_EDGES", 50)
    pd.testing.assert_frame_equal(edges_between(pair), whole.head(50))


def edge_table(*ends):
    rows = [(*end, 0.5, 1e-5, 1e-4, 50) for end in ends]
    return pd.DataFrame(rows, columns=EDGE_COLUMNS)


def test_hubs_are_ranked_by_edges_then_by_layers_they_reach():
    edges = edge_table(
        ("cnv", "c", "rna", "a"),
        ("cnv", "d", "rna", "a"),
        ("mirna", "m", "rna", "a"),
        ("cnv", "c", "mirna", "m"),
    )
    hubs = find_hubs(edges)
    assert hubs.to_numpy().tolist() == [
        ["rna", "a", 3, 2, 1],
        ["cnv", "c", 2, 2, 2],
        ["mirna", "m", 2, 2, 3],
        ["cnv", "d", 1, 1, 4],
    ]


def test_the_graph_reads_back_with_the_same_edges(tmp_path):
    edges = edge_table(("cnv", "TP53", "rna", "TP53"), ("cnv", "<&>", "mirna", "µ:x"))
    write_graph(edges, tmp_path / "network.graphml")
    graph = networkx.read_graphml(tmp_path / "network.graphml")
    assert graph.nodes["mirna:µ:x"] == {"layer": "mirna", "feature": "µ:x"}
    assert graph.edges["cnv:TP53", "rna:TP53"] == {"rho": 0.5, "fdr": 1e-4}
    assert graph.number_of_edges() == 2


def run_script(folder, paths):
    return subprocess.run(
        [sys.executable, SCRIPT, "--samples", "samples.tsv", "--seed", "1", "--files", *paths],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_script_writes_the_same_bytes_whatever_the_order(tmp_path):
    paths = write_layers(tmp_path, related_values(60, 40, 10, THREE))
    files = {}
    for name, order in (("a", paths), ("b", paths[::-1])):
        folder = tmp_path / name
        folder.mkdir()
        table = samples_of(60).sample(frac=1, random_state=len(files))
        write_tsv(table, folder / "samples.tsv")
        done = run_script(folder, order)
        assert done.returncode == 0, done.stderr
        written = sorted(path.name for path in folder.iterdir() if path.name != "samples.tsv")
        files[name] = {path: (folder / path).read_bytes() for path in written}
    assert list(files["a"]) == [
        "concordance.tsv",
        "hubs.tsv",
        "network.graphml",
        "network.tsv",
        "swaps.tsv",
    ]
    assert files["a"] == files["b"]
    assert read_tsv(tmp_path / "a" / "hubs.tsv")["degree"].max() > 1


@pytest.mark.parametrize("layers", [(), ("rna",)])
def test_a_run_with_one_layer_or_none_writes_empty_tables(tmp_path, layers):
    values = related_values(30, 20, 11, layers) if layers else {"clinical": np.zeros((30, 1))}
    kinds = {"rna": "rna_log", "clinical": "clinical"}
    paths = write_layers(tmp_path, values, kinds=kinds)
    write_tsv(samples_of(30), tmp_path / "samples.tsv")
    done = run_script(tmp_path, paths)
    assert done.returncode == 0, done.stderr
    assert read_tsv(tmp_path / "network.tsv").columns.tolist() == EDGE_COLUMNS
    assert networkx.read_graphml(tmp_path / "network.graphml").number_of_nodes() == 0
