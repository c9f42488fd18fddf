"""Tables of every format give the same ids and the same numbers, and pandas hides nothing."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from omicsfusion.tables.cells import CellReader
from omicsfusion.tables.numbers import cure_for_text, is_number, number_in
from omicsfusion.tables.problems import Problems
from omicsfusion.tables.reading import TableIds, read_blocks, read_ids
from omicsfusion.tables.text_table import scan_text
from omicsfusion.tables.unreadable import UnreadableTableError

ROWS = ["TP53", "BRCA1", "NA", "7", "007"]
COLUMNS = ["b", "a", "10", "1"]
VALUES = np.array(
    [[1, 2.5, np.nan, -4], [0, 1e-3, 1e6, 7], [5, 5, 5, 5], [9, 8, 7, 6], [-1, -2, -3, -4]]
)


def frame() -> pd.DataFrame:
    return pd.DataFrame(VALUES, index=pd.Index(ROWS, name="id"), columns=COLUMNS)


def write(path: Path, kind: str) -> Path:
    if kind == "tsv":
        frame().to_csv(path, sep="\t")
    elif kind == "csv.gz":
        with gzip.open(path, "wt") as out:
            frame().to_csv(out)
    elif kind == "parquet":
        frame().reset_index().to_parquet(path, index=False)
    elif kind == "parquet with an index":
        frame().to_parquet(path)
    else:
        write_anndata(path, kind)
    return path


def write_anndata(path: Path, kind: str) -> None:
    import anndata

    x = np.nan_to_num(VALUES)
    shapes = {"h5ad": np.asarray, "h5ad csr": sparse.csr_matrix, "h5ad csc": sparse.csc_matrix}
    table = anndata.AnnData(
        shapes[kind](x), obs=pd.DataFrame(index=ROWS), var=pd.DataFrame(index=COLUMNS)
    )
    table.write_h5ad(path)


def numbers(path: Path) -> np.ndarray:
    ids = read_ids(path)
    return read_all(ids, CellReader(ids))


def read_all(ids: TableIds, reader: CellReader) -> np.ndarray:
    """Put the blocks of a table together; each cell must come once."""
    whole = np.full((len(ids.rows), len(ids.columns)), -99, dtype="f4")
    for block in read_blocks(ids):
        values = reader.numbers(block)
        place = np.s_[
            block.row : block.row + len(values), block.column : block.column + values.shape[1]
        ]
        assert (whole[place] == -99).all()
        assert whole[place].shape == values.shape
        whole[place] = values
    assert not (whole == -99).any()
    return whole


KINDS = ["tsv", "csv.gz", "parquet", "parquet with an index", "h5ad", "h5ad csr", "h5ad csc"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_gives_the_same_ids_and_numbers(kind: str, tmp_path: Path) -> None:
    path = write(tmp_path / "table", kind)
    ids = read_ids(path)
    assert (list(ids.rows), list(ids.columns)) == (ROWS, COLUMNS)
    expected = np.nan_to_num(VALUES) if kind.startswith("h5ad") else VALUES
    np.testing.assert_array_equal(numbers(path), expected.astype("f4"))


@pytest.mark.parametrize("kind", KINDS)
def test_small_blocks_give_the_same_numbers(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "table", kind)
    whole = numbers(path)
    monkeypatch.setattr("omicsfusion.tables.reading.BLOCK_CELLS", 2)
    monkeypatch.setattr("omicsfusion.tables.reading.TEXT_CELLS", 8)
    np.testing.assert_array_equal(numbers(path), whole)


@pytest.mark.parametrize("kind", ["tsv", "csv.gz"])
def test_wide_text_tables_give_the_same_numbers(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "table", kind)
    monkeypatch.setattr("omicsfusion.tables.text_blocks.WIDE", 1)
    monkeypatch.setattr("omicsfusion.tables.reading.BLOCK_ROWS", 2)
    np.testing.assert_array_equal(numbers(path), VALUES.astype("f4"))


def test_bad_cells_of_wide_tables_are_named_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "table.csv"
    path.write_text('id,a,b,c\ng1,1,"low, very",3\ng2,,inf,N/A\n"g3",.,1e99,x\n')
    told = []
    for wide in (1, 10):
        monkeypatch.setattr("omicsfusion.tables.text_blocks.WIDE", wide)
        ids = read_ids(path)
        reader, problems = CellReader(ids), Problems()
        read_all(ids, reader)
        reader.report(problems)
        told.append([str(problem) for problem in problems.found])
    assert told[0] == told[1]
    assert "row 2 (g1), column b: 'low, very'; row 4 (g3), column c: 'x'" in told[0][0]


def test_a_header_longer_than_a_row_is_not_taken_for_an_index(tmp_path: Path) -> None:
    path = tmp_path / "table.tsv"
    path.write_text("id\tS1\tS2\ng1\t1\t2\t3\ng2\t1\t2\n")
    with pytest.raises(UnreadableTableError, match="line 2"):
        scan_text(path)


def test_duplicated_headers_keep_their_names(tmp_path: Path) -> None:
    path = tmp_path / "table.tsv"
    path.write_text("id\ta\ta\ng1\t1\t2\n")
    assert read_ids(path).columns == ("a", "a")


def test_lines_of_rows_count_comments_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "table.tsv"
    path.write_text("# note\nid\ta\n\ng1\t1\n\t\ng2\tx\n")
    ids = read_ids(path)
    assert (ids.rows, ids.lines) == (("g1", "g2"), (4, 6))
    reader = CellReader(ids)
    read_all(ids, reader)
    problems = Problems()
    reader.report(problems)
    assert problems.errors[0].row == "6"


@pytest.mark.parametrize("cell", ["1_000", "0x1A", "1e", "٣", "1 2", "--5", "1d5", "TRUE", "nan%"])
def test_text_that_python_or_pandas_might_take_for_a_number_is_none(
    cell: str, tmp_path: Path
) -> None:
    assert number_in(cell) is None
    path = tmp_path / "table.tsv"
    path.write_text(f"id\ta\tb\ng1\t{cell}\t1\ng2\t{cell}\t2\n")
    ids = read_ids(path)
    reader = CellReader(ids)
    values = read_all(ids, reader)
    problems = Problems()
    reader.report(problems)
    assert np.isnan(values[:, 0]).all()
    assert "2 cells hold text" in problems.errors[0].problem


@pytest.mark.parametrize("cell", ["1", "-1.", ".5", "+3e-8", "1E5", " 7 ", "00012"])
def test_numbers_of_all_shapes_are_read(cell: str) -> None:
    assert is_number(cell)
    assert number_in(cell) == float(cell)


def test_integers_beyond_64_bits_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "table.tsv"
    path.write_text("id\ta\ng1\t123456789012345678901234567890\ng2\t1\n")
    assert numbers(path)[0, 0] == np.float32(123456789012345678901234567890)


@pytest.mark.parametrize(
    ("cells", "word"),
    [
        (["3,14"], "decimal commas"),
        (["1.234,5"], "decimal commas"),
        (["1,234", "2,5"], "decimal commas"),
        (["1,234,567.8"], "thousands"),
        (["<0.1"], "limit of detection"),
        (["#REF!"], "spreadsheet"),
        (["True"], "1 for true"),
        (["abc"], "numbers only"),
    ],
)
def test_the_cure_fits_the_text(cells: list[str], word: str) -> None:
    assert word in cure_for_text(cells)


def test_a_truth_column_of_parquet_is_no_number(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pd.DataFrame({"id": ["g1", "g2"], "S1": [True, False]}).to_parquet(path, index=False)
    ids = read_ids(path)
    reader = CellReader(ids)
    read_all(ids, reader)
    problems = Problems()
    reader.report(problems)
    assert "1 for true" in problems.errors[0].cure


def test_a_zero_in_a_delimiter_rich_name_does_not_mislead(tmp_path: Path) -> None:
    path = tmp_path / "genus.tsv"
    lineage = "d__Bacteria;p__Firmicutes;c__Bacilli;g__"
    path.write_text(f"id\tS1\tS2\n{lineage}A\t1\t2\n{lineage}B\t3\t4\n")
    assert scan_text(path).delimiter == "\t"
    assert read_ids(path).rows == (f"{lineage}A", f"{lineage}B")


@pytest.mark.parametrize("wide", [1, 10])
@pytest.mark.parametrize("row", ["g3\t1\t2", "g3\t1\t2\t3\t4", "g3\t1\t2\t3\t"])
def test_a_row_of_another_length_is_noticed_while_cells_are_read(
    row: str, wide: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omicsfusion.tables.text_blocks.WIDE", wide)
    path = tmp_path / "table.tsv"
    path.write_text(f"id\ta\tb\tc\ng1\t1\t2\t3\ng2\t4\t5\t6\n{row}\ng4\t7\t8\t9\n")
    ids = read_ids(path, cells_counted=False)
    with pytest.raises(UnreadableTableError, match="line 4") as caught:
        read_all(ids, CellReader(ids))
    assert caught.value.row == "4"


@pytest.mark.parametrize("wide", [1, 10])
def test_blank_lines_between_rows_are_passed_over_and_lines_keep_their_numbers(
    wide: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omicsfusion.tables.text_blocks.WIDE", wide)
    monkeypatch.setattr("omicsfusion.tables.reading.TEXT_CELLS", 4)
    path = tmp_path / "table.tsv"
    path.write_text("id\ta\tb\ng1\t1\t2\n\ng2\t3\t4\n\t\t\ng3\t5\tx\n\n")
    ids = read_ids(path)
    reader, problems = CellReader(ids), Problems()
    np.testing.assert_array_equal(read_all(ids, reader), [[1, 2], [3, 4], [5, np.nan]])
    reader.report(problems)
    assert problems.errors[0].row == "6"


def test_lone_carriage_returns_end_lines_too(tmp_path: Path) -> None:
    path = tmp_path / "table.tsv"
    for text in ("id\ta\rg1\t1\rg2\t2\r", "id\ta\ng1\t1\rg2\t2\n", "id\ta\r\ng1\t1\r\ng2\t2\r\n"):
        path.write_bytes(text.encode())
        assert read_ids(path).rows == ("g1", "g2")
        np.testing.assert_array_equal(numbers(path), [[1], [2]])


def test_ids_of_parquet_columns_may_hold_dots(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    table = pd.DataFrame({"id": ["g1", "g2"], "S1": [1.0, 2.0], "S1.1": [3.0, 4.0], "S1.2": [5, 6]})
    table.to_parquet(path, index=False)
    assert read_ids(path).columns == ("S1", "S1.1", "S1.2")
    np.testing.assert_array_equal(numbers(path), [[1, 3, 5], [2, 4, 6]])


def test_nested_columns_of_parquet_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pd.DataFrame({"id": ["g1"], "S1": [{"a": 1, "b": 2}]}).to_parquet(path, index=False)
    with pytest.raises(UnreadableTableError, match="columns within columns"):
        read_ids(path)


@pytest.mark.parametrize("chunks", [(1, 1), (2, 3), (5, 4), (1, 4)])
def test_chunks_of_anndata_are_read_whole(
    chunks: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import h5py

    path = write(tmp_path / "table.h5ad", "h5ad")
    with h5py.File(path, "r+") as file:
        values = file["X"][:]
        attributes = dict(file["X"].attrs)
        del file["X"]
        file.create_dataset("X", data=values, chunks=chunks, compression="gzip")
        file["X"].attrs.update(attributes)
    whole = numbers(path)
    np.testing.assert_array_equal(whole, np.nan_to_num(VALUES).astype("f4"))
    monkeypatch.setattr("omicsfusion.tables.reading.BLOCK_CELLS", 5)
    np.testing.assert_array_equal(numbers(path), whole)
    for block in read_blocks(read_ids(path)):
        assert block.row % chunks[0] == 0
        assert block.column % chunks[1] == 0


@pytest.mark.parametrize("cell", ["-nan", "+NaN", "Infinity", "-inf", "1e400", "nan(1)"])
def test_what_arrow_takes_for_a_number_and_is_none_is_told(cell: str, tmp_path: Path) -> None:
    path = tmp_path / "table.tsv"
    path.write_text(f"id\ta\tb\ng1\t{cell}\t1\ng2\t3\t2\n")
    ids = read_ids(path)
    reader, problems = CellReader(ids), Problems()
    values = read_all(ids, reader)
    reader.report(problems)
    np.testing.assert_array_equal(values, [[np.nan, 1], [3, 2]])
    assert "row 2 (g1), column a" in str(problems.errors[0])
