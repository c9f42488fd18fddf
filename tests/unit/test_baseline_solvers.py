"""What shallow models are made of, against libraries, closed forms and by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics.pairwise import rbf_kernel
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.util import Surv

from omicsfusion.models.baselines import ipf, plsda, priority
from omicsfusion.models.baselines.crossfit import PARTS, cross_fitted, parts_of
from omicsfusion.models.baselines.factors import joint_directions
from omicsfusion.models.baselines.forest import TIMES, stepped
from omicsfusion.models.baselines.offset_ridge import offset_ridge_path
from omicsfusion.models.baselines.read_out import read_out
from omicsfusion.models.baselines.svm import kernel_of
from omicsfusion.models.baselines.training_set import Axis, TrainingSet, grid
from omicsfusion.models.linear_tasks import FitError, task_of
from omicsfusion.models.penalties import ridge_grid
from omicsfusion.tables.outcome import Outcome

N = 60
WIDTHS = {"clinical": 3, "protein": 6, "rna": 80}


def training_set(kind: str) -> TrainingSet:
    """Three layers, of which the first columns tell of the outcome."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(N, sum(WIDTHS.values()))) + 3.0
    signal = (x[:, [0, 4, 9, 10]] - 3).sum(axis=1)
    layers = tuple(name for name, width in WIDTHS.items() for _ in range(width))
    outcome = Outcome(kind, pd.DataFrame(), ("a", "b", "c") if kind == "classification" else ())
    y = {
        "classification": np.digitize(signal, [-1.5, 1.0]),
        "survival": np.stack([rng.exponential(size=N) * np.exp(-signal), rng.random(N) < 0.7], 1),
        "regression": 10 + signal,
    }[kind]
    return TrainingSet(
        kind=kind,
        task=task_of(outcome, [1.0]),
        x=x,
        y=y,
        layers=layers,
        features=tuple(f"f{column}" for column in range(x.shape[1])),
        patients=tuple(f"p{number:02d}" for number in range(N)),
        seed=1,
    )


def test_ridge_on_an_offset_is_ridge_of_what_the_offset_leaves_in_scikit_learn() -> None:
    training = training_set("regression")
    offset = np.random.default_rng(2).normal(size=(N, 1))
    (fitted,) = offset_ridge_path(training, [0.3], offset)
    plain = Ridge(alpha=0.3 * N).fit(training.x, training.y - offset[:, 0])
    np.testing.assert_allclose(fitted.weights[:, 0], plain.coef_, atol=1e-10)
    np.testing.assert_allclose(fitted.intercept, plain.intercept_)


def test_ridge_of_classes_is_that_of_scikit_learn_with_balanced_classes() -> None:
    training = training_set("classification")
    fitted = offset_ridge_path(training, [1.0, 0.1])[-1]
    plain = LogisticRegression(
        C=1 / (0.1 * N), class_weight="balanced", solver="newton-cg", tol=1e-9
    )
    plain.fit(training.x, training.y)
    np.testing.assert_allclose(fitted.weights, plain.coef_.T, atol=1e-6)
    gaps = fitted.intercept - fitted.intercept[0]
    np.testing.assert_allclose(gaps, plain.intercept_ - plain.intercept_[0], atol=1e-5)


def test_ridge_of_hazards_is_that_of_scikit_survival_also_with_ties() -> None:
    training = training_set("survival")
    y = training.y.copy()
    y[:, 0] = np.ceil(10 * y[:, 0]) / 10
    (fitted,) = offset_ridge_path(replace(training, y=y), [0.2])
    plain = CoxPHSurvivalAnalysis(alpha=0.2 * N, ties="efron", tol=1e-12)
    plain.fit(training.x - training.x.mean(axis=0), Surv.from_arrays(y[:, 1] == 1, y[:, 0]))
    np.testing.assert_allclose(fitted.weights[:, 0], plain.coef_, atol=1e-6)


@pytest.mark.parametrize("kind", ["classification", "survival"])
def test_an_offset_that_is_a_ridge_fit_leaves_no_slope(kind: str) -> None:
    """The penalty's slope is all that is left at the optimum: with the fit as offset, it is undone.

    By the optimality conditions: at ``offset = x @ b`` the loss has the slope ``-strength * b``, so
    the next fit at an infinitely strong penalty goes along ``-slope / strength``.
    """
    training = training_set(kind)
    (first,) = offset_ridge_path(training, [0.1])
    strong = 1e6
    (more,) = offset_ridge_path(training, [strong], first.scores(training.x))
    np.testing.assert_allclose(more.weights * strong, 0.1 * first.weights, atol=1e-5)


