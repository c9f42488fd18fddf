"""Normalisers against published packages, worked examples and formulas.

Packages: scikit-learn 1.9.1, scipy 1.17. Worked examples and formulas are named at each test.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.interpolate import interp1d
from scipy.special import logit
from scipy.stats import beta as beta_distribution
from scipy.stats import rankdata, zscore
from sklearn.preprocessing import quantile_transform, scale

from omicsfusion.preprocess.normalise.metabolites import (
    QuotientNormalised,
    ReferenceNormalised,
    TotalNormalised,
)
from omicsfusion.preprocess.normalise.methylation import MValues
from omicsfusion.preprocess.normalise.methylation_design import design_map
from omicsfusion.preprocess.normalise.plain import LogTransform, SampleRanks, SampleZscore
from omicsfusion.preprocess.normalise.proteins import MedianCentring, VarianceStabilised
from omicsfusion.preprocess.normalise.quantile_reference import QuantileReference, mean_of_sorted
from omicsfusion.preprocess.scale import FeatureScaler

NAN = np.nan
DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def cohort(table):
    return pd.read_csv(DATA / f"{table}.tsv.gz", sep="\t", index_col=0).T.to_numpy(float)


def real(test):
    test = pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is not there")(test)
    return pytest.mark.shared(test)


def test_quantiles_of_the_textbook_example():
    """Four genes, three samples: en.wikipedia.org/wiki/Quantile_normalization (after Bolstad)."""
    X = np.array([[5.0, 2, 3, 4], [4, 1, 4, 2], [3, 4, 6, 8]])
    step = QuantileReference().fit(X)
    np.testing.assert_allclose(step.reference_, [2, 3, 14 / 3, 17 / 3], rtol=1e-14)
    expected = [[17 / 3, 2, 3, 14 / 3], [31 / 6, 2, 31 / 6, 3], [2, 3, 14 / 3, 17 / 3]]
    np.testing.assert_allclose(step.transform(X), expected, rtol=1e-14)


def limma_quantiles(X):
    """The formulas of limma's normalizeQuantiles (ties = TRUE; Smyth), by pandas and scipy."""
    p = X.shape[1]
    targets = np.linspace(0, 1, p)
    columns = []
    for row in X:
        known = np.sort(row[~np.isnan(row)])
        columns.append(interp1d(np.linspace(0, 1, known.size), known)(targets))
    mean = np.mean(columns, axis=0)
    ranks = pd.DataFrame(X).rank(axis=1, method="average").to_numpy()
    n = (~np.isnan(X)).sum(axis=1, keepdims=True)
    return interp1d(targets, mean)((ranks - 1) / (n - 1))


def test_quantiles_with_missing_and_tied_values_are_limmas():
    rng = np.random.default_rng(0)
    X = np.round(rng.gamma(2, size=(12, 300)) * 4, 1)
    X[rng.random(X.shape) < 0.15] = NAN
    found = QuantileReference().fit(X).transform(X)
    np.testing.assert_allclose(found, limma_quantiles(X), rtol=1e-12)


@real
def test_quantiles_of_real_mirnas_are_limmas():
    X = cohort("breast_mixomics/mirna")
    found = QuantileReference().fit(X).transform(X)
    np.testing.assert_allclose(found, limma_quantiles(X), rtol=1e-12)


def test_a_sample_of_the_reference_distribution_stays_as_scikit_learns_quantiles_say():
    """scikit-learn's quantile_transform (to uniform) gives the position at which we read."""
    X = np.random.default_rng(0).gamma(2, size=(1, 101))
    reference = np.random.default_rng(1).normal(size=(5, 101))
    step = QuantileReference().fit(reference)
    uniform = quantile_transform(X.T, n_quantiles=101, copy=True)[:, 0]
    expected = np.interp(uniform, np.linspace(0, 1, 101), mean_of_sorted(reference))
    np.testing.assert_allclose(step.transform(X)[0], expected, rtol=1e-9)


