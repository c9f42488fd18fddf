"""Imputation against published packages, formulas and real cohorts."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest, spearmanr
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor

from omicsfusion.preprocess.impute.auto import AutoImputer
from omicsfusion.preprocess.impute.autoencoder import AutoencoderImputer
from omicsfusion.preprocess.impute.censored import CensoredImputer, deviates
from omicsfusion.preprocess.impute.forest import ForestImputer
from omicsfusion.preprocess.impute.low_rank import LowRankImputer, decompose
from omicsfusion.preprocess.impute.median import MedianImputer
from omicsfusion.preprocess.impute.missingness import judge_missingness, logistic_slope
from omicsfusion.preprocess.impute.neighbours import NeighbourImputer
from omicsfusion.preprocess.impute.regression import RidgeChainImputer
from omicsfusion.seeds import seed_for
from tests.unit.test_impute import detection_limit_layer, low_rank_layer

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
NAN = np.nan

shared = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is not there"),
]


def scaled_by(X, table):
    mean, sd = np.nanmean(X, axis=0), np.nanstd(X, axis=0)
    return (table - mean) / sd, mean, sd


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("n_neighbors", [1, 5, 200])
def test_neighbours_are_those_of_scikit_learns_knn_imputer(weights, n_neighbors):
    """scikit-learn 1.9.1, KNNImputer on the scaled table, training samples and new ones."""
    X, _ = low_rank_layer(n=50, p=40, share=0.15)
    # Donors are kept as float32: give both the same.
    X = X.astype(np.float32).astype(np.float64)
    new = low_rank_layer(n=20, p=40, share=0.3, seed=0)[0]
    Z, mean, sd = scaled_by(X, X)
    reference = KNNImputer(n_neighbors=n_neighbors, weights=weights).fit(Z)
    step = NeighbourImputer(n_neighbors=n_neighbors, weights=weights).fit(X)
    for table in (X, new):
        theirs = reference.transform((table - mean) / sd)
        ours = (step.transform(table) - mean) / sd
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


def test_a_twin_of_the_sample_is_copied_as_by_scikit_learn():
    """scikit-learn 1.9.1: weight 1 for neighbours at distance 0 and none for others."""
    # Means of 0 and deviations of 1: nothing is rounded, also not in scikit-learn's distances.
    X = np.array([[1.0, 1.0, 3.0], [1.0, 1.0, 5.0], [-1.0, -1.0, 9.0], [-1.0, -1.0, 1.0]])
    new = np.array([[1.0, 1.0, NAN]])
    Z, mean, sd = scaled_by(X, X)
    reference = KNNImputer(n_neighbors=3, weights="distance").fit(Z)
    theirs = reference.transform((new - mean) / sd)[0, 2] * sd[2] + mean[2]
    ours = NeighbourImputer(n_neighbors=3, weights="distance").fit(X).transform(new)[0, 2]
    assert ours == pytest.approx(4, abs=1e-12)
    assert theirs == pytest.approx(4, abs=1e-12)


@pytest.mark.parametrize("rounds", [1, 3])
def test_the_chain_of_ridge_regressions_is_scikit_learns_iterative_imputer(rounds):
    """scikit-learn 1.9.1, IterativeImputer(Ridge) on the scaled table, all others as predictors."""
    X, _ = low_rank_layer(n=60, p=12, share=0.1)
    new = low_rank_layer(n=15, p=12, share=0.4, seed=0)[0]
    Z, mean, sd = scaled_by(X, X)
    reference = IterativeImputer(
        Ridge(alpha=30.0),
        max_iter=rounds,
        tol=0,
        imputation_order="ascending",
        min_value=np.nanmin(Z, axis=0),
        max_value=np.nanmax(Z, axis=0),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        reference.fit(Z)
    step = RidgeChainImputer(n_predictors=11, rounds=rounds, penalty=30.0).fit(X)
    for table in (X, new):
        theirs = reference.transform((table - mean) / sd)
        ours = (step.transform(table) - mean) / sd
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


def test_a_saved_forest_predicts_as_scikit_learns():
    """scikit-learn 1.9.1, RandomForestRegressor fitted to the same table with the same seed."""
    X, true = low_rank_layer(n=80, p=10)
    X[:, 1:] = true[:, 1:]
    step = ForestImputer(n_trees=7, rounds=1, n_predictors=9).fit(X)
    Z, mean, sd = scaled_by(X, X)
    known = ~np.isnan(X[:, 0])
    forest = RandomForestRegressor(
        n_estimators=7,
        max_depth=10,
        min_samples_leaf=5,
        max_features=1 / 3,
        random_state=seed_for(0, "impute", "forest", 0, 0),
    ).fit(Z[known][:, step.predictors_[0]], Z[known, 0])
    new = low_rank_layer(n=40, p=10, seed=0)[1]
    theirs = forest.predict(((new - mean) / sd)[:, step.predictors_[0]]) * sd[0] + mean[0]
    new[:, 0] = NAN
    np.testing.assert_allclose(step.transform(new)[:, 0], theirs, rtol=1e-10)


def iterative_pca(Z, rank, rounds):
    """Josse & Husson, J. Stat. Softw. 70(1), 2016, equations 2 and 3, as missMDA 1.19 computes.

    Its mean and scale are kept fixed here, and plain SVDs of the whole matrix taken.
    """
    n, p = Z.shape
    missing = np.isnan(Z)
    filled = np.where(missing, 0.0, Z)
    for _ in range(rounds):
        left, size, right = np.linalg.svd(filled / np.sqrt(n), full_matrices=False)
        freedom = (n - 1) * p - (n - 1) * rank - p * rank + rank**2
        noise = n * p / min(p, n - 1) * (size[rank:] ** 2).sum() / freedom
        shrunk = (size[:rank] ** 2 - noise) / size[:rank]
        fitted = np.sqrt(n) * (left[:, :rank] * np.maximum(shrunk, 0)) @ right[:rank]
        filled[missing] = fitted[missing]
    return filled


@pytest.mark.parametrize("shape", [(60, 25), (25, 60)])
def test_low_rank_training_is_the_regularised_iterative_pca(shape):
    """Josse & Husson 2016, equations 2 and 3 (R package missMDA), by plain SVDs."""
    X, _ = low_rank_layer(*shape)
    Z, _, _ = scaled_by(X, X)
    step = LowRankImputer(rank=3).fit(X)
    assert 2 < step.n_rounds_ < 50
    final = decompose(iterative_pca(Z, 3, step.n_rounds_ - 1), 3)
    np.testing.assert_allclose(
        np.abs((final.components * step.components_).sum(axis=0)), 1, rtol=1e-9
    )
    assert step.noise_ == pytest.approx(final.noise, rel=1e-8)
    np.testing.assert_allclose(step.penalty_, final.noise / final.signal, rtol=1e-6)


def test_a_new_sample_gets_its_conditional_mean_under_probabilistic_pca():
    """Tipping & Bishop, J. R. Stat. Soc. B 61:611, 1999: normal with covariance V S V' + noise."""
    X, _ = low_rank_layer(n=80, p=20)
    step = LowRankImputer(rank=3).fit(X)
    signal = step.noise_ / step.penalty_
    covariance = (step.components_ * signal) @ step.components_.T + step.noise_ * np.eye(20)
    new = low_rank_layer(n=1, p=20, share=0.3, seed=0)[0]
    z = ((new - step.mean_) / step.scale_)[0]
    o, m = ~np.isnan(z), np.isnan(z)
    expected = covariance[np.ix_(m, o)] @ np.linalg.solve(covariance[np.ix_(o, o)], z[o])
    expected = np.clip(expected * step.scale_[m] + step.mean_[m], step.lowest_[m], step.highest_[m])
    np.testing.assert_allclose(step.transform(new)[0, m], expected, rtol=1e-9)


