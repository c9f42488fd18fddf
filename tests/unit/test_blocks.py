"""A chain fitted block by block is the chain fitted on the whole table, and reads what it needs."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from omicsfusion.preprocess.annotations import Annotations
from omicsfusion.preprocess.blocks import fit_in_blocks, why_not_in_blocks
from omicsfusion.preprocess.cohorts import CohortsLayer, open_cohorts, read_cohorts
from omicsfusion.preprocess.filter import FeatureFilter
from omicsfusion.preprocess.impute.median import MedianImputer
from omicsfusion.preprocess.impute.neighbours import NeighbourImputer
from omicsfusion.preprocess.joining import NotJoinableError, join_steps
from omicsfusion.preprocess.normalise.methylation import MValues
from omicsfusion.preprocess.normalise.plain import LogTransform
from omicsfusion.preprocess.scale import FeatureScaler
from omicsfusion.preprocess.select.clumping import ClumpingSelector
from omicsfusion.preprocess.select.spread import AllFeatures, MadSelector, VarianceSelector
from omicsfusion.preprocess.step import Step
from omicsfusion.tables.layer import LayerHeader, new_layer, read_columns

N, P = 23, 61


def beta_values(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    X = rng.beta(0.5, 0.5, (N, P)).astype("f4")
    X[rng.random((N, P)) < 0.1] = np.nan
    X[:, [3, 20, 21]] = np.nan
    X[:, [4, 60]] = 0.25
    return X


def as_layer(X: np.ndarray) -> CohortsLayer:
    samples = tuple(f"s{row:02d}" for row in range(len(X)))
    return CohortsLayer("m", "methylation_beta", samples, names(X.shape[1]), X)


def names(n: int) -> tuple[str, ...]:
    return tuple(f"f{column}" for column in range(n))


def chain(select: Step | None = None) -> list[Step]:
    return [
        FeatureFilter(),
        MValues(),
        MedianImputer(),
        select or VarianceSelector(7),
        FeatureScaler("robust"),
    ]


def fit_whole(steps: list[Step], X: np.ndarray) -> np.ndarray:
    """Fit as a chain does in memory; return its output on the training samples."""
    features = np.asarray(names(X.shape[1]), dtype=object)
    for step in steps:
        known = {"features": features} if "features" in step.needs else {}
        X = step.fit(X, **known).transform(X)
        features = step.get_feature_names_out(features)
    return X.astype("f4")


def saved(steps: list[Step], path: Path) -> bytes:
    """The bytes of all steps on disk."""
    with h5py.File(path, "w") as file:
        for index, step in enumerate(steps):
            step.to_h5(file.create_group(str(index)))
    return path.read_bytes()


@pytest.mark.parametrize("width", [1, 7, 20, 61, 1000])
@pytest.mark.parametrize("select", [VarianceSelector(7), MadSelector(9), AllFeatures()], ids=repr)
def test_blocks_of_any_width_give_the_bytes_of_the_whole(
    width: int, select: Step, tmp_path: Path
) -> None:
    X = beta_values()
    rows = np.arange(0, N, 2)
    whole = chain(select)
    expected = fit_whole(whole, X[rows])
    wide = fit_in_blocks(chain(select), as_layer(X), rows, Annotations(names(P)), width)
    assert saved(wide.steps, tmp_path / "wide.h5") == saved(whole, tmp_path / "whole.h5")
    out = wide.transform(as_layer(X), rows, Annotations(names(P)))
    np.testing.assert_array_equal(out, expected)


def test_the_narrow_steps_transform_new_samples_as_the_whole_chain_does() -> None:
    X, new = beta_values(), beta_values(1)
    whole = chain()
    fit_whole(whole, X)
    wide = fit_in_blocks(chain(), as_layer(X), np.arange(N), Annotations(names(P)), 13)
    out = new.astype("f8")
    for step in whole:
        out = step.transform(out)
    assert len(wide.kept) == 7
    got = wide.transform(as_layer(new), np.arange(N), Annotations(names(P)))
    np.testing.assert_array_equal(got, out.astype("f4"))


@pytest.mark.parametrize("negative", [0, 1])
def test_whether_a_layer_was_logged_is_decided_from_all_blocks(
    negative: int, tmp_path: Path
) -> None:
    X = np.random.default_rng(0).gamma(2, 10, (N, P)).astype("f4")
    X[5, 50] = -1 if negative else 1
    steps = [FeatureFilter(), LogTransform(), MedianImputer(), VarianceSelector(5)]
    whole = [type(step)(**step.get_params()) for step in steps]
    fit_whole(whole, X)
    wide = fit_in_blocks(steps, as_layer(X), np.arange(N), Annotations(names(P)), 8)
    assert wide.steps[1].log_ == (not negative)
    assert saved(wide.steps, tmp_path / "wide.h5") == saved(whole, tmp_path / "whole.h5")


def test_more_values_outside_0_to_1_than_one_block_could_tell_are_m_values() -> None:
    X = beta_values()
    X[:, 40:60] *= 9
    wide = fit_in_blocks(chain(), as_layer(X), np.arange(N), Annotations(names(P)), 10)
    assert wide.steps[1].already_ is True


def test_a_table_of_which_nothing_is_left_keeps_no_feature() -> None:
    X = np.full((N, P), 0.5, dtype="f4")
    wide = fit_in_blocks(chain(), as_layer(X), np.arange(N), Annotations(names(P)), 10)
    assert len(wide.kept) == 0
    assert len(wide.steps) == 5
    assert wide.steps[0].dropped_ == {"constant": P}
    assert not hasattr(wide.steps[2], "median_")


def test_steps_that_need_all_features_keep_a_chain_out_of_blocks() -> None:
    assert why_not_in_blocks(chain()) == ""
    neighbours = [FeatureFilter(), NeighbourImputer(), VarianceSelector()]
    assert "NeighbourImputer" in why_not_in_blocks(neighbours)
    with pytest.raises(ValueError, match="NeighbourImputer"):
        fit_in_blocks(neighbours, as_layer(beta_values()), np.arange(N), Annotations(names(P)))


def test_after_the_selection_any_step_may_come(tmp_path: Path) -> None:
    X = beta_values()
    steps = [*chain(VarianceSelector(30))[:4], ClumpingSelector(), FeatureScaler()]
    assert why_not_in_blocks(steps) == ""
    whole = [type(step)(**step.get_params()) for step in steps]
    expected = fit_whole(whole, X)
    wide = fit_in_blocks(steps, as_layer(X), np.arange(N), Annotations(names(P)), 9)
    assert saved(wide.steps, tmp_path / "wide.h5") == saved(whole, tmp_path / "whole.h5")
    got = wide.transform(as_layer(X), np.arange(N), Annotations(names(P)))
    np.testing.assert_array_equal(got, expected)


def test_parts_that_came_to_different_results_are_not_joined() -> None:
    low, high = LogTransform().fit([[1.0], [2.0]]), LogTransform().fit([[-1.0], [2.0]])
    with pytest.raises(NotJoinableError, match="LogTransform: log_"):
        join_steps([low, high])


# The layer in its files.


def write_cohort(
    folder: Path, cohort: str, samples: list[str], features: list[str], X: np.ndarray
) -> Path:
    path = folder / f"{cohort}.m.h5ad"
    header = LayerHeader("m", "methylation_beta", cohort, tuple(samples), tuple(features))
    with new_layer(path, header) as x:
        x[...] = X
    return path


def two_cohorts(folder: Path) -> tuple[list[Path], pd.DataFrame]:
    """Write a training cohort, and another with fewer features in another order."""
    rng = np.random.default_rng(3)
    one = [f"f{index}" for index in range(40)]
    two = [one[index] for index in rng.permutation(40)[:30]] + ["other"]
    first = [f"a{index}" for index in range(6)]
    second = [f"A{index}" for index in range(4)]
    paths = [
        write_cohort(folder, "one", first, one, rng.random((6, 40))),
        write_cohort(folder, "two", second, two, rng.random((4, 31))),
    ]
    table = pd.DataFrame({"sample": first[:5] + second})
    table["cohort"] = ["one"] * 5 + ["two"] * 4
    table["role"] = ["train"] * 5 + ["external"] * 4
    return paths, table


def test_blocks_of_columns_and_picked_ones_are_those_of_the_layer_in_memory(
    tmp_path: Path,
) -> None:
    paths, table = two_cohorts(tmp_path)
    whole, layer = read_cohorts(paths, table), open_cohorts(paths, table)
    assert (layer.samples, layer.features) == (whole.samples, whole.features)
    assert whole.X.shape == (9, 40)
    assert np.isnan(whole.X).sum() == 4 * 10
    rows = np.array([8, 0, 3, 5])
    for start, stop in ((0, 40), (3, 4), (10, 31), (39, 40)):
        for each in (layer, whole):
            np.testing.assert_array_equal(
                each.columns(start, stop, rows), whole.X[rows, start:stop]
            )
    some = np.array([30, 2, 17])
    for each in (layer, whole):
        np.testing.assert_array_equal(each.picked(some, rows), whole.X[np.ix_(rows, some)])
    for each in (layer, whole):
        X, samples = each.rows_of(["a2", "A1", "nobody"])
        assert samples == ("A1", "a2")
        np.testing.assert_array_equal(X, whole.X[[1, 6]])


def test_rows_are_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths, table = two_cohorts(tmp_path)
    whole = read_cohorts(paths, table)
    monkeypatch.setattr("omicsfusion.preprocess.cohorts.ROW_BLOCK", 80)
    np.testing.assert_array_equal(read_cohorts(paths, table).X, whole.X)


def test_columns_of_a_file_are_read_alone(tmp_path: Path) -> None:
    paths, _ = two_cohorts(tmp_path)
    with h5py.File(paths[0]) as file:
        X = file["X"][:]
    np.testing.assert_array_equal(read_columns(paths[0], 3, 9), X[:, 3:9])
    np.testing.assert_array_equal(read_columns(paths[0], 3, 9, [4, 0, 4]), X[[4, 0, 4], 3:9])
    assert read_columns(paths[0], 3, 9, []).shape == (0, 6)