def test_penalty_factors_are_those_of_the_closed_form() -> None:
    """Ridge with a penalty per column: ``(Z'Z / n + diag(penalty)) b = Z'y / n``."""
    training = training_set("regression")
    one = ipf.Factors("protein", 0.1, 0.01)
    (fitted,) = ipf.fit(training, [one])
    z = training.x - training.x.mean(axis=0)
    of_protein = np.array(training.layers) == "protein"
    strength = 0.01 * np.where(of_protein, 1 / 0.1, 1.0) @ training.x.var(axis=0)
    penalty = strength * np.where(of_protein, 0.1, 1.0)
    weights = np.linalg.solve(z.T @ z / N + np.diag(penalty), z.T @ training.y / N)
    assert fitted.saved is not None
    np.testing.assert_allclose(np.array(fitted.saved()["weights"])[:, 0], weights, atol=1e-8)


def test_candidates_of_a_penalty_per_layer_stay_within_the_budget() -> None:
    training = training_set("regression")
    kinds = {(one.layer, one.factor) for one in ipf.candidates_of(training)}
    assert kinds == {("", 1.0), *((name, f) for name in WIDTHS for f in ipf.FACTORS)}
    for n_layers in range(1, 20):
        many = tuple(f"l{column % n_layers:02d}" for column in range(len(training.layers)))
        listed = ipf.candidates_of(replace(training, layers=many))
        assert len(listed) == len(set(listed)) <= ipf.MOST_CANDIDATES


def test_a_block_is_fitted_on_scores_of_the_blocks_before_it_that_did_not_see_the_sample() -> None:
    """Klau et al. 2018 by hand, with scikit-learn's ridge and the penalties that were chosen."""
    training = training_set("regression")
    parts = parts_of(training)
    (fitted,) = priority.PRIORITY.fit(training, priority.PRIORITY.candidates(training))
    model = fitted.saved() if fitted.saved else {}
    assert list(model["penalty_shares"]) == ["clinical", "protein", "rna"]
    left, mean = training.y.copy(), np.zeros(N)
    for name, share in model["penalty_shares"].items():
        x = training.x[:, training.blocks()[name]]
        strength = share * x.var(axis=0).sum()
        whole = Ridge(alpha=strength * N).fit(x, left)
        mean += whole.predict(x)
        unseen = np.zeros(N)
        for part in range(1, PARTS + 1):
            inside = parts != part
            alone = Ridge(alpha=strength * inside.sum()).fit(x[inside], left[inside])
            unseen[~inside] = alone.predict(x[~inside])
        left = left - unseen
    np.testing.assert_allclose(fitted.scores(training.x)[:, 0], mean, rtol=1e-8)


def test_priority_goes_from_covariates_to_the_smallest_layer_to_the_largest() -> None:
    assert priority.order_of(training_set("survival")) == ["clinical", "protein", "rna"]


