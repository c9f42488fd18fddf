"""Counts are normalised as the published packages do, and where not, the test says in what.

Oracles: rnanorm 2.2.0 (its authors checked CPM, TMM, UQ and TPM against edgeR to 10 decimals) and
PyDESeq2 0.5.4 (size factors, VST), on the raw miRNA counts of tcga_acc_mini: the even samples are
the training samples, the odd ones are new.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydeseq2.dds import DeseqDataSet
from pydeseq2.preprocessing import deseq2_norm_fit, deseq2_norm_transform
from rnanorm import CPM, TMM, TPM, UQ

from omicsfusion.preprocess.normalise.library_size import CountsPerMillion, UpperQuartile
from omicsfusion.preprocess.normalise.median_of_ratios import MedianOfRatios
from omicsfusion.preprocess.normalise.tmm import TrimmedMean
from omicsfusion.preprocess.normalise.tpm import TranscriptsPerMillion
from omicsfusion.preprocess.normalise.vst import SampledCounts, VarianceStabiliser

COHORT = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tcga_acc_mini"


@pytest.fixture(scope="module")
def simulated():
    """Training counts and new ones, negative binomial with dispersion 0.2 + 2 / mean."""
    rng = np.random.default_rng(7)
    mean = np.exp(rng.normal(4, 2, size=400))
    depth = np.exp(rng.normal(0, 0.4, size=(60, 1)))
    size = 1 / (0.2 + 2 / mean)
    X = rng.negative_binomial(size, size / (size + mean * depth)).astype(float)
    X[:, :5] = 0
    return X[:40], X[40:]


@pytest.fixture(scope="module")
def real():
    """Real training counts and new ones."""
    if not COHORT.is_dir():
        pytest.skip(f"{COHORT} is not there")
    table = pd.read_csv(COHORT / "mirna_counts.tsv.gz", sep="\t", index_col=0).T.sort_index()
    X = table.to_numpy(dtype=float)
    return X[::2], X[1::2]


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.shared)])
def counts(request):
    """(training, new) of both."""
    return request.getfixturevalue(request.param)


def with_training_sum(new: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Append a row in which all features of the training samples are counted.

    rnanorm drops the features that are 0 in all samples that it is handed, and then meets its
    stored reference with another number of features; the row's own factor is thrown away.
    """
    return np.vstack([new, train.sum(axis=0)])


def log_cpm(X: np.ndarray, sizes: np.ndarray, mean_size: float, prior: float) -> np.ndarray:
    """Return what edgeR's cpm.default (3.x: ``prior.count.scaled``) computes."""
    scaled = sizes[:, None] / mean_size * prior
    return np.log2((X + scaled) / (1e-6 * (sizes[:, None] + 2 * scaled)))


def test_library_sizes_are_those_of_rnanorms_cpm(counts):
    train, new = counts
    step = CountsPerMillion().fit(train)
    np.testing.assert_allclose(
        new / step.sample_factors(new) * 1e6, CPM().fit_transform(new), rtol=1e-13
    )
    expected = log_cpm(new, new.sum(axis=1), train.sum(axis=1).mean(), prior=2)
    np.testing.assert_allclose(step.transform(new), expected, rtol=1e-12)


def test_tmm_is_rnanorms_for_training_and_for_new_samples(counts):
    train, new = counts
    step = TrimmedMean().fit(train)
    oracle = TMM().fit(train)
    usable = train.sum(axis=0) > 0
    np.testing.assert_array_equal(step.reference_[usable], oracle.ref_)
    own = step.sample_factors(train)[:, 0] / train.sum(axis=1)
    np.testing.assert_allclose(own, oracle.get_norm_factors(train), rtol=1e-13)
    factors = oracle.get_norm_factors(with_training_sum(new, train))[:-1]
    assert np.abs(factors - 1).max() > 0.05
    found = step.sample_factors(new)[:, 0]
    np.testing.assert_allclose(found, new.sum(axis=1) * factors, rtol=1e-13)
    mean = (train.sum(axis=1) * oracle.get_norm_factors(train)).mean()
    expected = log_cpm(new, found, mean, prior=2)
    np.testing.assert_allclose(step.transform(new), expected, rtol=1e-11)


@pytest.mark.parametrize(("m_trim", "a_trim"), [(0.3, 0.05), (0.1, 0.2), (0.0, 0.0)])
def test_tmm_trims_as_asked(simulated, m_trim, a_trim):
    train, _ = simulated
    own = TrimmedMean(m_trim=m_trim, a_trim=a_trim).fit(train).sample_factors(train)[:, 0]
    oracle = TMM(m_trim=m_trim, a_trim=a_trim).fit(train).get_norm_factors(train)
    np.testing.assert_allclose(own / train.sum(axis=1), oracle, rtol=1e-12)


def test_upper_quartiles_are_rnanorms_for_training_and_for_new_samples(counts):
    train, new = counts
    step = UpperQuartile().fit(train)
    oracle = UQ().fit(train)
    own = step.sample_factors(train)[:, 0] / train.sum(axis=1)
    np.testing.assert_allclose(own, oracle.get_norm_factors(train), rtol=1e-13)
    factors = oracle.get_norm_factors(with_training_sum(new, train))[:-1]
    found = step.sample_factors(new)[:, 0] / new.sum(axis=1)
    np.testing.assert_allclose(found, factors, rtol=1e-13)


