"""Values that a kind does not allow are told with their places, however the table is read."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omicsfusion.tables.importing import ImportRequest, import_layer
from omicsfusion.tables.layer_ids import LayerIds
from omicsfusion.tables.layer_sizes import check_layer_sizes
from omicsfusion.tables.problems import Problems
from omicsfusion.tables.value_checks import ValueChecks

N, P = 6, 8


def varied(low: float = 0, high: float = 1) -> np.ndarray:
    """Samples x features; no two values of a feature are equal."""
    return np.linspace(low, high, N * P).reshape(P, N).T.astype("f4")


def told(kind: str, X: np.ndarray, width: int = P, height: int = N) -> list[str]:
    """Look at X (samples x features) in blocks; return severity and text of each problem."""
    samples = [f"S{row}" for row in range(len(X))]
    features = [f"g{column}" for column in range(X.shape[1])]
    checks, problems = ValueChecks(kind, samples, features), Problems()
    for row in range(0, len(X), height):
        for column in range(0, X.shape[1], width):
            block = X[row : row + height, column : column + width]
            checks.look(np.arange(row, row + len(block)), column, block)
    checks.report(["table.tsv"], problems)
    assert all(problem.file == "table.tsv" for problem in problems.found)
    return [f"{problem.severity}: {problem}" for problem in problems.found]


SOUND = {
    "rna_counts": np.rint(varied(0, 1000)),
    "mirna_counts": np.rint(varied(0, 1000)),
    "microbiome_counts": np.rint(varied(0, 1000)),
    "methylation_beta": varied(0, 1),
    "mutation": np.array([[0, 1] * (P // 2), [1, 0] * (P // 2)] * (N // 2), dtype="f4"),
    "metabolite": varied(0, 1e6),
    "rna_log": varied(-5, 20),
    "array": varied(-5, 20),
    "protein": varied(-5, 20),
    "cnv": varied(-2, 2),
}


@pytest.mark.parametrize("kind", SOUND)
def test_sound_values_are_passed_in_silence_with_gaps_or_without(kind: str) -> None:
    X = SOUND[kind].copy()
    assert told(kind, X) == []
    X[0, 0] = X[3, 5] = np.nan
    assert told(kind, X) == []


@pytest.mark.parametrize(("width", "height"), [(P, N), (3, N), (P, 1), (3, 4)])
def test_the_blocks_of_a_table_do_not_matter(width: int, height: int) -> None:
    X = np.rint(varied(0, 1000))
    X[4, 6] = -7
    X[2, 1] = 0.5
    X[:, 3] = np.nan
    X[1] = np.nan
    assert told("rna_counts", X, width, height) == told("rna_counts", X)
    texts = "\n".join(told("rna_counts", X))
    assert "error: table.tsv: 1 of 35 values are negative" in texts
    assert "feature g6, sample S4: -7" in texts
    assert "warning: table.tsv: 1 of 35 values are no whole numbers" in texts
    assert "feature g1, sample S2: 0.5" in texts
    assert "1 of 8 features have no value in any sample: g3." in texts
    assert "1 samples have no value at all: S1." in texts


def test_the_first_five_places_are_named_and_the_others_counted() -> None:
    X = varied()
    X[:, 2:4] = -X[:, 2:4] - 1
    for width in (P, 1):
        (text,) = told("methylation_beta", X, width)
        assert "12 of 48 values lie outside" in text
        assert text.count("feature") == 5
        assert "and 7 more" in text


@pytest.mark.parametrize(
    ("kind", "bad", "words"),
    [
        ("rna_counts", -1, "error: .* kind rna_log "),
        ("mirna_counts", -1, "error: .* kind mirna_log "),
        ("microbiome_counts", -1, "error: .* give the counts themselves"),
        ("rna_counts", 0.5, "warning: .* give kind rna_log"),
        ("mirna_counts", 0.5, "warning: .* give kind mirna_log"),
        ("microbiome_counts", 0.5, "warning: .* Relative abundances are no counts"),
        ("methylation_beta", -0.1, "error: .* between 0 and 1"),
        ("methylation_beta", 1.1, "error: .* between 0 and 1"),
        ("mutation", -1, "error: .* allele fraction"),
        ("mutation", 0.3, "warning: .*(VAF)"),
        ("mutation", 3, "warning: .* Numbers of mutations are fine"),
        ("metabolite", -2, "warning: .* logged or centred before"),
    ],
)
def test_each_kind_says_what_it_does_not_expect(kind: str, bad: float, words: str) -> None:
    X = SOUND[kind].copy()
    X[2, 5] = bad
    (text,) = told(kind, X)
    assert re.search(words, text)
    assert f"feature g5, sample S2: {bad:g}" in text


def test_a_single_negative_among_many_counts_is_a_slip() -> None:
    X = np.rint(np.linspace(0, 1000, 6000)).reshape(6, 1000).astype("f4")
    X[0, 0] = -1
    (text,) = told("rna_counts", X)
    assert "correct these cells" in text
    assert "rna_log" not in text


@pytest.mark.parametrize(("low", "high", "words"), [(-6, 6, "M-values"), (0, 100, "percentages")])
def test_what_most_values_outside_0_to_1_look_like(low: float, high: float, words: str) -> None:
    (text,) = told("methylation_beta", varied(low, high))
    assert f"These look like {words}" in text


def test_a_layer_in_which_nothing_varies_is_an_error_but_not_of_one_sample() -> None:
    X = np.tile(np.arange(P, dtype="f4"), (N, 1))
    (text,) = told("array", X)
    assert "error: table.tsv: No feature varies: each of the 8 features" in text
    assert told("array", X[:1]) == []
    assert told("array", X, height=1) == [text]


def test_many_constant_features_are_a_warning_and_half_of_them_are_not() -> None:
    X = varied()
    X[:, :4] = 1
    assert told("array", X) == []
    X[:, 4] = 1
    (text,) = told("array", X)
    assert "warning: table.tsv: 5 of 8 features have the same value" in text


def import_table(tmp_path: Path, frame: pd.DataFrame, kind: str, form: str, rows: str) -> list[str]:
    path = tmp_path / f"table.{form}"
    if form == "tsv":
        frame.to_csv(path, sep="\t")
    elif form == "parquet":
        frame.rename_axis("id").reset_index().to_parquet(path, index=False)
    else:
        import anndata

        table = anndata.AnnData(
            frame.to_numpy(),
            obs=pd.DataFrame(index=frame.index),
            var=pd.DataFrame(index=frame.columns),
        )
        table.write_h5ad(path)
    request = ImportRequest("m", kind, "main", rows, (path,))
    problems = import_layer(request, tmp_path / "main.m.h5ad").found
    return [str(problem).replace(f"table.{form}", "FILE") for problem in problems]


@pytest.mark.parametrize("form", ["tsv", "parquet", "h5ad"])
@pytest.mark.parametrize("rows", ["features", "samples"])
def test_import_names_feature_and_sample_whichever_way_the_table_lies(
    form: str, rows: str, tmp_path: Path
) -> None:
    X = varied(0.1, 0.9)
    X[2, 5] = 1.75
    samples = [f"S{row}" for row in (3, 1, 0, 5, 4, 2)]
    frame = pd.DataFrame(X, index=samples, columns=[f"g{column}" for column in range(P)])
    (text,) = import_table(
        tmp_path, frame if rows == "samples" else frame.T, "methylation_beta", form, rows
    )
    assert text.startswith("FILE: 1 of 48 values lie outside 0 to 1")
    assert "feature g5, sample S0: 1.75" in text


def test_files_of_one_sample_each_are_looked_at_together(tmp_path: Path) -> None:
    paths = []
    for sample, count in (("S2", "-3"), ("S1", "4"), ("S3", "9")):
        paths.append(tmp_path / f"{sample}.tsv")
        paths[-1].write_text(f"feature\tvalue\ng1\t{count}\ng2\t5\n")
    request = ImportRequest("m", "rna_counts", "main", "features", tuple(paths), ("S2", "S1", "S3"))
    (problem,) = import_layer(request, tmp_path / "main.m.h5ad").found
    assert problem.file == "S2.tsv"
    assert "feature g1, sample S2: -3" in problem.problem


# How many samples a layer has.


def layer_ids(layer: str, cohort: str, role: str, samples: list[str]) -> LayerIds:
    return LayerIds(
        cohort, layer, "array", role, "samples", (), (), tuple(samples), 9, f"{cohort}.tsv", ()
    )


@pytest.mark.parametrize(
    ("n", "words"), [(1, "error"), (2, "warning"), (4, "warning"), (5, ""), (9, "")]
)
def test_a_layer_needs_training_samples(n: int, words: str) -> None:
    samples = [f"S{index}" for index in range(n)]
    problems = Problems()
    layers = [
        layer_ids("a", "main", "train", samples),
        layer_ids("a", "other", "external", ["X1"]),
    ]
    check_layer_sizes(layers, {*samples, "S77"}, problems)
    assert [problem.severity for problem in problems.found] == [words] * bool(words)
    assert all("main.tsv" in str(problem) and "S0" in str(problem) for problem in problems.found)


def test_training_samples_of_all_cohorts_count_together() -> None:
    problems = Problems()
    layers = [
        layer_ids("a", "main", "train", ["S1", "S2", "S3"]),
        layer_ids("a", "other", "train", ["T1", "T2", "T3"]),
    ]
    check_layer_sizes(layers, {"S1", "S2", "S3", "T1", "T2"}, problems)
    assert problems.found == []


def test_a_few_negative_values_among_fractions_are_logged_counts_and_told_once() -> None:
    X = np.linspace(0.3, 19.7, 6000).reshape(6, 1000).astype("f4")
    X[0, 0] = -2.019
    (text,) = told("mirna_counts", X)
    assert "1 of 6000 values are negative" in text
    assert "look logged or centred: give kind mirna_log" in text
