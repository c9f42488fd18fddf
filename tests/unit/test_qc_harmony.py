"""The picture after Harmony: batches drawn together, classes kept, and who is left out and why."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score

from omicsfusion.qc.harmony import batched_samples, drawn_together
from omicsfusion.qc.layer_checks import LayerChecks, check_layer
from omicsfusion.tables.cohort_table import open_tables
from tests.layer_files import names, samples_table, write_layer

BIN = Path(__file__).resolve().parents[2] / "bin"


def cohort(
    n: int, shift: float, seed: int, *, together: float = 0.0, distance: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make principal components, batches and classes of a cohort of two batches and three classes.

    Parameters
    ----------
    shift, distance
        Of the batches, and of the classes, in each of 300 features with noise of 1.5.
    together
        Share of the samples whose class hangs on their batch.
    """
    rng = np.random.default_rng(seed)
    batch = np.arange(n) % 2
    classes = np.where(rng.random(n) < together, batch, rng.integers(0, 3, n))
    X = rng.normal(0, 1.5, (n, 300))
    X += distance * rng.normal(size=(3, 300))[classes] + shift * rng.normal(size=(2, 300))[batch]
    return PCA(30, svd_solver="full").fit_transform(X), batch, classes


def together(scores: np.ndarray, batch: np.ndarray) -> np.ndarray:
    return drawn_together(scores, [f"b{number}" for number in batch], seed=1)


# What Harmony does to the components


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shift", [1.0, 2.0])
def test_batches_mix_and_classes_stay(shift: float, seed: int) -> None:
    scores, batch, classes = cohort(150, shift, seed)
    after = together(scores, batch)
    before = silhouette_score(scores, batch)
    assert before > 0.15, "there is something to mix"
    assert silhouette_score(after, batch) < before / 5
    assert silhouette_score(after, classes) > silhouette_score(scores, classes) + 0.05


@pytest.mark.parametrize("seed", range(3))
def test_a_class_that_goes_with_a_batch_is_kept_better_than_by_shifting_batches(seed: int) -> None:
    scores, batch, classes = cohort(150, 1.0, seed, together=0.6, distance=2.0)
    after = together(scores, batch)
    shifted = scores.copy()
    for name in (0, 1):
        shifted[batch == name] -= scores[batch == name].mean(axis=0)
    before, kept, shifted_kept = (
        float(silhouette_score(table, classes)) for table in (scores, after, shifted)
    )
    assert kept > 0.9 * before
    assert kept > shifted_kept + 0.1


def test_samples_are_not_taken_for_components_in_a_square_table() -> None:
    scores, batch, _ = cohort(31, 1.0, 0)
    square, batch = scores[:30], batch[:30]
    after = together(square, batch)
    # Of 31 samples a column of nothing changes nothing, and the table is not square.
    wide = together(np.hstack([square, np.zeros((30, 1))]), batch)
    np.testing.assert_allclose(after, wide[:, :30], atol=1e-5)


@pytest.mark.parametrize("n", [10, 44])
def test_the_smallest_cohorts_are_placed_too(n: int) -> None:
    """The library's own number of clusters is 0 below 15 samples."""
    rng = np.random.default_rng(0)
    scores, batch = rng.normal(size=(n, 9)), np.arange(n) % 2
    scores[:, 0] += 4 * batch
    after = together(scores, batch)
    gap = [
        abs(table[batch == 0, 0].mean() - table[batch == 1, 0].mean()) for table in (scores, after)
    ]
    assert np.isfinite(after).all()
    assert gap[1] < gap[0] / 2


def test_the_same_bytes_whatever_the_hash_seed() -> None:
    program = (
        "import hashlib, numpy as np\n"
        "from omicsfusion.qc.harmony import drawn_together\n"
        "scores = np.random.default_rng(0).normal(size=(90, 12))\n"
        "batches = [f'site {i % 4}' for i in range(90)]\n"
        "for seed in (3, 3, 4):\n"
        "    print(hashlib.sha256(drawn_together(scores, batches, seed).tobytes()).hexdigest())\n"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": str(BIN), "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        )
        for seed in ("1", "77")
    ]
    assert printed[0].stdout == printed[1].stdout
    first, again, other = printed[0].stdout.split()
    assert first == again
    assert first != other, "the seed is used"
    assert printed[0].stderr == "", "the library's log stays quiet"


# Whose batch can be drawn to the others


def test_samples_of_no_batch_and_of_small_ones_are_left_out_and_counted() -> None:
    batches = ["a"] * 6 + ["", "c", "b", "b"] + ["b"] * 3 + ["d"] * 4 + [""]
    found = batched_samples(batches)
    assert found.rows.tolist() == [0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12]
    assert found.batches == ("a",) * 6 + ("b",) * 5
    assert found.obstacle == ""
    assert found.left_out == (
        "2 training samples without a batch",
        "5 training samples in 2 batches of fewer than 5",
    )