def test_tpm_is_rnanorms(counts):
    train, new = counts
    names = [f"g{k}" for k in range(train.shape[1])]
    lengths = np.random.default_rng(0).integers(60, 9000, size=len(names))
    step = TranscriptsPerMillion(dict(zip(names, lengths.tolist(), strict=True)))
    step.fit(train, features=names)
    oracle = TPM(gene_lengths=pd.Series(lengths, index=names)).set_output(transform="pandas")
    expected = oracle.fit_transform(pd.DataFrame(new, columns=names)).to_numpy()
    np.testing.assert_allclose(2 ** step.transform(new) - 1, expected, rtol=1e-9, atol=1e-9)


def test_size_factors_are_pydeseq2s(counts):
    train, new = counts
    step = MedianOfRatios().fit(train)
    assert "median of ratios" in step.did_
    log_means, used = deseq2_norm_fit(train)
    expected, sizes = deseq2_norm_transform(train, log_means, used)
    np.testing.assert_allclose(step.sample_factors(train)[:, 0], sizes, rtol=1e-13)
    np.testing.assert_allclose(step.transform(train), np.log2(expected + 1), rtol=1e-12)
    # DESeq2 leaves zeros of a new sample out, PyDESeq2 counts them as ratios of 0: equal without.
    whole = (new[:, used] > 0).all(axis=1)
    _, sizes = deseq2_norm_transform(new, log_means, used)
    found = step.sample_factors(new)[:, 0]
    assert whole.any()
    np.testing.assert_allclose(found[whole], sizes[whole], rtol=1e-13)
    for row in np.flatnonzero(~whole):
        there = used & (new[row] > 0)
        ratios = np.median(np.log(new[row, there]) - log_means[there])
        assert found[row] == pytest.approx(np.exp(ratios), rel=1e-13)


def pydeseq2_fitted(counts: np.ndarray) -> DeseqDataSet:
    """Return PyDESeq2's VST of training counts, without regard to groups."""
    samples = [f"s{row}" for row in range(len(counts))]
    oracle = DeseqDataSet(
        counts=pd.DataFrame(counts.astype(int), index=samples).rename(columns=str),
        metadata=pd.DataFrame({"group": ["a", "b"] * (len(counts) // 2)}, index=samples),
        design="~1",
        fit_type="parametric",
        n_cpus=1,
        quiet=True,
    )
    oracle.vst_fit(use_design=False)
    return oracle


def own_trend(train: np.ndarray, oracle: DeseqDataSet) -> dict[str, float]:
    """Return the step's trend from PyDESeq2's size factors.

    They are equal to 1e-14; but PyDESeq2's optimiser stops where the last bit of a size factor
    moves a dispersion in its fifth digit.
    """
    sizes = oracle.obs["size_factors"].to_numpy()
    own = MedianOfRatios().fit(train).sample_factors(train)[:, 0]
    np.testing.assert_allclose(own, sizes, rtol=1e-14)
    return SampledCounts(train, sizes).dispersion_trend()


def test_stabilised_values_are_pydeseq2s(counts):
    """On features with a mean above 10: PyDESeq2 takes all it gets, the step those above 5."""
    train, new = counts
    mean = (train / MedianOfRatios().fit(train).sample_factors(train)).mean(axis=0)
    train, new = train[:, mean > 10], new[:, mean > 10]
    step, oracle = VarianceStabiliser().fit(train), pydeseq2_fitted(train)
    assert oracle.vst_fit_type == "parametric"
    trend = own_trend(train, oracle)
    assert trend == pytest.approx(oracle.uns["vst_trend_coeffs"].to_dict(), rel=1e-12)
    assert step.trend_ == pytest.approx(trend, rel=1e-4)
    step.trend_ = trend
    np.testing.assert_allclose(step.transform(train), oracle.vst_transform(), rtol=1e-12)
    # New samples without zeros among the features of the size factors, as above.
    whole = (new[:, oracle.filtered_genes] > 0).all(axis=1)
    assert whole.any()
    expected = oracle.vst_transform(new[whole])
    np.testing.assert_allclose(step.transform(new[whole]), expected, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:The dispersion trend curve fitting did not converge")
def test_one_dispersion_for_all_is_pydeseq2s_when_the_trend_cannot_be_fitted():
    """Dispersions that grow with the mean are no a0 + a1 / mean with positive a0 and a1."""
    rng = np.random.default_rng(3)
    mean = np.exp(rng.uniform(3, 9, size=80))
    size = 40 * mean**-0.5
    X = rng.negative_binomial(size, size / (size + mean), size=(30, 80)).astype(float) + 1
    step, oracle = VarianceStabiliser().fit(X[:20]), pydeseq2_fitted(X[:20])
    assert oracle.vst_fit_type == "mean"
    assert "the trend could not be fitted" in step.did_
    trend = own_trend(X[:20], oracle)
    assert step.trend_ == pytest.approx(trend, rel=1e-4)
    step.trend_ = trend
    np.testing.assert_allclose(step.transform(X[:20]), oracle.vst_transform(), rtol=1e-12)
    np.testing.assert_allclose(step.transform(X[20:]), oracle.vst_transform(X[20:]), rtol=1e-12)
