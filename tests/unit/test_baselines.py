"""Shallow models: each finds what there is on each task it is for, by training samples only."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from omicsfusion.models.baselines import crossfit, forest
from omicsfusion.models.baselines.training_set import TrainingSet
from omicsfusion.models.baselines.xgboost import GRID_SURVIVAL, XGBOOST
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.fit import Fit
from omicsfusion.models.linear_tasks import task_of
from omicsfusion.models.registry import (
    FORMATS,
    ROLES,
    UnsuitableModelError,
    parse_model,
    plain_name,
    refuse_other_tasks,
)
from omicsfusion.models.request import TrainingRequest
from omicsfusion.models.trainers import trainer_of
from omicsfusion.scopes import OUTER
from omicsfusion.tables.outcome import TASKS, Outcome
from tests.shallow_cohort import (
    FOLDS,
    HORIZONS,
    LACK_PROTEIN,
    SAMPLES,
    N,
    Values,
    factor,
    outcome,
    reader_of,
    values,
)

SHALLOW = sorted(family for family, role in ROLES.items() if role == "shallow")
CASES = [(f, task) for f in SHALLOW for task in TASKS if (f, task) != ("svm", "survival")]
TREES = 60


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Few trees, and one BLAS thread as in TRAIN: with two, small fits take ten times as long."""
    monkeypatch.setattr(forest, "TREES", TREES)
    monkeypatch.setattr(forest, "TREES_SURVIVAL", TREES)
    with threadpool_limits(1):
        yield


def fits_of(
    reader: GroupReader, task: str, model: str, truth: Outcome | None = None
) -> dict[str, Fit]:
    """Train a model and return its fits by ``inner``."""
    spec = parse_model(model, reader.layer_names)
    horizons = HORIZONS if task == "survival" else ()
    request = TrainingRequest(spec, truth or outcome(task), horizons, seed=1)
    return {fit.scope.inner: fit for fit in trainer_of(spec.family)(request, reader)}


def of_factor(fit: Fit, task: str) -> float:
    """Return the correlation of predictions with what moves the cohort."""
    hidden = dict(zip(SAMPLES, factor(), strict=True))
    name = {"classification": "p_c", "survival": "risk", "regression": "mean"}[task]
    return float(np.corrcoef(fit.columns[name], [hidden[s] for s in fit.samples])[0, 1])


@pytest.mark.parametrize(("family", "task"), CASES)
def test_a_planted_signal_is_found_and_garbage_in_samples_not_trained_on_changes_nothing(
    family: str, task: str, tmp_path: Path
) -> None:
    model = plain_name(family)
    clean = fits_of(reader_of(tmp_path / "clean", values()), task, model)
    assert [fit.record["status"] for fit in clean.values()] == ["ok"] * 3
    assert of_factor(clean[OUTER], task) > 0.5
    assert (clean[OUTER].save is None) == (FORMATS[family] is None)

    # Every second sample of the outer test becomes garbage, its outcome too.
    spoilt = np.arange(N) % (2 * FOLDS) == 0
    x, truth = values(), outcome(task)
    for block in x.values():
        block[spoilt] = np.where(np.isnan(block[spoilt]), np.nan, 1e4)
    truth.table.loc[spoilt, truth.table.columns[0]] = "a" if task == "classification" else 1e4
    dirty = fits_of(reader_of(tmp_path / "dirty", x), task, model, truth)
    names = {name for name, garbage in zip(SAMPLES, spoilt, strict=True) if garbage}
    for inner, fit in clean.items():
        assert dirty[inner].record == fit.record
        kept = [sample not in names for sample in fit.samples]
        for name, column in fit.columns.items():
            np.testing.assert_array_equal(dirty[inner].columns[name][kept], column[kept])


@pytest.mark.parametrize("family", SHALLOW)
def test_the_order_of_files_and_rows_changes_nothing(family: str, tmp_path: Path) -> None:
    reader = reader_of(tmp_path, values())
    splits = reader._splits.sample(frac=1, random_state=3)
    other = GroupReader(sorted(tmp_path.glob("*.h5"), reverse=True), splits)
    task = "classification" if family == "svm" else "survival"
    again = fits_of(other, task, plain_name(family))
    for inner, fit in fits_of(reader, task, plain_name(family)).items():
        assert again[inner].samples == fit.samples
        for name, column in fit.columns.items():
            np.testing.assert_array_equal(again[inner].columns[name], column)


