"""Filters, selections and the outlier rule against published packages, formulas and figures.

Packages: scikit-learn 1.9, scipy 1.17, lifelines 0.30, scikit-survival 0.28. The cohorts are TCGA
BRCA (PAM50, genes) and TCGA GBM/LGG (survival); a clone without them runs on the rest.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lifelines import NelsonAalenFitter
from lifelines.statistics import logrank_test
from scipy import stats
from scipy.sparse import csr_array
from scipy.sparse.csgraph import laplacian
from sklearn.decomposition import PCA
from sklearn.feature_selection import (
    SelectFdr,
    SelectKBest,
    VarianceThreshold,
    f_classif,
    f_regression,
)
from sklearn.linear_model import Lasso, lars_path
from sklearn.neighbors import NearestNeighbors
from sksurv.linear_model.coxph import CoxPHOptimizer

from omicsfusion.preprocess.filter import FeatureFilter
from omicsfusion.preprocess.outliers import OutlierRule, robust_z
from omicsfusion.preprocess.select.associations import associations, cox_score, martingale_residuals
from omicsfusion.preprocess.select.clumping import ClumpingSelector
from omicsfusion.preprocess.select.laplacian import (
    LaplacianSelector,
    laplacian_scores,
    neighbourhood,
)
from omicsfusion.preprocess.select.spread import MadSelector, VarianceSelector
from omicsfusion.preprocess.select.stability import (
    StabilitySelector,
    first_on_lasso_path,
    halves,
)
from omicsfusion.preprocess.select.univariate import UnivariateSelector

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


@pytest.fixture(scope="module")
def breast():
    """Genes of TCGA BRCA: samples x features, and PAM50; 300 patients, 600 genes."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is not there")
    X = pd.read_csv(SHARED / "tcga_brca" / "rna.tsv.gz", sep="\t", index_col=0).T.sort_index()
    pam50 = pd.read_csv(SHARED / "tcga_brca" / "samples.tsv", sep="\t", index_col=0)["pam50"]
    known = pam50.reindex(X.index).dropna()
    return X.loc[known.index].iloc[:300, :600].to_numpy(), known.iloc[:300].to_numpy(dtype=str)


@pytest.fixture(scope="module")
def glioma():
    """Genes of TCGA GBM/LGG (500) and (time, event) of the patients with follow-up."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is not there")
    folder = SHARED / "tcga_gbmlgg"
    X = pd.read_csv(folder / "rna.tsv.gz", sep="\t", index_col=0).T.sort_index()
    times = pd.read_csv(folder / "samples.tsv", sep="\t", index_col=0)[["os_time", "os_event"]]
    times = times.reindex(X.index).dropna()
    times = times[times["os_time"] > 0]
    return X.loc[times.index].iloc[:, :500].to_numpy(), times.to_numpy(dtype=float)


def noise(seed=0, n=40, p=30):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, p)), rng


# Remission of leukaemia in weeks (negative: censored) with 6-MP and with placebo: Freireich et al.,
# Blood 21:699, 1963. Their log-rank chi-squared is 16.79 (Kalbfleisch & Prentice, The Statistical
# Analysis of Failure Time Data, 2nd ed. 2002, section 1.1.1 and 1.5; R's survdiff says 16.8).
DRUG = [6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def leukaemia():
    weeks = np.array([*DRUG, *PLACEBO])
    group = np.repeat([1.0, 0.0], [len(DRUG), len(PLACEBO)])
    return group[:, None], np.column_stack([np.abs(weeks), weeks > 0]).astype(float)


def test_the_score_test_of_two_groups_is_the_published_log_rank_test():
    statistic, _ = cox_score(*leukaemia())
    assert statistic[0] == pytest.approx(16.79, abs=0.005)


def test_the_score_test_of_two_groups_is_lifelines_log_rank_test_with_ties():
    rng = np.random.default_rng(1)
    for x, y in [leukaemia(), *(tied(rng) for _ in range(5))]:
        one = x[:, 0] == 1
        expected = logrank_test(y[one, 0], y[~one, 0], y[one, 1], y[~one, 1])
        statistic, p = associations(x, y, "survival")
        assert statistic[0] == pytest.approx(expected.test_statistic, rel=1e-10)
        assert p[0] == pytest.approx(expected.p_value, rel=1e-9)


def tied(rng, n=60):
    x = (rng.random((n, 1)) < 0.3).astype(float)
    return x, np.column_stack([np.ceil(5 * rng.exponential(size=n)), rng.random(n) < 0.7])


def test_the_score_test_is_that_of_scikit_survivals_cox_likelihood():
    """Score and information at 0 of each feature's own model; no ties, where all forms agree."""
    X, rng = noise()
    y = np.column_stack([rng.permutation(len(X)) + 1.0, rng.random(len(X)) < 0.6])
    statistic, p = associations(X, y, "survival")
    for column in range(X.shape[1]):
        model = CoxPHOptimizer(X[:, [column]], y[:, 1] > 0, y[:, 0], np.zeros(1), "breslow")
        model.update(np.zeros(1))
        # Both are means over the samples, and the gradient is that of minus the likelihood.
        expected = len(X) * model.gradient[0] ** 2 / model.hessian[0, 0]
        assert statistic[column] == pytest.approx(expected, rel=1e-10)
        assert p[column] == pytest.approx(stats.chi2.sf(expected, 1), rel=1e-9)


