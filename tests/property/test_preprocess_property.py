"""What must hold of every chain: it sees training samples only, and each sample alone.

Every method of the catalogue is put through it, each in the chain of a kind that it suits.
"""

from dataclasses import replace

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omicsfusion.preprocess.chain import AbsentFeaturesError, Chain
from omicsfusion.preprocess.cohorts import CohortsLayer
from omicsfusion.preprocess.fitting import fit_chains, write_chains
from omicsfusion.recipes.catalogue import read_catalogue
from tests.layers import (
    all_choices,
    categories_of,
    feature_names,
    recipe_of,
    register_of,
    values_of,
)

N, P = 48, 16
N_TRAIN = 32
SAMPLES = tuple(f"s{number:03d}" for number in range(N))
GARBAGE = ("random", "constant", "extreme", "missing")
# Slow to fit: one example is enough for each.
EXAMPLES = {"vst": 1, "autoencoder": 1, "forest": 1, "auto": 1, "stability": 1}
METHODS = [
    pytest.param(kind, method, id=f"{method.step}-{method.name}") for kind, method in all_choices()
]
KINDS = sorted(read_catalogue().defaults)


def layer_of(kind, X):
    return CohortsLayer(
        "layer", kind, SAMPLES[: len(X)], feature_names(kind, P), X, categories_of(kind, P)
    )


def splits():
    role = ["train"] * (N_TRAIN - 6) + ["stop"] * 6 + ["test"] * (N - N_TRAIN)
    return pd.DataFrame({"repeat": 1, "fold": 1, "inner": "outer", "sample": SAMPLES, "role": role})


def garbage(how, shape, rng):
    if how == "random":
        return rng.normal(size=shape) * 50
    if how == "extreme":
        return rng.choice([-3e38, 3e38, 1e-38], size=shape)
    return np.full(shape, np.nan if how == "missing" else 7.0)


def spoilt(register, how, rng):
    """Return the register with garbage for what is known of the test samples."""
    test = list(SAMPLES[N_TRAIN:])
    table, covariates = register.table.copy(), register.covariates.copy()
    table.loc[test, "batch"] = [f"{how}{number % 3}" for number in range(len(test))]
    table.loc[test, "truth"] = rng.choice(["case", "control"], len(test))
    covariates.loc[test, "age"] = garbage(how, len(test), rng)
    covariates.loc[test, "sex"] = how
    return replace(register, table=table, covariates=covariates)


def chain_bytes(path, kind, X, recipe, register):
    chains = fit_chains(layer_of(kind, X), splits(), recipe, register).chains
    write_chains(path, chains)
    return path.read_bytes()


def fitted(kind, recipe, X, register):
    annotations = register.annotate(
        SAMPLES[: len(X)], feature_names(kind, P), categories_of(kind, P)
    )
    chain = Chain(recipe, register.task).fit(X, annotations)
    assert not chain.absent_
    return chain


def annotated(register, rows, kind):
    names = [SAMPLES[row] for row in rows]
    return register.annotate(names, feature_names(kind, P), categories_of(kind, P))


def check_leakage(kind, recipe, seed, folder):
    rng = np.random.default_rng(seed)
    X, register = values_of(kind, N, P, seed), register_of(N, seed)
    before = chain_bytes(folder / "before.h5", kind, X, recipe, register)
    for how in GARBAGE:
        worse = X.copy()
        worse[N_TRAIN:] = garbage(how, worse[N_TRAIN:].shape, rng)
        if kind == "clinical":
            worse[N_TRAIN:, : P // 2] = rng.integers(0, 4, worse[N_TRAIN:, : P // 2].shape)
        after = chain_bytes(folder / "after.h5", kind, worse, recipe, spoilt(register, how, rng))
        assert before == after, how


def check_alone(kind, recipe, seed):
    X, register = values_of(kind, N, P, seed), register_of(N, seed)
    chain = fitted(kind, recipe, X[:N_TRAIN], register)
    together = chain.transform(X[N_TRAIN:], annotated(register, range(N_TRAIN, N), kind))
    for row in range(N_TRAIN, N):
        alone = chain.transform(X[[row]], annotated(register, [row], kind))
        assert alone.tobytes() == together[[row - N_TRAIN]].tobytes()


def check_reload(kind, recipe, seed, folder):
    X, register = values_of(kind, N, P, seed), register_of(N, seed)
    chain = fitted(kind, recipe, X[:N_TRAIN], register)
    with h5py.File(folder / "chain.h5", "w") as file:
        chain.to_h5(file)
        again = Chain.from_h5(file)
    known = annotated(register, range(N), kind)
    assert again.transform(X, known).tobytes() == chain.transform(X, known).tobytes()
    assert again.get_feature_names_out() == chain.get_feature_names_out()
    assert again.features_needed() == chain.features_needed()


def check_finite(kind, recipe, seed):
    rng = np.random.default_rng(seed)
    X, register = values_of(kind, N, P, seed), register_of(N, seed)
    chain = fitted(kind, recipe, X[:N_TRAIN], register)
    for how in GARBAGE:
        new = garbage(how, (5, P), rng).astype(np.float32)
        with np.errstate(all="raise", under="ignore", over="ignore"):
            out = chain.transform(new, annotated(register, range(5), kind))
        assert np.isfinite(out).all(), how
        assert out.shape == (5, len(chain.get_feature_names_out()))


seeds = st.integers(0, 2**31 - 1)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=3, deadline=None)
@given(seed=seeds)
def test_garbage_in_test_samples_changes_no_byte_of_a_default_chain(kind, seed, tmp_path_factory):
    check_leakage(kind, recipe_of(kind), seed, tmp_path_factory.mktemp("leak"))


