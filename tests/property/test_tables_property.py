"""What holds of every table."""

import tempfile
from pathlib import Path
from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from omicsfusion.tables.cells import CellReader
from omicsfusion.tables.importing import ImportRequest, import_layer
from omicsfusion.tables.layer import read_header, read_rows
from omicsfusion.tables.numbers import number_in
from omicsfusion.tables.problems import Problems
from omicsfusion.tables.reading import read_blocks, read_ids

FINITE = st.floats(width=32, allow_nan=True, allow_infinity=False)
TABLES = hnp.arrays(
    np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=7), elements=FINITE
)


@settings(max_examples=60, deadline=None)
@given(values=TABLES, delimiter=st.sampled_from("\t,;"), data=st.data())
def test_any_table_of_numbers_comes_back_as_it_was(
    values: np.ndarray, delimiter: str, data: st.DataObject
) -> None:
    n_features, n_samples = values.shape
    order = data.draw(st.permutations(range(n_samples)))
    samples = [f"S{index:02d}" for index in range(n_samples)]
    missing = data.draw(st.sampled_from(["", "NA", "nan"]))
    lines = [["id", *(samples[index] for index in order)]]
    for row in range(n_features):
        cells = [
            missing if np.isnan(values[row, i]) else repr(float(values[row, i])) for i in order
        ]
        lines.append([f"f{row}", *cells])
    with tempfile.TemporaryDirectory() as folder:
        table, out = Path(folder) / "table.txt", Path(folder) / "main.rna.h5ad"
        table.write_text("".join(delimiter.join(line) + "\n" for line in lines))
        request = ImportRequest("rna", "rna_log", "main", "features", (table,))
        problems = import_layer(request, out)
        expected = ("no value", "No cell", "same value in all")
        assert all(any(words in p.problem for words in expected) for p in problems.found)
        assert read_header(out).samples == tuple(samples)
        np.testing.assert_array_equal(read_rows(out, range(n_samples)), values.T)


@given(text=st.text())
def test_a_cell_is_a_number_missing_or_text_and_never_an_exception(text: str) -> None:
    number = number_in(text)
    assert number is None or isinstance(number, float)


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_a_printed_number_is_read_as_itself(number: float) -> None:
    assert number_in(repr(number)) == number


SPELLINGS = ["1", "-2.5", "1e-3", " 7 ", "+3", ".5", "8.", "0", "NA", "nan", "", "NaN", "N/A", "-"]
ODD = ["inf", "low", "1e400", "1e39", "-nan", "0x1A", "1_0", "3,5", "TRUE", "\u00a05", '"6"', "1 2"]


@settings(max_examples=150, deadline=None)
@given(
    data=st.data(),
    wide=st.sampled_from([1, 99]),
    chunk=st.integers(1, 30),
    ends=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_any_spelling_is_read_as_number_in_reads_it(
    data: st.DataObject, wide: int, chunk: int, ends: str
) -> None:
    n_columns = data.draw(st.integers(1, 4))
    cell = st.sampled_from(data.draw(st.sampled_from([SPELLINGS, SPELLINGS + ODD])))
    row = st.lists(cell, min_size=n_columns, max_size=n_columns)
    cells = data.draw(st.lists(row, min_size=1, max_size=8))
    header = "\t".join(["id", *(f"S{column}" for column in range(n_columns))])
    lines = [header, *("\t".join([f"g{at}", *row]) for at, row in enumerate(cells))]
    found = [[number_in(text.strip('"')) for text in row] for row in cells]
    with np.errstate(over="ignore"):
        expected = np.array(
            [[np.nan if x is None else x for x in row] for row in found], dtype=np.float32
        )
    bad = sum(x is None for row in found for x in row) + int(np.isinf(expected).sum())
    expected[np.isinf(expected)] = np.nan
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.tsv"
        path.write_text("".join(line + ends for line in lines), newline="", encoding="utf-8")
        ids = read_ids(path)
        reader, problems = CellReader(ids), Problems()
        with (
            patch("omicsfusion.tables.text_blocks.WIDE", wide),
            patch("omicsfusion.tables.reading.TEXT_CELLS", chunk),
        ):
            values = np.concatenate([reader.numbers(block) for block in read_blocks(ids)])
        reader.report(problems)
    np.testing.assert_array_equal(values, expected)
    told = sum(int(problem.problem.split()[0]) for problem in problems.errors)
    assert told == bad
