"""FIND_DUPLICATES: copies are found, look-alikes are not."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omicsfusion.qc import duplicates as subject
from omicsfusion.qc.duplicates import Duplicates, find_duplicates
from omicsfusion.tables.cohort_table import LayerFilesError, open_tables
from omicsfusion.tables.duplicate_pairs import COLUMNS
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.layer_files import names, samples_table, write_layer

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "find_duplicates.py"
SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def tissue(n: int, p: int, seed: int = 0) -> np.ndarray:
    """Log expression of one tissue: genes differ a lot, samples little."""
    rng = np.random.default_rng(seed)
    return rng.normal(8, 4, p) + 0.1 * rng.normal(size=(n, p))


def found_in(folder: Path, X: np.ndarray, **options: object) -> Duplicates:
    path = write_layer(folder, X, **options)
    samples = samples_table(names("s", len(X)))
    return find_duplicates("rna", open_tables([path], samples), samples)


def pairs(found: Duplicates) -> list[tuple[str, str]]:
    return list(zip(found.pairs["sample"], found.pairs["other"], strict=True))


def test_samples_of_one_tissue_correlate_beyond_the_limit_and_are_no_duplicates(
    tmp_path: Path,
) -> None:
    X = tissue(20, 300)
    assert np.corrcoef(X).min() > subject.CORRELATION
    found = found_in(tmp_path, X)
    assert pairs(found) == []
    assert list(found.pairs.columns) == list(COLUMNS)
    assert (found.n_samples, found.n_pairs_compared) == (20, 190)


def test_copies_are_found_exact_or_with_a_little_noise(tmp_path: Path) -> None:
    X = tissue(20, 300)
    X[7] = X[2]
    X[11] = X[4] + np.random.default_rng(1).normal(0, 0.02, 300)
    found = found_in(tmp_path, X)
    assert pairs(found) == [("s0002", "s0007"), ("s0004", "s0011")]
    assert found.pairs["correlation"][0] == 1
    assert (found.pairs["relation"] == "different_patients").all()


def test_correlations_are_those_of_numpy(tmp_path: Path) -> None:
    X = tissue(20, 300).astype(np.float32)
    X[7] = X[2] + np.random.default_rng(1).normal(0, 0.02, 300)
    row = found_in(tmp_path, X).pairs.iloc[0]
    X = X.astype(float)
    quartiles = np.quantile(X, [0.25, 0.5, 0.75], axis=0)
    width = (quartiles[2] - quartiles[0]) / 1.3489795003921634
    Z = np.clip((X - quartiles[1]) / width, -5, 5)
    assert row["correlation"] == round(np.corrcoef(X[2], X[7])[0, 1], 6)
    assert row["centred_correlation"] == round(np.corrcoef(Z[2], Z[7])[0, 1], 6)


def test_a_wild_value_that_two_samples_share_does_not_make_them_copies(tmp_path: Path) -> None:
    X = np.random.default_rng(3).normal(size=(30, 200))
    X[[4, 9], 17] = 36_893
    assert np.corrcoef(X)[4, 9] > subject.CORRELATION
    assert pairs(found_in(tmp_path, X)) == []


def test_missing_values_are_left_out_pair_by_pair(tmp_path: Path) -> None:
    X = tissue(20, 300)
    X[7] = X[2]
    X[7, :100] = np.nan
    X[2, 250:] = np.nan
    found = found_in(tmp_path, X)
    assert pairs(found) == [("s0002", "s0007")]
    assert found.pairs["correlation"][0] == 1


def test_pairs_that_share_too_few_features_are_not_compared(tmp_path: Path) -> None:
    X = tissue(10, 60)
    X[0, :40] = np.nan
    assert found_in(tmp_path, X).n_pairs_compared == 45 - 9
    few = found_in(tmp_path, tissue(10, 20))
    assert few.n_pairs_compared == 0
    assert few.note == "Only 20 features in the cohort 'main', fewer than 30: not compared."


def test_a_constant_sample_is_compared_with_none(tmp_path: Path) -> None:
    X = tissue(10, 60)
    X[3] = 5
    X[4] = 5
    found = found_in(tmp_path, X)
    assert (found.n_pairs_compared, pairs(found)) == (45 - 17, [])


def test_copies_in_a_cohort_of_two_are_found(tmp_path: Path) -> None:
    X = tissue(2, 60)
    X[1] = X[0]
    found = found_in(tmp_path, X)
    assert pairs(found) == [("s0000", "s0001")]
    assert np.isnan(found.pairs["centred_correlation"][0])


def test_counts_are_compared_as_logarithms(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.poisson(np.exp(rng.normal(3, 1, 200)) * np.exp(rng.normal(0, 0.4, (20, 200))))
    X = X.astype(float)
    X[5] = X[6]
    X[:, 0] = 1e6
    assert np.corrcoef(X).min() > subject.CORRELATION
    assert pairs(found_in(tmp_path, X, kind="rna_counts")) == [("s0005", "s0006")]


@pytest.mark.parametrize(
    ("kind", "values"), [("cnv", [-2, -1, 0, 1, 2]), ("mutation", [0, 1, 0.37, 0.4])]
)
def test_calls_that_patients_can_share_throughout_are_not_examined(
    tmp_path: Path, kind: str, values: list[float]
) -> None:
    X = np.random.default_rng(0).choice(values, size=(12, 90))
    X[1] = X[0]
    found = found_in(tmp_path, X, kind=kind)
    assert pairs(found) == []
    assert found.note.endswith("not examined.")


def test_log_ratios_of_copy_number_are_examined(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(12, 90))
    X[1] = X[0]
    assert pairs(found_in(tmp_path, X, kind="cnv")) == [("s0000", "s0001")]


def two_cohorts(folder: Path, main: np.ndarray, other: np.ndarray) -> Duplicates:
    """The second cohort's features stand in the opposite order, and it lacks the first five."""
    features = names("g", main.shape[1])
    ids = names("t", len(other))
    paths = [
        write_layer(folder, main),
        write_layer(folder, other[:, :4:-1], cohort="b", samples=ids, features=features[:4:-1]),
    ]
    samples = pd.concat(
        [samples_table(names("s", len(main))), samples_table(ids, "b", "external")],
        ignore_index=True,
    )
    return find_duplicates("rna", open_tables(paths, samples), samples)


