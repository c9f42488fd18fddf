"""What must hold of every imputer: each sample alone, to the same bits, before and after saving."""

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omicsfusion.preprocess.impute.auto import AutoImputer
from omicsfusion.preprocess.impute.censored import CensoredImputer
from tests.unit.test_impute import STEPS

N, P = 30, 14
EVERY = {**STEPS, "auto": AutoImputer(["median", "censored", "svd"])}
every_step = pytest.mark.parametrize("name", EVERY)
seeds = st.integers(0, 2**32 - 1)


def fresh(name):
    return EVERY[name].__class__(**EVERY[name].get_params())


def some_layer(seed, n=N):
    """Intensities with a detection limit, gaps at random, a constant, an empty and a wild one."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2)) @ rng.normal(size=(2, P)) + rng.normal(size=(n, P)) + 20
    X += np.linspace(-4, 4, P)
    X[rng.random(X.shape) < 0.05] = np.nan
    X[(X < 17) & (rng.random(X.shape) < 0.7)] = np.nan
    X[:, 3] = 3
    X[:, 4] = np.nan
    X[rng.integers(n), 5] = 36_893
    return X


@every_step
@settings(max_examples=4, deadline=None)
@given(seed=seeds, n=st.integers(1, N))
def test_a_sample_alone_equals_itself_in_a_batch_to_the_bit(name, seed, n):
    step = fresh(name).fit(some_layer(seed))
    new = some_layer(seed + 1)
    batch = step.transform(new)
    assert step.transform(new[:n]).tobytes() == batch[:n].tobytes()
    assert step.transform(np.asfortranarray(new)).tobytes("C") == batch.tobytes("C")
    alone = np.concatenate([step.transform(new[[row]]) for row in range(N)])
    assert alone.tobytes() == batch.tobytes("C")
    order = np.random.default_rng(seed).permutation(N)
    assert step.transform(new[order]).tobytes() == batch[order].tobytes()


@every_step
@settings(max_examples=3, deadline=None)
@given(seed=seeds)
def test_a_reloaded_step_transforms_to_the_same_bits_and_fits_to_the_same_bytes(
    name, seed, tmp_path_factory
):
    X, new = some_layer(seed), some_layer(seed + 1)
    folder = tmp_path_factory.mktemp("imputers")
    for copy in ("a", "b"):
        with h5py.File(folder / copy, "w") as file:
            fresh(name).fit(X if copy == "a" else np.asfortranarray(X)).to_h5(file)
    assert (folder / "a").read_bytes() == (folder / "b").read_bytes()
    with h5py.File(folder / "a") as file:
        reloaded = type(EVERY[name]).from_h5(file)
    assert reloaded.transform(new).tobytes() == fresh(name).fit(X).transform(new).tobytes()


@every_step
@settings(max_examples=4, deadline=None)
@given(seed=seeds, how=st.sampled_from(["random", "extreme", "missing", "constant"]))
def test_whatever_a_new_sample_holds_the_output_is_finite_and_known_values_stay(name, seed, how):
    rng = np.random.default_rng(seed)
    step = fresh(name).fit(some_layer(seed))
    new = {
        "random": rng.normal(size=(5, P)),
        "extreme": rng.choice([-3e38, 3e38, 1e-38, 0], size=(5, P)),
        "missing": np.full((5, P), np.nan),
        "constant": np.full((5, P), 7.0),
    }[how]
    new[rng.random(new.shape) < 0.4] = np.nan
    out = step.transform(new)
    assert np.isfinite(out.astype(np.float32)).all()
    known = ~np.isnan(new)
    assert out[known].tobytes() == new[known].tobytes()


@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_the_order_of_training_samples_does_not_move_what_is_judged_and_drawn(seed):
    X = some_layer(seed)
    shuffled = X[np.random.default_rng(seed).permutation(N)]
    ours, theirs = CensoredImputer().fit(X), CensoredImputer().fit(shuffled)
    assert ours.did_ == theirs.did_
    assert ours.transform(X).tobytes() == theirs.transform(X).tobytes()
