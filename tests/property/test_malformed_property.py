"""Whatever bytes the inputs hold, the checks end with problems and without a traceback."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from omicsfusion.tables.findings import Request
from tests.malformed.cases import DEFAULTS, REGRESSION, SURVIVAL
from tests.malformed.cohort import Cohort
from tests.malformed.run_case import run

PIECES = st.sampled_from(
    [
        b"\t",
        b",",
        b";",
        b"\n",
        b"\r",
        b'"',
        b"#",
        b"\0",
        b"\xff",
        b" ",
        b"-",
        b"NA",
        b"S01",
        b"1e999",
    ]
)
EDIT = st.tuples(st.floats(0, 1), st.integers(0, 12), PIECES | st.binary(max_size=4))
FILES = ("rna.tsv", "samples.tsv", "samplesheet.csv")
ASKED = [{}, SURVIVAL, REGRESSION, {"covariates": ("age", "sex")}, {"split": "column:part"}]


def edited(content: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    """Replace some bytes: (where as a share of the file, how many, by what)."""
    for where, length, piece in edits:
        at = int(where * len(content))
        content = content[:at] + piece + content[at + length :]
    return content


@settings(max_examples=80, deadline=None)
@given(
    name=st.sampled_from(FILES),
    edits=st.lists(EDIT, min_size=1, max_size=4),
    options=st.sampled_from(ASKED),
)
def test_no_damage_ends_in_an_exception(
    name: str, edits: list[tuple[float, int, bytes]], options: dict[str, object]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sheet, samples = Cohort().write(Path(folder))
        damaged = Path(folder) / name
        damaged.write_bytes(edited(damaged.read_bytes(), edits))
        request = Request(sheet=sheet, samples=samples, **{**DEFAULTS, **options})  # type: ignore[arg-type]
        result = run(request, Path(folder))
        assert {problem.severity for problem in result.problems} <= {"error", "warning"}
