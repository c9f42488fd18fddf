"""The pathway network: which sets it reads, what it must not notice, and that it learns."""

from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omicsfusion.models import set_choice, training
from omicsfusion.models.backend import compiled
from omicsfusion.models.families.pathway import PathwayNetwork, train
from omicsfusion.models.fit import prediction_table
from omicsfusion.models.registry import ModelSpec
from omicsfusion.models.request import MissingKnowledgeError, TrainingRequest
from omicsfusion.models.set_choice import choose_sets
from omicsfusion.models.set_dense import BLOCK
from tests.family_tasks import tasks_of
from tests.network_cohort import open_cohort, write_cohort
from tests.small_networks import (
    DRAW,
    MEMBERS,
    ROWS,
    begun,
    everything,
    padded,
    random_inputs,
    require_same_alone,
)
from tests.trained_families import require_archive, require_signal

PROBES = tuple(f"B_{i}" for i in range(40))
FEATURES = {
    "clinical": ("age", "C"),
    "cnv": ("Q", "B", "A"),
    "mirna": ("mir-1", "mir-2"),
    "rna": ("E", *PROBES, "C", "X", "A", "D", "F"),
}
WIDTHS = {name: len(features) for name, features in FEATURES.items()}
SETS = {
    "ALL": frozenset("ABCDE"),
    "NO_B": frozenset({"A", "C", "D", "E", "F", "not measured"}),
    "FEW": frozenset({"A", "B", "C", "D", "not measured"}),
}
EVERYTHING = everything(FEATURES)


def built(features=FEATURES, widths=WIDTHS, members=MEMBERS, sets=2, more=0) -> PathwayNetwork:
    """Return a network for ``features``, with room for ``more`` blocks of columns."""
    blocks = {name: n + more for name, n in zip(WIDTHS, (1, 2, 1, 3), strict=True)}
    network = PathwayNetwork(
        widths, 2, members, sets=sets, blocks=blocks, choose=partial(choose_sets, sets=SETS)
    )
    return begun(network, features)


def test_sets_have_at_least_five_measured_genes_of_any_layer_but_the_covariates():
    chosen = choose_sets(FEATURES, SETS)
    assert chosen.names == ("ALL", "NO_B")
    columns = {name: [c.tolist() for c in of_sets] for name, of_sets in chosen.columns.items()}
    assert columns["rna"] == [[0, *range(1, 42), 43, 44], [0, 41, 43, 44, 45]]
    assert columns["cnv"] == [[1, 2], [2]]
    assert columns["mirna"] == columns["clinical"] == [[], []]
    assert np.flatnonzero(chosen.in_none("rna", 46)).tolist() == [42]
    assert np.flatnonzero(chosen.in_none("cnv", 3)).tolist() == [0]
    assert chosen.in_none("mirna", 2).all()


def test_a_gene_that_only_another_layer_has_counts_as_measured():
    features = {"rna": tuple("ABC"), "cnv": tuple("DE")}
    assert choose_sets(features, SETS).names == ("ALL",)
    assert choose_sets({"rna": tuple("ABC")}, SETS).names == ()


def test_sets_with_too_many_measured_genes_are_left_out(monkeypatch):
    monkeypatch.setattr(set_choice, "MAX_SIZE", 5)
    big = {**SETS, "BIG": frozenset("ABCDEF")}
    assert choose_sets(FEATURES, big).names == ("ALL", "NO_B")


def test_of_too_many_sets_those_are_taken_that_say_most_of_other_genes(monkeypatch):
    monkeypatch.setattr(set_choice, "MOST_SETS", 3)
    genes = [f"G{i:02d}" for i in range(30)]
    sets = {
        "largest": frozenset(genes[:12]),
        "nearly the same": frozenset(genes[1:12]),
        "two thirds new": frozenset(genes[8:20]),
        "new": frozenset(genes[24:]),
        "new too": frozenset(genes[24:]),
    }
    # Worth beside "largest": 5.5, 2 + 8, 6 and 6; then 4.8, 6 and 6: the first by name.
    chosen = choose_sets({"rna": genes}, dict(reversed(sets.items())))
    assert chosen.names == ("largest", "new", "two thirds new")