@pytest.mark.parametrize("family", sorted(f for f in ROLES if FORMATS[f] == "json"))
def test_a_model_is_saved_as_what_it_predicts_with(family: str, tmp_path: Path) -> None:
    reader = reader_of(tmp_path, values())
    fit = fits_of(reader, "regression", plain_name(family))[OUTER]
    fit.save(tmp_path / "model")
    model = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    assert (model["schema_version"], model["outputs"]) == (1, ["mean"])
    if family == "xgboost":
        _predicts_as_its_trees(model, fit, reader)
        return
    data = reader.load(fit.scope, ("clinical", "protein", "rna"))
    x = np.zeros((len(fit.samples), len(model["features"])))
    for column, (layer, feature) in enumerate(zip(model["layers"], model["features"], strict=True)):
        block, rows = data.layers[layer], data.rows("test")
        x[:, column] = (
            ~block.present[rows]
            if feature not in block.features
            else block.x[rows, block.features.index(feature)]
        )
    weights = np.array(model["weights"]).reshape(-1, 1)  # the dummy has no column
    mean = x @ weights[:, 0] + model["intercept"][0]
    np.testing.assert_allclose(mean, fit.columns["mean"], rtol=1e-6)


def _predicts_as_its_trees(model: dict, fit: Fit, reader: GroupReader) -> None:
    import xgboost

    booster = xgboost.Booster()
    booster.load_model(bytearray(json.dumps(model["xgboost"]).encode()))
    data = reader.load(fit.scope, ("protein", "rna"))
    layers = [data.layers[name] for name in ("protein", "rna")]
    absent = ~layers[0].present[:, None]
    x = np.hstack([layers[0].x, absent, layers[1].x])[data.rows("test")]
    mean = booster.predict(xgboost.DMatrix(x.astype(np.float32)))
    np.testing.assert_allclose(mean, fit.columns["mean"], rtol=1e-6)


@pytest.mark.parametrize("family", [f for f, role in ROLES.items() if role != "network"])
def test_training_samples_that_teach_nothing_are_recorded_as_a_failure_with_a_reason(
    family: str, tmp_path: Path
) -> None:
    reader = reader_of(tmp_path, values())
    if family == "svm":
        truth, reason = outcome("classification"), "no training sample has the class 'b'"
        truth.table["truth"] = truth.table["truth"].replace("b", "a")
    else:
        truth, reason = outcome("survival"), "no training sample has an event"
        truth.table["event"] = 0.0
    for fit in fits_of(reader, truth.task, plain_name(family), truth).values():
        assert fit.record["status"] == "failed"
        assert fit.record["reason"] == reason
        assert all(np.isnan(column).all() for column in fit.columns.values())


def test_a_support_vector_machine_is_refused_for_survival_with_the_tasks_it_is_for() -> None:
    spec = parse_model("svm", ("rna",))
    with pytest.raises(UnsuitableModelError, match="'svm' is for classification and regression"):
        refuse_other_tasks(spec, "survival")
    refuse_other_tasks(spec, "regression")


def test_the_dummy_says_all_classes_equally_the_survival_of_all_and_the_mean(
    tmp_path: Path,
) -> None:
    reader = reader_of(tmp_path, values())
    training = np.arange(N) % FOLDS != 0
    columns = fits_of(reader, "classification", "dummy")[OUTER].columns
    for name in "abc":
        np.testing.assert_allclose(columns[f"p_{name}"], 1 / 3)
    number = outcome("regression").table["truth"][training]
    np.testing.assert_allclose(
        fits_of(reader, "regression", "dummy")[OUTER].columns["mean"], number.mean()
    )
    died = outcome("survival").table[training]
    columns = fits_of(reader, "survival", "dummy")[OUTER].columns
    until = died["time"][(died["event"] == 1) & (died["time"] <= HORIZONS[0])]
    hazard = sum(1 / (died["time"] >= time).sum() for time in until)  # Nelson and Aalen
    np.testing.assert_allclose(columns["s_5"], np.exp(-hazard))
    assert not columns["risk"].any()


