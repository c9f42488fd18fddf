"""The heads that are asked for, through the training of the fused network and its archive."""

from functools import cache
from pathlib import Path

import h5py
import numpy as np
import pytest

from omicsfusion.models.archive import read_archive
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.ensemble import ensemble_inputs, widened
from omicsfusion.models.families.fused import train
from omicsfusion.models.registry import ModelSpec
from omicsfusion.models.request import TrainingRequest
from omicsfusion.scopes import Scope
from omicsfusion.tables.outcome import Outcome
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.network_cohort import SCOPES, open_cohort, write_cohort

SPEC = ModelSpec("fused", "fused", ("mirna", "rna"))
OUTER = SCOPES[0]
HORIZONS = [0.5, 2.0, 100.0]
# The cohort's classes by the signal are high < low < middle: named so that the order of the
# alphabet is not theirs.
NAMES = {"high": "low", "low": "mid", "middle": "high"}
ORDER = ("low", "mid", "high")
HEADS = {
    "ordinal": ("classification", {"class_order": ORDER}),
    "discrete_hazard": ("survival", {"head": "discrete_hazard"}),
    "huber": ("regression", {"head": "huber"}),
}


def write(folder: Path, task: str, scopes: tuple[Scope, ...] = SCOPES[:1]) -> None:
    write_cohort(folder, task, scopes)
    if task == "classification":
        samples = read_tsv(folder / "samples.tsv")
        write_tsv(samples.assign(truth=samples["truth"].map(NAMES)), folder / "samples.tsv")


