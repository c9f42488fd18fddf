"""What the page says of the calibration of survival curves."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from omicsfusion.report.chapters.risk import calibration_table
from omicsfusion.report.page import render_report
from omicsfusion.report.results import read_results
from omicsfusion.report.words import number
from tests.results_folder import edit_table, write_results

FILE = "assess/d_calibration.tsv"
HEADING = "Calibration of the survival curves"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_results(tmp_path_factory.mktemp("results"), "survival", patients=60)


@pytest.fixture
def folder(written, tmp_path):
    return Path(shutil.copytree(written, tmp_path / "results"))


def test_a_row_for_each_model_with_p_and_the_shares_of_the_ends_and_the_middle(folder):
    table = calibration_table(read_results(folder))
    assert table.header[3:] == ["0 to 10 %", "40 to 50 %", "90 to 100 %"]
    assert [row[0] for row in table.rows] == [
        *("Fused network, all omics", "Linear model, all omics", "Clinical covariates only")
    ]
    row = pd.read_csv(folder / FILE, sep="\t").set_index("model").loc["fused"]
    assert table.rows[0][1] == number(row["statistic"])
    assert table.rows[0][2].startswith("p ")
    assert table.rows[0][3] == f"{100 * row['share_1']:.0f} %"
    assert table.rows[0][5] == f"{100 * row['share_10']:.0f} %"
    assert HEADING in render_report(read_results(folder))


def test_with_few_samples_the_reason_stands_in_the_place_of_p(folder):
    reason = "fewer than 50 samples"
    edit_table(folder / FILE, lambda table: table.assign(p="", reason=reason))
    rows = calibration_table(read_results(folder)).rows
    assert [row[2] for row in rows] == [f"not told: {reason}"] * 3


def test_an_older_run_has_no_such_table(folder):
    (folder / FILE).unlink()
    assert calibration_table(read_results(folder)) is None
    assert HEADING not in render_report(read_results(folder))