def test_the_mask_sees_who_lacks_a_layer_and_nothing_of_what_it_holds(tmp_path: Path) -> None:
    truth = outcome("regression")
    lacking = np.isin(np.arange(N), np.arange(N)[LACK_PROTEIN])
    truth.table["truth"] += 20.0 * lacking
    fit = fits_of(reader_of(tmp_path, values()), "regression", "mask", truth)[OUTER]
    here = np.isin(fit.samples, np.array(SAMPLES)[lacking])
    assert len(set(fit.columns["mean"])) == 2
    assert fit.columns["mean"][here].min() > fit.columns["mean"][~here].max() + 10


def test_the_mask_says_the_same_of_all_where_nobody_lacks_a_layer(tmp_path: Path) -> None:
    x: Values = values()
    x["protein"][LACK_PROTEIN] = 0.0
    reader = reader_of(tmp_path, x)
    for task in TASKS:
        fit = fits_of(reader, task, "mask")[OUTER]
        assert fit.record["status"] == "ok"
        assert "every training sample has every layer" in str(fit.record["setting"])
        said = {name: values for name, values in fit.columns.items() if name != "own_survival"}
        assert all(np.ptp(column) == 0 for column in said.values())


def test_a_layer_that_a_sample_lacks_says_nothing_in_a_stack(tmp_path: Path) -> None:
    fit = fits_of(reader_of(tmp_path, values()), "regression", "stacking")[OUTER]
    fit.save(tmp_path / "stack")
    model = json.loads((tmp_path / "stack.json").read_text(encoding="utf-8"))
    assert set(model["stack"]) == {"protein", "rna"}
    assert min(model["stack"].values()) >= 0
    assert max(model["stack"].values()) > 0.2


@pytest.mark.parametrize("family", ["priority", "stacking"])
@pytest.mark.parametrize(("shares", "at_edge"), [((9.0, 0.9), False), ((9.0,) * 3, True)])
def test_penalties_that_a_fit_chooses_itself_are_told_where_they_stand_at_the_edge(
    family: str,
    shares: tuple[float, ...],
    at_edge: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of two shares each is an edge, which is not worth saying; of three equal ones all are."""
    monkeypatch.setattr(crossfit, "SHARES", shares)
    fits = fits_of(reader_of(tmp_path, values()), "regression", plain_name(family))
    for fit in fits.values():
        setting = str(fit.record["setting"])
        assert setting.endswith("penalty of protein, penalty of rna") == at_edge
        assert ("at the edge of the grid: " in setting) == at_edge


def test_the_layers_whose_penalty_is_told_are_those_whose_share_is_an_end_of_the_grid(
    tmp_path: Path,
) -> None:
    for task in TASKS:
        fit = fits_of(reader_of(tmp_path, values()), task, plain_name("priority"))[OUTER]
        fit.save(tmp_path / task)
        model = json.loads((tmp_path / f"{task}.json").read_text(encoding="utf-8"))
        ends = {crossfit.SHARES[0], crossfit.SHARES[-1]}
        names = [name for name, share in model["penalty_shares"].items() if share in ends]
        said = str(fit.record["setting"]).partition("at the edge of the grid: ")[2]
        assert said == ", ".join(f"penalty of {name}" for name in names)


def test_both_losses_of_boosted_survival_trees_say_who_dies_earlier() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(200, 4))
    y = np.stack([rng.exponential(size=200) * np.exp(-2 * x[:, 0]), rng.random(200) < 0.8], axis=1)
    training = TrainingSet(
        kind="survival",
        task=task_of(outcome("survival"), HORIZONS),
        x=x,
        y=y,
        layers=("rna",) * 4,
        features=tuple("abcd"),
        patients=tuple(map(str, range(200))),
        seed=1,
    )
    candidates = [one for one in GRID_SURVIVAL if (one["depth"], one["trees"]) == (2, 100)]
    assert [one.values["loss"] for one in candidates] == ["cox", "aft"]
    new = np.linspace(-1.5, 1.5, 7)[:, None] * [1, 0, 0, 0]
    for fitted in XGBOOST.fit(training, candidates):
        risk = fitted.scores(new)[:, 0]
        # Of the true log hazard ratio, 2 per unit, shrinkage leaves more than half.
        assert 1 < (risk[-1] - risk[0]) / 3 < 3