def fits_of(folder: Path, name: str):
    """Train with a head on what was written; return the reader, the outcome and the fits."""
    task, asked = HEADS[name]
    reader, outcome = open_cohort(folder, task)
    request = TrainingRequest(SPEC, outcome, HORIZONS, seed=3, **asked)
    return reader, outcome, train(request, reader)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a function from a head to what came of training with it, once."""

    @cache
    def trained(name: str) -> tuple[GroupReader, Outcome, object, Path]:
        folder = tmp_path_factory.mktemp(name)
        write(folder, HEADS[name][0])
        reader, outcome, (fit,) = fits_of(folder, name)
        assert fit.record["status"] == "ok"
        fit.save(folder / OUTER.key)
        return reader, outcome, fit, folder / f"{OUTER.key}.keras"

    return trained


def truth_of(fit, outcome: Outcome):
    return outcome.table.loc[list(fit.samples)]


def test_ordered_classes_are_found_and_their_columns_stay_sorted(trained):
    _, outcome, fit, _ = trained("ordinal")
    assert list(fit.columns) == ["p_high", "p_low", "p_mid"]
    p = np.stack(list(fit.columns.values()), axis=1)
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    called = np.array(outcome.classes)[p.argmax(axis=1)]
    assert (called == truth_of(fit, outcome)["truth"]).mean() > 0.5
    assert "low < mid < high" in fit.record["setting"]
    assert "as if all classes were equally common" in fit.record["setting"]


def test_discrete_hazards_find_who_dies_early(trained):
    _, outcome, fit, _ = trained("discrete_hazard")
    assert list(fit.columns) == ["risk", "s_0.5", "s_2", "s_100", "own_survival"]
    known = truth_of(fit, outcome)
    died = (known["event"] == 1).to_numpy()
    time, risk = known["time"].to_numpy()[died], fit.columns["risk"][died]
    ranks = np.argsort(np.argsort(time)), np.argsort(np.argsort(risk))
    assert np.corrcoef(*ranks)[0, 1] < -0.4
    survival = np.stack([fit.columns[f"s_{h:g}"] for h in HORIZONS], axis=1)
    assert ((survival > 0) & (survival < 1)).all()
    assert (np.diff(survival, axis=1) <= 0).all()
    assert "intervals that end at" in fit.record["setting"]


def test_huber_finds_the_signal_in_the_targets_unit(trained):
    _, outcome, fit, _ = trained("huber")
    truth = truth_of(fit, outcome)["truth"]
    assert np.corrcoef(fit.columns["mean"], truth)[0, 1] > 0.7
    assert np.median(np.abs(fit.columns["mean"] - truth)) < 15
    assert (fit.columns["sd"] > 2).all()
    assert (fit.columns["sd"] < 20).all()


@pytest.mark.parametrize("name", HEADS)
def test_an_archive_gives_the_predictions_also_when_it_is_widened(trained, name):
    reader, _, fit, path = trained(name)
    model = read_archive(path)
    data = reader.load(OUTER, SPEC.layers)
    prefix = "p_" if name == "ordinal" else ""
    expected = np.stack([fit.columns[f"{prefix}{out}"] for out in model.outputs_named], axis=1)
    wide = widened(model, {"mirna": 9, "rna": 20})
    for one in (model, wide):
        outputs = np.asarray(one(ensemble_inputs(one, data, data.rows("test"))))
        np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)


def change_outcome(folder: Path, role: str, **values: object) -> None:
    splits = read_tsv(folder / "splits.tsv", text_columns=("role", "group"))
    chosen = splits.loc[splits["role"] == role, "sample"]
    samples = read_tsv(folder / "samples.tsv")
    for column, value in values.items():
        samples.loc[samples["sample"].isin(chosen), column] = value
    write_tsv(samples, folder / "samples.tsv")


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("ordinal", {"truth": "mid"}, "The samples to fit on are all of one class."),
        ("discrete_hazard", {"event": 0}, "None of the samples to fit on has an event."),
        ("huber", {"truth": 5.0}, "The target has one value only among the samples to fit on."),
    ],
)
def test_a_scope_without_anything_to_learn_from_fails_with_a_reason(tmp_path, name, values, reason):
    write(tmp_path, HEADS[name][0])
    change_outcome(tmp_path, "train", **values)
    _, _, (fit,) = fits_of(tmp_path, name)
    assert (fit.record["status"], fit.record["reason"]) == ("failed", reason)
    assert fit.save is None
    assert all(np.isnan(column).all() for column in fit.columns.values())


@pytest.mark.parametrize("name", HEADS)
def test_an_undefined_loss_fails_with_a_reason_and_spares_other_scopes(tmp_path, name):
    scopes = (Scope(1, 1, "outer"), Scope(1, 2, "outer"))
    write(tmp_path, HEADS[name][0], scopes)
    with h5py.File(tmp_path / "rna.all.matrices.h5", "r+") as file:
        values = file[scopes[0].key]["X"]
        values[:, 0] = np.full(len(values), np.nan, np.float32)
    _, _, (broken, sound) = fits_of(tmp_path, name)
    assert broken.record["status"] == "failed"
    assert broken.record["reason"] == "The loss was infinite or undefined."
    assert all(np.isnan(column).all() for column in broken.columns.values())
    assert sound.record["status"] == "ok"
    assert all(np.isfinite(column).all() for column in sound.columns.values())


@pytest.mark.parametrize("order", [(), ORDER], ids=["softmax", "ordinal"])
def test_a_class_of_two_members_or_of_none_in_a_fold_is_predicted_with_a_probability(
    tmp_path, order
):
    write(tmp_path, "classification")
    samples = read_tsv(tmp_path / "samples.tsv").set_index("sample")
    splits = read_tsv(tmp_path / "splits.tsv", text_columns=("role", "group")).set_index("sample")
    samples.loc[samples["truth"] == "high", "truth"] = "mid"
    few = [splits.index[splits["role"] == role][0] for role in ("stop", "test")]
    samples.loc[few, "truth"] = "high"
    write_tsv(samples.reset_index(), tmp_path / "samples.tsv")
    reader, outcome = open_cohort(tmp_path, "classification")
    assert outcome.classes == ("high", "low", "mid")
    (fit,) = train(TrainingRequest(SPEC, outcome, [], seed=3, class_order=order), reader)
    assert fit.record["status"] == "ok"
    assert "high 0, " in fit.record["setting"]
    p = np.stack(list(fit.columns.values()), axis=1)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    # Nobody to fit on has the class: it is the least probable for nearly everyone.
    assert (p[:, 0] < 1 / 3).mean() > 0.9