def test_the_saved_network_predicts_as_scikit_learns():
    """scikit-learn 1.9.1, MLPRegressor.predict with the same weights."""
    X, _ = low_rank_layer()
    step = AutoencoderImputer(n_hidden=8, epochs=20).fit(X)
    network = MLPRegressor(hidden_layer_sizes=(8,), activation="tanh")
    network.partial_fit(np.zeros((8, 30)), np.zeros((8, 30)))
    network.coefs_ = [step.weights_in_, step.weights_out_]
    network.intercepts_ = [step.bias_in_, step.bias_out_]
    restored = network.predict(np.nan_to_num((X - step.mean_) / step.scale_))
    restored = np.clip(restored * step.scale_ + step.mean_, step.lowest_, step.highest_)
    missing = np.isnan(X)
    np.testing.assert_allclose(step.transform(X)[missing], restored[missing], rtol=1e-9)


def test_centre_and_spread_of_low_draws_are_those_of_imputelcmd():
    """R package imputeLCMD 2.1, impute.MinProb: sample's 0.01 quantile, median feature sd.

    Written out from its source: sd by n - 1 of features with more than half of the values, the
    quantile of type 7; the deviates are another generator's, tested for being normal.
    """
    X, _ = detection_limit_layer(n=200)
    step = CensoredImputer().fit(X)
    table = pd.DataFrame(X)
    enough = table.notna().mean() > 0.5
    sd = table.loc[:, enough].std().median()
    assert step.sd_ == pytest.approx(sd, rel=1e-12)
    centre = table.quantile(0.01, axis=1).to_numpy()
    low = np.isnan(X) & step.censored_
    drawn = (step.transform(X) - centre[:, None])[low] / sd
    assert len(drawn) > 1000
    assert kstest(drawn, "norm").pvalue > 0.01


