"""Confounding of batch and outcome: measured, told, and refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from omicsfusion.preprocess.batch.confounding import confounding, confounding_problems, cramers_v

NAN = np.nan
COHORT = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tcga_brca"


def words(*counts):
    """Batches and classes of (batch, class, number of samples)."""
    batch = [name for name, _, n in counts for _ in range(n)]
    outcome = [label for _, label, n in counts for _ in range(n)]
    return np.array(batch, dtype=object), np.array(outcome, dtype=object)


def test_cramers_v_is_corrected_for_bias():
    # Bergsma 2013, by hand: chi-squared 100 · (30·35 - 15·20)² / (50·50·45·55) = 9.0909;
    # phi² 0.090909 - 1/99 = 0.080808; a 2 x 2 table counts as 2 - 1/99 wide.
    table = np.array([[30, 20], [15, 35]])
    assert cramers_v(table) == pytest.approx(np.sqrt(0.0808080808 / (1 - 1 / 99)), rel=1e-9)
    assert cramers_v(np.array([[25, 25], [25, 25]])) == 0
    assert np.isnan(cramers_v(np.array([[3, 4]])))


def test_classes_in_equal_shares_are_no_confounding():
    found = confounding(
        *words(("a", "x", 20), ("a", "y", 20), ("b", "x", 30), ("b", "y", 30)), "classification"
    )
    assert (found.value, found.p, found.verdict, found.aliased) == (0, 1, "none", False)
    assert found.problems() == []


def test_classes_in_other_shares_are_warned_of():
    found = confounding(
        *words(("a", "x", 70), ("a", "y", 30), ("b", "x", 30), ("b", "y", 70)), "classification"
    )
    assert found.value == pytest.approx(0.394, abs=0.001)
    assert found.p == pytest.approx(chi2.sf(32, 1), rel=1e-9)
    assert (found.verdict, found.problems()) == ("warn", [])


def test_a_batch_for_each_class_is_refused():
    batch, outcome = words(("a", "x", 20), ("b", "y", 20), ("c", "y", 4))
    found = confounding(batch, outcome, "classification")
    assert found.aliased
    assert (found.value, found.verdict) == (pytest.approx(0.988, abs=1e-3), "refuse")
    told = confounding_problems(batch, outcome, "classification")
    assert len(told) == 2
    assert "Batch and classes cannot be told apart" in told[0]
    assert "Cramer's V of batch and outcome is 0.99" in told[0]
    assert (
        "3 of 3 batches have one class (0 of them one sample), 44 of 44 samples (100%)" in told[1]
    )
    assert "a (20), b (20), c (4)" in told[1]


def test_a_class_that_one_batch_alone_has_and_is_all_of_it_is_refused():
    batch, outcome = words(
        ("a", "x", 20), ("a", "y", 20), ("b", "x", 20), ("b", "y", 20), ("c", "z", 20)
    )
    found = confounding(batch, outcome, "classification")
    assert (found.aliased, found.share_one_class, found.verdict) == (True, 0.2, "refuse")
    told = found.problems()
    assert len(told) == 1
    # With a bridge between the batches both effects can be estimated.
    batch[0], outcome[0] = "c", "x"
    assert confounding(batch, outcome, "classification").verdict == "warn"


def design_rank_is_full(batch, outcome):
    one = [pd.get_dummies(column).to_numpy(float) for column in (batch, outcome)]
    design = np.hstack([one[0], one[1][:, 1:]])
    return np.linalg.matrix_rank(design) == design.shape[1]


def test_aliased_means_that_the_design_matrix_lacks_rank():
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(200):
        batch = rng.choice(list("abcd"), 7).astype(object)
        outcome = rng.choice(list("xyz"), 7).astype(object)
        if min(len(set(batch)), len(set(outcome))) > 1:
            found = confounding(batch, outcome, "classification").aliased
            assert found != design_rank_is_full(batch, outcome)
            seen.add(found)
    assert seen == {True, False}


@pytest.mark.parametrize(("n", "verdict"), [(20, "warn"), (21, "refuse")])
def test_more_than_half_of_the_samples_in_one_class_batches_is_refused(n, verdict):
    batch, outcome = words(("a", "x", 10), ("a", "y", 10), ("b", "x", n))
    assert confounding(batch, outcome, "classification").verdict == verdict


def test_numbers_are_measured_by_the_share_of_variance_between_batches():
    batch = np.array(["a"] * 3 + ["b"] * 3, dtype=object)
    outcome = np.array([1.0, 2, 3, 5, 6, 7])
    found = confounding(batch, outcome, "regression")
    # 24 of 28 lie between; F = 24 / (4 / 4) with 1 and 4 degrees of freedom.
    assert found.value == pytest.approx(24 / 28, rel=1e-12)
    assert found.p == pytest.approx(0.00805, abs=1e-5)
    assert found.verdict == "warn"


def test_numbers_that_are_constant_in_every_batch_are_refused():
    batch = np.array(["a"] * 3 + ["b"] * 3, dtype=object)
    outcome = np.array([1.0, 1, 1, 4, 4, 4])
    assert (
        "same for all samples of a batch" in confounding_problems(batch, outcome, "regression")[0]
    )
    found = confounding(batch, np.array([1.0, 1, 1, 4, 4, 5]), "regression")
    assert found.one_class == {"a": 3}
    assert (found.aliased, found.verdict) == (False, "warn")


def test_survival_is_measured_by_the_log_rank_test():
    # Six patients, one dead at each of the times 1 to 6, batch a first: observed 3 in a, expected
    # 3/6 + 2/5 + 1/4 = 1.15; variance 0.25 + 0.24 + 0.1875; chi-squared 1.85² / 0.6775.
    batch = np.array(["a"] * 3 + ["b"] * 3, dtype=object)
    outcome = np.column_stack([np.arange(1.0, 7), np.ones(6)])
    found = confounding(batch, outcome, "survival")
    assert found.value == pytest.approx(1.85**2 / 0.6775, rel=1e-9)
    assert found.p == pytest.approx(chi2.sf(1.85**2 / 0.6775, 1), rel=1e-9)
    assert found.one_class == {}


def test_a_batch_without_events_counts_as_one_with_one_class():
    batch = np.array(["a"] * 4 + ["b"] * 3 + ["c"] * 4, dtype=object)
    event = np.array([1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 1])
    found = confounding(batch, np.column_stack([np.arange(1.0, 12), event]), "survival")
    assert found.one_class == {"b": 3}
    assert not found.aliased
    event[7:] = 0
    found = confounding(batch, np.column_stack([np.arange(1.0, 12), event]), "survival")
    assert found.aliased
    assert "All events lie in one batch" in found.problems()[0]
    assert "2 of 3 batches have no event" in found.problems()[1]


def test_samples_without_a_batch_or_an_outcome_have_no_part():
    batch, outcome = words(("a", "x", 20), ("a", "y", 20), ("b", "x", 30), ("b", "y", 30))
    batch[0], outcome[1], outcome[2] = "", "", None
    assert confounding(batch, outcome, "classification").n_samples == 97
    numbers = np.arange(100.0)
    numbers[3] = NAN
    assert confounding(batch, numbers, "regression").n_samples == 98
    times = np.column_stack([numbers + 1, np.ones(100)])
    assert confounding(batch, times, "survival").n_samples == 98


@pytest.mark.parametrize("task", ["classification", "regression", "survival"])
def test_where_nothing_varies_nothing_is_confounded(task):
    outcome = {
        "classification": np.full(6, "x", dtype=object),
        "regression": np.ones(6),
        "survival": np.column_stack([np.arange(1.0, 7), np.zeros(6)]),
    }[task]
    for batch in (["a"] * 6, ["a", "b"] * 3, [""] * 6):
        found = confounding(np.array(batch, dtype=object), outcome, task)
        assert np.isnan(found.value)
        assert found.verdict == "none"


@pytest.mark.shared
@pytest.mark.skipif(not COHORT.is_dir(), reason=f"{COHORT} is not there")
def test_tcga_brca_has_14_sites_with_one_er_class():
    samples = pd.read_csv(COHORT / "samples.tsv", sep="\t")
    samples = samples[samples["er_status"].isin(["Positive", "Negative"])]
    found = confounding(
        samples["site_tss"].to_numpy(object),
        samples["er_status"].to_numpy(object),
        "classification",
    )
    assert (found.n_samples, found.n_batches) == (934, 36)
    assert len(found.one_class) == 14
    assert sum(n == 1 for n in found.one_class.values()) == 8
    assert sum(found.one_class.values()) == 22
    assert found.verdict == "warn"
    assert found.value == pytest.approx(0.101, abs=0.001)
    assert "14 of 36 batches have one class (8 of them one sample), 22 of 934 samples (2%)" in (
        found.one_class_sentence()
    )