@pytest.mark.parametrize(("kind", "method"), METHODS)
def test_garbage_in_test_samples_changes_no_byte_whatever_the_method(kind, method, tmp_path):
    check_leakage(kind, recipe_of(kind, method.step, method.name), 11, tmp_path)


@pytest.mark.parametrize(("kind", "method"), METHODS)
def test_a_sample_alone_equals_itself_in_a_batch_to_the_bit(kind, method):
    for seed in range(EXAMPLES.get(method.name, 3)):
        check_alone(kind, recipe_of(kind, method.step, method.name), seed)


@pytest.mark.parametrize(("kind", "method"), METHODS)
def test_a_reloaded_chain_transforms_to_the_same_bits(kind, method, tmp_path):
    check_reload(kind, recipe_of(kind, method.step, method.name), 5, tmp_path)


@pytest.mark.parametrize(("kind", "method"), METHODS)
def test_whatever_a_new_sample_holds_the_output_is_finite(kind, method):
    check_finite(kind, recipe_of(kind, method.step, method.name), 7)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=3, deadline=None)
@given(seed=seeds)
def test_the_order_of_the_rows_of_the_tables_changes_no_byte(kind, seed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("order")
    rng = np.random.default_rng(seed)
    X, register = values_of(kind, N, P, seed), register_of(N, seed)
    before = chain_bytes(folder / "before.h5", kind, X, recipe_of(kind), register)
    order = rng.permutation(N)
    shuffled = replace(
        register,
        table=register.table.iloc[order],
        covariates=register.covariates.iloc[rng.permutation(N)],
    )
    table = splits().iloc[rng.permutation(N)]
    chains = fit_chains(layer_of(kind, X), table, recipe_of(kind), shuffled).chains
    write_chains(folder / "after.h5", chains)
    assert before == (folder / "after.h5").read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_in_another_order_that_lacks_features_still_gives_a_result(kind):
    X, register = values_of(kind, N, P, 3), register_of(N, 3)
    chain = fitted(kind, recipe_of(kind), X[:N_TRAIN], register)
    names, rng = np.array(feature_names(kind, P)), np.random.default_rng(3)
    whole = chain.transform(X[N_TRAIN:], annotated(register, range(N_TRAIN, N), kind))
    order = rng.permutation(P)
    known = replace(
        annotated(register, range(N_TRAIN, N), kind),
        features=tuple(names[order]),
        categories=tuple(np.array(categories_of(kind, P), dtype=object)[order])
        if kind == "clinical"
        else (),
    )
    again, coverage = chain.transform_table(X[N_TRAIN:][:, order], known)
    assert again.tobytes() == whole.tobytes()
    assert coverage.absent == ()

    needed = chain.features_needed()
    lost = needed[len(needed) // 2]
    columns = [column for column in order if names[column] != lost]
    fewer = replace(
        known,
        features=tuple(names[columns]),
        categories=tuple(np.array(categories_of(kind, P), dtype=object)[columns])
        if kind == "clinical"
        else (),
    )
    out, coverage = chain.transform_table(X[N_TRAIN:][:, columns], fewer)
    assert coverage.absent == (lost,)
    assert coverage.share_absent == pytest.approx(1 / len(needed))
    assert out.shape == whole.shape
    assert np.isfinite(out).all()

    half = columns[: len(columns) // 2]
    torn = replace(fewer, features=tuple(names[half]), categories=fewer.categories[: len(half)])
    with pytest.raises(AbsentFeaturesError, match=r"lacks \d+ of the \d+ features .* at most 20%"):
        chain.transform_table(X[N_TRAIN:][:, half], torn)
