"""Normalisers of layers that are not counts: what holds of all of them, and what is each one's."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from omicsfusion.preprocess.clinical import ClinicalEncoder
from omicsfusion.preprocess.normalise.copy_number import ClippedCopyNumber, GenesFromSegments
from omicsfusion.preprocess.normalise.earlier_scale import spans_magnitudes, standardised
from omicsfusion.preprocess.normalise.metabolites import (
    QuotientNormalised,
    ReferenceNormalised,
    TotalNormalised,
)
from omicsfusion.preprocess.normalise.methylation import BetaValues, MValues
from omicsfusion.preprocess.normalise.methylation_design import DesignCorrection
from omicsfusion.preprocess.normalise.mutations import (
    BURDEN,
    AlleleFractions,
    BinaryCalls,
    MutationFilter,
)
from omicsfusion.preprocess.normalise.plain import (
    AsTheyCame,
    LogTransform,
    SampleRanks,
    SampleZscore,
)
from omicsfusion.preprocess.normalise.proteins import (
    MedianCentring,
    ProteinQuantiles,
    VarianceStabilised,
)
from omicsfusion.preprocess.normalise.quantile_reference import QuantileReference
from omicsfusion.preprocess.scale import FeatureScaler

NAN = np.nan
DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
needs_cohorts = pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is not there")
N, P = 30, 160
FEATURES = tuple(f"chr1:{100 * k + 1}-{100 * (k + 1)}" for k in range(P))
GENES = [["G1", "chr1", 50, 420], ["G2", "1", 1000, 1100], ["G3", "chr1", 15_900, 20_000]]
DESIGNS = {name: "I" if k < P / 2 else "II" for k, name in enumerate(FEATURES)}
STEPS = [
    AsTheyCame(),
    LogTransform(),
    SampleZscore(),
    SampleRanks(),
    QuantileReference(),
    MValues(),
    BetaValues(),
    DesignCorrection(DESIGNS),
    DesignCorrection(DESIGNS, scale="beta"),
    MedianCentring(),
    ProteinQuantiles(),
    VarianceStabilised(),
    QuotientNormalised(),
    TotalNormalised(),
    ReferenceNormalised(FEATURES[7]),
    MutationFilter(),
    BinaryCalls(),
    AlleleFractions(),
    ClippedCopyNumber(),
    GenesFromSegments(GENES),
    FeatureScaler("zscore"),
    FeatureScaler("robust"),
    FeatureScaler("pareto"),
    FeatureScaler("none"),
]
UNNAMED = {DesignCorrection: {}, ReferenceNormalised: {}, GenesFromSegments: {}}


@parametrize_with_checks(
    [
        *(type(step)(**UNNAMED.get(type(step), step.get_params())) for step in STEPS),
        ClinicalEncoder(),
    ]
)
def test_the_step_is_a_transformer_as_scikit_learn_has_them(estimator, check):
    check(estimator)


def layer(kind, seed=0):
    """30 samples x 160 features, a tenth of the values missing."""
    rng = np.random.default_rng(seed)
    if kind == "beta":
        X = rng.beta(*rng.permuted([[1, 9], [5, 5], [9, 1]] * 54, axis=0)[:P].T, size=(N, P))
    elif kind == "intensities":
        X = rng.lognormal(rng.normal(6, 2, P), 0.5, (N, P)) * rng.lognormal(0, 0.5, (N, 1))
    elif kind == "mutations":
        X = (rng.random((N, P)) < 0.15).astype(float)
    else:
        X = rng.normal(0, 1.5, (N, P)) + rng.normal(0, 0.4, (N, 1))
    return np.where(rng.random(X.shape) < 0.1, NAN, X)


def fitted(step, X, features=FEATURES):
    step = type(step)(**step.get_params())
    return step.fit(X, **({"features": features} if "features" in step.needs else {}))


KINDS = ["beta", "intensities", "mutations", "log ratios"]
each_step = pytest.mark.parametrize("step", STEPS, ids=repr)
each_kind = pytest.mark.parametrize("kind", KINDS)


@each_kind
@each_step
def test_a_sample_alone_is_itself_among_others_to_the_bit(step, kind):
    X = layer(kind)
    step = fitted(step, X[:20])
    together = step.transform(X)
    for order in ("C", "F"):
        assert step.transform(np.asarray(X, order=order)).tobytes() == together.tobytes()
    for sample, row in enumerate(X):
        alone = step.transform(row[None])
        np.testing.assert_array_equal(alone[0], together[sample])


@each_kind
@each_step
def test_a_step_reloads_from_hdf5_to_the_same_bits(step, kind, tmp_path):
    X = layer(kind)
    step = fitted(step, X[:20])
    with h5py.File(tmp_path / "step.h5", "w") as file:
        step.to_h5(file.create_group("step"))
        again = type(step).from_h5(file["step"])
    assert again.transform(X).tobytes() == step.transform(X).tobytes()
    names = step.get_feature_names_out(np.array(FEATURES, dtype=object))
    assert list(again.get_feature_names_out(np.array(FEATURES, dtype=object))) == list(names)
    assert [getattr(again, name, "") for name in ("skipped_", "did_")] == [
        getattr(step, name, "") for name in ("skipped_", "did_")
    ]


@each_kind
@each_step
@pytest.mark.filterwarnings("error")
def test_finite_garbage_comes_out_finite_and_missing_values_missing(step, kind):
    X = layer(kind)
    step = fitted(step, X)
    rng = np.random.default_rng(1)
    garbage = np.concatenate(
        [rng.choice([-3e38, 3e38, 1e-38, 0], (20, P)), np.full((1, P), 7.0), np.zeros((1, P))]
    )
    assert np.isfinite(step.transform(garbage)).all()
    nothing = step.transform(np.full((1, P), NAN))
    assert np.isnan(nothing).all()
    part = np.where(np.arange(P) < 50, NAN, np.nan_to_num(X[:1], nan=1.0))
    out = step.transform(part)
    if out.shape[1] == P:
        np.testing.assert_array_equal(np.isnan(out), np.isnan(part))


@each_kind
@pytest.mark.parametrize("step", [step for step in STEPS if step.per_feature], ids=repr)
def test_a_step_that_calls_itself_per_feature_is_one(step, kind):
    X = layer(kind)
    whole = fitted(step, X)
    block = X[:, 40:90]
    if hasattr(whole, "decide"):  # once, from all blocks: see `fit_in_blocks`
        part = type(step)(**step.get_params()).fit(block)
        part.decide(whole.evidence(X))
    else:
        part = fitted(step, block, FEATURES[40:90])
    np.testing.assert_array_equal(part.transform(block), whole.transform(X)[:, 40:90])


@each_step
def test_every_step_says_what_it_did_or_why_not(step):
    for kind in KINDS:
        step = fitted(step, layer(kind))
        assert step.did_ or step.skipped_
        assert "\n" not in step.did_ + getattr(step, "skipped_", "")


@each_kind
@each_step
def test_what_a_step_keeps_of_each_feature_is_as_long_as_there_are_features(step, kind):
    step = fitted(step, layer(kind))
    assert set(step.feature_state) <= set(step.state)
    assert all(len(getattr(step, name)) == P for name in step.feature_state)


# What was done before.


def test_samples_that_were_standardised_are_recognised():
    X = np.random.default_rng(0).gamma(2, size=(12, 200)) + np.arange(200)
    assert standardised(X) == ""
    Z = (X - X.mean(axis=1, keepdims=True)) / X.std(axis=1, keepdims=True)
    assert "by sample" in standardised(Z)
    # The filter has left out one feature in ten.
    assert "by sample" in standardised(np.delete(Z, np.arange(0, 200, 10), axis=1))
    for step in (QuantileReference(), SampleZscore()):
        assert "by sample" in step.fit(Z).skipped_
        np.testing.assert_array_equal(step.transform(Z), Z)


def test_features_that_were_standardised_are_recognised_from_half_of_the_samples():
    X = np.random.default_rng(0).gamma(2, size=(100, 50)) * np.arange(1, 51)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    assert "by feature" in standardised(Z[::2])
    assert standardised(np.log2(X) - 3) == ""


@pytest.mark.shared
@needs_cohorts
@pytest.mark.parametrize(
    ("table", "evidence"),
    [
        ("tcga_luad/mirna", "by sample"),
        ("tcga_brca/rna", "by feature"),
        ("tcga_luad/rna", "by feature"),
        ("tcga_gbmlgg/rna", "by feature"),
        ("breast_mixomics/rna", ""),
        ("breast_mixomics/mirna", ""),
        ("breast_mixomics/rppa", ""),
        ("tcga_brca/mirna", ""),
        ("tcga_brca/rppa", ""),
        ("tcga_acc_mini/rppa", ""),
        ("liver_toxicity/rna", ""),
        ("nutrimouse/rna", ""),
        ("gut_adenoma/metabolomics", ""),
    ],
)
def test_real_tables_that_were_standardised_are_recognised(table, evidence):
    X = cohort(table)
    for training in (X, X[::2], X[1::3], X[:40]):
        found = standardised(training)
        assert (evidence in found) if evidence else (found == "")


@pytest.mark.shared
@needs_cohorts
@pytest.mark.parametrize(
    ("table", "raw"),
    [
        ("gut_gastric/metabolomics", True),
        ("nutrimouse/lipid", True),
        ("tcga_acc_mini/rna", True),
        ("tcga_acc_mini/mirna_counts", True),
        ("gut_adenoma/metabolomics", False),
        ("tcga_brca/rppa", False),
        ("tcga_brca/mirna", False),
        ("breast_mixomics/mirna", False),
        ("breast_mixomics/rna", False),
    ],
)
def test_real_abundances_are_told_from_logarithms(table, raw):
    X = cohort(table)
    assert [spans_magnitudes(part) for part in (X, X[::2], X[1::3])] == [raw] * 3


def cohort(table):
    return pd.read_csv(DATA / f"{table}.tsv.gz", sep="\t", index_col=0).T.to_numpy(float)


# Each one's own.


def test_intensities_are_logged_and_centred_and_logarithms_only_centred():
    intensities = np.nan_to_num(layer("intensities"), nan=1.0)
    step = MedianCentring().fit(intensities)
    out = step.transform(intensities)
    np.testing.assert_allclose(np.median(out, axis=1), np.median(out[0]), rtol=1e-12)
    np.testing.assert_allclose(
        out[3] - np.log2(intensities[3]), out[3, 0] - np.log2(intensities[3, 0])
    )
    logarithms = np.log2(intensities)
    assert "not logged" in MedianCentring().fit(logarithms).did_
    np.testing.assert_allclose(MedianCentring().fit(logarithms).transform(logarithms), out)


def test_a_sample_without_faint_proteins_is_not_pushed_down():
    X = 20 + np.arange(40.0) / 4 + np.random.default_rng(0).normal(0, 0.01, (20, 40))
    step = MedianCentring().fit(X)
    faint_missing = np.where(np.arange(40) < 15, NAN, X[:1] + 3)
    np.testing.assert_allclose(step.transform(faint_missing)[0, 15:], X[0, 15:], atol=0.03)


def test_a_protein_that_was_not_detected_counts_as_half_the_smallest():
    X = np.array([[0.0, 8, 1000], [4, 16, 2000], [8, 32, 4000]])
    step = ProteinQuantiles().fit(X)
    np.testing.assert_array_equal(step.floor_, [2, 4, 500])
    assert np.isfinite(step.transform(X)).all()


def test_dilution_is_taken_out_of_new_samples():
    X = np.nan_to_num(layer("intensities"), nan=1.0)
    for step in (QuotientNormalised(), TotalNormalised(), ReferenceNormalised(FEATURES[3])):
        step = fitted(step, X)
        np.testing.assert_allclose(step.transform(7 * X), step.transform(X), rtol=1e-9)


def test_a_new_sample_that_lacks_features_is_diluted_as_before():
    X = np.nan_to_num(layer("intensities"), nan=1.0)
    for step in (TotalNormalised().fit(X), QuotientNormalised().fit(X)):
        exact = step.profile_ * np.array([[1.0], [3.0]])
        found = step.sample_factors(np.where(np.arange(P) % 2, NAN, exact))
        np.testing.assert_allclose(found[:, 0], [1, 3], rtol=1e-12)


@pytest.mark.parametrize("step", [QuotientNormalised(), TotalNormalised()], ids=repr)
def test_metabolites_that_were_logged_or_centred_pass_through(step):
    X = np.random.default_rng(0).normal(size=(20, 30))
    assert "negative" in step.fit(X).skipped_
    np.testing.assert_array_equal(step.transform(X), X)
    X = np.abs(X) + 15
    assert "do not span magnitudes" in step.fit(X).skipped_
    np.testing.assert_array_equal(step.transform(X), X)


@pytest.mark.shared
@needs_cohorts
def test_the_metabolites_of_gut_adenoma_pass_and_those_of_gut_gastric_are_normalised():
    X = cohort("gut_adenoma/metabolomics")
    step = QuotientNormalised().fit(X)
    assert step.skipped_ == ("51.9% of the training values are negative: logged or centred before")
    np.testing.assert_array_equal(step.transform(X), X)
    X = cohort("gut_gastric/metabolomics")
    step = QuotientNormalised().fit(X)
    assert step.skipped_ == ""
    factors = step.sample_factors(X)[:, 0]
    assert factors.min() > 0.05
    assert factors.max() < 20
    assert np.isfinite(step.transform(X)).all()


def test_a_reference_feature_that_is_not_there_is_named():
    X = layer("intensities")
    with pytest.raises(ValueError, match="'creatinine' is not in the layer"):
        ReferenceNormalised("creatinine").fit(X, features=FEATURES)
    X[:, 0] = 0
    with pytest.raises(ValueError, match="No training sample has a positive value"):
        ReferenceNormalised(FEATURES[0]).fit(X, features=FEATURES)


def test_rare_genes_are_left_out_but_count_in_the_burden():
    X = np.zeros((200, 5))
    X[:100, 0] = X[0, 1] = X[:3, 2] = 1
    X[:, 3] = 1
    X[:150, 4] = NAN
    X[150:160, 4] = 1
    step = MutationFilter(min_frequency=0.01).fit(X)
    names = step.get_feature_names_out(list("abcde"))
    assert names.tolist() == ["a", "c", BURDEN]
    assert step.dropped_ == {
        "missing in more than 50%": 1,
        "constant": 1,
        "mutated in fewer than 1.0%": 1,
    }
    out = step.transform(X)
    # The first sample: a, b, c and d of the four that are known, so 5 of 5.
    assert out[0].tolist() == [1, 1, np.log2(6)]
    assert out[-1].tolist() == [0, 0, np.log2(2)]
    assert MutationFilter(burden=False).fit(X).transform(X).shape == (200, 2)


@pytest.mark.parametrize("percent", range(1, 50))
def test_limits_of_the_mutation_filter_are_inclusive(percent):
    X = np.zeros((100, 2))
    X[:percent, 0] = 1
    X[: 100 - percent, 1] = NAN
    X[-1, 1] = 1
    step = MutationFilter(percent / 100, (100 - percent) / 100).fit(X)
    assert step.support_[0]
    assert "missing" not in str(step.dropped_)


def test_calls_and_fractions_leave_the_burden_alone():
    X = np.array([[0.2, 3, NAN, 4.5], [0, 0, 1, 2.5]])
    features = ["a", "b", "c", BURDEN]
    out = BinaryCalls().fit(X, features=features).transform(X)
    np.testing.assert_array_equal(out, [[1, 1, NAN, 4.5], [0, 0, 1, 2.5]])
    step = AlleleFractions().fit(X, features=features)
    np.testing.assert_array_equal(step.transform(X), [[0.2, 1, NAN, 4.5], [0, 0, 1, 2.5]])
    assert "1 training values above 1 clipped" in step.did_


@pytest.mark.shared
@needs_cohorts
def test_the_nearly_empty_mutations_of_tcga_acc_mini_do_not_crash():
    X = cohort("tcga_acc_mini/mutation")
    for training in (X, X[::2], X[:5], X[:1]):
        step = MutationFilter().fit(training)
        out = step.transform(X)
        assert out.shape == (90, len(step.get_feature_names_out()))
        assert np.isfinite(out).all()
    assert MutationFilter().fit(X).transform(X).shape == (90, 74)
    assert MutationFilter(min_frequency=0.02).fit(X).get_feature_names_out().tolist() == [BURDEN]


def test_integer_calls_ratios_and_copies_are_told_apart():
    rng = np.random.default_rng(0)
    calls = rng.integers(-2, 3, (20, 30)).astype(float)
    assert "integer calls" in ClippedCopyNumber().fit(calls).did_
    ratios = rng.normal(0, 1.5, (20, 30))
    step = ClippedCopyNumber(limit=1.5).fit(ratios)
    assert "log2 ratios, clipped to ±1.5" in step.did_
    np.testing.assert_array_equal(step.transform(ratios), np.clip(ratios, -1.5, 1.5))
    copies = rng.choice([1.0, 2, 2, 2, 5], (20, 30))
    assert "numbers of copies" in ClippedCopyNumber().fit(copies).skipped_


def test_segments_become_genes_by_the_bases_they_share():
    segments = ["chr1:1-100", "1:101-200", "chrX:1-1000", "chr1:151-400"]
    regions = [
        ["A", "chr1", 50, 150],
        ["B", "chrX", 0, 10],
        ["C", "chr2", 0, 10],
        ["D", "chr1", 199, 300],
        ["A", "chr1", 150, 151],
    ]
    X = np.array([[0.1, 0.5, 1.0, -1.0], [NAN, 0.5, NAN, 9.0]])
    step = GenesFromSegments(regions).fit(X, features=segments)
    assert step.get_feature_names_out(segments).tolist() == ["A", "B", "D"]
    assert step.dropped_ == {"genes that no segment covers": 1}
    # A: 50 bases of the first, 51 of the second, 1 of the fourth; D: 1 of the second, 101 of the
    # fourth.
    expected = [
        [(50 * 0.1 + 51 * 0.5 - 1) / 102, 1.0, (0.5 - 101) / 102],
        [(51 * 0.5 + 9) / 52, NAN, 2.0],
    ]
    np.testing.assert_allclose(step.transform(X), expected, rtol=1e-14)


def test_overlaps_are_those_of_a_plain_search():
    rng = np.random.default_rng(0)
    starts, ends = np.sort(rng.integers(1, 2000, (2, 120)), axis=0)
    segments = [f"chr{k % 3}:{a}-{b}" for k, (a, b) in enumerate(zip(starts, ends, strict=True))]
    lows = rng.integers(0, 2000, 200)
    regions = [[f"g{k}", str(k % 3), int(a), int(a) + 1 + k] for k, a in enumerate(lows)]
    X = rng.normal(0, 0.3, (2, 120))
    step = GenesFromSegments(regions).fit(X, features=segments)
    out = dict(zip(step.get_feature_names_out(segments), step.transform(X)[0], strict=True))
    for gene, chromosome, start, end in regions:
        shared = np.minimum(ends, end) - np.maximum(starts - 1, start)
        shared = np.where(np.arange(120) % 3 == int(chromosome), np.maximum(shared, 0), 0)
        if shared.sum():
            expected = (X[0] * shared).sum() / shared.sum()
            np.testing.assert_allclose(out[gene], expected, rtol=1e-9, atol=1e-12)
        else:
            assert gene not in out


@pytest.mark.parametrize("name", ["EGFR", "chr1:100", "chr1:0-10", "chr1:20-10"])
def test_a_segment_without_a_position_is_named(name):
    with pytest.raises(ValueError, match=f"{name}.*is not named chr:start-end"):
        GenesFromSegments(GENES).fit(np.zeros((2, 1)), features=[name])


def test_genes_of_another_genome_are_refused():
    with pytest.raises(ValueError, match="None of the 1 genes"):
        GenesFromSegments([["A", "chr9", 0, 5]]).fit(np.zeros((2, 1)), features=["chr1:1-9"])
