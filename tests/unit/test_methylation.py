"""Beta values: M-values, and type II probes on the scale of type I."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from omicsfusion.preprocess.normalise.methylation import BetaValues, MValues
from omicsfusion.preprocess.normalise.methylation_design import DesignCorrection, design_map

NAN = np.nan
COHORT = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tcga_brca"


def test_m_values_follow_the_formula_and_clip_new_samples():
    step = MValues(offset=0.01).fit([[0.0, 0.5, 1.0, 0.2]])
    out = step.transform([[0.0, 0.5, 1.0, NAN], [-0.3, 0.25, 1.2, 0.75]])
    end = np.log2(1.01 / 0.01)
    expected = [[-end, 0, end, NAN], [-end, np.log2(0.26 / 0.76), end, np.log2(0.76 / 0.26)]]
    np.testing.assert_allclose(out, expected, rtol=1e-14)


def test_a_table_of_m_values_is_recognised_and_left_alone():
    M = np.random.default_rng(0).normal(0, 3, (10, 50))
    for step in (MValues(), BetaValues()):
        assert "M-values before" in step.fit(M).skipped_
        np.testing.assert_array_equal(step.transform(M), M)


def test_a_few_beta_values_outside_0_and_1_are_clipped_not_taken_for_m_values():
    X = np.random.default_rng(0).random((20, 50))
    X[0, :3] = [-0.02, 1.01, 1.3]
    step = BetaValues().fit(X)
    assert step.skipped_ == ""
    np.testing.assert_array_equal(step.transform(X)[0, :3], [0, 1, 1])


@pytest.mark.parametrize("offset", [0, -1])
def test_an_offset_of_zero_is_refused(offset):
    with pytest.raises(ValueError, match="must be above 0"):
        MValues(offset).fit([[0.5]])


@pytest.mark.shared
@pytest.mark.skipif(not COHORT.is_dir(), reason=f"{COHORT} is not there")
def test_the_beta_values_of_tcga_brca_become_m_values():
    X = pd.read_csv(COHORT / "methylation.tsv.gz", sep="\t", index_col=0).T.to_numpy(float)
    step = MValues().fit(X[::2])
    out = step.transform(X)
    assert step.did_ == "M-values, offset 0.01"
    np.testing.assert_allclose(out, np.log2((X + 0.01) / (1.01 - X)), rtol=1e-13)


PROBES = 3000


def simulated(n_samples=4, seed=0):
    """True states of probes, what type I and type II probes show of them, and the designs.

    The peaks of type II lie further inside, as Dedeurwaerder et al. (Epigenomics 3:771, 2011)
    found: unmethylated at 0.12 rather than 0.05, methylated at 0.81 rather than 0.92.
    """
    rng = np.random.default_rng(seed)
    state = rng.choice(3, size=PROBES, p=[0.45, 0.2, 0.35])
    true = np.array(
        [
            np.choose(
                state,
                [
                    rng.beta(4, 70, PROBES),
                    rng.beta(4, 4, PROBES),
                    rng.beta(60, 5, PROBES),
                ],
            )
            for _ in range(n_samples)
        ]
    )
    second = rng.random(PROBES) < 0.6
    shown = np.where(second, 0.08 + 0.79 * true, true)
    names = [f"cg{k:07d}" for k in range(PROBES)]
    designs = {name: "II" if two else "I" for name, two in zip(names, second, strict=True)}
    return true, shown, second, names, designs


def test_the_correction_shrinks_the_bias_of_the_design():
    true, shown, second, names, designs = simulated()
    step = DesignCorrection(designs, scale="beta").fit(shown, features=names)
    out = step.transform(shown)
    np.testing.assert_array_equal(out[:, ~second], shown[:, ~second])
    for before, after, truth in zip(shown, out, true, strict=True):
        apart = ks_2samp(before[second], before[~second]).statistic
        assert apart > 0.3
        assert ks_2samp(after[second], after[~second]).statistic < 0.08
        error = np.abs(after - truth)[second].mean()
        assert error < np.abs(before - truth)[second].mean() / 3


def test_the_correction_keeps_the_order_of_type_ii_probes():
    _, shown, second, names, designs = simulated(1)
    out = DesignCorrection(designs, scale="beta").fit(shown, features=names).transform(shown)
    order = np.argsort(shown[0, second])
    assert (np.diff(out[0, second][order]) >= 0).all()


def test_without_a_bias_there_is_little_to_correct():
    true, _, second, names, designs = simulated()
    out = DesignCorrection(designs, scale="beta").fit(true, features=names).transform(true)
    assert np.abs(out - true)[:, second].mean() < 0.01


def test_corrected_values_come_out_as_m_values_also_from_m_values():
    _, shown, _, names, designs = simulated(2)
    beta = DesignCorrection(designs, scale="beta").fit(shown, features=names).transform(shown)
    m = DesignCorrection(designs).fit(shown, features=names)
    np.testing.assert_array_equal(m.transform(shown), MValues().fit(beta).transform(beta))
    M = np.log2(shown / (1 - shown))
    again = DesignCorrection(designs, scale="beta").fit(M, features=names)
    assert "M-values before" in again.did_
    np.testing.assert_allclose(again.transform(M), beta, atol=1e-3)


def test_a_sample_that_lacks_probes_is_corrected_by_those_it_has():
    true, shown, second, names, designs = simulated(1)
    step = DesignCorrection(designs, scale="beta").fit(shown, features=names)
    part = np.where(np.arange(PROBES) % 3 == 0, NAN, shown)
    out = step.transform(part)
    np.testing.assert_array_equal(np.isnan(out), np.isnan(part))
    assert np.nanmean(np.abs(out - true)[:, second]) < 0.03


def test_too_few_probes_of_a_design_are_told():
    _, shown, _, names, designs = simulated(2)
    few = {name: designs[name] for name in names[:100]}
    step = DesignCorrection(few, scale="beta").fit(shown, features=names)
    assert "no design correction" in step.skipped_
    np.testing.assert_array_equal(step.transform(shown), shown)
    assert design_map(np.full(500, 0.5), np.full(500, 0.5)) is None


def test_a_strange_design_is_named():
    with pytest.raises(ValueError, match="is 'III'; it must be one of I, II"):
        DesignCorrection({"cg1": "III"}).fit(np.zeros((2, 1)), features=["cg1"])
