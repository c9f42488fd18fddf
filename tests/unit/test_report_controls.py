"""What the page says of the negative control, and that it says nothing without one."""

import json

import pandas as pd
import pytest

from omicsfusion.report.chapters.controls import as_high, controls_view
from omicsfusion.report.page import render_report
from omicsfusion.report.results import read_results
from omicsfusion.tables.outcome import TASKS
from tests.results_folder import edit_table, write_results
from tests.unit.test_report_page import text_of

HEADING = "Against permuted outcomes"


@pytest.mark.parametrize("task", TASKS)
def test_the_page_shows_where_the_real_score_stands_and_claims_no_p_of_few(task, tmp_path):
    results = read_results(write_results(tmp_path, task, controls=3))
    view = controls_view(results)
    page = text_of(render_report(results))
    assert HEADING in page
    assert view["sentence"] in page
    assert "of 3 runs with permuted outcomes scored as high as the fused network" in page
    assert "That is a look, and no test: with fewer than 19" in view["sentence"]
    strips = [trace for trace in view["figure"].data if trace["name"] != "real outcome"]
    assert [len(trace["x"]) for trace in strips] == [3, 3, 3]
    assert [len(row) for row in view["figure"].table.rows] == [4] * 3


def test_controls_change_nothing_else_on_the_page(tmp_path):
    with_controls = read_results(write_results(tmp_path / "with", "survival", controls=2))
    without = read_results(write_results(tmp_path / "without", "survival"))
    assert controls_view(without) is None
    assert HEADING not in text_of(render_report(without))
    for name, table in without.tables.items():
        if name != "controls":
            pd.testing.assert_frame_equal(table, with_controls[name])


@pytest.mark.parametrize(
    ("n", "words"),
    [(18, "no test"), (19, "rough"), (98, "rough"), (99, "stands with the answer")],
)
def test_controls_are_called_no_test_below_19_and_rough_up_to_98(n, words, tmp_path):
    folder = write_results(tmp_path, "regression", models=["linear"], controls=1)

    def change(table):
        real = table[table["permutation"] == "0"]
        one = table[(table["permutation"] == "1") & (table["metric"] == "r2")]
        score = real.loc[(real["metric"] == "r2") & (real["scope"] == "test"), "estimate"].iloc[0]
        rest = [one.assign(permutation=str(k), estimate="-0.5") for k in range(2, n + 1)]
        return pd.concat([real, one.assign(estimate=score), *rest])

    edit_table(folder / "assess/metrics.tsv", change)
    view = controls_view(read_results(folder))
    (row,) = view["figure"].table.rows
    assert row[3] == f"1 of {n}"
    assert words in view["sentence"]
    assert words in view["figure"].table.note


def test_a_control_that_scores_the_same_counts_as_high():
    rows = pd.DataFrame({"model": ["a", "a", "a", "b"], "estimate": [0.4, 0.5, 0.6, 0.9]})
    assert as_high(rows, "a", 0.5) == (2, 3)


def test_the_page_says_how_often_permuted_omics_add_as_much(tmp_path):
    folder = write_results(tmp_path, "survival", controls=1)
    assert controls_view(read_results(folder))["omics"] == ""
    path = folder / "assess" / "verdict.json"
    record = json.loads(path.read_text())
    record["targets"][0].update(omics_permutation_p=0.03, n_omics_controls=99)
    path.write_text(json.dumps(record))
    results = read_results(folder)
    said = controls_view(results)["omics"]
    assert said.startswith("In 2 of 99 runs in which each patient had all omics of another one")
    assert said in text_of(render_report(results))
