"""The fused network through TRAIN and EXPLAIN, from files to files."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from omicsfusion.interpret.explanation import explain_model
from omicsfusion.models.archive import read_archive
from omicsfusion.models.ensemble import ensemble_inputs, widened
from omicsfusion.models.families.fused import train
from omicsfusion.models.heads.choice import head_for
from omicsfusion.models.links import average_members
from omicsfusion.models.registry import ModelSpec
from omicsfusion.models.request import TrainingRequest
from omicsfusion.models.training_task import train_group
from omicsfusion.scopes import Scope
from omicsfusion.tables.outcome import TASKS
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.network_cohort import SAMPLES, SCOPES, open_cohort, write_cohort

BIN = Path(__file__).resolve().parents[2] / "bin"
SPEC = ModelSpec("fused", "fused", ("mirna", "rna"))
OUTER = SCOPES[0]


def run_train(folder: Path, task: str, out: str = "fused.all") -> None:
    train_group(
        out=str(folder / out),
        model="fused",
        matrices=sorted(folder.glob("*.matrices.h5")),
        splits=folder / "splits.tsv",
        samples=folder / "samples.tsv",
        horizons=folder / "horizons.tsv" if task == "survival" else None,
        group="all",
        task=task,
        target="outcome",
        seed=3,
    )


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """Return a function from a task to a folder in which TRAIN has run, once."""

    @cache
    def folder_of(task: str) -> Path:
        folder = tmp_path_factory.mktemp(task)
        write_cohort(folder, task)
        run_train(folder, task)
        return folder

    return folder_of


@pytest.fixture(scope="module", params=TASKS)
def trained(request, folder_of) -> tuple[Path, str]:
    """Return a folder in which TRAIN has run, and its task."""
    return folder_of(request.param), request.param


def predictions(folder: Path, out: str = "fused.all") -> pd.DataFrame:
    return read_tsv(folder / f"{out}.predictions.tsv")


def test_the_signal_is_found_in_samples_not_trained_on(trained):
    folder, task = trained
    table = predictions(folder)
    assert len(table) == len(SCOPES) * SAMPLES // 5
    if task == "classification":
        columns = [column for column in table if column.startswith("p_")]
        np.testing.assert_allclose(table[columns].sum(axis=1), 1, rtol=1e-5)
        called = table[columns].idxmax(axis=1).str.removeprefix("p_")
        assert (called == table["truth"]).mean() > 0.5
    elif task == "survival":
        died = table[table["event"] == 1]
        assert died["risk"].corr(died["time"], method="spearman") < -0.4
        assert ((table["s_1"] >= table["s_2"]) & table["s_2"].between(0, 1)).all()
    else:
        assert np.corrcoef(table["mean"], table["truth"])[0, 1] > 0.7
        assert table["sd"].between(2, 20).all()


def test_the_record_and_the_curve_tell_of_every_scope(trained):
    folder, _ = trained
    record = read_tsv(folder / "fused.all.training.tsv")
    assert record["status"].tolist() == ["ok"] * len(SCOPES)
    assert (record["best_epoch"] <= record["epochs"]).all()
    curves = read_tsv(folder / "fused.all.curves.tsv")
    assert curves.groupby(["repeat", "fold", "inner"]).size().tolist() == [
        *record.set_index(["repeat", "fold", "inner"]).sort_index()["epochs"]
    ]


def test_an_archive_gives_the_predictions_of_the_table(trained):
    folder, task = trained
    reader, _ = open_cohort(folder, task)
    table = predictions(folder)
    archives = sorted(path.name for path in (folder / "fused.all.models").iterdir())
    assert archives == ["r1f1-outer.keras", "r1f2-outer.keras"]
    for scope in (s for s in SCOPES if not s.is_inner):
        model = read_archive(folder / "fused.all.models" / f"{scope.key}.keras")
        data = reader.load(scope, SPEC.layers)
        outputs = np.asarray(model(ensemble_inputs(model, data, data.rows("test"))))
        mine = table[(table["fold"] == scope.fold) & (table["inner"] == scope.inner)]
        if task == "classification":
            columns = [f"p_{name}" for name in model.outputs_named]
        else:
            columns = model.outputs_named
        np.testing.assert_allclose(outputs, mine[columns], rtol=1e-4, atol=1e-5)


def test_an_archive_refuses_data_with_other_features(trained):
    folder, task = trained
    reader, _ = open_cohort(folder, task)
    model = read_archive(folder / "fused.all.models" / f"{OUTER.key}.keras")
    data = reader.load(SCOPES[1], SPEC.layers)
    with pytest.raises(ValueError, match="rna"):
        ensemble_inputs(model, data, data.rows("test"))


def test_a_widened_ensemble_predicts_the_same(folder_of):
    folder = folder_of("regression")
    reader, _ = open_cohort(folder, "regression")
    model = read_archive(folder / "fused.all.models" / f"{OUTER.key}.keras")
    data = reader.load(OUTER, SPEC.layers)
    wide = widened(model, {"mirna": 9, "rna": 20})
    outputs = [np.asarray(m(ensemble_inputs(m, data, data.rows("test")))) for m in (model, wide)]
    np.testing.assert_allclose(*outputs, rtol=1e-5, atol=1e-4)


@pytest.fixture(scope="module")
def explained(trained) -> Path:
    folder, _ = trained
    explain_model(
        out=str(folder / "fused"),
        model="fused",
        matrices=sorted(folder.glob("*.matrices.h5")),
        models=[folder / "fused.all.models"],
        splits=folder / "splits.tsv",
        seed=3,
    )
    return folder


def test_the_planted_feature_is_the_most_important_and_points_the_right_way(trained, explained):
    table = read_tsv(explained / "fused.importance.tsv")
    top = table[table["rank"] == 1].set_index("output")
    expected = {"high": -1, "low": -1, "risk": 1, "mean": 1}
    if trained[1] == "classification":  # classes by the signal: high < low < middle
        expected = {"high": -1, "middle": 1}
    for output in set(expected) & set(top.index):
        assert top.loc[output, "feature"] == "rna_0"
        assert top.loc[output, "direction"] * expected[output] > 0.5
    n_folds = table.set_index(["output", "feature"])["n_folds"]
    assert (n_folds == 2).all()


def test_attributions_add_up_and_those_of_absent_layers_are_exactly_zero(trained, explained):
    folder, task = trained
    additivity = read_tsv(explained / "fused.additivity.tsv")
    assert (additivity["mean_abs_gap"] < 0.2 * additivity["mean_abs_difference"]).all()
    reader, _ = open_cohort(folder, task)
    with h5py.File(explained / "fused.attributions.h5") as file:
        data = reader.load(OUTER, SPEC.layers)
        test = data.rows("test")
        assert file[OUTER.key]["samples"].asstr()[:].tolist() == [data.samples[i] for i in test]
        for name, block in data.layers.items():
            values = file[OUTER.key][f"layer/{name}"][:]
            assert values.shape[:2] == (len(test), len(block.features))
            assert not values[~block.present[test]].any()
            assert values[block.present[test]].any()


@pytest.mark.parametrize("task", TASKS)
def test_garbage_in_test_samples_changes_neither_the_fit_nor_what_is_said_of_others(tmp_path, task):
    folders = [tmp_path / "clean", tmp_path / "spoilt"]
    for folder in folders:
        folder.mkdir()
        write_cohort(folder, task, scopes=(OUTER,))
    splits = read_tsv(folders[1] / "splits.tsv")
    tested = splits.loc[splits["role"] == "test", "sample"]
    spoilt = set(tested.iloc[::2])
    spoil(folders[1], spoilt)
    for folder in folders:
        run_train(folder, task)
    left, right = (predictions(folder).set_index("sample") for folder in folders)
    others = [sample for sample in left.index if sample not in spoilt]
    assert 0 < len(others) < len(left)
    pd.testing.assert_frame_equal(left.loc[others], right.loc[others], check_exact=True)
    for name in ("fused.all.training.tsv", "fused.all.curves.tsv", "fused.all.models"):
        was, now = (bytes_below(folder / name) for folder in folders)
        assert was == now, name


def spoil(folder: Path, samples: set[str]) -> None:
    """Write nonsense into the matrices and outcomes of some samples."""
    for path in folder.glob("*.matrices.h5"):
        with h5py.File(path, "r+") as file:
            node = file[OUTER.key]
            rows = [r for r, name in enumerate(node["samples"].asstr()[:]) if name in samples]
            node["X"][rows] = np.full((len(rows), node["X"].shape[1]), 1e6, dtype=np.float32)
    table = read_tsv(folder / "samples.tsv").set_index("sample")
    for column in {"truth", "time", "event"} & set(table):
        # Known outcomes in another order: a class that nobody had would change the classes.
        table.loc[sorted(samples), column] = table.loc[sorted(samples), column].to_numpy()[::-1]
    write_tsv(table.reset_index(), folder / "samples.tsv")


def bytes_below(path: Path) -> dict[str, bytes]:
    """Return the content of a file, or of all files of a folder, by name."""
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    return {file.name: file.read_bytes() for file in files if file.is_file()}


def test_a_second_process_writes_the_same_bytes_whatever_the_order_of_files_and_rows(
    folder_of, tmp_path
):
    before = folder_of("survival")
    write_cohort(tmp_path, "survival")
    for name in ("samples.tsv", "splits.tsv"):
        table = read_tsv(tmp_path / name, text_columns=("group", "role", "batch", "split"))
        write_tsv(table.iloc[::-1], tmp_path / name)
    arguments = (
        "--id fused.all --model fused --group all --task survival --target outcome --seed 3 "
        "--splits splits.tsv --samples samples.tsv --horizons horizons.tsv "
        "--matrices rna.all.matrices.h5 mirna.all.matrices.h5"
    )
    subprocess.run(
        [sys.executable, BIN / "train.py", *arguments.split()],
        cwd=tmp_path,
        env={**os.environ, "PYTHONHASHSEED": "99"},
        check=True,
    )
    names = ["predictions.tsv", "training.tsv", "curves.tsv", f"models/{OUTER.key}.keras"]
    for name in names:
        first, second = (folder / f"fused.all.{name}" for folder in (before, tmp_path))
        assert first.read_bytes() == second.read_bytes(), name


def change_outcome(folder: Path, scope: Scope, role: str, **values: object) -> None:
    """Overwrite the outcome of the samples that have a role in a scope."""
    splits = read_tsv(folder / "splits.tsv", text_columns=("role", "group"))
    here = (splits["fold"] == scope.fold) & (splits["inner"] == scope.inner)
    chosen = splits.loc[here & (splits["role"] == role), "sample"]
    samples = read_tsv(folder / "samples.tsv")
    for column, value in values.items():
        samples.loc[samples["sample"].isin(chosen), column] = value
    write_tsv(samples, folder / "samples.tsv")


@pytest.mark.parametrize(
    ("task", "values", "reason"),
    [
        ("classification", {"truth": "high"}, "one class"),
        ("survival", {"event": 0}, "event"),
        ("regression", {"truth": 5.0}, "one value"),
    ],
)
def test_a_scope_that_cannot_be_trained_fails_with_a_reason_and_without_predictions(
    tmp_path, task, values, reason
):
    write_cohort(tmp_path, task, SCOPES[:1])
    change_outcome(tmp_path, OUTER, "train", **values)
    reader, outcome = open_cohort(tmp_path, task)
    (fit,) = train(TrainingRequest(SPEC, outcome, [1.0], seed=3), reader)
    assert fit.record["status"] == "failed"
    assert reason in str(fit.record["reason"])
    assert fit.save is None
    assert all(np.isnan(column).all() for column in fit.columns.values())


@pytest.mark.parametrize(
    ("task", "values", "stops"),
    [("survival", {"event": 0}, False), ("survival", {"event": 1}, True)],
)
def test_stop_samples_without_an_event_cannot_tell_when_to_stop(tmp_path, task, values, stops):
    write_cohort(tmp_path, task, SCOPES[:1])
    change_outcome(tmp_path, OUTER, "stop", **values)
    reader, outcome = open_cohort(tmp_path, task)
    targets = head_for(outcome).targets(reader.load(OUTER, SPEC.layers))
    assert targets.stops is stops


def test_classes_weigh_the_same_in_all_however_rare_they_are(tmp_path):
    write_cohort(tmp_path, "classification", SCOPES[:1])
    reader, outcome = open_cohort(tmp_path, "classification")
    data = reader.load(OUTER, SPEC.layers)
    targets = head_for(outcome).targets(data)
    train = data.rows("train")
    classes, weight = targets.values[train, 0], targets.weight[train]
    of_class = [weight[classes == code].sum() for code in range(len(outcome.classes))]
    np.testing.assert_allclose(of_class, len(train) / len(outcome.classes), rtol=1e-5)


def test_members_of_a_fit_are_averaged():
    raw = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)
    offset, scale = np.array([1.0, 2.0, 5.0], np.float32), np.array([3.0, 4.0, 0.5], np.float32)
    plain = average_members(raw, "identity", offset, scale)
    np.testing.assert_allclose(plain, offset + scale * (raw[0] + raw[1]) / 2, rtol=1e-5)
    odds = np.exp(raw)
    shares = (odds / odds.sum(axis=-1, keepdims=True)).mean(axis=0)
    np.testing.assert_allclose(average_members(raw, "softmax", offset, scale), shares, rtol=1e-5)