def test_standardised_samples_are_scipys_and_scikit_learns():
    X = np.random.default_rng(0).gamma(2, size=(9, 40))
    found = SampleZscore().fit(X).transform(X)
    np.testing.assert_allclose(found, scale(X, axis=1), rtol=1e-10, atol=1e-13)
    X[3, :7] = NAN
    found = SampleZscore().fit(X).transform(X)
    expected = zscore(X, axis=1, nan_policy="omit")
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-13)


def test_normal_scores_are_bloms():
    """R's qnorm(ppoints(5)): the plotting positions of Blom (1958), a = 3/8."""
    found = SampleRanks().fit([[10.0, 30, 20, 50, 40]]).transform([[10.0, 30, 20, 50, 40]])
    expected = [[-1.1797611, 0, -0.4972006, 1.1797611, 0.4972006]]
    np.testing.assert_allclose(found, expected, atol=5e-8)


def test_tied_values_share_the_mean_rank_as_in_scipy():
    row = np.array([3.0, 1, 3, 2, 3, 9])
    out = SampleRanks().fit([row]).transform([row])[0]
    assert (rankdata(out) == rankdata(row)).all()


def test_the_logarithm_is_numpys():
    X = np.random.default_rng(0).gamma(2, 100, size=(9, 40))
    np.testing.assert_allclose(LogTransform().fit(X).transform(X), np.log1p(X) / np.log(2))


@real
def test_m_values_of_real_methylation_are_logits():
    """Du et al. 2010, equation 3: M = log2(beta / (1 - beta)), the offset going to 0."""
    X = cohort("tcga_brca/methylation")
    found = MValues(offset=1e-12).fit(X).transform(X)
    np.testing.assert_allclose(found, logit(X) / np.log(2), rtol=1e-6, atol=1e-10)


def test_m_values_of_the_published_correspondence():
    """Du et al. 2010, on figure 1: beta 0.2 and 0.8 are M = -2 and 2."""
    found = MValues(offset=1e-12).fit([[0.2, 0.5, 0.8]]).transform([[0.2, 0.5, 0.8]])
    np.testing.assert_allclose(found, [[-2, 0, 2]], atol=1e-9)


def test_type_ii_peaks_go_where_teschendorff_sends_them():
    """Teschendorff et al. 2013, Methods: F_I^-1(F_II(beta)) within a state, of known betas."""
    rng = np.random.default_rng(0)
    peaks = {"I": [(3, 57), (5, 5), (54, 6)], "II": [(6, 44), (6, 6), (48, 12)]}
    first, second = (
        np.concatenate([rng.beta(*shape, size=20_000) for shape in peaks[design]])
        for design in ("I", "II")
    )
    curve = design_map(first, second)
    grid = np.linspace(0, 1, curve.size)
    for state, tail in ((0, [0.1, 0.3, 0.5, 0.7]), (2, [0.3, 0.5, 0.7, 0.9])):
        shown = beta_distribution(*peaks["II"][state]).ppf(tail)
        true = beta_distribution(*peaks["I"][state]).ppf(tail)
        np.testing.assert_allclose(np.interp(shown, grid, curve), true, atol=0.006)


@real
def test_real_proteins_are_centred_by_the_formula():
    X = cohort("tcga_brca/rppa")
    profile = np.median(X, axis=0)
    expected = X - np.median(X, axis=1, keepdims=True) + np.median(profile)
    np.testing.assert_allclose(MedianCentring().fit(X).transform(X), expected, atol=1e-14)


