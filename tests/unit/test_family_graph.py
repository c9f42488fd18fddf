"""The graph network: what it reads where, what it must not notice, and that it learns."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omicsfusion.models import training
from omicsfusion.models.backend import compiled, gradients, keras
from omicsfusion.models.dealing import Member
from omicsfusion.models.families.graph import GraphNetwork, structure_of, train
from omicsfusion.models.fit import prediction_table
from omicsfusion.models.gene_network import GeneNetwork, edges_among, gene_network, symmetric
from omicsfusion.models.gene_nodes import Nodes
from omicsfusion.models.graph_edges import TileShape
from omicsfusion.models.graph_layers import CONVOLUTIONS
from omicsfusion.models.heads.base import weighted_mean
from omicsfusion.models.optimiser import initial_weights
from omicsfusion.models.registry import ModelSpec
from omicsfusion.models.request import MissingKnowledgeError, TrainingRequest
from omicsfusion.models.settings import DEFAULTS
from omicsfusion.models.training import Table, Trainer
from tests.family_tasks import tasks_of
from tests.network_cohort import open_cohort, write_cohort
from tests.trained_families import require_archive, require_signal

FEATURES = {
    "cnv": ("A", "B", "Q"),
    "mirna": ("mir-1", "mir-2"),
    "rna": ("A", "C_1", "C_2", "D", "X"),
}
WIDTHS = {name: len(features) for name, features in FEATURES.items()}
MEMBERS, ROWS = 3, 5
DRAW = {"seed": np.array([(1, 0), (2, 0), (3, 0)], np.uint32)}


def a_network() -> GeneNetwork:
    """Return A-B, B-C, C-D, D-E: X and Q are not in it, E is not measured."""
    ends = np.arange(4)
    return gene_network("net.tsv", list("ABCDE"), ends, ends + 1, np.ones(4))


def built(
    convolution: str = "gcn",
    tiles: int = 2,
    rows: int = 4,
    dense: bool = False,
    features=FEATURES,
    widths=WIDTHS,
    members: int = MEMBERS,
    gene_layers=("cnv", "rna"),
) -> GraphNetwork:
    """Return a network with the graph of ``features`` in all members, as it begins training."""
    shape = {"tiles": tiles, "rows": rows, "edges": 20, "dense": dense}
    network = GraphNetwork(
        widths,
        2,
        members,
        gene_layers=gene_layers,
        tiles=shape,
        convolution=convolution,
        network=a_network(),
    )
    network.build()
    fixed = network.constants(features, DEFAULTS)
    for variable, value in zip(network.non_trainable_variables, fixed, strict=True):
        variable.assign(np.stack([value] * members))
    seeds = [4, 5, 6][:members]
    for variable, values in zip(
        network.trainable_variables, initial_weights(network, seeds), strict=True
    ):
        variable.assign(values)
    # The last layers start at zero: what comes before them would not be seen.
    for layer in (network.head.dense, *network.wide):
        shape = layer.kernel.shape[1:]
        values = np.random.default_rng(1).normal(size=shape)
        if layer in network.wide:
            values[len(features[list(widths)[network.wide.index(layer)]]) :] = 0
        layer.kernel.assign(np.stack([values] * members))
    return network


def random_inputs(members: int = MEMBERS, widths=WIDTHS) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {
        name: rng.normal(size=(members, ROWS, width)).astype(np.float32)
        for name, width in widths.items()
    }


EVERYTHING = np.ones((MEMBERS, ROWS, len(WIDTHS)), np.float32)


def test_nodes_are_the_genes_of_the_features_and_features_without_a_gene():
    nodes = Nodes(FEATURES, ("cnv", "rna"), a_network())
    assert nodes.names == ("A", "B", "C", "D", "Q", "X")
    assert nodes.node["rna"].tolist() == [0, 2, 2, 3, 5]
    assert nodes.node["cnv"].tolist() == [0, 1, 4]


def test_a_gene_has_the_mean_of_its_features_and_a_mask_of_where_it_was_measured():
    network, x = built(), random_inputs()
    rna, cnv = network.genes["rna"], network.genes["cnv"]
    values = np.asarray(rna(x["rna"]))
    expected = np.zeros((MEMBERS, 8, ROWS), np.float32)
    for node, columns in {0: [0], 2: [1, 2], 3: [3], 5: [4]}.items():
        expected[:, node] = x["rna"][..., columns].mean(axis=-1)
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6)
    assert np.asarray(rna.measured)[0].tolist() == [1, 0, 1, 1, 0, 1, 0, 0]
    assert np.asarray(cnv.measured)[0].tolist() == [1, 1, 0, 0, 1, 0, 0, 0]


def test_the_graph_of_a_member_holds_the_edges_between_its_own_genes():
    network = built()
    graph = symmetric(edges_among(a_network(), ("A", "B", "C", "D", "Q", "X")))
    h = np.random.default_rng(2).normal(size=(MEMBERS, 8, 1)).astype(np.float32)
    matrix = np.zeros((8, 8))
    matrix[graph.targets, graph.sources] = graph.weights
    np.testing.assert_allclose(
        network.edges.weighted_sum(h), np.einsum("ij,mjk->mik", matrix, h), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("convolution", CONVOLUTIONS)
def test_weights_that_only_a_call_has_get_the_gradient_of_tiles_that_they_get_of_the_whole(
    convolution,
):
    # Training calls the network with weights of its own and asks for the gradient after the call.
    def slopes(tiles: int, rows: int):
        network = built(convolution, tiles, rows)
        rng = np.random.default_rng(2)
        noise = [0.3 * rng.normal(size=v.shape).astype("f4") for v in network.trainable_variables]
        own = [
            keras.ops.convert_to_tensor(np.array(v) + more)
            for v, more in zip(network.trainable_variables, noise, strict=True)
        ]
        fixed = [np.array(v) for v in network.non_trainable_variables]
        for variable in network.variables:
            variable.assign(np.zeros(variable.shape))
        x = random_inputs()

        def loss(weights):
            return keras.ops.sum(network.stateless_call(weights, fixed, x, EVERYTHING)[0] ** 2)

        found = compiled(lambda weights: gradients(loss, weights)[1])(own)
        return {
            v.path: np.asarray(s) for v, s in zip(network.trainable_variables, found, strict=True)
        }

    whole, tiled = slopes(1, 8), slopes(2, 4)
    assert np.abs(whole["graph/convolution_0/kernel"]).max() > 1e-3
    for path, slope in whole.items():
        np.testing.assert_allclose(tiled[path], slope, rtol=1e-3, atol=1e-3 * np.abs(slope).max())


@pytest.mark.parametrize("convolution", CONVOLUTIONS)
def test_outputs_are_finite_have_their_shape_and_are_the_same_when_compiled(convolution):
    network, x = built(convolution), random_inputs()
    for draw in (None, DRAW):
        outputs = np.asarray(network(x, EVERYTHING, draw))
        assert outputs.shape == (MEMBERS, ROWS, 2)
        assert np.isfinite(outputs).all()
        assert np.ptp(outputs, axis=1).min() > 0
        np.testing.assert_allclose(
            compiled(network)(x, EVERYTHING, draw), outputs, rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("convolution", CONVOLUTIONS)
def test_the_network_knows_which_gene_is_in_which_state(convolution):
    # A and D are the ends of the same path: what is told apart is their names alone.
    ends = {"rna": ("A", "B", "C", "D")}
    widths = {"rna": 4}
    network = built(convolution, 1, 4, features=ends, widths=widths, gene_layers=("rna",))
    network.wide[0].kernel.assign(np.zeros((MEMBERS, 4, 2)))
    x = random_inputs(widths=widths)["rna"]
    present = np.ones((MEMBERS, ROWS, 1), np.float32)
    one, other = (np.asarray(network({"rna": part}, present)) for part in (x, x[..., ::-1]))
    assert np.abs(one - other).min(axis=(0, 1)).min() > 1e-4


@pytest.mark.parametrize("draw", [None, DRAW], ids=["predict", "train"])
@pytest.mark.parametrize("junk", [-1e6, np.nan, np.inf])
@pytest.mark.parametrize("column", range(3), ids=FEATURES)
@pytest.mark.parametrize("convolution", CONVOLUTIONS)
def test_values_of_an_absent_layer_change_nothing_at_all(convolution, column, draw, junk):
    network, x, present = built(convolution), random_inputs(), EVERYTHING.copy()
    present[:, 2, column] = 0
    before = np.asarray(network(x, present, draw))
    x[list(FEATURES)[column]][:, 2] = junk
    np.testing.assert_array_equal(network(x, present, draw), before)
    assert np.isfinite(before).all()


def test_a_layer_that_is_there_with_zeros_is_not_one_that_is_absent():
    network, x = built(), random_inputs()
    x["cnv"][:] = 0
    present = EVERYTHING.copy()
    present[..., 0] = 0
    for layer in network.wide:
        layer.bias.assign(np.zeros(layer.bias.shape))
    assert np.abs(np.asarray(network(x, present)) - network(x, EVERYTHING)).min() > 1e-6


def test_a_sample_without_any_layer_gets_the_prediction_of_the_bias():
    network = built()
    network.head.dense.bias.assign(np.random.default_rng(0).normal(size=(MEMBERS, 2)))
    x = {name: np.full_like(values, np.nan) for name, values in random_inputs().items()}
    np.testing.assert_array_equal(
        network(x, np.zeros_like(EVERYTHING)),
        np.broadcast_to(np.asarray(network.head.dense.bias)[:, None, :], (MEMBERS, ROWS, 2)),
    )


@pytest.mark.parametrize("convolution", CONVOLUTIONS)
def test_padding_of_columns_nodes_and_edges_never_matters(convolution):
    narrow = built(convolution, tiles=1, rows=6)
    more = {"cnv": 5, "mirna": 4, "rna": 9}
    x = random_inputs()
    padded = {
        name: np.pad(values, ((0, 0), (0, 0), (0, more[name] - WIDTHS[name])))
        for name, values in x.items()
    }
    for dense in (False, True):
        wide = built(convolution, tiles=3, rows=4, dense=dense, widths=more)
        for draw in (None, DRAW):
            np.testing.assert_allclose(
                wide(padded, EVERYTHING, draw), narrow(x, EVERYTHING, draw), rtol=1e-4, atol=1e-5
            )


def squared_error(outputs, target, weight, settings):
    return weighted_mean((outputs[..., 0] - target[..., 0]) ** 2, weight)


@pytest.mark.parametrize(
    "convolution",
    [
        pytest.param(name, marks=pytest.mark.families if name != "gcn" else ())
        for name in CONVOLUTIONS
    ],
)
def test_after_one_epoch_a_member_alone_and_among_others_agree(convolution, monkeypatch):
    monkeypatch.setattr(training, "EPOCHS_WITHOUT_STOP", 1)
    network = built(convolution)
    rng = np.random.default_rng(3)
    x = {name: rng.normal(size=(40, w)).astype(np.float32) for name, w in WIDTHS.items()}
    present = (rng.random((40, 3)) < 0.8).astype(np.float32)
    table = Table(x, present, x["rna"][:, :1], np.ones(40, np.float32))
    trainer = Trainer(network, squared_error, batch_rows=16, stop_rows=8, max_steps=2)

    def member(seed: int, n_rna: int = 5) -> Member:
        features = {**FEATURES, "rna": FEATURES["rna"][:n_rna]}
        return Member(
            seed=seed,
            train=np.arange(32),
            stop=np.arange(32, 40),
            strata=np.zeros(32),
            stops=False,
            settings=DEFAULTS,
            constants=network.constants(features, DEFAULTS),
        )

    among = trainer.train(table, [member(1, n_rna=3), member(7), member(2, n_rna=2)])[1]
    alone = trainer.train(table, [member(7)])[0]
    assert len(alone.curve) == 1
    np.testing.assert_allclose(alone.curve, among.curve, rtol=1e-5)
    for one, other in zip(alone.weights, among.weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_what_is_known_of_a_member_hangs_on_its_own_features_alone():
    network = built()
    fewer = {**FEATURES, "rna": FEATURES["rna"][:3]}
    names = Nodes(fewer, ("cnv", "rna"), a_network()).names
    assert names == ("A", "B", "C", "Q")
    known = {v.path: value for v, value in network.known(fewer)}
    [fan_in] = [value for path, value in known.items() if "read_out" in path]
    assert fan_in == 4 * (2 + 2 * 8)  # genes x (layers + convolutions x channels)
    [measured] = [value for path, value in known.items() if path.endswith("genes_2/measured")]
    assert measured.tolist() == [1, 0, 1, 0, 0, 0, 0, 0]


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """Return a function from a task to a folder with a cohort and a network."""

    @cache
    def folder_of(task: str) -> Path:
        folder = tmp_path_factory.mktemp(task)
        write_cohort(folder, task)
        edges = [f"rna_{i}\trna_{(i * i + 1) % 12}" for i in range(10)]
        (folder / "net.tsv").write_text("\n".join(edges))
        return folder

    return folder_of


def request_of(folder: Path, task: str, **more) -> tuple[TrainingRequest, object]:
    reader, outcome = open_cohort(folder, task)
    spec = ModelSpec("graph", "graph", ("mirna", "rna"))
    more = {"network": folder / "net.tsv", **more}
    return TrainingRequest(spec, outcome, [1.0, 2.0], 3, **more), reader


@pytest.fixture(scope="module", params=tasks_of("survival"))
def trained(request, folder_of):
    """Return the task, its folder, the reader and the fits."""
    folder = folder_of(request.param)
    asked, reader = request_of(folder, request.param)
    return request.param, folder, reader, train(asked, reader)


def table_of(trained) -> pd.DataFrame:
    task, folder, _, fits = trained
    return prediction_table(fits, "graph", "outcome", open_cohort(folder, task)[1])


def test_the_signal_is_found_in_samples_not_trained_on(trained):
    table = table_of(trained)
    require_signal(table, trained[0])


def test_an_archive_has_its_graph_and_gives_the_predictions_of_the_table(trained, tmp_path):
    task, _, reader, fits = trained
    table = table_of(trained)
    for fit in (fit for fit in fits if fit.save):
        for slopes in require_archive(fit, reader, table, task, tmp_path):
            assert slopes.any()


def test_a_cohort_none_of_whose_features_is_a_gene_is_refused_with_names_of_both(folder_of):
    folder = folder_of("regression")
    other = folder / "other.tsv"
    other.write_text("TP53\tMDM2\nEGFR\tGRB2\n")
    request, reader = request_of(folder, "regression", network=other)
    with pytest.raises(MissingKnowledgeError) as error:
        train(request, reader)
    for said in ("mirna: mirna_0, mirna_1", "rna: rna_0, rna_1", "EGFR, GRB2, MDM2, TP53"):
        assert said in str(error.value)
    assert "other.tsv" in str(error.value)


def test_a_run_without_a_network_is_told_how_to_give_one(folder_of):
    request, reader = request_of(folder_of("regression"), "regression", network=None)
    with pytest.raises(MissingKnowledgeError, match="--network"):
        train(request, reader)


def test_the_structure_holds_the_largest_graph_of_the_scopes(folder_of):
    _, reader = request_of(folder_of("regression"), "regression")
    ends = np.arange(11)
    network = gene_network("n", [f"rna_{i:d}" for i in range(12)], ends, ends + 1, np.ones(11))
    structure = structure_of(reader, ("mirna", "rna"), network, "gcn")
    assert structure["gene_layers"] == ("rna",)
    assert TileShape(**structure["tiles"]).nodes == 12
    # 11 edges in both directions and 12 loops; a scope keeps 12 features, another 11.
    assert structure["tiles"]["edges"] == 34