def test_a_set_token_is_a_masked_dense_layer():
    network, x = built(), random_inputs(FEATURES)
    for i, name in enumerate(FEATURES):
        layer = network.of_sets[i]
        kernel = np.asarray(layer.kernel)
        columns = choose_sets(FEATURES, SETS).columns[name]
        mask = np.zeros((WIDTHS[name], 2))
        dense = np.random.default_rng(0).normal(size=(MEMBERS, WIDTHS[name], 2, layer.units))
        slot = 0
        for number, of_set in enumerate(columns):
            mask[of_set, number] = 1
            # The weights of a set's columns follow each other; each set begins a block.
            dense[:, of_set, number] = kernel[:, slot : slot + len(of_set)]
            slot += -(-len(of_set) // BLOCK) * BLOCK
        expected = np.einsum("mbf,fs,mfso->mbso", x[name], mask, dense)
        expected /= np.sqrt(np.maximum(mask.sum(axis=0), 1))[:, None]
        np.testing.assert_allclose(layer(x[name]), expected, rtol=1e-4, atol=1e-5)
        assert np.abs(expected).max() > 1 or name in ("clinical", "mirna")


def test_what_feeds_which_token():
    # One token per layer for what is in no set (all of clinical and mirna), then the sets'.
    feeds = np.asarray(built(sets=3).names.feeds)[0]
    assert feeds.tolist() == [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
        [0, 1, 0, 1],
        [0, 1, 0, 1],
        [0, 0, 0, 0],
    ]


def test_a_token_takes_no_part_where_the_sample_lacks_all_layers_that_feed_it():
    network, x = built(sets=3), random_inputs(FEATURES)
    present = EVERYTHING.copy()
    present[:, 0, [1, 3]] = 0  # no layer of genes
    present[:, 1, 3] = 0  # cnv alone
    before = np.asarray(network(x, present))
    kernel = np.asarray(network.names.kernel).copy()
    kernel[:, 4:] *= -1
    network.names.kernel.assign(kernel)
    after = np.asarray(network(x, present))
    np.testing.assert_array_equal(after[:, 0], before[:, 0])
    assert np.abs(after - before)[:, 1:].max(axis=2).min() > 1e-4
    kernel[:, 6] = 1e6  # a set that the member does not have
    network.names.kernel.assign(kernel)
    np.testing.assert_array_equal(network(x, present), after)


def test_features_of_sets_are_not_seen_by_the_token_of_the_others():
    network, x = built(), random_inputs(FEATURES)
    encoder = network.encoders[3]
    before = np.asarray(encoder(x["rna"]))
    x["rna"][..., [0, 5, 45]] = 7
    np.testing.assert_array_equal(encoder(x["rna"]), before)
    x["rna"][..., 42] = 7
    assert not np.array_equal(encoder(x["rna"]), before)
    assert np.asarray(encoder.dense.fan_in).tolist() == [1] * MEMBERS


def test_outputs_have_their_shape_and_are_the_same_when_compiled():
    network, x = built(), random_inputs(FEATURES)
    for draw in (None, DRAW):
        outputs = np.asarray(network(x, EVERYTHING, draw))
        assert outputs.shape == (MEMBERS, ROWS, 2)
        assert np.isfinite(outputs).all()
        assert np.ptp(outputs, axis=1).min() > 0
        np.testing.assert_allclose(
            compiled(network)(x, EVERYTHING, draw), outputs, rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("draw", [None, DRAW], ids=["predict", "train"])
@pytest.mark.parametrize("junk", [-1e6, np.nan, np.inf])
@pytest.mark.parametrize("column", range(4), ids=FEATURES)
def test_values_of_an_absent_layer_change_nothing_at_all(column, draw, junk):
    network, x, present = built(), random_inputs(FEATURES), EVERYTHING.copy()
    present[:, 2, column] = 0
    before = np.asarray(network(x, present, draw))
    x[list(FEATURES)[column]][:, 2] = junk
    np.testing.assert_array_equal(network(x, present, draw), before)
    assert np.isfinite(before).all()
    assert not np.array_equal(network(random_inputs(FEATURES), EVERYTHING), before)


def test_a_sample_without_any_layer_gets_the_prediction_of_the_bias():
    network = built()
    network.head.dense.bias.assign(np.random.default_rng(0).normal(size=(MEMBERS, 2)))
    x = {name: np.full_like(values, np.nan) for name, values in random_inputs(FEATURES).items()}
    np.testing.assert_array_equal(
        network(x, np.zeros_like(EVERYTHING)),
        np.broadcast_to(np.asarray(network.head.dense.bias)[:, None, :], (MEMBERS, ROWS, 2)),
    )


def test_padding_of_columns_sets_and_blocks_never_matters():
    more = {"clinical": 3, "cnv": 5, "mirna": 4, "rna": 60}
    narrow, wide = built(), built(widths=more, sets=5, more=2)
    x = random_inputs(FEATURES)
    for draw in (None, DRAW):
        np.testing.assert_allclose(
            wide(padded(x, more), EVERYTHING, draw),
            narrow(x, EVERYTHING, draw),
            rtol=1e-4,
            atol=1e-5,
        )


@pytest.mark.families
def test_after_one_epoch_a_member_alone_and_among_others_agree(monkeypatch):
    monkeypatch.setattr(training, "EPOCHS_WITHOUT_STOP", 1)
    network = built()
    fewer = {**FEATURES, "rna": FEATURES["rna"][3:], "cnv": ("A",)}
    require_same_alone(network, FEATURES, fewer)


def write_gmt(path: Path, sets: dict[str, list[str]]) -> Path:
    path.write_text("".join("\t".join([name, "", *genes]) + "\n" for name, genes in sets.items()))
    return path


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """Return a function from a task to a folder with a cohort and gene sets."""

    @cache
    def folder_of(task: str) -> Path:
        folder = tmp_path_factory.mktemp(task)
        write_cohort(folder, task)
        sets = {
            "FIRST": [f"rna_{i}" for i in range(6)],
            "SECOND": [f"rna_{i}" for i in range(5, 12)],
            "SMALL": ["mirna_0", "mirna_1"],
        }
        write_gmt(folder / "sets.gmt", sets)
        return folder

    return folder_of


def asked(folder: Path, task: str, *gmt: Path) -> tuple[TrainingRequest, object]:
    reader, outcome = open_cohort(folder, task)
    spec = ModelSpec("pathway", "pathway", ("mirna", "rna"))
    return TrainingRequest(spec, outcome, [1.0, 2.0], 3, gene_sets=gmt), reader


@pytest.fixture(scope="module", params=tasks_of("classification"))
def trained(request, folder_of):
    """Return the task, its folder, the reader and the fits."""
    folder = folder_of(request.param)
    question, reader = asked(folder, request.param, folder / "sets.gmt")
    return request.param, folder, reader, train(question, reader)


def table_of(trained) -> pd.DataFrame:
    task, folder, _, fits = trained
    return prediction_table(fits, "pathway", "outcome", open_cohort(folder, task)[1])


def test_the_signal_is_found_in_samples_not_trained_on(trained):
    table = table_of(trained)
    require_signal(table, trained[0])


def test_an_archive_has_its_sets_and_gives_the_predictions_of_the_table(trained, tmp_path):
    task, _, reader, fits = trained
    table = table_of(trained)
    for fit in (fit for fit in fits if fit.save):
        for slopes in require_archive(fit, reader, table, task, tmp_path):
            assert slopes.any(axis=0).all()


def test_gene_sets_without_measured_genes_are_refused_with_names_of_both(folder_of, tmp_path):
    gmt = write_gmt(tmp_path / "other.gmt", {"SET": ["TP53", "MDM2", "EGFR", "AKT1", "KRAS"]})
    question, reader = asked(folder_of("regression"), "regression", gmt)
    with pytest.raises(MissingKnowledgeError) as error:
        train(question, reader)
    for said in ("other.gmt", "mirna: mirna_0, mirna_1", "rna: rna_0, rna_1", "AKT1, EGFR, KRAS"):
        assert said in str(error.value)


def test_a_run_without_gene_sets_is_told_how_to_give_them(folder_of):
    with pytest.raises(MissingKnowledgeError, match="--gene_sets"):
        train(*asked(folder_of("regression"), "regression"))
