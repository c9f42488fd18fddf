"""The convolutional network: the order it sees, what it must not notice, and that it learns."""

from functools import cache, partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from omicsfusion.models import training
from omicsfusion.models.backend import compiled, output_gradients
from omicsfusion.models.ensemble import ensemble_inputs
from omicsfusion.models.families.cnn import CnnNetwork, train
from omicsfusion.models.fit import prediction_table
from omicsfusion.models.genome_order import genome_order
from omicsfusion.models.registry import ModelSpec
from omicsfusion.models.request import MissingKnowledgeError, TrainingRequest
from omicsfusion.preprocess.matrices import read_matrix, write_matrices
from omicsfusion.scopes import Scope
from omicsfusion.tables.positions import read_positions
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.family_tasks import tasks_of
from tests.network_cohort import SCOPES, open_cohort, write_cohort
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

BINS = tuple(f"chr{c}:{s}-{s + 9}" for c in (2, 10, 1) for s in range(101, 1, -10))
FEATURES = {
    "clinical": ("age",),
    "cnv": BINS,
    "mirna": ("mir-1", "mir-2"),
    "rna": ("chr1:5-9", "a", "chr3:7-9", "b", "chr2:1-5"),
}
WIDTHS = {name: len(features) for name, features in FEATURES.items()}
EVERYTHING = everything(FEATURES)
PLACED, UNPLACED = ("cnv", "rna"), ("clinical", "mirna", "rna")
ORDER = partial(genome_order, positions={})


def built(features=FEATURES, widths=WIDTHS, placed=PLACED, unplaced=UNPLACED) -> CnnNetwork:
    network = CnnNetwork(widths, 2, MEMBERS, placed=placed, unplaced=unplaced, order=ORDER)
    return begun(network, features)


def test_what_is_known_of_a_member():
    network = built()
    known = {variable.path: value for variable, value in network.known(FEATURES)}

    def of(name: str) -> list[int]:
        [value] = [value for path, value in known.items() if path.endswith(name)]
        return value.tolist()

    # Bins were named from the ends of chromosomes 2, 10 and 1.
    chromosomes = [range(30, 20, -1), range(10, 0, -1), range(20, 10, -1)]
    assert of("genome_0/column") == [column for c in chromosomes for column in c]
    assert of("genome_1/column") == [1, 5, 3, 0, 0]
    assert of("encoder_2/part") == [False, True, False, True, False]
    assert of("in_use") == [1, 1, 1, 1, 1]
    # 30 places are seen by 8 windows, those by 2, of 8 channels each.
    assert of("genome_0/encoder/dense/fan_in") == 16
    assert of("genome_1/encoder/dense/fan_in") == 8
    assert of("encoder_2/dense/fan_in") == 2
    assert of("wide_3/fan_in") == 5


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


def test_the_order_of_a_tables_columns_changes_nothing():
    x = random_inputs(FEATURES)
    mixed = np.random.default_rng(0).permutation(len(BINS))
    features = {**FEATURES, "cnv": [BINS[column] for column in mixed]}
    networks = built(), built(features)
    for network in networks:
        # The wide path is the one that has a weight for each column of the table.
        network.wide[1].kernel.assign(np.zeros(network.wide[1].kernel.shape))
    there, again = (
        np.asarray(network({**x, "cnv": cnv}, EVERYTHING))
        for network, cnv in zip(networks, (x["cnv"], x["cnv"][..., mixed]), strict=True)
    )
    np.testing.assert_array_equal(there, again)


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


def test_columns_of_padding_never_matter():
    more = {"clinical": 3, "cnv": 50, "mirna": 4, "rna": 9}
    narrow, wide, x = built(), built(widths=more), random_inputs(FEATURES)
    for draw in (None, DRAW):
        np.testing.assert_allclose(
            wide(padded(x, more), EVERYTHING, draw),
            narrow(x, EVERYTHING, draw),
            rtol=1e-4,
            atol=1e-5,
        )


def test_tokens_that_only_other_members_have_never_matter():
    features = {**FEATURES, "rna": FEATURES["rna"][::2]}  # all three have a position
    x = random_inputs(features)
    narrow = built(features, {**WIDTHS, "rna": 3}, unplaced=("clinical", "mirna"))
    wide = built(features, {**WIDTHS, "rna": 3})
    np.testing.assert_allclose(wide(x, EVERYTHING), narrow(x, EVERYTHING), rtol=1e-4, atol=1e-5)


@pytest.mark.families
def test_after_one_epoch_a_member_alone_and_among_others_agree(monkeypatch):
    monkeypatch.setattr(training, "EPOCHS_WITHOUT_STOP", 1)
    network = built()
    fewer = {**FEATURES, "rna": FEATURES["rna"][1:], "cnv": BINS[:9]}
    require_same_alone(network, FEATURES, fewer)


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """Return a function from a task to a folder with a cohort and positions of half of ``rna``."""

    @cache
    def folder_of(task: str) -> Path:
        folder = tmp_path_factory.mktemp(task)
        write_cohort(folder, task)
        lines = [f"chr{1 + i % 3}\t{i}\t{i + 1}\trna_{i}" for i in range(7)]
        (folder / "rna.bed").write_text("\n".join(lines))
        return folder

    return folder_of