def test_parts_of_a_training_set_keep_the_samples_of_a_patient_together() -> None:
    training = training_set("classification")
    patients = tuple(f"p{number // 2:02d}" for number in range(N))
    parts = parts_of(replace(training, patients=patients))
    assert (parts[::2] == parts[1::2]).all()
    assert sorted(set(parts)) == list(range(1, PARTS + 1))
    with pytest.raises(FitError, match="3 patients to fit on are too few to part into 4"):
        parts_of(replace(training, patients=("a", "b", "c") * (N // 3)))


def test_scores_of_a_sample_by_models_that_did_not_see_it_do_not_hang_on_its_outcome() -> None:
    training = training_set("regression")
    parts = parts_of(training)
    block = cross_fitted(training, parts)
    y = training.y.copy()
    y[parts == 2] += 0.01 * np.arange(np.sum(parts == 2))
    other = cross_fitted(replace(training, y=y), parts)
    assert other.share == block.share
    same = parts == 2
    np.testing.assert_array_equal(other.held_out[same], block.held_out[same])
    assert (other.held_out[~same] != block.held_out[~same]).all()


def test_deviance_residuals_are_those_of_lifelines() -> None:
    """A Cox model whose penalty leaves its weight at zero is the model without features."""
    y = training_set("survival").y
    table = pd.DataFrame({"time": y[:, 0], "event": y[:, 1], "x": np.arange(N) / N})
    model = CoxPHFitter(penalizer=1e9).fit(table, "time", "event")
    expected = model.compute_residuals(table, "deviance")["deviance"].sort_index()
    np.testing.assert_allclose(plsda.deviance_residuals(y), expected, rtol=1e-6)


def test_vip_has_a_mean_square_of_one_and_weighs_components_by_what_they_explain() -> None:
    """By hand: of two orthogonal weight vectors that explain 9 and 1, each column has its share."""
    weights = np.array([[1.0, 0.0], [0.0, 0.6], [0.0, 0.8]])
    scores, loadings = np.array([[3.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 1.0]])
    found = plsda.vip(weights, scores, loadings)
    np.testing.assert_allclose(found, np.sqrt([3 * 0.9, 3 * 0.1 * 0.36, 3 * 0.1 * 0.64]))
    assert np.mean(found**2) == pytest.approx(1)


def test_factors_of_one_layer_are_its_principal_components() -> None:
    training = replace(training_set("regression"), layers=("rna",) * sum(WIDTHS.values()))
    directions = joint_directions(training, 4)
    found = (training.x - training.x.mean(axis=0)) @ directions
    scores = PCA(4).fit_transform(training.x)
    ours, theirs = (part / np.linalg.norm(part, axis=0) for part in (found, scores))
    np.testing.assert_allclose(np.abs(np.sum(ours * theirs, axis=0)), 1, rtol=1e-8)


def test_no_layer_dominates_the_factors_by_its_unit() -> None:
    training = training_set("regression")
    louder = training.x * np.where(np.array(training.layers) == "rna", 1000.0, 1.0)
    here, there = (t.x @ joint_directions(t, 3) for t in (training, replace(training, x=louder)))
    np.testing.assert_allclose(np.abs(there), np.abs(here), rtol=1e-6)


def test_a_read_out_is_ridge_regression_on_scores_of_unit_variance() -> None:
    training = training_set("regression")
    directions = np.random.default_rng(3).normal(size=(training.x.shape[1], 2))
    (fitted,) = read_out(training, directions, [0.1])
    scores = (training.x - training.x.mean(axis=0)) @ directions
    scores /= scores.std(axis=0)
    plain = Ridge(alpha=0.1 * N).fit(scores, training.y)
    mean = fitted.scores(training.x)[:, 0]
    np.testing.assert_allclose(mean, plain.predict(scores), rtol=1e-8)


def test_kernels_are_those_of_scikit_learn_scaled_by_the_training_samples() -> None:
    x = training_set("regression").x
    rows = x[:5] + 1
    z = x - x.mean(axis=0)
    unit = np.mean(np.sum(z**2, axis=1))
    np.testing.assert_allclose(np.diag(kernel_of("linear", x)(x)).mean(), 1)
    np.testing.assert_allclose(
        kernel_of("radial", x)(rows), rbf_kernel(rows, x, gamma=1 / (2 * unit)), rtol=1e-8
    )


def test_times_in_steps_keep_who_died_before_whom_apart_from_ties() -> None:
    y = training_set("survival").y
    time, event = y.T
    steps = stepped(time, event)
    assert (steps[time <= time[event == 1].max()] >= time[time <= time[event == 1].max()]).all()
    assert (np.diff(steps[np.argsort(time)]) >= 0).all()
    assert len(np.unique(steps[event == 1])) <= TIMES


def test_a_setting_says_its_values_and_where_the_best_may_lie_beyond_the_grid() -> None:
    settings = grid(kernel=("linear",), cost=Axis((1.0, 10.0, 100.0), open_below=False))
    assert [str(setting) for setting in settings] == [
        "kernel=linear; cost=1",
        "kernel=linear; cost=10",
        "kernel=linear; cost=100; at the edge of the grid: cost",
    ]
    assert not any(setting.edges for setting in grid(depth=Axis((2, 4))))
    strong, *_, weak = (str(penalty) for penalty in ridge_grid(np.eye(3)))
    assert all(one.endswith("; at the edge of the grid: penalty") for one in (strong, weak))


def test_a_layer_s_factor_stands_at_the_edge_of_its_grid_unless_all_penalties_are_equal() -> None:
    told = {str(one) for one in ipf.candidates_of(training_set("regression"))}
    assert "equal penalties; share=0.1" in told
    assert "equal penalties; share=0.001; at the edge of the grid: share" in told
    assert "penalty of rna x 0.1; share=0.1; at the edge of the grid: factor" in told
    assert "penalty of rna x 10; share=1; at the edge of the grid: factor, share" in told
