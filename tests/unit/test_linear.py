"""The linear baselines: tuned by inner folds only, equal to plain libraries, honest on failure."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import Ridge
from sksurv.linear_model import CoxnetSurvivalAnalysis
from sksurv.util import Surv

from omicsfusion.models.design_matrix import ABSENT, NoCovariateError, design_of
from omicsfusion.models.fit import Fit
from omicsfusion.models.linear import train
from omicsfusion.models.linear_tasks import RegressionTask, SurvivalTask, partial_log_likelihood
from omicsfusion.models.penalties import Penalty
from omicsfusion.models.registry import parse_model
from omicsfusion.models.request import TrainingRequest
from omicsfusion.scopes import OUTER
from omicsfusion.tables.outcome import Outcome
from tests.shallow_cohort import (
    FOLDS,
    HORIZONS,
    LAYERS,
    OUTER_SCOPE,
    SAMPLES,
    N,
    Values,
    factor,
    outcome,
    reader_of,
    values,
)

Trainer = Callable[..., dict[str, Fit]]


@pytest.fixture
def fits_of(tmp_path: Path) -> Trainer:
    """Train a model and return its fits by ``inner``."""

    def run(
        task: str, model: str = "linear", x: Values | None = None, truth: Outcome | None = None
    ) -> dict[str, Fit]:
        reader = reader_of(tmp_path, values() if x is None else x)
        spec = parse_model(model, reader.layer_names)
        horizons = HORIZONS if task == "survival" else ()
        fits = train(TrainingRequest(spec, truth or outcome(task), horizons, seed=1), reader)
        return {fit.scope.inner: fit for fit in fits}

    return run


def saved(fit: Fit, folder: Path) -> dict:
    assert fit.save is not None
    fit.save(folder / fit.scope.key)
    return json.loads((folder / f"{fit.scope.key}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("task", ["classification", "survival", "regression"])
def test_every_scope_is_predicted_and_the_planted_factor_is_found(
    task: str, fits_of: Trainer
) -> None:
    fits = fits_of(task)
    assert set(fits) == {OUTER, "0", "1"}
    hidden = dict(zip(SAMPLES, factor(), strict=True))
    names = {"classification": "p_c", "survival": "risk", "regression": "mean"}
    for fit in fits.values():
        assert fit.record["status"] == "ok"
        assert set(fit.roles) == {"test"}
        predicted = fit.columns[names[task]]
        assert np.corrcoef(predicted, [hidden[s] for s in fit.samples])[0, 1] > 0.6
    assert fits[OUTER].save is not None
    assert fits["0"].save is None


def test_class_probabilities_sum_to_one_and_survival_falls_with_time_and_risk(
    fits_of: Trainer,
) -> None:
    columns = fits_of("classification")[OUTER].columns
    np.testing.assert_allclose(sum(columns.values()), 1)
    columns = fits_of("survival")[OUTER].columns
    assert list(columns) == ["risk", "s_5", "s_10", "own_survival"]
    assert (columns["s_10"] <= columns["s_5"]).all()
    order = np.argsort(columns["risk"])
    assert (np.diff(columns["s_5"][order]) <= 0).all()


@pytest.mark.parametrize("task", ["classification", "survival", "regression"])
def test_garbage_in_the_outer_test_samples_changes_no_choice_and_no_model(
    task: str, fits_of: Trainer, tmp_path: Path
) -> None:
    clean = fits_of(task)
    clean_model = saved(clean[OUTER], tmp_path)
    x, truth = values(), outcome(task)
    test = np.arange(N) % FOLDS == 0
    for block in x.values():
        block[test] = np.where(np.isnan(block[test]), np.nan, 1e4)
    column = truth.table.columns[0]
    truth.table.loc[test, column] = "a" if task == "classification" else 1e4
    dirty = fits_of(task, x=x, truth=truth)
    assert saved(dirty[OUTER], tmp_path) == clean_model
    for inner in ("0", "1"):
        assert dirty[inner].record == clean[inner].record
        for name, predicted in clean[inner].columns.items():
            np.testing.assert_array_equal(dirty[inner].columns[name], predicted)


def test_all_scopes_of_a_family_use_the_penalty_that_the_record_names(fits_of: Trainer) -> None:
    settings = {fit.record["setting"] for fit in fits_of("survival").values()}
    assert len(settings) == 1
    assert "penalty=" in settings.pop()


def test_a_saved_model_gives_the_same_predictions(fits_of: Trainer, tmp_path: Path) -> None:
    fits = {task: fits_of(task)[OUTER] for task in ("classification", "survival", "regression")}
    reader = reader_of(tmp_path / "again", values())
    data = reader.load(OUTER_SCOPE, ("protein", "rna"))
    design, rows = design_of(data), data.rows("test")
    for task, fit in fits.items():
        model = saved(fit, tmp_path)
        assert (model["layers"], model["features"]) == (list(design.layers), list(design.features))
        scores = design.x[rows] @ np.array(model["weights"]) + model["intercept"]
        if task == "classification":
            assert model["outputs"] == ["a", "b", "c"]
            np.testing.assert_allclose(softmax(scores, axis=1)[:, 1], fit.columns["p_b"])
        elif task == "survival":
            risk = scores[:, 0] - model["risk_centre"]
            np.testing.assert_allclose(risk, fit.columns["risk"])
            until = np.searchsorted(model["hazard_times"], 5.0, side="right")
            hazard = [0.0, *model["cumulative_hazard"]][until]
            np.testing.assert_allclose(np.exp(-hazard * np.exp(risk)), fit.columns["s_5"])
        else:
            np.testing.assert_allclose(scores[:, 0], fit.columns["mean"])
            np.testing.assert_allclose(model["sd"], fit.columns["sd"])


def test_the_sd_of_a_regression_is_that_of_its_inner_held_out_residuals(fits_of: Trainer) -> None:
    fits = fits_of("regression")
    truth = outcome("regression").table["truth"]
    inner = [fit for key, fit in fits.items() if key != OUTER]
    residuals = np.concatenate([fit.columns["mean"] - truth[list(fit.samples)] for fit in inner])
    np.testing.assert_allclose(fits[OUTER].columns["sd"], np.sqrt(np.mean(residuals**2)))


def test_an_absent_layer_is_zeros_and_an_indicator(tmp_path: Path) -> None:
    data = reader_of(tmp_path, values()).load(OUTER_SCOPE, ("protein", "rna"))
    design = design_of(data)
    lacking = np.array([SAMPLES.index(s) % 5 == 0 for s in data.samples])
    indicator = design.features.index(ABSENT)
    assert design.layers[indicator] == "protein"
    assert design.features.count(ABSENT) == 1
    np.testing.assert_array_equal(design.x[:, indicator] == 1, lacking)
    proteins = [c for c, layer in enumerate(design.layers) if layer == "protein" and c != indicator]
    assert not design.x[np.ix_(lacking, proteins)].any()
    assert design.x[np.ix_(~lacking, proteins)].all()


def test_the_clinical_baseline_sees_covariates_only(fits_of: Trainer, tmp_path: Path) -> None:
    model = saved(fits_of("regression", "clinical")[OUTER], tmp_path)
    assert model["features"] == list(LAYERS["clinical"])


@pytest.mark.parametrize(
    ("covariate", "features"), [("age", ["age"]), ("stage", ["stage=II", "stage=III"])]
)
def test_a_model_of_one_covariate_sees_its_columns(
    covariate: str, features: list[str], fits_of: Trainer, tmp_path: Path
) -> None:
    fit = fits_of("survival", f"clinical-only-{covariate}")[OUTER]
    assert saved(fit, tmp_path)["features"] == features


def test_a_covariate_that_does_not_exist_is_an_error_that_names_those_that_do(
    fits_of: Trainer,
) -> None:
    with pytest.raises(NoCovariateError, match=r"'weight'.*age, stage"):
        fits_of("regression", "clinical-only-weight")


def test_a_training_set_without_events_is_recorded_as_failed(fits_of: Trainer) -> None:
    truth = outcome("survival")
    truth.table["event"] = 0.0
    for fit in fits_of("survival", truth=truth).values():
        assert fit.record["status"] == "failed"
        assert fit.record["reason"] == "no training sample has an event"
        assert all(np.isnan(column).all() for column in fit.columns.values())


def test_a_training_set_without_one_of_the_classes_is_recorded_as_failed(fits_of: Trainer) -> None:
    truth = outcome("classification")
    test = np.arange(N) % FOLDS == 0
    truth.table.loc[~test & (truth.table["truth"] == "b"), "truth"] = "a"
    fit = fits_of("classification", truth=truth)[OUTER]
    assert fit.record["reason"] == "no training sample has the class 'b'"


def test_one_inner_fold_that_fails_leaves_the_others_and_the_outer_fit(fits_of: Trainer) -> None:
    truth = outcome("classification")
    trains_first = [s for i, s in enumerate(SAMPLES) if i % FOLDS and i % 4 // 2 == 1]
    chosen = truth.table.index.isin(trains_first) & (truth.table["truth"] == "b")
    truth.table.loc[chosen, "truth"] = "a"
    fits = fits_of("classification", truth=truth)
    statuses = {key: fit.record["status"] for key, fit in fits.items()}
    assert statuses == {OUTER: "ok", "0": "failed", "1": "ok"}


def test_cox_weights_are_those_of_scikit_survival() -> None:
    x, table_ = values()["rna"], outcome("survival").table
    y = table_.to_numpy(float)
    plain = CoxnetSurvivalAnalysis(alphas=[0.1], l1_ratio=0.5)
    plain.fit(x, Surv.from_arrays(table_["event"] == 1, table_["time"]))
    task = SurvivalTask(outcome("survival"), HORIZONS)
    (fitted,) = task.path(x, y, [Penalty(0.5, 0.1, 1.0, False)])
    np.testing.assert_allclose(fitted.weights[:, 0], plain.coef_[:, 0])


def test_the_partial_likelihood_is_that_of_its_formula_also_with_ties() -> None:
    risk, time, event = (
        np.array([0.3, -0.2, 0.5, 1.0]),
        np.array([2.0, 2, 1, 3]),
        np.array([1, 1, 1, 0]),
    )
    at_risk = {1: np.exp(risk).sum(), 2: np.exp(risk[[0, 1, 3]]).sum()}
    expected = np.mean(
        [0.3 - np.log(at_risk[2]), -0.2 - np.log(at_risk[2]), 0.5 - np.log(at_risk[1])]
    )
    assert partial_log_likelihood(risk, time, event) == pytest.approx(expected)
    assert np.isnan(partial_log_likelihood(risk, time, np.zeros(4)))


def test_the_strongest_cox_candidates_start_just_where_weights_appear() -> None:
    x, y = values()["rna"], outcome("survival").table.to_numpy(float)
    task = SurvivalTask(outcome("survival"), HORIZONS)
    first = task.penalties(x, y)[0]
    at = Penalty(first.l1_ratio, first.strength / first.share, 1.0, True)
    above, below = task.path(x, y, [at, first])
    assert np.abs(above.weights).max() < 1e-9
    assert np.abs(below.weights).max() > 1e-4


def test_ridge_weights_are_those_of_scikit_learn_for_wide_and_long_matrices() -> None:
    y = outcome("regression").table["truth"].to_numpy()
    task = RegressionTask(outcome("regression"))
    for x in (values()["rna"], values()["clinical"]):
        (fitted,) = task.path(x, y, [Penalty(0.0, 0.3, 1.0, False)])
        plain = Ridge(alpha=0.3 * N).fit(x, y)
        np.testing.assert_allclose(fitted.weights[:, 0], plain.coef_, atol=1e-10)
        np.testing.assert_allclose(fitted.intercept, plain.intercept_)