def test_noise_of_two_parts_has_one_variance_under_arsinh():
    """Rocke & Durbin 2001: x = mu exp(eta) + epsilon; vsn's h has constant variance, near eta's."""
    rng = np.random.default_rng(0)
    additive, multiplicative = 30.0, 0.2
    mean = np.exp(rng.uniform(0, 11, 600))
    noise = rng.normal(0, additive, (200, 600))
    X = np.abs(mean * np.exp(rng.normal(0, multiplicative, (200, 600))) + noise)
    shift, stretch = rng.uniform(20, 60, (200, 1)), rng.uniform(0.5, 2, (200, 1))
    step = VarianceStabilised().fit(shift + stretch * X)
    out = step.transform(shift + stretch * X) * np.log(2)
    bins = np.array_split(np.argsort(mean), 6)
    deviations = [np.median(out[:, inside].std(axis=0)) for inside in bins]
    # The brightest sixths: the multiplicative noise itself.
    np.testing.assert_allclose(deviations[-2:], multiplicative, rtol=0.05)
    assert max(deviations) / min(deviations) < 1.3
    plain = [np.median(np.log(X)[:, inside].std(axis=0)) for inside in bins]
    assert max(plain) / min(plain) > 4


def dieterle(X):
    """Dieterle et al. 2006, steps 1 to 5, on values that are all positive."""
    spectra = X / X.sum(axis=1, keepdims=True)
    reference = np.median(spectra, axis=0)
    return spectra / np.median(spectra / reference, axis=1, keepdims=True)


def without_log(step, X):
    return X / step.sample_factors(X)


def test_quotients_follow_the_published_steps():
    X = np.random.default_rng(0).lognormal(3, 2, (21, 60))
    step = QuotientNormalised().fit(X)
    found = without_log(step, X)
    expected = dieterle(X)
    np.testing.assert_allclose(found / found[0, 0], expected / expected[0, 0], rtol=1e-10)
    offset = found.min(axis=0) / 2
    np.testing.assert_allclose(step.transform(X), np.log2(found + offset), rtol=1e-12)


def test_quotients_find_the_dilution_where_totals_do_not():
    """The paper's case: a few metabolites change massively; the total follows them."""
    rng = np.random.default_rng(0)
    X = rng.lognormal(rng.normal(3, 1.5, 80), 0.1, (40, 80))
    X[20:, :6] *= 50
    dilution = rng.uniform(0.2, 5, 40)
    spread = {}
    for step in (QuotientNormalised(), TotalNormalised()):
        factors = step.fit(X * dilution[:, None]).sample_factors(X * dilution[:, None])[:, 0]
        spread[type(step).__name__] = np.log(factors / dilution).std()
    assert spread["QuotientNormalised"] < 0.03
    assert spread["TotalNormalised"] > 10 * spread["QuotientNormalised"]


@real
def test_quotients_of_real_metabolites_follow_the_published_steps():
    """gut_gastric, the metabolites that all samples have: without zeros the paper's steps hold."""
    X = cohort("gut_gastric/metabolomics")
    X = X[:, (X > 0).all(axis=0)]
    assert X.shape[1] > 20
    found = without_log(QuotientNormalised().fit(X), X)
    expected = dieterle(X)
    np.testing.assert_allclose(found / found[0, 0], expected / expected[0, 0], rtol=1e-10)


@real
def test_totals_and_references_of_real_metabolites_are_plain_divisions():
    X = cohort("gut_gastric/metabolomics")
    found = without_log(TotalNormalised().fit(X), X)
    expected = X / X.sum(axis=1, keepdims=True) * X.sum() / len(X)
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    always = int((X > 0).all(axis=0).argmax())
    names = [str(number) for number in range(X.shape[1])]
    step = ReferenceNormalised(str(always)).fit(X, features=names)
    expected = X / X[:, [always]] * np.median(X[:, always])
    np.testing.assert_allclose(without_log(step, X), expected, rtol=1e-10)


@real
def test_pareto_scaling_of_real_metabolites_is_the_published_formula():
    """Table 1 of van den Berg et al. 2006: (x - mean) / sqrt(s), s divided by n here."""
    X = cohort("gut_adenoma/metabolomics")
    found = FeatureScaler("pareto", clip=1e9).fit(X).transform(X)
    expected = (X - X.mean(axis=0)) / np.sqrt(X.std(axis=0))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
