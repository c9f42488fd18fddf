"""What the usual mistakes claim, beside what the same folds say honestly."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omicsfusion.assess.optimism import COLUMNS, NO_BATCH, NOT_TRAINED, mistake_of, score_claims
from omicsfusion.assess.predictions import gather_predictions
from omicsfusion.assess.summary import assess
from omicsfusion.tables.mistakes import MISTAKES
from omicsfusion.tables.outcome import TASKS
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.predictions_table import predictions_table
from tests.unit.test_learning_curve import survival_rows

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "claim.py"


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Predictions of a run for each task, as the script reads them."""
    folder = tmp_path_factory.mktemp("tables")

    def gathered(task):
        write_tsv(predictions_table(task), folder / f"{task}.tsv")
        return gather_predictions([folder / f"{task}.tsv"], task)

    return gathered


def test_claims_are_scored_as_one_does_by_hand():
    # Right: 3 pairs of 3 and 2 of 3 (e and f change places); the claim: all 6.
    whole = survival_rows([3, 2, 1, 3, 1, 2])
    claimed = survival_rows([3, 2, 1, 3, 2, 1])
    table = score_claims(whole, {"selection": claimed}, "survival", MISTAKES)
    assert list(table.columns) == COLUMNS
    row = table[(table["metric"] == "c_index") & (table["mistake"] == "selection")].iloc[0]
    assert row["honest"] == pytest.approx(5 / 6)
    assert row["claimed"] == 1
    assert row["difference"] == pytest.approx(1 / 6)
    assert row["n"] == 6
    assert row["reason"] == ""


@pytest.mark.parametrize("task", TASKS)
def test_the_honest_side_is_the_metric_of_the_first_repeat_on_its_test_folds(task, tables):
    whole = tables(task)
    first = whole[whole["repeat"] == 1]
    metrics = assess(first, task, 1)["metrics"]
    wanted = metrics[metrics["scope"] == "test"].set_index(["model", "metric"])["estimate"]
    table = score_claims(whole, {"tuning": first}, task, MISTAKES)
    found = table[table["mistake"] == "tuning"].set_index(["model", "metric"])
    pd.testing.assert_series_equal(found["honest"], wanted, check_names=False)
    # The same predictions claim the same, metrics that ask for training outcomes among them.
    assert (found["difference"].dropna() == 0).all()
    assert found["difference"].notna().equals(wanted.notna())


def test_a_claim_takes_its_training_outcomes_from_the_honest_run(tables):
    whole = tables("survival")
    first = whole[(whole["repeat"] == 1) & (whole["scope"] == "test")]
    table = score_claims(whole, {"tuning": first}, "survival", MISTAKES)
    ibs = table[(table["metric"] == "ibs") & (table["mistake"] == "tuning")]
    assert len(ibs)
    assert (ibs["difference"] == 0).all()


def test_what_was_not_claimed_says_why():
    whole = survival_rows([3, 2, 1, 3, 1, 2])
    half = whole[whole["fold"] == 1]
    table = score_claims(whole, {"tuning": half}, "survival", ("selection", "tuning"))
    c_index = table[table["metric"] == "c_index"].set_index("mistake")
    assert c_index.index.tolist() == list(MISTAKES)
    assert c_index["reason"].to_dict() == {
        "selection": NOT_TRAINED,
        "tuning": NOT_TRAINED,
        "batch": NO_BATCH,
    }
    assert c_index["honest"].notna().all()
    assert c_index[["claimed", "difference", "n"]].isna().all(axis=None)


def test_fits_that_failed_are_told_and_claim_chance():
    whole = survival_rows([3, 2, 1, 3, 2, 1])
    failed = survival_rows([3, 2, 1] + 3 * [np.nan])
    table = score_claims(whole, {"batch": failed}, "survival", MISTAKES)
    row = table[(table["metric"] == "c_index") & (table["mistake"] == "batch")].iloc[0]
    assert row["claimed"] == pytest.approx(0.75)
    assert row["reason"] == "1 of 2 fits failed and counts as chance"


def test_further_repeats_and_permuted_outcomes_are_not_looked_at():
    whole = survival_rows([3, 2, 1, 3, 1, 2])
    others = [whole.assign(repeat=2, risk=0.0), whole.assign(permutation=1, risk=0.0)]
    alone = score_claims(whole, {"tuning": whole}, "survival", MISTAKES)
    among = score_claims(pd.concat([whole, *others]), {"tuning": whole}, "survival", MISTAKES)
    pd.testing.assert_frame_equal(alone, among)


def test_a_mistake_is_read_off_the_name_of_a_file():
    assert mistake_of("fused-only-rna.v2.tuningg001.predictions.tsv") == "tuning"
    assert mistake_of("linear.batch.predictions.tsv") == "batch"


def test_the_script_writes_the_same_whatever_the_order_of_its_files(tables, tmp_path):
    whole = tables("classification")
    write_tsv(whole, tmp_path / "predictions.tsv")
    files = []
    for model, rows in whole[whole["repeat"] == 1].groupby("model"):
        for fold, part in rows.groupby("fold"):
            files.append(f"{model}.selectiong00{fold}.predictions.tsv")
            write_tsv(part, tmp_path / files[-1])
    options = ["--predictions", "predictions.tsv", "--task", "classification"]
    options += ["--mistakes", "selection,tuning", "--claimed"]
    written = []
    for order in (files, files[::-1]):
        subprocess.run([sys.executable, SCRIPT, *options, *order], cwd=tmp_path, check=True)
        written.append((tmp_path / "optimism.tsv").read_bytes())
    assert written[0] == written[1]
    table = read_tsv(tmp_path / "optimism.tsv", text_columns=("metric", "mistake", "reason"))
    assert list(table.columns) == COLUMNS
    selection = table[(table["mistake"] == "selection") & (table["metric"] == "auroc")]
    assert (selection["difference"] == 0).all()
    assert len(selection) == whole["model"].nunique()
