"""IMPORT changes format, not numbers."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omicsfusion.tables.importing import ImportRequest, import_layer
from omicsfusion.tables.layer import LayerHeader, new_layer, read_header, read_rows
from omicsfusion.tables.layer_writer import LayerWriter


def import_text(tmp_path: Path, text: str, rows: str, **more: object) -> tuple[Path, list[str]]:
    table = tmp_path / "table.tsv"
    table.write_text(text)
    fields = {"layer": "rna", "kind": "rna_log", "cohort": "main", **more}
    out = tmp_path / "main.rna.h5ad"
    request = ImportRequest(rows=rows, files=(table,), **fields)  # type: ignore[arg-type]
    return out, [str(problem) for problem in import_layer(request, out).found]


def values(path: Path) -> np.ndarray:
    return read_rows(path, range(len(read_header(path).samples)))


def test_samples_are_sorted_and_features_keep_their_order(tmp_path: Path) -> None:
    out, problems = import_text(tmp_path, "id\tS2\tS10\tS1\nz\t1\t2\t3\na\t4\t5\t6\n", "features")
    header = read_header(out)
    assert problems == []
    assert (header.samples, header.features) == (("S1", "S10", "S2"), ("z", "a"))
    np.testing.assert_array_equal(values(out), [[3, 6], [2, 5], [1, 4]])


def test_a_table_and_its_transpose_give_the_same_layer(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        np.arange(12.0).reshape(4, 3), index=["f1", "f2", "f3", "f4"], columns=["S3", "S1", "S2"]
    )
    down, _ = import_text(tmp_path, frame.to_csv(sep="\t"), "features")
    first = (read_header(down), values(down))
    across, _ = import_text(tmp_path, frame.T.to_csv(sep="\t"), "samples")
    assert read_header(across) == first[0]
    np.testing.assert_array_equal(values(across), first[1])


def test_anndata_opens_what_was_imported(tmp_path: Path) -> None:
    import anndata

    out, _ = import_text(tmp_path, "id\tS1\tS2\na\t1\t2\nb\t3\tNA\n", "features")
    table = anndata.read_h5ad(out)
    assert list(table.obs_names) == ["S1", "S2"]
    assert list(table.var_names) == ["a", "b"]
    assert table.uns["kind"] == "rna_log"


def test_a_table_that_cannot_be_read_gives_a_problem_and_no_file(tmp_path: Path) -> None:
    out, problems = import_text(tmp_path, "id\tS1\na\n", "features")
    assert len(problems) == 1
    assert not out.exists()


def test_bad_cells_are_counted_and_the_first_five_named(tmp_path: Path) -> None:
    rows = "".join(f"g{index}\tlow\t{index}\n" for index in range(9))
    _, problems = import_text(tmp_path, f"id\tS1\tS2\n{rows}g9\t1\t2\n", "features")
    assert "9 cells hold text" in problems[0]
    assert problems[0].count("'low'") == 5
    assert "and 4 more" in problems[0]


CLINICAL = "sample\tage\tstage\tnote\nS2\t61.5\tIII\t\nS1\t\tI\tNA\nS3\t40\tN/A\t\n"


def test_clinical_words_become_codes_with_their_levels(tmp_path: Path) -> None:
    out, problems = import_text(tmp_path, CLINICAL, "samples", layer="clinical", kind="clinical")
    header = read_header(out)
    assert header.samples == ("S1", "S2", "S3")
    assert header.types == ("numeric", "categorical", "numeric")
    assert header.categories == {"stage": ("I", "III")}
    np.testing.assert_array_equal(values(out)[:, 0], np.array([np.nan, 61.5, 40], "f4"))
    np.testing.assert_array_equal(values(out)[:, 1], np.array([0, 1, np.nan], "f4"))
    assert len(problems) == 1
    assert "'N/A'" in problems[0]


def test_of_the_covariates_of_several_cohorts_one_is_taken_with_the_levels_of_all(
    tmp_path: Path,
) -> None:
    text = "sample\tcohort\tsex\nS1\tmain\tm\nS2\tother\tf\nS3\tmain\tm\n"
    out, _ = import_text(tmp_path, text, "samples", layer="clinical", kind="clinical")
    header = read_header(out)
    assert (header.samples, header.features) == (("S1", "S3"), ("sex",))
    assert header.categories == {"sex": ("f", "m")}
    np.testing.assert_array_equal(values(out), [[1], [1]])


@pytest.mark.parametrize("wrong", ["sixty", "6,5"])
def test_a_word_in_a_column_of_numbers_is_an_error(wrong: str, tmp_path: Path) -> None:
    ages = "".join(f"S{index}\t{index}\n" for index in range(20, 40))
    text = f"sample\tage\n{ages}S99\t{wrong}\n"
    _, problems = import_text(tmp_path, text, "samples", layer="clinical", kind="clinical")
    assert "row 22, column 'age'" in problems[0]


@pytest.mark.parametrize("gathered", [1, 7, 12, 1000])
@pytest.mark.parametrize("shape", [(5, 1), (1, 4), (5, 4), (2, 2), (5, 9)])
def test_blocks_are_written_where_they_belong_whatever_their_shape(
    gathered: int, shape: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omicsfusion.tables.layer_writer.GATHERED", gathered)
    n, p = 5, 9
    X = np.arange(n * p, dtype="f4").reshape(n, p)
    order = np.array([3, 0, 4, 1, 2])
    header = LayerHeader("m", "array", "main", tuple("abcde"), tuple("fghijklmn"))
    path = tmp_path / "main.m.h5ad"
    with new_layer(path, header) as x, LayerWriter(x) as writer:
        for column in range(0, p, shape[1]):
            for start in range(0, n, shape[0]):
                rows = order[start : start + shape[0]]
                writer.write(rows, column, X[rows, column : column + shape[1]])
    np.testing.assert_array_equal(values(path), X)


@pytest.mark.parametrize("rows", ["features", "samples"])
@pytest.mark.parametrize("form", ["tsv", "parquet", "h5ad"])
def test_blocks_of_any_form_and_direction_give_the_same_layer(
    form: str, rows: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.random((7, 11)).astype("f4"))
    frame.index = pd.Index([f"S{row}" for row in rng.permutation(7)], name="id")
    frame.columns = [f"g{column}" for column in range(11)]
    table = frame if rows == "samples" else frame.T.rename_axis("id")
    path = tmp_path / f"table.{form}"
    if form == "tsv":
        table.to_csv(path, sep="\t")
    elif form == "parquet":
        table.reset_index().to_parquet(path, index=False, row_group_size=3)
    else:
        import anndata

        anndata.AnnData(table).write_h5ad(path)
    for name, size in (("reading.BLOCK_CELLS", 6), ("reading.TEXT_CELLS", 20)):
        monkeypatch.setattr(f"omicsfusion.tables.{name}", size)
    monkeypatch.setattr("omicsfusion.tables.layer_writer.GATHERED", 30)
    out = tmp_path / "main.m.h5ad"
    request = ImportRequest("m", "array", "main", rows, (path,))
    assert import_layer(request, out).found == []
    assert read_header(out).samples == tuple(f"S{row}" for row in range(7))
    np.testing.assert_array_equal(values(out), frame.sort_index().to_numpy())


def test_a_block_that_fails_leaves_no_file(tmp_path: Path) -> None:
    header = LayerHeader("m", "array", "main", ("a", "b"), ("f", "g"))
    path = tmp_path / "main.m.h5ad"

    def write_half() -> None:
        with new_layer(path, header) as x, LayerWriter(x) as writer:
            writer.write(np.arange(2), 0, np.ones((2, 1), dtype="f4"))
            raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        write_half()
    assert not path.exists()
