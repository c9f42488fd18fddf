"""What must hold of every chain: it sees training samples only, and each sample alone."""

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omicsfusion.preprocess.chain import Chain
from omicsfusion.preprocess.cohorts import CohortsLayer
from omicsfusion.preprocess.fitting import fit_chains, write_chains

KINDS = ["rna", "rna_counts", "metabolite", "cnv", "mutation", "clinical"]
LEVELS = ("I", "II", "III", "IV")
N, P = 40, 9


def some_layer(kind, seed):
    """40 samples x 9 features of a kind, with gaps, a constant and an outlier."""
    rng = np.random.default_rng(seed)
    if kind == "clinical":
        X = np.where(np.arange(P) < 5, rng.integers(0, 4, (N, P)), rng.normal(60, 10, (N, P)))
    elif kind == "mutation":
        X = (rng.random((N, P)) < 0.2).astype(float)
    else:
        X = rng.gamma(1, size=(N, P)) * 10.0 ** rng.integers(-2, 5, P)
    X[:, 5] = 3
    X[rng.integers(N), 6] = 36_893
    X[rng.random((N, P)) < 0.1] = np.nan
    return X.astype(np.float32)


def categories_of(kind):
    return (
        tuple(LEVELS if feature < 5 else None for feature in range(P)) if kind == "clinical" else ()
    )


def features():
    return tuple(f"g{number}" for number in range(P))


def fitted(kind, X):
    return Chain.for_kind(kind, categories_of(kind)).fit(X, features())


def garbage(how, shape, rng):
    if how == "random":
        return rng.normal(size=shape)
    if how == "extreme":
        return rng.choice([-3e38, 3e38, 1e-38], size=shape)
    return np.full(shape, np.nan if how == "missing" else 7.0)


def chain_bytes(path, kind, samples, X, splits):
    layer = CohortsLayer("layer", kind, samples, features(), X, categories_of(kind))
    write_chains(path, fit_chains(layer, splits))
    return path.read_bytes()


every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
@pytest.mark.parametrize("how", ["random", "extreme", "missing", "constant"])
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_garbage_in_test_samples_leaves_the_saved_chains_as_they_are(
    kind, how, seed, tmp_path_factory
):
    rng = np.random.default_rng(seed)
    samples = tuple(f"s{number:02d}" for number in range(N))
    role = rng.permutation(["train"] * 20 + ["stop"] * 6 + ["test"] * 10 + ["external"] * 4)
    keys = {"permutation": 0, "repeat": 1, "fold": 1, "inner": "outer", "group": "all"}
    splits = pd.DataFrame({**keys, "sample": samples, "patient": samples, "role": role})
    X = some_layer(kind, seed)
    changed = X.copy()
    held_out = np.isin(role, ["test", "external"])
    changed[held_out] = garbage(how, (held_out.sum(), P), rng)
    folder = tmp_path_factory.mktemp("chains")
    before = chain_bytes(folder / "a.h5", kind, samples, X, splits)
    assert chain_bytes(folder / "b.h5", kind, samples, changed, splits) == before
    changed[np.flatnonzero(role == "train")[:8]] = 1
    assert chain_bytes(folder / "c.h5", kind, samples, changed, splits) != before


@every_kind
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_training_samples_changes_no_byte_of_a_chain(kind, seed, tmp_path_factory):
    X = some_layer(kind, seed)
    folder = tmp_path_factory.mktemp("orders")
    shuffled = np.random.default_rng(seed).permutation(X)
    for name, rows in (("a", X), ("b", shuffled)):
        with h5py.File(folder / name, "w") as file:
            fitted(kind, rows).to_h5(file)
    assert (folder / "a").read_bytes() == (folder / "b").read_bytes()


@every_kind
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_reloaded_chain_transforms_to_the_same_bits(kind, seed, tmp_path_factory):
    chain = fitted(kind, some_layer(kind, seed))
    new = some_layer(kind, seed + 1)
    path = tmp_path_factory.mktemp("reload") / "chain.h5"
    with h5py.File(path, "w") as file:
        chain.to_h5(file)
    with h5py.File(path) as file:
        reloaded = Chain.from_h5(file)
    assert reloaded.get_feature_names_out() == chain.get_feature_names_out()
    assert repr(reloaded) == repr(chain)
    assert reloaded.transform(new).tobytes() == chain.transform(new).tobytes()


@every_kind
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, N))
def test_a_sample_alone_equals_itself_in_a_batch_to_the_bit(kind, seed, n):
    chain = fitted(kind, some_layer(kind, seed))
    new = some_layer(kind, seed + 1)
    batch = chain.transform(new)
    assert chain.transform(new[:n]).tobytes() == batch[:n].tobytes()
    alone = np.concatenate([chain.transform(new[[row]]) for row in range(N)])
    assert alone.tobytes() == batch.tobytes()


@every_kind
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), how=st.sampled_from(["random", "extreme", "missing"]))
def test_whatever_a_new_sample_holds_the_output_is_finite_and_clipped(kind, seed, how):
    chain = fitted(kind, some_layer(kind, seed))
    new = garbage(how, (5, P), np.random.default_rng(seed)).astype(np.float32)
    out = chain.transform(new)
    assert out.dtype == np.float32
    assert out.shape == (5, len(chain.get_feature_names_out()))
    assert np.abs(out).max() <= 5
