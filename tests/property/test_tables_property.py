"""What holds of every table."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from omicsfusion.tables.importing import ImportRequest, import_layer
from omicsfusion.tables.layer import read_header, read_rows
from omicsfusion.tables.numbers import number_in

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