@pytest.mark.shared
def test_halves_of_glioma_by_gene_are_tested_as_by_lifelines(glioma):
    X, y = glioma
    groups = np.where(np.median(X, axis=0) < X, 1.0, 0.0)[:, :40]
    statistic, _ = associations(groups, y, "survival")
    for column, group in enumerate(groups.T):
        one = group == 1
        expected = logrank_test(y[one, 0], y[~one, 0], y[one, 1], y[~one, 1]).test_statistic
        assert statistic[column] == pytest.approx(expected, rel=1e-9)


@pytest.mark.shared
def test_analysis_of_variance_and_its_selection_are_scikit_learns(breast):
    X, y = breast
    # Of a constant feature scikit-learn's F is the quotient of two rounding errors, below 0 here.
    X = X[:, np.ptp(X, axis=0) > 0]
    expected_f, expected_p = f_classif(X, y)
    classes = np.unique(y, return_inverse=True)[1]
    statistic, p = associations(X, classes, "classification")
    np.testing.assert_allclose(statistic, expected_f, rtol=1e-9)
    np.testing.assert_allclose(p, expected_p, rtol=1e-7)
    step = UnivariateSelector("classification", fdr=0.01).fit(X, y)
    np.testing.assert_array_equal(
        step.support_, SelectFdr(f_classif, alpha=0.01).fit(X, y).get_support()
    )
    assert 20 < step.support_.sum() < X.shape[1]


def test_correlations_are_scikit_learns_and_of_ranks_scipys():
    X, rng = noise()
    y = X[:, 0] + rng.normal(size=len(X))
    statistic, p = associations(X, y, "regression")
    expected_f, expected_p = f_regression(X, y)
    np.testing.assert_allclose(statistic**2, expected_f, rtol=1e-9)
    np.testing.assert_allclose(p, expected_p, rtol=1e-9)
    X = np.round(X, 1)
    _, p = associations(X, np.round(y), "regression", ranks=True)
    expected = [stats.spearmanr(column, np.round(y)).pvalue for column in X.T]
    np.testing.assert_allclose(p, expected, rtol=1e-9)


def test_missing_values_are_left_out_as_scipy_leaves_them_out():
    X, rng = noise()
    X[rng.random(X.shape) < 0.2] = np.nan
    y = np.arange(len(X)) % 3
    statistic, p = associations(X, y, "classification")
    groups = [X[y == label] for label in range(3)]
    expected = stats.f_oneway(*groups, axis=0, nan_policy="omit")
    np.testing.assert_allclose(statistic, expected.statistic, rtol=1e-10)
    np.testing.assert_allclose(p, expected.pvalue, rtol=1e-9)


