"""The first screen: whether the outcome can be predicted at all, and how far to trust the risks."""

import json
import shutil
from math import nan
from pathlib import Path

import pytest

from omicsfusion.assess.comparison.chance import ALPHA, LEAST_CONTROLS
from omicsfusion.report.chapters.answer import answer_chapter
from omicsfusion.report.chapters.controls import ENOUGH
from omicsfusion.report.metric_words import metric_cell, metric_in_words
from omicsfusion.report.results import read_results
from omicsfusion.report.words import model_name
from tests.results_folder import edit_table, write_results


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_results(tmp_path_factory.mktemp("results"), "classification")


@pytest.fixture
def folder(written, tmp_path):
    return Path(shutil.copytree(written, tmp_path / "results"))


@pytest.mark.parametrize(
    ("task", "metrics"),
    [
        ("classification", ["balanced_accuracy", "brier", "calibration_slope"]),
        ("survival", ["c_index", "ibs", "calibration_slope"]),
        ("regression", ["r2", "calibration_slope"]),
    ],
)
def test_calibration_stands_beside_what_tells_patients_apart(task, metrics, tmp_path):
    results = read_results(write_results(tmp_path, task))
    table = answer_chapter(results).content["table"]
    labels = [metric_in_words(name).label for name in metrics]
    assert table.header == ["Model", *labels, "Samples"]
    assert [row[0] for row in table.rows] == [model_name(name) for name in results.models]
    for row, model in zip(table.rows, results.models, strict=True):
        assert row[1:-1] == [metric_cell(results.metric(model, name), name) for name in metrics]
    assert "1 is right" in table.note
    assert ("0 is perfect" in table.note) == (task != "regression")


def test_a_run_that_lacks_a_metric_has_a_dash_in_its_place(folder):
    edit_table(folder / "assess/metrics.tsv", lambda table: table[table["metric"] != "brier"])
    table = answer_chapter(read_results(folder)).content["table"]
    assert {row[2] for row in table.rows} == {"—"}


def answer_of(folder):
    return answer_chapter(read_results(folder)).content["answers"][3]


def set_interval(folder, low, high):
    """Set the interval of the main model's headline metric."""

    def change(table):
        here = (table["model"] == "fused") & (table["metric"] == "balanced_accuracy")
        here &= table["scope"] == "test"
        table.loc[here, ["ci_low", "ci_high"]] = [str(low), str(high)]
        return table

    edit_table(folder / "assess/metrics.tsv", change)


def set_controls(folder, p, n, network="fused"):
    """Let the verdict know negative controls, as ASSESS writes them."""
    path = folder / "assess/verdict.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    more = {"network": network, "permutation_p": p, "n_controls": n, "beats_chance": p <= ALPHA}
    record["targets"][0].update(more)
    path.write_text(json.dumps(record), encoding="utf-8")


@pytest.mark.parametrize(
    ("p", "interval", "short", "tone", "reason"),
    [
        (
            *(0.21, (0.4, 0.9), "Not shown", "caution"),
            "the AUROC of the fused network is not better than chance (p = 0.21). The whole "
            "interval of its balanced accuracy, 0.40 to 0.90, lies above guessing (0.33).",
        ),
        (
            *(0.01, (0.3, 0.9), "Yes, better than chance", "good"),
            "the AUROC of the fused network is better than chance (p = 0.010). The interval of "
            "its balanced accuracy, 0.30 to 0.90, includes guessing (0.33).",
        ),
        (
            *(0.99, (0.1, 0.2), "No: worse than chance", "caution"),
            "the AUROC of the fused network is not better than chance (p = 0.99). The whole "
            "interval of its balanced accuracy, 0.10 to 0.20, lies below guessing (0.33).",
        ),
        (
            *(0.01, (nan, nan), "Yes, better than chance", "good"),
            "the AUROC of the fused network is better than chance (p = 0.010). No interval of "
            "its balanced accuracy could be computed.",
        ),
    ],
)
def test_enough_permuted_outcomes_decide(folder, p, interval, short, tone, reason):
    set_interval(folder, *interval)
    set_controls(folder, p, LEAST_CONTROLS)
    answer = answer_of(folder)
    assert (answer.answer, answer.tone) == (short, tone)
    assert answer.reason == f"By 99 runs with permuted outcomes {reason}"


def test_few_permuted_outcomes_or_those_of_another_model_leave_it_to_the_interval(folder):
    set_interval(folder, 0.4, 0.9)
    before = answer_of(folder)
    assert before.answer == "Yes, better than chance"
    assert before.reason == (
        "The whole interval of the fused network, 0.40 to 0.90, lies above guessing (0.33)."
    )
    set_controls(folder, 0.5, LEAST_CONTROLS - 1)
    assert answer_of(folder) == before
    set_controls(folder, 0.5, LEAST_CONTROLS, network="attention")
    assert answer_of(folder) == before


def test_the_page_asks_for_as_many_permuted_outcomes_as_the_verdict():
    assert ENOUGH == LEAST_CONTROLS
