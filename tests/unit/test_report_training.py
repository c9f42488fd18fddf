"""Training curves and tuning on the page."""

import shutil
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omicsfusion.models.grid_edges import edge_words
from omicsfusion.models.tuning.space import OF_CLASSES, space_of
from omicsfusion.report.chapters.training import curve_summary, training_chapter
from omicsfusion.report.chapters.tuning import SETTINGS, tuned_networks
from omicsfusion.report.page import render_report
from omicsfusion.report.published import TRIED
from omicsfusion.report.results import read_results
from tests.results_folder import edit_table, write_results

TRIALS = 12


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_results(tmp_path_factory.mktemp("results"), "survival", trials=TRIALS)


@pytest.fixture
def folder(written, tmp_path):
    return Path(shutil.copytree(written, tmp_path / "results"))


def losses(lengths):
    """Fits of one repeat that run for so many epochs, with a loss of 10 x fold + epoch."""
    rows = [
        (1, fold, epoch, 10.0 * fold + epoch, -epoch)
        for fold, length in enumerate(lengths, 1)
        for epoch in range(1, length + 1)
    ]
    return pd.DataFrame(rows, columns=["repeat", "fold", "epoch", "train_loss", "stop_loss"])


def test_curves_end_when_more_than_half_of_the_fits_have_stopped_with_their_last_loss():
    found = curve_summary(losses([5, 2, 3, 1]))
    assert found["epoch"].tolist() == [1, 2, 3]
    assert found["train_loss_median"].tolist() == [26, 27, 27.5]  # at 3: 13, 22, 33 and 41
    assert found["stop_loss_median"].tolist() == [-1, -2, -2.5]
    assert found["train_loss_low"].tolist() == pytest.approx([14, 15, 15.7])
    assert found["train_loss_high"].tolist() == pytest.approx([38, 38.3, 38.6])


@pytest.mark.parametrize(("lengths", "until"), [([4], 4), ([4, 9], 9), ([4, 6, 9], 6)])
def test_curves_last_as_long_as_half_of_the_fits(lengths, until):
    assert curve_summary(losses(lengths))["epoch"].max() == until


def test_the_order_of_rows_does_not_matter_to_the_curves():
    table = losses([5, 2, 3, 3])
    shuffled = table.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(curve_summary(shuffled), curve_summary(table), check_exact=True)


def test_a_network_s_curves_are_those_of_outer_folds_and_all_samples(folder):
    results = read_results(folder)
    (curves,) = training_chapter(results).content["curves"]
    training = results["training"]
    fits = training[(training["model"] == "fused") & training["inner"].isin(["outer", "final"])]
    best = float(fits["best_epoch"].median())
    assert curves["name"] == f"Fused network, all omics: 7 fits, median best epoch {best:g}"
    assert [shape["x0"] for shape in curves["figure"].layout["shapes"]] == [best, best]
    medians = [trace for trace in curves["figure"].data if "hovertemplate" in trace]
    assert [len(trace["x"]) for trace in medians] == [40, 40]


def test_without_a_log_of_the_fits_the_curves_have_no_line(folder):
    (folder / "models/fused.all.training.tsv").unlink()
    (curves,) = training_chapter(read_results(folder)).content["curves"]
    assert curves["name"] == "Fused network, all omics: 7 fits"
    assert curves["figure"].layout["shapes"] == []


