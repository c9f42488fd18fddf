"""What the page says of the learning curve, and that it says nothing without one."""

import shutil
from pathlib import Path

import pytest

from omicsfusion.report.chapters.learning import learning_view
from omicsfusion.report.page import render_report
from omicsfusion.report.results import read_results
from omicsfusion.tables.outcome import TASKS
from tests.results_folder import edit_table, write_results
from tests.unit.test_report_page import text_of

FILE = "assess/learning_curve.tsv"
HEADING = "Score against number of patients"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("results")
    return {task: write_results(root / task, task, learning=True) for task in TASKS}


@pytest.fixture
def folder(folders, tmp_path):
    return Path(shutil.copytree(folders["survival"], tmp_path / "results"))


def with_gain(folder, gain, low, high):
    """Set what the whole gains over the share before it."""

    def change(table):
        whole = table["share"] == "1.0"
        table.loc[whole, ["gain", "gain_low", "gain_high"]] = [str(gain), str(low), str(high)]
        return table

    edit_table(folder / FILE, change)
    return learning_view(read_results(folder))["sentence"]


@pytest.mark.parametrize("task", TASKS)
def test_the_page_shows_the_curve_with_its_sentence_and_table(folders, task):
    results = read_results(folders[task])
    view = learning_view(results)
    assert view["sentence"] in text_of(render_report(results))
    lines = [trace for trace in view["figure"].data if trace["mode"] == "lines+markers"]
    assert [trace["name"] for trace in lines] == [
        *("Fused network", "Linear model", "Clinical covariates only")
    ]
    assert lines[0]["x"] == [12, 18, 24]
    assert [row[0] for row in view["figure"].table.rows] == ["50 %", "75 %", "100 %"]
    assert "3 models" in view["figure"].alt


def test_lines_differ_in_dash_and_mark_so_that_they_can_be_told_apart_in_black_and_white(folder):
    data = learning_view(read_results(folder))["figure"].data
    looks = {(t["line"]["dash"], t["marker"]["symbol"]) for t in data if "marker" in t}
    assert len(looks) == 3


def test_without_a_curve_the_page_has_no_such_heading(folder):
    assert HEADING in render_report(read_results(folder))
    (folder / FILE).unlink()
    results = read_results(folder)
    assert learning_view(results) is None
    assert HEADING not in render_report(results)


def test_the_sentence_says_whether_the_curve_still_rises(folder):
    rising = with_gain(folder, 0.04, 0.01, 0.07)
    assert rising == (
        "From 18 to 24 patients the C-index of the fused network changed by +0.040 (95 % interval "
        "of the paired difference: 0.010 to 0.070): it still rises at its end. What more than 24 "
        "patients would bring is not said: the curve is not drawn beyond its data."
    )
    assert "it cannot be told whether it still rises" in with_gain(folder, 0.01, -0.02, 0.04)
    falling = with_gain(folder, -0.03, -0.05, -0.01)
    assert "changed by −0.030" in falling
    assert "it falls at its end" in falling


def test_shares_without_a_score_and_failed_fits_are_told(folder):
    def change(table):
        failed = (table["share"] == "0.5") & (table["model"] == "linear")
        table.loc[failed, "n_failed"] = "2"
        return table

    edit_table(folder / FILE, change)
    assert learning_view(read_results(folder))["remarks"] == [
        "Not scored at 25 % of the patients: of 9 training sets, inner ones among them, 2 would "
        "hold no event.",
        "Linear model, all omics, 50 % of the patients: 2 fits failed and count as chance.",
    ]


def test_a_curve_of_one_point_is_told_and_not_drawn(folder):
    def change(table):
        part = table["share"] != "1.0"
        table.loc[part, ["estimate", "reason"]] = ["", "a stub"]
        return table

    edit_table(folder / FILE, change)
    view = learning_view(read_results(folder))
    assert view["figure"] is None
    assert len(view["remarks"]) == 3
    assert HEADING in render_report(read_results(folder))
