"""What must hold of a batch correction whatever the values, batches and gaps are."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omicsfusion.preprocess.batch.combat import ComBat
from omicsfusion.preprocess.batch.linear_removal import LinearRemoval

P = 7
each_step = pytest.mark.parametrize("cls", [ComBat, LinearRemoval])
seeds = st.integers(0, 10_000)


def draw(seed, n):
    rng = np.random.default_rng(seed)
    X = rng.normal(rng.normal(size=P) * 10, rng.gamma(1, size=P), size=(n, P))
    X[rng.random(X.shape) < rng.choice([0, 0.1, 0.5])] = np.nan
    X[:, rng.random(P) < 0.1] = rng.choice([0, 0.1, np.nan])
    batch = rng.choice(["a", "b", "c", "d", ""], n, p=[0.4, 0.3, 0.2, 0.05, 0.05]).astype(object)
    covariates = pd.DataFrame(
        {"age": rng.normal(60, 10, n), "stage": rng.choice(["I", "II", None], n)}
    )
    return X, batch, covariates


def fitted(cls, seed):
    X, batch, covariates = draw(seed, 40)
    return cls(["age", "stage"]).fit(X, batch=batch, covariates=covariates)


@each_step
@settings(max_examples=30)
@given(seed=seeds)
def test_a_sample_alone_is_itself_among_others_to_the_bit(cls, seed):
    step = fitted(cls, seed)
    X, batch, covariates = draw(seed + 1, 9)
    together = step.transform(X, batch=batch, covariates=covariates)
    for i in range(9):
        one = slice(i, i + 1)
        alone = step.transform(X[one], batch=batch[one], covariates=covariates[one])
        np.testing.assert_array_equal(alone[0], together[i])
    np.testing.assert_array_equal(np.isnan(together), np.isnan(X))


@each_step
@settings(max_examples=30)
@given(seed=seeds, how=st.sampled_from([3e38, -3e38, 1e-38, 0.0]))
def test_finite_values_come_out_finite(cls, seed, how):
    step = fitted(cls, seed)
    covariates = pd.DataFrame({"age": [how, np.inf, np.nan], "stage": ["x", "", None]})
    X = np.full((3, P), how)
    for name in ("a", "b", "unseen"):
        batch = np.full(3, name, dtype=object)
        assert np.isfinite(step.transform(X, batch=batch, covariates=covariates)).all()


@each_step
@settings(max_examples=20)
@given(seed=seeds, order=st.randoms(use_true_random=False))
def test_the_names_of_batches_do_not_matter(cls, seed, order):
    X, batch, covariates = draw(seed, 40)
    names = list("abcd")
    renamed = dict(zip(names, order.sample(names, 4), strict=True)) | {"": ""}
    other = np.array([renamed[name] for name in batch], dtype=object)
    known = {"covariates": covariates}
    one = cls(["age"]).fit(X, batch=batch, **known).transform(X, batch=batch, **known)
    two = cls(["age"]).fit(X, batch=other, **known).transform(X, batch=other, **known)
    np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-9)
