"""What the page says of the layers that patients have, and when it says nothing."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from omicsfusion.report.chapters.patterns import MOST_PATTERNS, patterns_table
from omicsfusion.report.page import render_report
from omicsfusion.report.results import read_results
from tests.results_folder import edit_table, write_results

FILE = "assess/metrics_by_pattern.tsv"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_results(tmp_path_factory.mktemp("results"), "survival", patients=60)


@pytest.fixture
def folder(written, tmp_path):
    return Path(shutil.copytree(written, tmp_path / "results"))


def table_of(folder):
    return patterns_table(read_results(folder))


def test_a_row_for_each_pattern_the_largest_first_and_a_cell_for_each_model(folder):
    table = table_of(folder)
    assert table.header == [
        *("Layers", "Samples", "Fused network", "Linear model", "Clinical covariates only")
    ]
    assert [row[0] for row in table.rows] == [
        "clinical, methylation and rna",
        "clinical and methylation",
        "clinical and rna",
    ]
    assert [row[1].split("\n")[0] for row in table.rows] == ["48", "6", "6"]
    written = pd.read_csv(folder / FILE, sep="\t")
    row = written[(written["metric"] == "c_index") & (written["model"] == "fused")].iloc[0]
    assert table.rows[0][1] == f"48\n{int(row['n_events'])} events"
    assert table.rows[0][2] == f"{row['estimate']:.2f}\n{row['ci_low']:.2f} to {row['ci_high']:.2f}"


def test_too_few_samples_have_a_row_with_the_reason_instead_of_a_number(folder):
    assert [row[2:] for row in table_of(folder).rows[1:]] == [["—\nfewer than 10 samples"] * 3] * 2


def test_the_page_says_what_the_rows_mean(folder):
    page = render_report(read_results(folder))
    assert "By the layers that patients have" in page
    assert "Rows differ in who the patients are" in page
    assert "Calibration is not shown here" in page


def test_one_pattern_or_an_older_run_has_no_table(folder):
    edit_table(folder / FILE, lambda table: table[table["pattern"] == "clinical;rna"])
    assert table_of(folder) is None
    (folder / FILE).unlink()
    assert table_of(folder) is None
    assert "By the layers that patients have" not in render_report(read_results(folder))


def test_of_very_many_patterns_the_rarest_are_left_to_the_file(folder):
    def many(table):
        first = table[table["pattern"] == table["pattern"].iloc[0]]
        more = [
            first.assign(pattern=f"layer {i:02d}", n=str(100 - i)) for i in range(MOST_PATTERNS + 3)
        ]
        return pd.concat(more)

    edit_table(folder / FILE, many)
    table = table_of(folder)
    assert [row[0] for row in table.rows] == [f"layer {i:02d}" for i in range(MOST_PATTERNS)]
    assert f"3 rarer combinations: {FILE}." in table.note
