"""What the page says of luck of the seed, and when it says nothing."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from omicsfusion.report.chapters.seeds import seeds_view
from omicsfusion.report.page import render_report
from omicsfusion.report.results import read_results
from tests.results_folder import edit_table, write_results

FILE = "assess/seeds.tsv"
HEADING = "How much of it is luck of the seed"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_results(tmp_path_factory.mktemp("results"), "classification", patients=60)


@pytest.fixture
def folder(written, tmp_path):
    return Path(shutil.copytree(written, tmp_path / "results"))


def view_of(folder):
    return seeds_view(read_results(folder))


def compared(folder) -> pd.Series:
    """The comparison on which the verdict rests."""
    table = pd.read_csv(folder / "assess/comparison.tsv", sep="\t")
    return table[(table["name"] == "shallow") & (table["scope"] == "test")].iloc[0]


def with_spread(folder, sd: float, metric: str = "auroc"):
    def change(table):
        table.loc[table["metric"] == metric, "sd_seeds"] = str(sd)
        return table

    edit_table(folder / FILE, change)
    return view_of(folder)["sentence"]


def test_a_row_for_each_network_and_metric_with_the_numbers_of_the_table(folder):
    table = view_of(folder)["table"]
    rows = pd.read_csv(folder / FILE, sep="\t").set_index("metric")
    assert [row[:3] for row in table.rows] == [
        ["Fused network, all omics", "Balanced accuracy", "3"],
        ["Fused network, all omics", "AUROC", "3"],
    ]
    numbers = rows.loc["auroc", ["mean", "sd_seeds", "sd_folds", "sd_repeats", "ensemble"]]
    assert table.rows[1][3:] == [f"{value:.3f}" for value in numbers]
    assert "No SD of seeds" not in table.note
    assert HEADING in render_report(read_results(folder))


def test_a_spread_as_large_as_the_verdicts_difference_asks_for_more_networks(folder):
    difference = abs(compared(folder)["difference"])
    told = with_spread(folder, 2 * difference)
    assert f"differ by {2 * difference:.3f} (standard deviation of the AUROC)" in told
    assert "a larger --ensemble" in told
    less = with_spread(folder, difference / 2)
    assert f"the mean of 3 networks differs by {difference:.3f}." in less
    assert "--ensemble" not in less


def test_few_networks_and_failed_ones_are_said_below_the_table(folder):
    def few(table):
        reason = "fewer than 3 networks a fit"
        return table.assign(n_seeds="2", n_failed="1", sd_seeds="", reason=reason)

    edit_table(folder / FILE, few)
    view = view_of(folder)
    assert view["sentence"] == ""
    assert [row[4] for row in view["table"].rows] == ["—", "—"]
    assert "No SD of seeds: fewer than 3 networks a fit." in view["table"].note
    assert "1 single network did not train and count as chance." in view["table"].note


def test_a_run_without_networks_or_an_older_one_says_nothing(folder):
    edit_table(folder / FILE, lambda table: table.iloc[:0])
    assert view_of(folder) is None
    (folder / FILE).unlink()
    assert view_of(folder) is None
    assert HEADING not in render_report(read_results(folder))


def test_without_a_shallow_model_there_is_a_table_without_a_comparison(folder):
    edit_table(folder / "assess/comparison.tsv", lambda table: table.iloc[:0])
    view = view_of(folder)
    assert view["sentence"] == ""
    assert [row[1] for row in view["table"].rows] == ["Balanced accuracy"]