@pytest.mark.parametrize(
    ("batches", "obstacle"),
    [
        ([""] * 20, "no training sample has a batch."),
        (["a"] * 20, "1 of 1 batch with 5 or more training samples, fewer than 2."),
        (
            ["a"] * 16 + ["b"] * 4,
            "1 of 2 batches with 5 or more training samples, fewer than 2.",
        ),
        (
            ["a", "b", "c", "d", "e"] * 4,
            "0 of 5 batches with 5 or more training samples, fewer than 2.",
        ),
    ],
)
def test_fewer_than_two_batches_of_five_are_an_obstacle(
    batches: Sequence[str], obstacle: str
) -> None:
    found = batched_samples(batches)
    assert found.obstacle == obstacle
    assert len(found.rows) == len(found.batches) == len(found.left_out) == 0


# The picture of a layer


def pictured(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    batches: Sequence[str | float],
    external: int = 0,
) -> LayerChecks:
    """Place a layer's samples; UMAP is replaced by the first two components it is given."""
    monkeypatch.setattr(
        "omicsfusion.qc.embedding._umap",
        lambda train, external, seed: np.vstack([train, external])[:, :2],
    )
    n = len(batches)
    rng = np.random.default_rng(0)
    X = rng.normal(8, 1, (n, 60))
    X[:, :30] += 3 * (np.array([str(name) for name in batches]) == "a")[:, None]
    paths = [write_layer(folder, X)]
    samples = samples_table(names("s", n)).assign(batch=list(batches))
    if external:
        ids = names("t", external)
        paths.append(write_layer(folder, rng.normal(8, 1, (external, 60)), cohort="b", samples=ids))
        outside = samples_table(ids, "b", "external").assign(batch="a")
        samples = pd.concat([samples, outside], ignore_index=True)
    methods = ("umap", "harmony", "pca")
    return check_layer("rna", open_tables(paths, samples), samples, None, methods)


def test_the_picture_holds_the_training_samples_of_large_batches_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = ["b", "a"] * 8 + [np.nan, "", "c"]
    found = pictured(tmp_path, monkeypatch, batches, external=3)
    points = found.embedding[found.embedding["method"] == "harmony"]
    assert points["sample"].to_list() == list(names("s", 16))
    assert set(points["cohort"]) == {"main"}
    row = found.embedding_summary.set_index("method").loc["harmony"]
    assert row["n_samples"] == 16
    assert row["note"] == (
        "without 2 training samples without a batch; 1 training sample in 1 batch of fewer than 5; "
        "the 3 external samples: Harmony projects none"
    )
    others = found.embedding.groupby("method").size()
    assert (others["pca"], others["umap"]) == (22, 22)


def test_the_picture_parts_batches_less_than_the_one_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = pictured(tmp_path, monkeypatch, ["b", "a"] * 10)
    tables = dict(list(found.embedding.set_index("sample").groupby("method")))
    own = np.arange(20) % 2 == 0
    gap = {
        method: abs(table["x"][own].mean() - table["x"][~own].mean())
        for method, table in tables.items()
    }
    assert gap["umap"] == gap["pca"] > 4
    assert gap["harmony"] < gap["umap"] / 2
    notes = found.embedding_summary.set_index("method")["note"]
    assert notes["harmony"] == ""


@pytest.mark.parametrize("nothing", [np.nan, ""])
def test_without_batches_there_is_no_row_for_harmony(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nothing: float | str
) -> None:
    found = pictured(tmp_path, monkeypatch, [nothing] * 20)
    assert found.embedding_summary["method"].to_list() == ["pca", "umap"]
    assert set(found.embedding["method"]) == {"pca", "umap"}


@pytest.mark.parametrize(
    ("batches", "external", "note"),
    [
        (["a"] * 20, 0, "1 of 1 batch with 5 or more training samples, fewer than 2."),
        ([""] * 20, 3, "no training sample has a batch."),
        (["a", "b"] * 4, 0, "8 training samples, fewer than 10."),
        (["a"], 0, "1 training samples, fewer than 3."),
    ],
)
def test_where_batches_are_named_but_do_not_do_the_reason_stands_in_the_summary(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    batches: Sequence[str],
    external: int,
    note: str,
) -> None:
    found = pictured(tmp_path, monkeypatch, batches, external)
    row = found.embedding_summary.set_index("method").loc["harmony"]
    assert (row["n_samples"], row["note"]) == (0, note)
    assert "harmony" not in set(found.embedding["method"])
