"""The reviewer's checklist: every item of both lists has a row, and what is filled in is so."""

import re
from dataclasses import replace

import pytest

from omicsfusion.report.chapters.checklist import (
    FOR_THE_AUTHORS,
    FROM_THE_RUN,
    checklist_chapter,
)
from omicsfusion.report.results import read_results
from omicsfusion.tables.outcome import TASKS
from tests.results_folder import write_results


@pytest.fixture(scope="module", params=TASKS)
def results(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return read_results(write_results(folder, request.param, left_out=[("s99", "no outcome")]))


def said(results) -> dict[str, str]:
    """Return what the chapter says by the item's number in TRIPOD+AI."""
    table = checklist_chapter(results).content["filled"]
    return {row[0]: row[3] for row in table.rows}


def numbers(texts) -> set[int]:
    found = set()
    for text in texts:
        for part in filter(None, text.split(", ")):
            first, *last = (int(re.match(r"\d+", end).group()) for end in part.split("–"))
            found |= set(range(first, max([first, *last]) + 1))
    return found


def test_every_item_of_both_checklists_has_a_row():
    tripod = [item.tripod for item in FROM_THE_RUN] + [row[0] for row in FOR_THE_AUTHORS]
    remark = [item.remark for item in FROM_THE_RUN] + [row[1] for row in FOR_THE_AUTHORS]
    assert numbers(tripod) == set(range(1, 28))
    assert numbers(remark) == set(range(1, 21))


def test_it_counts_patients_events_and_those_left_out(results):
    found = said(results)
    training = results["samples"]
    training = training[training["role"] == "train"]
    assert f"{training['patient'].nunique()} patients" in found["20b, 21"]
    if results.task == "survival":
        assert f"{int((training['event'] == 1).sum())} events" in found["20b, 21"]
    else:
        assert "event" not in found["20b, 21"]
    assert " 1 left out" in found["6b, 20a"]


def test_the_shares_of_classes_are_those_of_the_training_samples(results):
    told = said(results)["13"]
    if results.task != "classification":
        assert told == "Not a classification."
        return
    shares = results["samples"]["truth"].value_counts(normalize=True)
    assert f"Rarest class {shares.min():.0%}" in told


def test_without_covariates_it_says_that_nothing_tells_what_omics_add(results):
    assert "covariates alone stands beside" in said(results)["23b"]
    metrics = results["metrics"]
    alone = metrics[metrics["model"] == "fused"]
    tables = {**results.tables, "metrics": alone}
    assert "No covariates" in said(replace(results, tables=tables))["23b"]
