"""A layer that is fitted in blocks of features gives what it gives in memory, to the bit."""

import numpy as np
import pandas as pd
import pytest

from omicsfusion.preprocess import fitting
from omicsfusion.preprocess.cohorts import CohortsLayer, OpenLayer, open_cohorts
from omicsfusion.preprocess.fitting import fit_chains, open_layer, transform_scopes, write_chains
from tests.layer_files import write_layer
from tests.layers import feature_names, recipe_of, register_of, values_of

N, P = 40, 90
SAMPLES = tuple(f"s{number:03d}" for number in range(N))


def splits():
    role = ["train"] * 24 + ["stop"] * 4 + ["test"] * 12
    return pd.DataFrame({"repeat": 1, "fold": 1, "inner": "outer", "sample": SAMPLES, "role": role})


def opened(folder, kind, X):
    path = write_layer(folder, X, kind=kind, samples=SAMPLES, features=feature_names(kind, P))
    samples = pd.DataFrame({"sample": SAMPLES, "cohort": "main", "role": "train"})
    return open_cohorts([path], samples)


def prepared(layer, kind, recipe):
    register = register_of(N, 4)
    fitted = fit_chains(layer, splits(), recipe, register)
    (_, X, samples, features), *_ = transform_scopes(layer, splits(), fitted, register)
    return fitted, X, samples, features


@pytest.mark.parametrize("kind", ["methylation_beta", "rna_log", "array"])
def test_in_blocks_as_in_memory(tmp_path, monkeypatch, kind):
    X = values_of(kind, N, P, 4)
    X[:, 7] = 0.5
    X[:30, 9] = np.nan
    whole = opened(tmp_path, kind, X)
    recipe = recipe_of(kind, "select", "variance", {"max_features": 25})
    assert isinstance(open_layer(whole, recipe, ""), CohortsLayer)
    monkeypatch.setattr(fitting, "WIDE_BYTES", 0)
    wide = open_layer(whole, recipe, "")
    assert isinstance(wide, OpenLayer)
    narrow, Z, samples, features = prepared(wide, kind, recipe)
    fitted, expected, same_samples, same_features = prepared(whole.in_memory(), kind, recipe)
    assert Z.tobytes() == expected.tobytes()
    assert (samples, features) == (same_samples, same_features)
    assert len(features) == 25
    for name in ("features", "steps", "dropped"):
        pd.testing.assert_frame_equal(getattr(narrow, name), getattr(fitted, name))
    chain = next(iter(narrow.chains.values()))
    assert chain.features_in_ == chain.features_needed() == features
    write_chains(tmp_path / "chains.h5", narrow.chains)


def test_a_layer_of_which_nothing_is_left_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(fitting, "WIDE_BYTES", 0)
    whole = opened(tmp_path, "rna_log", np.full((N, P), 3.0))
    recipe = recipe_of("rna_log")
    fitted, Z, _, features = prepared(open_layer(whole, recipe, ""), "rna_log", recipe)
    assert Z.shape == (N, 0)
    assert features == ()
    assert fitted.features["note"].tolist() == [f"no feature is left: {P} constant"]


@pytest.mark.parametrize(
    ("kind", "step", "method"),
    [
        ("rna_log", "impute", "knn"),
        ("rna_log", "outliers", "leave_out"),
        ("rna_counts", "normalise", "tmm"),
    ],
)
def test_a_chain_that_looks_at_all_features_together_stays_in_memory(
    tmp_path, monkeypatch, kind, step, method
):
    monkeypatch.setattr(fitting, "WIDE_BYTES", 0)
    whole = opened(tmp_path, kind, values_of(kind, N, P, 4))
    assert isinstance(open_layer(whole, recipe_of(kind, step, method), ""), CohortsLayer)