def test_a_copy_in_another_cohort_is_found_and_a_shift_between_cohorts_is_no_likeness(
    tmp_path: Path,
) -> None:
    main, other = tissue(20, 300), tissue(20, 300)
    other += 0.05 * np.random.default_rng(9).normal(size=(20, 300))
    other += 0.5 * np.random.default_rng(8).normal(size=300)
    other[3] = main[17]
    found = two_cohorts(tmp_path, main, other)
    assert pairs(found) == [("s0017", "t0003")]
    assert found.pairs.iloc[0][["cohort", "other_cohort", "relation"]].to_list() == [
        "main",
        "b",
        "across_cohorts",
    ]
    assert found.n_pairs_compared == 40 * 39 // 2


def test_two_samples_of_a_patient_are_told_apart_from_those_of_two(tmp_path: Path) -> None:
    X = tissue(20, 300)
    X[7], X[9] = X[2], X[3]
    patients = [*names("p", 20)]
    patients[7] = patients[2]
    path = write_layer(tmp_path, X)
    samples = samples_table(names("s", 20), patients=patients)
    table = find_duplicates("rna", open_tables([path], samples), samples).pairs
    assert table["relation"].to_list() == ["same_patient", "different_patients"]


def test_tiles_and_blocks_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    X = tissue(23, 90)
    X[7], X[22] = X[2], X[15]
    X[np.random.default_rng(0).random(X.shape) < 0.05] = np.nan
    whole = found_in(tmp_path, X)
    monkeypatch.setattr(subject, "TILE", 5)
    monkeypatch.setattr(subject, "FEATURES_AT_ONCE", 7)
    monkeypatch.setattr("omicsfusion.tables.cohort_table.BLOCK_VALUES", 23 * 11)
    tiled = found_in(tmp_path, X)
    assert pairs(whole) == [("s0002", "s0007"), ("s0015", "s0022")]
    pd.testing.assert_frame_equal(whole.pairs, tiled.pairs)
    assert whole.n_pairs_compared == tiled.n_pairs_compared == 253


def test_a_wide_table_is_compared_on_evenly_spaced_features(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "MOST_FEATURES", 50)
    X = tissue(12, 400)
    X[3] = X[5]
    found = found_in(tmp_path, X)
    assert pairs(found) == [("s0003", "s0005")]
    assert found.note == "Compared on 50 evenly spaced features of 400."


def test_samples_that_are_not_used_are_not_compared(tmp_path: Path) -> None:
    X = tissue(20, 300)
    X[7] = X[2]
    path = write_layer(tmp_path, X)
    samples = samples_table([name for name in names("s", 20) if name != "s0007"])
    found = find_duplicates("rna", open_tables([path], samples), samples)
    assert (found.n_samples, pairs(found)) == (19, [])


def test_files_of_two_layers_are_refused(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    paths = [
        write_layer(tmp_path, tissue(3, 4)),
        write_layer(tmp_path / "b", tissue(3, 4), kind="array", cohort="b"),
    ]
    with pytest.raises(LayerFilesError, match=r"hold rna \(array\), rna \(rna_log\)"):
        open_tables(paths, samples_table(names("s", 3)))


def test_the_script_writes_both_tables(tmp_path: Path) -> None:
    X = tissue(20, 300)
    X[7] = X[2]
    path = write_layer(tmp_path, X)
    write_tsv(samples_table(names("s", 20)), tmp_path / "samples.tsv")
    subprocess.run(
        [
            *(sys.executable, SCRIPT, "--layer", "rna", "--files", path),
            *("--samples", tmp_path / "samples.tsv"),
        ],
        cwd=tmp_path,
        check=True,
    )
    table = read_tsv(tmp_path / "rna.duplicates.tsv")
    assert list(table.columns) == list(COLUMNS)
    assert table[["sample", "other"]].to_numpy().tolist() == [["s0002", "s0007"]]
    summary = read_tsv(tmp_path / "rna.duplicates_summary.tsv")
    assert summary.iloc[0].to_list()[:4] == ["rna", 20, 190, 1]


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED} is not there")
def test_the_breast_cancers_hold_no_copies_although_some_share_wild_values(tmp_path: Path) -> None:
    table = pd.read_csv(SHARED / "tcga_brca" / "rna.tsv.gz", sep="\t", index_col=0).T.sort_index()
    path = write_layer(
        tmp_path, table.to_numpy(), samples=list(table.index), features=list(table.columns)
    )
    samples = samples_table(table.index)
    found = find_duplicates("rna", open_tables([path], samples), samples)
    assert (np.corrcoef(table.to_numpy()) > subject.CORRELATION).sum() == 956 + 2 * 3
    assert (found.n_pairs_compared, pairs(found)) == (956 * 955 // 2, [])