@pytest.mark.shared
def test_stability_frequencies_are_those_of_scikit_learns_selections(breast):
    X, y = breast
    classes = np.unique(y, return_inverse=True)[1]
    step = StabilitySelector("classification", n_subsamples=8, n_chosen=25).fit(X, y)
    expected = np.mean(
        [
            SelectKBest(f_classif, k=25).fit(X[rows], y[rows]).get_support()
            for rows in halves(classes, "classification", 8)
        ],
        axis=0,
    )
    np.testing.assert_array_equal(step.frequency_, expected)


def test_the_first_on_the_path_are_the_features_of_scikit_learns_lasso():
    X, rng = noise(n=60, p=100)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = X[:, :6] @ [3, -2, 2, 1.5, -1, 1] + 0.3 * rng.normal(size=60)
    y -= y.mean()
    alphas, _, path = lars_path(X, y, method="lasso", max_iter=5)
    assert ((path[:, -1] != 0).sum(), (path[:, -2] != 0).sum()) == (5, 4)
    alpha = (alphas[-1] + alphas[-2]) / 2
    lasso = Lasso(alpha=alpha, fit_intercept=False, tol=1e-12, max_iter=100_000).fit(X, y)
    found = first_on_lasso_path(X, y, "regression", 5)
    np.testing.assert_array_equal(found, lasso.coef_ != 0)


def test_martingale_residuals_are_events_minus_lifelines_hazard():
    for y in (leukaemia()[1], tied(np.random.default_rng(2))[1]):
        model = NelsonAalenFitter(nelson_aalen_smoothing=False).fit(y[:, 0], y[:, 1])
        hazard = model.cumulative_hazard_at_times(y[:, 0]).to_numpy()
        np.testing.assert_allclose(martingale_residuals(y), y[:, 1] - hazard, atol=1e-12)
        assert abs(martingale_residuals(y).sum()) < 1e-12


def test_laplacian_scores_of_three_samples_by_hand():
    """He, Cai & Niyogi 2005, equations 2 to 4, with S = [[0, 1, 0], [1, 0, 2], [0, 2, 0]].

    D = (1, 3, 2). f = (0, 1, 3): weighted mean 9/6, f~ = (-3/2, -1/2, 3/2), f~' D f~ = 15/2,
    f~' L f~ = 1 (0 - 1)^2 + 2 (1 - 3)^2 = 9; score 9 / 7.5. f = (1, 1, 0): mean 4/6,
    f~' D f~ = 4/3, f~' L f~ = 2; score 1.5.
    """
    S = csr_array(np.array([[0.0, 1, 0], [1, 0, 2], [0, 2, 0]]))
    scores = laplacian_scores(np.array([[0.0, 1], [1, 1], [3, 0]]), S)
    np.testing.assert_allclose(scores, [1.2, 1.5], rtol=1e-14)


def test_laplacian_scores_are_the_formula_with_scipys_laplacian():
    X, _ = noise(n=50)
    low, high = np.quantile(X, 0.05, 0, method="higher"), np.quantile(X, 0.95, 0, method="lower")
    Z = np.clip(X, low, high) / np.clip(X, low, high).std(axis=0)
    distance, neighbour = NearestNeighbors(n_neighbors=6, algorithm="brute").fit(Z).kneighbors(Z)
    S = np.zeros((50, 50))
    for sample in range(50):
        for other, apart in zip(neighbour[sample, 1:], distance[sample, 1:], strict=True):
            weight = np.exp(-(apart**2) / (distance[:, 1:] ** 2).mean())
            S[sample, other] = S[other, sample] = weight
    np.testing.assert_allclose(neighbourhood(X, 5).toarray(), S, rtol=1e-10, atol=0)
    L = laplacian(S)
    d = S.sum(axis=1)
    expected = []
    for f in X.T:
        centred = f - (f @ d) / d.sum()
        expected.append((centred @ L @ centred) / (centred * d @ centred))
    np.testing.assert_allclose(LaplacianSelector().fit(X).scores_, expected, rtol=1e-10)


