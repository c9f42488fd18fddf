"""Guards: each finds what it is there for, and is quiet where there is nothing."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from omicsfusion.guard.batch_importance import batch_importance
from omicsfusion.guard.batch_label import batch_decides_outcome, batch_predicts_outcome
from omicsfusion.guard.components import LayerValues, components
from omicsfusion.guard.earlier_steps import scaled_before, selected_before
from omicsfusion.guard.findings import FAILED, NOT_CHECKED, OK, WARNING, as_table, failures
from omicsfusion.guard.outcome_parts import cumulative_hazard, martingale_residuals
from omicsfusion.guard.parts import (
    duplicates_in_one_part,
    external_patients,
    groups_in_one_part,
    patients_in_one_part,
    temporal_order,
)
from omicsfusion.splits import make_splits
from omicsfusion.tables.duplicate_pairs import COLUMNS
from omicsfusion.tables.outcome import Outcome
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.several_layers import related_values, sample_ids, samples_of, write_layers

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "guard.py"
TASKS = ("classification", "regression", "survival")


def outcome_of(task, signal, seed=0):
    """An outcome that grows with ``signal`` (one number per sample, index: sample)."""
    rng = np.random.default_rng(seed)
    raw = signal.to_numpy() + rng.normal(size=len(signal))
    if task == "classification":
        table = pd.DataFrame({"truth": np.where(raw > 0, "high", "low")}, index=signal.index)
        return Outcome(task, table, ("high", "low"))
    if task == "regression":
        return Outcome(task, pd.DataFrame({"truth": raw}, index=signal.index))
    time = rng.exponential(np.exp(-signal))
    table = pd.DataFrame({"time": time, "event": rng.random(len(signal)) < 0.7}, signal.index)
    return Outcome(task, table.astype(float))


def split(samples, outcome, how="kfold", folds=3, links=()):
    samples = samples.assign(layers="rna")
    return make_splits(samples, outcome, how, folds, 1, 2, 0, 1, links=links)


def duplicates_of(*pairs):
    rows = [dict.fromkeys(COLUMNS, "x") | {"sample": one, "other": two} for one, two in pairs]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def cohort(n=60, task="classification", seed=1, **columns):
    samples = samples_of(n).assign(**columns)
    signal = pd.Series(np.random.default_rng(seed).normal(size=n), index=samples["sample"])
    return samples, outcome_of(task, signal, seed)


def test_a_sound_split_passes_and_says_how_many_were_looked_at():
    samples, outcome = cohort()
    splits = split(samples, outcome)
    found = patients_in_one_part(splits, samples)
    assert (found.status, found.value) == (OK, 0)
    assert found.detail == "None of 60 patients is parted by a split."


@pytest.mark.parametrize("inner", ["outer", "0"])
def test_a_patient_in_training_and_test_of_any_scope_fails(inner):
    patient = [f"p{number // 2}" for number in range(60)]
    samples, outcome = cohort(patient=patient, group=patient)
    splits = split(samples, outcome)
    assert patients_in_one_part(splits, samples).status == OK
    here = (splits["sample"] == "s0007") & (splits["inner"] == inner)
    flipped = splits["role"].map({"test": "train", "train": "test", "stop": "test"})
    broken = splits.assign(role=splits["role"].mask(here, flipped))
    found = patients_in_one_part(broken, samples)
    assert (found.status, found.value) == (FAILED, 1)
    assert "1 of 30 patients are parted by a split: p3." in found.detail
    assert "patients_in_one_part: 1 of 30" in failures([found])


def test_a_group_that_is_parted_fails_although_its_patients_are_whole():
    samples, outcome = cohort()
    splits = split(samples, outcome)
    torn = samples.assign(group=["family" if i < 40 else f"s{i:04d}" for i in range(60)])
    assert patients_in_one_part(splits, torn).status == OK
    assert groups_in_one_part(splits, torn).status == FAILED


def test_duplicates_pass_where_split_was_told_of_them_and_fail_where_not():
    samples, outcome = cohort()
    links = [("s0001", "s0002"), ("s0002", "s0030")]
    pairs = duplicates_of(*links)
    found = duplicates_in_one_part(split(samples, outcome, links=links), samples, pairs)
    assert (found.status, found.detail) == (
        OK,
        "None of 2 pairs of near-duplicates is parted by a split.",
    )
    broken = duplicates_in_one_part(split(samples, outcome), samples, pairs)
    assert broken.status == FAILED
    assert "s0002 and s0030" in broken.detail


def test_external_samples_of_training_patients_are_a_warning_with_names():
    samples = pd.concat([samples_of(30), samples_of(5, "ext", "external", "e")])
    assert external_patients(samples, duplicates_of()).status == OK
    assert external_patients(samples_of(30), duplicates_of()).status == NOT_CHECKED
    known = samples.assign(patient=samples["patient"].replace({"e0002": "s0004"}))
    found = external_patients(known, duplicates_of(("e0003", "s0009"), ("s0001", "s0002")))
    assert (found.status, found.value) == (WARNING, 2)
    assert "1 are of patients who are trained on: e0002" in found.detail
    assert "e0003 and s0009" in found.detail


def test_time_is_kept_by_a_temporal_split_and_broken_by_a_changed_one():
    years = [str(2000 + number // 3) for number in range(60)]
    samples, outcome = cohort(split=years)
    how = "temporal:year"
    splits = split(samples, outcome, how)
    found = temporal_order(splits, samples, duplicates_of(), how)
    assert (found.status, found.value) == (OK, 0)
    assert "of patients seen at 2013 or later; 0 of 39" in found.detail
    late = splits["sample"].eq("s0059") & splits["inner"].eq("outer")
    broken = splits.assign(role=splits["role"].mask(late, "train"))
    assert temporal_order(broken, samples, duplicates_of(), how).status == FAILED
    assert temporal_order(splits, samples, duplicates_of(), "kfold").status == NOT_CHECKED


def test_older_samples_of_tested_patients_are_told():
    years = [str(2000 + number // 3) for number in range(60)]
    patient = ["s0059", *sample_ids(60)[1:]]
    samples, outcome = cohort(split=years, patient=patient, group=patient)
    splits = split(samples, outcome, "temporal:year")
    found = temporal_order(splits, samples, duplicates_of(), "temporal:year")
    assert (found.status, found.value) == (WARNING, 1)


def batches(n=150, n_batches=4, seed=2):
    return pd.Series(np.random.default_rng(seed).integers(0, n_batches, n), index=sample_ids(n))


def labelled(batch):
    return samples_of(len(batch)).assign(batch=("b" + batch.astype(str)).to_numpy())


@pytest.mark.parametrize("task", TASKS)
def test_a_batch_that_predicts_the_outcome_is_a_warning(task):
    batch = batches()
    outcome = outcome_of(task, 1.5 * (batch % 2) - 0.75)
    samples = labelled(batch)
    found = batch_predicts_outcome(split(samples, outcome), samples, outcome, seed=1)
    assert found.status == WARNING
    assert found.value > found.threshold
    assert "(p = 0.005)" in found.detail


@pytest.mark.parametrize("task", TASKS)
def test_a_batch_without_relation_is_seldom_a_warning(task):
    n_warnings = 0
    for seed in range(6):
        batch = batches(seed=seed)
        noise = pd.Series(np.random.default_rng(100 + seed).normal(size=150), index=batch.index)
        outcome = outcome_of(task, noise, seed=seed)
        samples = labelled(batch)
        found = batch_predicts_outcome(split(samples, outcome), samples, outcome, seed=1)
        n_warnings += found.status == WARNING
    assert n_warnings <= 2


def test_without_batches_nothing_is_said_of_them():
    samples, outcome = cohort()
    splits = split(samples, outcome)
    for found in (
        batch_predicts_outcome(splits, samples, outcome, 1),
        batch_decides_outcome(samples, outcome),
        batch_importance(splits, samples, outcome, [], 1),
    ):
        assert found.status == NOT_CHECKED


def test_batches_held_out_whole_cannot_predict():
    batch = batches()
    samples = labelled(batch).assign(split=("b" + batch.astype(str)).to_numpy())
    outcome = outcome_of("classification", pd.Series(0.0, index=batch.index))
    splits = split(samples, outcome, "leave_out:site")
    found = batch_predicts_outcome(splits, samples, outcome, 1)
    assert found.status == NOT_CHECKED
    assert "100% of the test samples are of batches that are not trained on" in found.detail


def test_batches_of_one_class_are_counted():
    samples = samples_of(40).assign(batch=["a"] * 15 + ["b"] * 10 + ["c"] * 15)
    names = ["x"] * 15 + ["y"] * 10 + ["x", "y", "y"] * 5
    outcome = Outcome(
        "classification", pd.DataFrame({"truth": names}, index=samples["sample"]), ("x", "y")
    )
    found = batch_decides_outcome(samples, outcome)
    assert (found.status, found.value) == (WARNING, 25 / 40)
    assert "2 of 3 batches have one class" in found.detail


def layer_values(X):
    ids = sample_ids(len(X))
    return LayerValues("rna", {sample: row for row, sample in enumerate(ids)}, X.astype(float))


@pytest.mark.parametrize("task", TASKS)
def test_a_forest_relies_on_a_batch_that_alone_tells_the_outcome(task):
    batch = batches(120, 2)
    outcome = outcome_of(task, 4.0 * batch - 2)
    samples = labelled(batch)
    layer = layer_values(np.random.default_rng(3).normal(size=(120, 40)))
    found = batch_importance(split(samples, outcome), samples, outcome, [layer], 1)
    assert (found.status, found.value) == (WARNING, 1)


@pytest.mark.parametrize("task", TASKS)
def test_a_forest_leaves_a_batch_alone_when_the_layer_tells_the_outcome(task):
    X = np.random.default_rng(4).normal(size=(120, 1)) + 0.5 * np.random.default_rng(5).normal(
        size=(120, 30)
    )
    outcome = outcome_of(task, pd.Series(2 * X.mean(axis=1), index=sample_ids(120)))
    samples = labelled(batches(120, 3, seed=6))
    found = batch_importance(split(samples, outcome), samples, outcome, [layer_values(X)], 1)
    assert found.status == OK


def test_components_are_learnt_on_training_samples_only():
    X = np.random.default_rng(7).normal(size=(50, 30))
    ids = sample_ids(50)
    first = components(layer_values(X), ids[:30], ids[30:], seed=1)
    X[30:] = 1e9
    second = components(layer_values(X), ids[:30], ids[30:], seed=1)
    np.testing.assert_array_equal(first[0], second[0])
    assert first[0].shape == (30, 10)
    assert np.isfinite(second[1]).all()


def test_a_sample_without_the_layer_is_at_the_centre_of_its_components():
    X = np.random.default_rng(8).normal(size=(40, 30))
    _, test = components(layer_values(X), sample_ids(45)[:30], sample_ids(45)[30:], seed=1)
    assert (test[10:] == 0).all()
    assert (test[:10] != 0).all()


def scaled(tmp_path, X, kind="rna_log"):
    paths = write_layers(tmp_path, {"rna": X}, kinds={"rna": kind})
    return {found.guard: found for found in scaled_before("rna", paths, {"main"})}


def test_a_table_standardised_over_all_samples_is_a_warning_with_the_numbers(tmp_path):
    X = np.random.default_rng(9).gamma(3, size=(60, 50))
    raw = scaled(tmp_path, X)
    assert raw["scaled_before"].status == OK
    assert raw["selected_by_spread"].status == OK
    found = scaled(tmp_path, (X - X.mean(axis=0)) / X.std(axis=0))["scaled_before"]
    assert (found.status, found.value) == (WARNING, 1)
    assert "standardised_features = 1.000 of 50 varying features over 60 samples" in found.detail


def test_features_in_order_of_their_spread_are_a_warning(tmp_path):
    X = np.random.default_rng(10).gamma(3, size=(60, 50))
    X = X[:, np.argsort(-X.std(axis=0))]
    assert scaled(tmp_path, X)["selected_by_spread"].status == WARNING


@pytest.mark.parametrize("task", TASKS)
def test_features_picked_by_the_outcome_of_all_samples_are_a_warning(task):
    rng = np.random.default_rng(11)
    X = rng.normal(size=(100, 1000))
    outcome = outcome_of(task, pd.Series(rng.normal(size=100), index=sample_ids(100)))
    assert selected_before(layer_values(X), outcome).status == OK
    y = outcome.table.to_numpy()
    number = {
        "classification": lambda: y[:, 0] == "high",
        "regression": lambda: y[:, 0],
        "survival": lambda: martingale_residuals(y, y),
    }[task]()
    r = np.abs([spearmanr(x, number).statistic for x in X.T])
    picked = selected_before(layer_values(X[:, np.argsort(-r)[:20]]), outcome)
    assert (picked.status, picked.value) == (WARNING, 0)
    assert "Of 20 features, 0 (0.0%) have p > 0.1" in picked.detail


def test_few_features_or_samples_are_not_tested_for_selection():
    rng = np.random.default_rng(12)
    outcome = outcome_of("regression", pd.Series(rng.normal(size=60), index=sample_ids(60)))
    for shape in ((60, 19), (19, 60)):
        assert selected_before(layer_values(rng.normal(size=shape)), outcome).status == NOT_CHECKED


def test_residuals_are_events_less_expected_ones():
    """By hand: hazards 1/4 at 1, 1/2 at 3 (censored at 2); Nelson-Aalen 0.25, 0.25, 0.75, 0.75."""
    time, event = np.array([1.0, 2, 3, 4]), np.array([1.0, 0, 1, 0])
    at = np.array([0.5, 1, 2, 3, 9])
    np.testing.assert_allclose(cumulative_hazard(time, event, at), [0, 0.25, 0.25, 0.75, 0.75])
    y = np.column_stack([time, event])
    np.testing.assert_allclose(martingale_residuals(y, y), [0.75, -0.25, 0.25, -0.75])
    assert martingale_residuals(y, y).sum() == pytest.approx(0)


def test_the_hazard_is_lifelines_own():
    """Lifelines 0.30 NelsonAalenFitter without its smoothing of tied events."""
    from lifelines import NelsonAalenFitter

    rng = np.random.default_rng(13)
    time, event = np.ceil(20 * rng.random(80)), (rng.random(80) < 0.6).astype(float)
    fitted = NelsonAalenFitter(nelson_aalen_smoothing=False).fit(time, event)
    expected = fitted.cumulative_hazard_at_times(time).to_numpy()
    np.testing.assert_allclose(cumulative_hazard(time, event, time), expected, rtol=1e-12)


def written(folder, task="classification", **columns):
    """Everything that GUARD reads, of a sound cohort of 60, in a folder."""
    values = related_values(60, 30, 1)
    paths = [path.name for path in write_layers(folder, values)]
    batch = batches(60, 3)
    signal = pd.Series(values["rna"].mean(axis=1), index=sample_ids(60))
    outcome = outcome_of(task, signal)
    samples = labelled(batch).assign(layers="protein;rna", **columns)
    samples = samples.join(outcome.table, on="sample")
    write_tsv(samples, folder / "samples.tsv")
    write_tsv(split(samples, outcome), folder / "splits.tsv")
    write_tsv(duplicates_of(), folder / "rna.duplicates.tsv")
    return paths


def run_script(folder, files, *options):
    command = ["--splits", "splits.tsv", "--samples", "samples.tsv", "--split", "kfold"]
    return subprocess.run(
        [sys.executable, SCRIPT, *command, "--seed", "1", "--files", *files, *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


EVERY = [
    "patients_in_one_part",
    "groups_in_one_part",
    "duplicates_in_one_part",
    "temporal_order",
    "external_patients",
    "pretrained_on_tested",
    "batch_decides_outcome",
    "batch_predicts_outcome",
    *("scaled_before", "selected_by_spread", "selected_before") * 2,
    "batch_importance",
]


def test_the_script_writes_a_row_for_every_check_and_the_same_bytes_again(tmp_path):
    files = written(tmp_path)
    options = ["--task", "classification", "--duplicates", "rna.duplicates.tsv"]
    done = run_script(tmp_path, files, *options)
    assert done.returncode == 0, done.stderr
    first = (tmp_path / "guards.tsv").read_bytes()
    table = read_tsv(tmp_path / "guards.tsv")
    assert table["guard"].tolist() == EVERY
    assert set(table["status"]) <= {OK, WARNING, NOT_CHECKED}
    assert run_script(tmp_path, files[::-1], *options).returncode == 0
    assert (tmp_path / "guards.tsv").read_bytes() == first


def test_the_script_ends_with_a_sentence_when_a_guard_fails_and_leaves_the_table(tmp_path):
    files = written(tmp_path, "survival")
    patient = [f"p{number // 2}" for number in range(60)]
    samples = read_tsv(tmp_path / "samples.tsv").assign(patient=patient)
    write_tsv(samples, tmp_path / "samples.tsv")
    done = run_script(tmp_path, files, "--task", "survival")
    assert done.returncode == 1
    assert done.stderr.startswith("patients_in_one_part: ")
    assert "Traceback" not in done.stderr
    table = read_tsv(tmp_path / "guards.tsv")
    assert table.loc[table["status"] == FAILED, "guard"].tolist() == ["patients_in_one_part"]


def test_figures_are_rounded_in_the_table():
    found = patients_in_one_part(split(*cohort()), cohort()[0])._replace(value=1 / 3)
    assert as_table([found])["value"].tolist() == [0.3333]