def test_fits_that_chose_a_setting_at_the_edge_of_its_grid_are_counted_by_model(folder):
    assert training_chapter(read_results(folder)).content["edges"] == (
        "No fit chose a setting that is marked as at the edge of what was tried."
    )

    def at_edge(table):
        whole = table["inner"].isin(["outer", "final"])
        first = whole & (table["fold"] == "1")
        table.loc[whole, "setting"] = f"share=1; {edge_words(['penalty'])[0]}"
        table.loc[first, "setting"] = f"{edge_words(['factor', 'penalty'])[0]}; one more"
        table.loc[~whole, "setting"] = edge_words(["nothing that counts"])[0]
        return table

    def older(table):
        table.loc[table["inner"] == "final", "setting"] = "x=1; at the edge of the grid"
        return table

    edit_table(folder / "models/linear.all.training.tsv", at_edge)
    edit_table(folder / "models/clinical.all.training.tsv", older)
    said = training_chapter(read_results(folder)).content["edges"]
    assert said.startswith(
        "In 8 of 14 fits (of outer folds, and of all training samples) the best setting stood at "
        "the edge of what was tried: linear model 7 of 7 (factor and penalty), clinical covariates "
        "only 1 of 7. A better one may lie beyond"
    )
    assert said in unescape(render_report(read_results(folder)))


def test_tuning_tells_what_was_tried_what_was_chosen_and_against_what(folder):
    (network,) = tuned_networks(read_results(folder))
    assert "For each of 7 training sets, 12 settings were tried" in network["sentence"]
    assert "33 % of them were given up half way" in network["sentence"]
    assert "reached a C-index of 0.71, the defaults 0.60" in network["sentence"]
    assert network["settings"].rows == [
        ["Learning rate", "0.01", "0.021 (0.021)", "0.021"],
        ["Dropout of features", "0.3", "0.19 (0.19)", "0.19"],
        ["Structure of the network", "default", "wide 7", "wide"],
    ]


def test_importance_is_a_bar_for_each_setting_the_largest_first(folder):
    def more_in_one(table):
        here = (table["fold"] == "1") & (table["repeat"] == "1")
        table.loc[here, "importance"] = ["1.0", "0.0", "0.0"]  # input_dropout, learning_rate, …
        return table

    edit_table(folder / "models/fused.all.trials_importance.tsv", more_in_one)
    (network,) = tuned_networks(read_results(folder))
    means = [6 * 0.6 / 7, (1 + 6 * 0.3) / 7, 6 * 0.1 / 7]
    assert [bar.name for bar in network["bars"]] == [
        *("Learning rate", "Dropout of features", "Structure of the network")
    ]
    assert [bar.value for bar in network["bars"]] == [f"{100 * mean:.0f} %" for mean in means]
    np.testing.assert_allclose(
        [bar.percent for bar in network["bars"]], [100 * m / means[0] for m in means], atol=0.05
    )
    assert "mean over 7 training sets with 12 trials each" in network["importance"]


def test_with_few_trials_the_page_says_why_there_is_no_importance(tmp_path):
    write_results(tmp_path, "classification", trials=3)
    results = read_results(tmp_path)
    (network,) = tuned_networks(results)
    assert network["bars"] == []
    assert "at least 10 trials" in network["importance"]
    assert "at least 10 trials" in render_report(results)


def test_where_no_trial_could_be_scored_nothing_is_compared(folder):
    def unscored(table):
        return table.assign(score="", chosen="False")

    edit_table(folder / "models/fused.all.trials.tsv", unscored)
    (network,) = tuned_networks(read_results(folder))
    assert "No score of the chosen ones" in network["sentence"]
    assert {row[2] for row in network["settings"].rows} == {"—"}


def test_older_runs_and_runs_without_trials_say_nothing_of_tuning(folder):
    page = render_report(read_results(folder))
    assert "<h3>Tuning</h3>" in page
    assert "Parzen estimators (12 trials" in page, "the methods tell of it"
    edit_table(folder / "models/fused.all.trials.tsv", lambda table: table.iloc[:0])
    assert tuned_networks(read_results(folder)) == []
    for path in folder.glob("models/*trials*.tsv"):
        path.unlink()
    page = render_report(read_results(folder))
    assert "<h3>Tuning</h3>" not in page
    assert "Parzen" not in page


def test_the_page_has_words_for_whatever_a_trial_can_choose():
    every = {*space_of("classification", {"default": {}, "wide": {}}), *OF_CLASSES}
    assert every == set(TRIED) == set(SETTINGS)