@pytest.mark.shared
@pytest.mark.parametrize("limit", [600, 100])
def test_clumping_is_the_greedy_loop_on_numpys_correlations(breast, limit):
    X, _ = breast
    X = X[:, np.ptp(X, axis=0) > 0]
    threshold = 0.5
    clipped = X.copy()
    for column in range(X.shape[1]):
        low, high = (
            np.quantile(X[:, column], 0.05, method="higher"),
            np.quantile(X[:, column], 0.95, method="lower"),
        )
        clipped[:, column] = np.clip(X[:, column], low, high)
    ranked = np.lexsort((-X.var(axis=0), -clipped.var(axis=0)))
    r = np.abs(np.corrcoef(np.where(np.ptp(clipped, axis=0) > 0, clipped, X).T))
    kept: list[int] = []
    for feature in ranked:
        if len(kept) == limit:
            break
        if (r[feature, kept] <= threshold).all():
            kept.append(feature)
    rest = np.setdiff1d(np.arange(X.shape[1]), kept)
    correlated = int((r[np.ix_(rest, kept)] > threshold).any(axis=1).sum())
    step = ClumpingSelector(threshold, limit).fit(X)
    assert np.flatnonzero(step.support_).tolist() == sorted(kept)
    assert sum(step.dropped_.values()) == len(rest)
    if limit == 600:
        assert step.dropped_ == {f"correlation above {threshold} with a kept feature": correlated}
    else:
        assert len(kept) == limit


@pytest.mark.shared
def test_the_most_variable_features_are_those_of_scipys_statistics(breast):
    X, _ = breast
    deviation = stats.median_abs_deviation(X, axis=0)
    expected = np.argsort(-deviation)[:100]
    step = MadSelector(100).fit(X)
    assert set(np.flatnonzero(step.support_)) == set(expected)
    wins = [stats.mstats.winsorize(column, (0.05, 0.05)).var() for column in X[:300].T]
    step = VarianceSelector(100).fit(X[:300])
    assert set(np.flatnonzero(step.support_)) == set(np.argsort(-np.array(wins))[:100])


@pytest.mark.shared
def test_the_filter_is_scikit_learns_where_nothing_is_missing(breast):
    X = breast[0].copy()
    X[:, ::50] = 1
    np.testing.assert_array_equal(
        FeatureFilter().fit(X).support_, VarianceThreshold().fit(X).get_support()
    )


def test_a_robust_z_is_the_modified_z_score_of_iglewicz_and_hoaglin():
    """0.6745 (x - median) / MAD; spread as scipy's median_abs_deviation(scale="normal")."""
    rng = np.random.default_rng(3)
    values = rng.standard_t(2, size=101)
    centred = values - np.median(values)
    np.testing.assert_allclose(
        robust_z(values), centred / stats.median_abs_deviation(values, scale="normal"), rtol=1e-12
    )
    mad = np.median(np.abs(centred))
    np.testing.assert_allclose(robust_z(values), 0.6745 * centred / mad, rtol=2e-5)


def test_the_axes_of_the_outlier_rule_are_scikit_learns_principal_components():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(90, 12)) @ np.diag(np.arange(1.0, 13)) @ rng.normal(size=(12, 50))
    rule = OutlierRule().fit(X)
    low = np.quantile(X, 0.05, axis=0, method="higher")
    high = np.quantile(X, 0.95, axis=0, method="lower")
    drawn_in = np.clip(X, low, high)
    Z = (drawn_in - drawn_in.mean(axis=0)) / drawn_in.std(axis=0)
    expected = PCA(10, svd_solver="full").fit(Z).components_
    likeness = np.abs((rule.axes_ * expected).sum(axis=1))
    np.testing.assert_allclose(likeness, 1, atol=1e-9)
