"""What must hold of quality control whatever the table."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from omicsfusion.qc.duplicates import find_duplicates
from omicsfusion.qc.layer_checks import check_layer
from omicsfusion.qc.moments import Moments
from omicsfusion.tables.cohort_table import open_tables
from tests.layer_files import names, samples_table, write_layer

KINDS = ["rna_counts", "rna_log", "methylation_beta", "metabolite", "mutation", "cnv"]


def some_table(kind: str, n: int, p: int, seed: int) -> np.ndarray:
    """A table with gaps, a feature without values, a constant one and a wild value."""
    rng = np.random.default_rng(seed)
    if kind == "mutation":
        X = (rng.random((n, p)) < 0.2).astype(float)
    elif kind == "cnv":
        X = rng.integers(-2, 3, (n, p)).astype(float)
    else:
        X = rng.gamma(1, size=(n, p)) * 10.0 ** rng.integers(-2, 4, p)
    X[:, 0] = 3
    X[rng.random((n, p)) < 0.1] = np.nan
    X[:, 1] = np.nan
    X[rng.integers(n), 2] = rng.choice([3e38, -3e38, 36_893])
    return X.astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    n=st.integers(1, 30),
    p=st.integers(3, 50),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_table_is_told_of_each_sample_once_and_in_finite_numbers(
    kind: str, n: int, p: int, seed: int
) -> None:
    X = some_table(kind, n, p, seed)
    samples = samples_table(names("s", n))
    with tempfile.TemporaryDirectory() as folder:
        tables = open_tables([write_layer(Path(folder), X, kind=kind)], samples)
        found = check_layer("rna", tables, samples, None, ("pca",))
        duplicates = find_duplicates("rna", tables, samples)
    assert found.samples["sample"].to_list() == list(names("s", n))
    assert np.isfinite(found.embedding[["x", "y"]].to_numpy(dtype=float)).all()
    assert not np.isinf(found.samples.select_dtypes("number").to_numpy()).any()
    shares = found.samples[["missing", "zeros"]]
    assert ((shares >= 0) & (shares <= 1)).all().all()
    counted = found.features.groupby("measure")["n"].sum()
    assert counted["missing"] == p
    assert duplicates.n_pairs_compared <= n * (n - 1) // 2
    assert (duplicates.pairs["sample"] < duplicates.pairs["other"]).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), others=st.integers(1, 20))
def test_external_samples_never_change_what_is_said_of_training_samples(
    seed: int, others: int
) -> None:
    rng = np.random.default_rng(seed)
    X = some_table("rna_log", 25, 20, seed)
    ids = names("t", others)
    samples = pd.concat(
        [samples_table(names("s", 25)), samples_table(ids, "b", "external")], ignore_index=True
    )
    seen = []
    for garbage in (rng.normal(size=(others, 20)), np.full((others, 20), np.nan)):
        with tempfile.TemporaryDirectory() as folder:
            paths = [
                write_layer(Path(folder), X),
                write_layer(Path(folder), garbage, "rna_log", "b", ids),
            ]
            found = check_layer("rna", open_tables(paths, samples), samples, None, ("pca",))
        own = found.samples[found.samples["role"] == "train"].reset_index(drop=True)
        points = found.embedding[found.embedding["cohort"] == "main"].reset_index(drop=True)
        seen.append((own, points))
    pd.testing.assert_frame_equal(seen[0][0], seen[1][0])
    pd.testing.assert_frame_equal(seen[0][1], seen[1][1])


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.01, 100), shift=st.floats(-50, 50))
def test_an_exact_copy_is_found_on_any_scale(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(12, 60))
    one, other = rng.choice(12, 2, replace=False)
    X[one] = X[other]
    samples = samples_table(names("s", 12))
    with tempfile.TemporaryDirectory() as folder:
        tables = open_tables([write_layer(Path(folder), X * scale + shift)], samples)
        pairs = find_duplicates("rna", tables, samples).pairs
    assert pairs[["sample", "other"]].to_numpy().tolist() == [
        [f"s{number:04d}" for number in sorted((one, other))]
    ]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(0, 12), shift=st.floats(-1e6, 1e6))
def test_moments_of_parts_are_those_of_the_whole(seed: int, cut: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(12, 5)) + shift
    X[rng.random(X.shape) < 0.2] = np.nan
    whole = Moments.of(X, axis=0)
    parts = Moments.of(X[:cut], axis=0).merged(Moments.of(X[cut:], axis=0))
    assert (whole.n == parts.n).all()
    np.testing.assert_allclose(parts.mean, whole.mean, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(parts.squares, whole.squares, rtol=1e-7, atol=1e-12)
