"""The method of imputation is chosen by values that were hidden."""

import h5py
import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from omicsfusion.preprocess.impute.auto import IMPUTERS, AutoImputer, choose
from omicsfusion.preprocess.impute.masking import mask_entries, masking_for
from omicsfusion.preprocess.impute.median import MedianImputer
from omicsfusion.preprocess.impute.missingness import judge_missingness
from tests.unit.test_impute import detection_limit_layer, low_rank_layer

NAN = np.nan


@parametrize_with_checks([AutoImputer(["median", "svd"])])
def test_scikit_learn_accepts_the_step(estimator, check):
    check(estimator)


def rows(**errors):
    """A table of three masks, from errors by method, the cheapest method first."""
    return [
        {"method": method, "mask": mask, "mechanism": "both", "n": 9, "error": error}
        for mask in range(3)
        for method, found in errors.items()
        for error in [found[mask]]
    ]


def test_the_cheapest_within_one_standard_error_of_the_best_is_taken():
    # svd: mean 0.79, standard error 0.1 / sqrt(3) = 0.058; knn is within it, median is not.
    best = [0.69, 0.79, 0.89]
    found = choose(rows(median=[0.9, 0.9, 0.9], knn=[0.84, 0.84, 0.84], svd=best))
    assert (found["method"], found["best"]) == ("knn", "svd")
    assert found["limit"] == pytest.approx(0.79 + 0.1 / np.sqrt(3))
    assert found["standard_error"]["svd"] == pytest.approx(0.1 / np.sqrt(3))
    assert "within one standard error of svd, 0.790" in found["reason"]
    found = choose(rows(median=[0.9, 0.9, 0.9], knn=[0.86, 0.86, 0.86], svd=best))
    assert found["method"] == "svd"


def test_values_of_other_features_are_used_where_they_help_and_medians_where_not():
    X, _ = low_rank_layer(n=80)
    assert AutoImputer(["median", "svd", "iterative"]).fit(X).choice_["method"] in (
        "svd",
        "iterative",
    )
    noise = np.random.default_rng(0).normal(size=(80, 30))
    noise[np.random.default_rng(1).random(noise.shape) < 0.1] = NAN
    step = AutoImputer(["median", "svd", "knn"]).fit(noise)
    assert step.choice_["method"] == "median"
    assert step.transform(noise).tobytes() == MedianImputer().fit_transform(noise).tobytes()


def test_the_table_has_each_method_under_each_mask_by_mechanism():
    X, _ = detection_limit_layer()
    step = AutoImputer(["median", "censored", "svd"], masks=4).fit(X)
    keys = {(row["method"], row["mask"], row["mechanism"]) for row in step.table_}
    mechanisms = ("random", "lowest", "both")
    assert keys == {
        (method, mask, mechanism)
        for method in ("median", "censored", "svd")
        for mask in (1, 2, 3, 4)
        for mechanism in mechanisms
    }
    for row in step.table_:
        parts = [
            other
            for other in step.table_
            if (other["method"], other["mask"]) == (row["method"], row["mask"])
        ]
        squares = {part["mechanism"]: part["n"] * part["error"] ** 2 for part in parts}
        assert squares["both"] == pytest.approx(squares["random"] + squares["lowest"])
    chosen = [row["error"] for row in step.table_ if row["mechanism"] == "both"]
    assert 0 < min(chosen) < max(chosen)


def test_low_values_are_hidden_in_the_proportion_in_which_they_are_missing():
    X, _ = detection_limit_layer()
    found = judge_missingness(X)
    masking = masking_for(X, found, 0.1)
    masks = [mask_entries(masking, number) for number in (1, 2, 3)]
    for mask in masks:
        assert mask.lowest.mean() == pytest.approx(found.tail_share, abs=0.01)
        assert len(mask.true) == masking.n_random + masking.n_lowest > 100
        assert found.censored[mask.feature[mask.lowest]].all()
        hidden = np.isnan(mask.visible) & ~np.isnan(X)
        assert hidden.sum() == len(mask.true)
        np.testing.assert_array_equal(X[mask.samples[mask.row], mask.feature], mask.true)
        bound = np.nanquantile(X, 0.3, axis=0)
        assert (mask.true[mask.lowest] <= bound[mask.feature[mask.lowest]]).all()
    assert (masks[0].visible != masks[1].visible).any()


def test_values_missing_at_random_are_hidden_at_random():
    X, _ = low_rank_layer()
    mask = mask_entries(masking_for(X, judge_missingness(X), 0.1), 1)
    assert not mask.lowest.any()
    assert len(mask.true) == int(0.1 * (~np.isnan(X)).sum())


def test_values_are_hidden_only_where_values_are_missing():
    X, true = low_rank_layer()
    X[:, 3:] = true[:, 3:]
    masking = masking_for(X, judge_missingness(X), 0.2)
    assert set(mask_entries(masking, 1).feature) == {0, 1, 2}
    assert masking.X.shape == X.shape


def test_a_wide_layer_is_judged_on_some_features_and_samples():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(700, 2500))
    X[rng.random(X.shape) < 0.02] = NAN
    masking = masking_for(X, judge_missingness(X), 0.05)
    assert masking.X.shape == (700, 2000)
    assert len(masking.samples) == 500
    assert (masking.samples[0], masking.samples[-1]) == (0, 699)


def test_without_missing_values_medians_are_taken_and_it_is_said():
    _, true = low_rank_layer()
    step = AutoImputer().fit(true)
    assert step.choice_["method"] == "median"
    assert step.table_ == []
    assert "no value was missing in training" in step.did_


def test_too_little_to_hide_is_said():
    step = AutoImputer().fit([[1.0, NAN], [2.0, 3.0], [4.0, 5.0]])
    assert "too few known values to hide some" in step.did_


@pytest.mark.parametrize("name", IMPUTERS)
def test_the_chosen_step_is_saved_with_the_table(name, tmp_path):
    X, _ = low_rank_layer()
    step = AutoImputer([name]).fit(X)
    step.table_ = rows(**{name: [0.1, 0.2, 1 / 3]})
    with h5py.File(tmp_path / "step.h5", "w") as file:
        step.to_h5(file)
    with h5py.File(tmp_path / "step.h5") as file:
        reloaded = AutoImputer.from_h5(file)
    assert type(reloaded.chosen_) is IMPUTERS[name]
    assert (reloaded.table_, reloaded.choice_) == (step.table_, step.choice_)
    assert reloaded.did_ == step.did_
    assert reloaded.transform(X).tobytes() == step.transform(X).tobytes()


def test_the_default_candidates_are_those_that_the_size_affords():
    def names(n, p):
        X = np.zeros((n, p))
        X[0, 0] = NAN
        return AutoImputer()._names(X, judge_missingness(X))

    assert names(100, 40) == ["median", "svd", "knn", "iterative", "forest"]
    assert names(100, 4000) == ["median", "svd", "knn", "iterative"]
    assert names(3000, 6000) == ["median", "svd"]
    X, _ = detection_limit_layer()
    assert "censored" in AutoImputer()._names(X, judge_missingness(X))


def test_wrong_parameters_are_refused():
    for params, message in (
        ({"candidates": ["mean"]}, "candidates mean are none of median"),
        ({"masks": 2}, "masks=2: a standard error needs 3"),
        ({"hidden": 0.0}, "hidden=0.0 is not above 0"),
    ):
        with pytest.raises(ValueError, match=message):
            AutoImputer(**params).fit(np.eye(4))
