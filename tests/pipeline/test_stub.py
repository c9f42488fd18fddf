"""`-stub-run` goes through the whole graph without computing anything."""

from pathlib import Path

import pytest

from tests.pipeline.engine import run

pytestmark = pytest.mark.engine

STATIONS = [
    "CHECK_INPUT",
    "CHECK_RECIPES",
    "IMPORT",
    "FIND_DUPLICATES",
    "SPLIT",
    "QC",
    "CONCORDANCE",
    "GUARD",
    "PREPROCESS",
    "TRAIN",
    "ASSESS",
    "EXPLAIN",
    "ENRICH",
    "REPORT",
]


@pytest.mark.parametrize("parser", ["v1", "v2"])
def test_a_stub_run_visits_every_station(tmp_path: Path, parser: str) -> None:
    done = run(tmp_path, "-profile", "test", "-stub-run", parser=parser)
    assert done.code == 0, done.text
    assert set(done.submitted) == set(STATIONS)
    assert (done.outdir / "report" / "omicsfusion_report.html").exists()
