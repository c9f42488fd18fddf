"""Log ratios are those of scikit-bio 0.7.4, with the delta that was learnt, in base 2.

On the raw genus counts of gut_gastric (genera in at least half of the samples) and gut_adenoma: the
even samples are the training samples, the odd ones are new. scikit-bio's own delta is 1 / (number
of parts)^2; here it is given the stored one. Its sign of a balance is the other one.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from skbio.stats.composition import alr, closure, clr, ilr, multi_replace

from omicsfusion.preprocess.normalise.composition import (
    AdditiveLogRatio,
    CentredLogRatio,
    IsometricLogRatio,
    RelativeAbundance,
)

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


@pytest.fixture(scope="module")
def simulated():
    """Training counts and new ones of 60 genera, many zeros."""
    rng = np.random.default_rng(7)
    mean = np.exp(rng.normal(1, 2, size=60))
    X = rng.negative_binomial(0.7, 0.7 / (0.7 + mean), size=(50, 60)).astype(float)
    X[:, 0] += 30
    return X[:30], X[30:]


def read_genera(cohort: str, least_prevalence: float) -> tuple[np.ndarray, np.ndarray]:
    path = SHARED / cohort / "genus_counts.tsv.gz"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    X = pd.read_csv(path, sep="\t", index_col=0).T.sort_index().to_numpy(dtype=float)
    X = X[:, (X[::2] > 0).mean(axis=0) >= least_prevalence]
    return X[::2], X[1::2]


@pytest.fixture(scope="module")
def gut_gastric():
    return read_genera("gut_gastric", 0.5)


@pytest.fixture(scope="module")
def gut_adenoma():
    return read_genera("gut_adenoma", 0.0)


COHORTS = [
    "simulated",
    pytest.param("gut_gastric", marks=pytest.mark.shared),
    pytest.param("gut_adenoma", marks=pytest.mark.shared),
]


@pytest.fixture(params=COHORTS)
def genera(request):
    """(training, new) of each cohort."""
    return request.getfixturevalue(request.param)


def test_clr_is_scikit_bios(genera):
    train, new = genera
    step = CentredLogRatio().fit(train)
    assert (new == 0).any()
    expected = clr(multi_replace(new, delta=step.delta_)) / np.log(2)
    np.testing.assert_allclose(step.transform(new), expected, rtol=1e-10, atol=1e-10)


def test_a_given_delta_is_scikit_bios(simulated):
    train, new = simulated
    step = CentredLogRatio(delta=1e-4).fit(train)
    expected = clr(multi_replace(new, delta=1e-4)) / np.log(2)
    np.testing.assert_allclose(step.transform(new), expected, rtol=1e-10, atol=1e-10)


def test_ilr_is_scikit_bios_with_the_sign_turned(genera):
    train, new = genera
    step = IsometricLogRatio().fit(train)
    expected = -ilr(multi_replace(new, delta=step.delta_)) / np.log(2)
    np.testing.assert_allclose(step.transform(new), expected, rtol=1e-9, atol=1e-9)


def test_alr_is_scikit_bios_to_the_chosen_reference(genera):
    train, new = genera
    step = AdditiveLogRatio().fit(train)
    replaced = multi_replace(train, delta=step.delta_)
    prevalence = (train > 0).sum(axis=0)
    variance = clr(replaced).var(axis=0)
    candidates = np.flatnonzero(prevalence == prevalence.max())
    assert step.reference_ == candidates[variance[candidates].argmin()]
    replaced = multi_replace(new, delta=step.delta_)
    expected = alr(replaced, ref_idx=step.reference_) / np.log(2)
    np.testing.assert_allclose(step.transform(new), expected, rtol=1e-10, atol=1e-10)


def test_the_quietest_reference_has_the_least_total_variance_of_its_log_ratios(simulated):
    """What the docstring of the step says of the variance of the CLR, by brute force."""
    train, _ = simulated
    replaced = multi_replace(train, delta=AdditiveLogRatio().fit(train).delta_)
    totals = [alr(replaced, ref_idx=part).var(axis=0).sum() for part in range(train.shape[1])]
    np.testing.assert_array_equal(np.argsort(totals), np.argsort(clr(replaced).var(axis=0)))


def test_relative_abundance_is_scikit_bios_closure(genera):
    train, new = genera
    found = RelativeAbundance().fit(train).transform(new)
    np.testing.assert_allclose(found, closure(new), rtol=1e-13)


def test_zeros_are_replaced_as_in_the_papers_table():
    """Martín-Fernández et al. (2003): first row of the example, detection limit 0.02, 2/3 of it.

    The row (0, 0.1250, 0.1237, 0.7253, 0.0260) becomes (0.01333333, 0.1233333, 0.1220507,
    0.7156293, 0.02565333), as the R package nexus (its manual, ``replace_zero``) prints it.
    """
    row = np.array([[0, 0.1250, 0.1237, 0.7253, 0.0260]])
    published = np.array([[0.01333333, 0.1233333, 0.1220507, 0.7156293, 0.02565333]])
    found = CentredLogRatio(delta=0.02 * 2 / 3).fit(row).transform(row)
    logs = np.log2(published)
    np.testing.assert_allclose(found, logs - logs.mean(), atol=2e-6)