def asked(
    folder: Path, task: str, positions: Path | None, layers: tuple[str, ...] = ("mirna", "rna")
) -> tuple[TrainingRequest, object]:
    reader, outcome = open_cohort(folder, task)
    spec = ModelSpec("cnn", "cnn", layers)
    return TrainingRequest(spec, outcome, [1.0, 2.0], 3, positions=positions), reader


@pytest.fixture(scope="module", params=tasks_of("regression"))
def trained(request, folder_of):
    """Return the task, its folder, the reader and the fits."""
    folder = folder_of(request.param)
    question, reader = asked(folder, request.param, folder / "rna.bed")
    return request.param, folder, reader, train(question, reader)


def table_of(trained) -> pd.DataFrame:
    task, folder, _, fits = trained
    return prediction_table(fits, "cnn", "outcome", open_cohort(folder, task)[1])


def test_the_signal_is_found_in_samples_not_trained_on(trained):
    table = table_of(trained)
    require_signal(table, trained[0])


def test_an_archive_has_its_order_and_gives_the_predictions_of_the_table(trained, tmp_path):
    task, _, reader, fits = trained
    table = table_of(trained)
    for fit in (fit for fit in fits if fit.save):
        for slopes in require_archive(fit, reader, table, task, tmp_path):
            assert slopes.any(axis=0).all()


RUN = range(80, 92)
"""Neighbours on the genome whose mean carries the outcome."""


def write_bins(folder: Path) -> None:
    """Replace ``rna`` by 160 bins in any order, and the outcome by the mean of a run of them."""
    write_cohort(folder, "regression", SCOPES[:1])
    path = folder / "rna.all.matrices.h5"
    old = read_matrix(path, SCOPES[0])
    rng = np.random.default_rng(2)
    x = rng.normal(size=(len(old.samples), 160)).astype(np.float32)
    mixed = rng.permutation(160)
    names = [f"chr5:{100 * i + 1}-{100 * i + 100}" for i in range(160)]
    block = (SCOPES[0], x[:, mixed], old.samples, [names[i] for i in mixed])
    write_matrices(path, "rna", "rna", "all", [block])
    table = read_tsv(folder / "samples.tsv").set_index("sample")
    signal = x[:, list(RUN)].mean(axis=1) * np.sqrt(len(RUN))
    table.loc[list(old.samples), "truth"] = signal + 0.3 * rng.normal(size=len(signal))
    write_tsv(table.reset_index(), folder / "samples.tsv")


def test_a_run_of_neighbours_that_tell_of_the_outcome_together_is_found(tmp_path):
    write_bins(tmp_path)
    question, reader = asked(tmp_path, "regression", None, ("rna",))
    [fit] = train(question, reader)
    fit.save(tmp_path / "fit")
    model = keras.saving.load_model(tmp_path / "fit.keras", compile=False)
    data = reader.load(Scope(1, 1, "outer"), ("rna",))
    test = data.rows("test")
    truth = question.outcome.table.loc[[data.samples[row] for row in test], "truth"]
    inputs = ensemble_inputs(model, data, test)
    assert np.corrcoef(np.asarray(model(inputs))[:, 0], truth)[0, 1] > 0.5
    tensors = keras.tree.map_structure(keras.ops.convert_to_tensor, inputs)
    [of_output] = output_gradients(model, tensors["x"], tensors["present"])
    slope = np.asarray(of_output["rna"]).mean(axis=0)
    inside = np.isin([name.split(":")[1].split("-")[0] for name in data.layers["rna"].features],
                     [str(100 * i + 1) for i in RUN])  # fmt: skip
    # The mean of as many slopes as the run has, were they like those of the others.
    by_chance = slope[~inside].std() / np.sqrt(inside.sum())
    assert slope[inside].mean() > slope[~inside].mean() + 4 * by_chance


def test_no_position_at_all_is_refused_with_names_of_both(folder_of, tmp_path):
    other = tmp_path / "other.bed"
    other.write_text("chr1\t1\t2\tTP53\nchr1\t5\t6\tEGFR\n")
    assert set(read_positions(other)) == {"TP53", "EGFR"}
    with pytest.raises(MissingKnowledgeError) as error:
        train(*asked(folder_of("regression"), "regression", other))
    for said in ("other.bed", "EGFR, TP53", "mirna: mirna_0, mirna_1", "rna: rna_0, rna_1"):
        assert said in str(error.value)


def test_a_run_without_positions_is_told_how_to_give_them(folder_of):
    with pytest.raises(MissingKnowledgeError, match=r"--positions.*chr7:100001-200000"):
        train(*asked(folder_of("regression"), "regression", None))
