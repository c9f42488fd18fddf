"""What the page says of the usual mistakes, and that none of it is taken for a result."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from omicsfusion.assess.optimism import NOT_TRAINED
from omicsfusion.report.chapters.optimism import optimism_view
from omicsfusion.report.page import render_report
from omicsfusion.report.results import read_results
from omicsfusion.tables.outcome import TASKS
from tests.results_folder import edit_table, write_results
from tests.unit.test_report_page import text_of

FILE = "assess/optimism.tsv"
HEADING = "What the usual mistakes would have claimed"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("results")
    return {task: write_results(root / task, task, optimism=True) for task in TASKS}


@pytest.fixture
def folder(folders, tmp_path):
    return Path(shutil.copytree(folders["survival"], tmp_path / "results"))


def set_rows(folder, mistake, values, model=None):
    """Write other values into the C-index rows of a mistake."""

    def change(table):
        here = (table["mistake"] == mistake) & (table["metric"] == "c_index")
        if model:
            here &= table["model"] == model
        table.loc[here, list(values)] = [str(value) for value in values.values()]
        return table

    edit_table(folder / FILE, change)
    return optimism_view(read_results(folder))


@pytest.mark.parametrize("task", TASKS)
def test_the_page_sets_every_claim_beside_the_honest_score(task, folders):
    results = read_results(folders[task])
    view = optimism_view(results)
    page = text_of(render_report(results))
    assert HEADING in page
    assert view["sentence"] in page
    assert len(view["table"].rows) == len(results.models)
    table = results["optimism"]
    row = table[(table["metric"] == results.headline) & (table["mistake"] == "selection")]
    wanted = row.set_index("model").loc["linear"]
    (cells,) = [cells for cells in view["table"].rows if cells[0].startswith("Linear")]
    assert float(cells[1].replace("−", "-")) == pytest.approx(wanted["honest"], abs=5e-4)
    assert float(cells[2].split("\n")[0]) == pytest.approx(wanted["claimed"], abs=5e-4)
    assert cells[2].split("\n")[1].startswith("+")
    assert cells[3].endswith("\nno difference")
    assert "—" in cells[4]


def test_the_sentence_names_the_greatest_claim_and_says_that_none_is_a_result(folder):
    values = {"honest": 0.62, "claimed": 0.94, "difference": 0.32}
    set_rows(folder, "selection", {"honest": 0.62, "claimed": 0.63, "difference": 0.01})
    view = set_rows(folder, "selection", values, model="linear")
    assert view["sentence"] == (
        "With features selected by the outcome before the samples were split, one would have "
        "claimed 0.94 as the C-index of the linear model, which is 0.62 on the same patients "
        "and folds. No claim is a result of this run: each was made by a model that had seen "
        "something of the patients on whom it was tested."
    )


def test_where_no_mistake_claims_more_the_page_says_so(folder):
    view = set_rows(folder, "selection", {"honest": 0.6, "claimed": 0.5, "difference": -0.1})
    assert view["sentence"].startswith("None of the mistakes would have claimed a higher C-index")


def test_what_was_not_made_or_failed_is_told(folder):
    nothing = {"claimed": "", "difference": "", "n": "", "reason": NOT_TRAINED}
    set_rows(folder, "selection", nothing, model="linear")
    view = set_rows(folder, "tuning", {"reason": "1 of 5 fits failed and counts as chance"})
    assert view["remarks"] == [
        f"Selection before splitting (linear model, all omics): {NOT_TRAINED}.",
        "Tuning on the test folds: 1 of 5 fits failed and counts as chance.",
        "Batch correction of everything: the run names no batches (--batch).",
    ]


def test_claims_change_nothing_else_on_the_page(folder):
    claimed = read_results(folder)
    (folder / FILE).unlink()
    honest = read_results(folder)
    assert optimism_view(honest) is None
    assert HEADING not in text_of(render_report(honest))
    for name, table in honest.tables.items():
        if name != "optimism":
            pd.testing.assert_frame_equal(table, claimed[name])