def test_deviates_are_standard_normal_and_independent_of_each_other():
    """Kolmogorov-Smirnov against the normal distribution; correlation between samples."""
    features = np.arange(2000)
    tables = np.random.default_rng(0).normal(size=(20, 2000))
    found = np.array([deviates(row, features) for row in tables])
    assert kstest(found.ravel(), "norm").pvalue > 0.01
    correlation = np.corrcoef(found)[np.triu_indices(20, 1)]
    assert np.abs(correlation).max() < 4.5 / np.sqrt(2000)


def test_the_judgement_rests_on_scipys_spearman_and_statsmodels_logistic_slope():
    """Spearman of scipy 1.17; slope of statsmodels' binomial GLM (McCullagh & Nelder 1989)."""
    sm = pytest.importorskip("statsmodels.api")
    X, _ = detection_limit_layer()
    found = judge_missingness(X)
    mean, lost = np.nanmean(X, axis=0), np.isnan(X).sum(axis=0)
    theirs = spearmanr(mean, lost, alternative="less")
    assert (found.rho, found.p_value) == pytest.approx(tuple(theirs), rel=1e-9)
    x = (mean - mean.mean()) / mean.std()
    counts = np.column_stack([lost, len(X) - lost])
    model = sm.GLM(counts, sm.add_constant(x), family=sm.families.Binomial()).fit()
    assert logistic_slope(mean, lost, len(X)) == pytest.approx(model.params[1], rel=1e-6)


def real_layer(name):
    """Samples x features of a real layer on its log scale; zeros of abundances are missing."""
    table = pd.read_csv(DATA / f"{name}.tsv.gz", sep="\t", index_col=0).T.sort_index()
    X = table.to_numpy(dtype=float)
    if name.endswith("methylation"):
        return np.log2((X + 0.01) / (1 - X + 0.01))
    if name.endswith("metabolomics"):
        with np.errstate(divide="ignore"):
            X = np.where(X > 0, np.log2(X), NAN)
        return X[:, np.isnan(X).mean(axis=0) < 0.4]
    return X


def error_at_hidden_values(step, X):
    """Error in standard deviations at a tenth of the known values of samples not trained on."""
    rng = np.random.default_rng(0)
    hidden = (rng.random(X.shape) < 0.1) & ~np.isnan(X)
    shown = np.where(hidden, NAN, X)
    test = np.arange(len(X)) % 3 == 0
    out = step.fit(shown[~test]).transform(shown[test])
    error = (out - X[test]) / np.nanstd(X, axis=0)
    return np.sqrt((error[hidden[test]] ** 2).mean())


class TestRealCohorts:
    pytestmark = shared

    @pytest.mark.parametrize(
        "layer", ["tcga_brca/rppa", "tcga_brca/methylation", "gut_gastric/metabolomics"]
    )
    def test_other_features_restore_hidden_values_better_than_medians(self, layer):
        """A tenth of the values of new samples hidden; medians err by 1.03 to 1.07 sd."""
        X = real_layer(layer)
        median = error_at_hidden_values(MedianImputer(), X)
        assert error_at_hidden_values(LowRankImputer(), X) < 0.85 * median
        assert error_at_hidden_values(RidgeChainImputer(), X) < 0.85 * median
        assert error_at_hidden_values(NeighbourImputer(), X) < 0.9 * median

    def test_auto_takes_a_method_that_is_nearly_the_best_on_real_metabolites(self):
        """gut_gastric: zeros are values below detection; the median is not taken."""
        X = real_layer("gut_gastric/metabolomics")
        step = AutoImputer(["median", "svd", "knn", "iterative"]).fit(X)
        means = step.choice_["mean_error"]
        assert step.choice_["method"] in ("svd", "iterative")
        assert means[step.choice_["method"]] <= step.choice_["limit"] < means["median"]

    def test_zeros_of_real_metabolites_are_recognised_as_low_values(self):
        """gut_gastric: zeros are below detection; metabolites of low abundance have more."""
        found = judge_missingness(real_layer("gut_gastric/metabolomics"))
        assert found.mechanism == "censored"
        assert found.rho < -0.3
