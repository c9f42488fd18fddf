"""The learning curve: each share scored on the test samples of the run, gains paired."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omicsfusion.assess.learning_curve import (
    COLUMNS,
    NOT_TRAINED,
    group_of,
    learning_curve,
    predictions_by_share,
)
from omicsfusion.assess.predictions import gather_predictions
from omicsfusion.assess.summary import assess
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.predictions_table import predictions_table

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "learning_curve.py"
SHARES = pd.DataFrame(
    {
        "share": [0.25, 0.5, 0.75, 1.0],
        "n_patients": [6.0, 12.0, 18.0, 24.0],
        "n_events": [2.0, 5.0, 7.0, 10.0],
        "reason": ["no event", "", "", ""],
    }
)


def survival_rows(risk):
    """Two folds of three patients who had their events one after the other."""
    risk = np.asarray(risk, float)
    return pd.DataFrame(
        {
            "permutation": 0,
            "target": "os",
            "model": "fused",
            "scope": "test",
            "repeat": 1,
            "fold": [1, 1, 1, 2, 2, 2],
            "inner": "outer",
            "sample": list("abcdef"),
            "patient": list("abcdef"),
            "risk": risk,
            "time": [1.0, 2, 3, 1, 2, 3],
            "event": 1,
        }
    )


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Predictions of a run for each task, as the script reads them."""
    folder = tmp_path_factory.mktemp("tables")

    def gathered(task, seed=0):
        path = folder / f"{task}{seed}.tsv"
        write_tsv(predictions_table(task, seed=seed), path)
        return gather_predictions([path], task)

    return gathered


def test_shares_are_scored_as_one_does_by_hand():
    # Right: 3 pairs of 3 and 2 of 3 (e and f change places); the half: 1 of 3 and 2 of 3.
    whole = survival_rows([3, 2, 1, 3, 1, 2])
    half = survival_rows([2, 1, 3, 3, 1, 2])
    curve = learning_curve(whole, {0.5: half}, SHARES, "survival", 1)
    c_index = curve[curve["metric"] == "c_index"].set_index("share")
    assert c_index.loc[1.0, "estimate"] == pytest.approx(5 / 6)
    assert c_index.loc[0.5, "estimate"] == pytest.approx(3 / 6)
    assert c_index.loc[1.0, "gain"] == pytest.approx(2 / 6)
    assert c_index.loc[0.5, ["gain", "gain_low", "gain_high"]].isna().all()
    assert c_index["n_events"].tolist() == [2, 5, 7, 10]


def test_the_whole_is_scored_as_metrics_tsv_scores_the_first_repeat(tables):
    whole = tables("regression")
    first = whole[whole["repeat"] == 1]
    metrics = assess(first, "regression", 1)["metrics"]
    wanted = metrics[metrics["scope"] == "test"]
    curve = learning_curve(whole, {}, SHARES, "regression", 1)
    found = curve[curve["share"] == 1.0]
    numbers = ["model", "metric", "estimate", "ci_low", "ci_high"]
    pd.testing.assert_frame_equal(
        found[numbers].reset_index(drop=True), wanted[numbers].reset_index(drop=True)
    )


def test_what_more_patients_gain_is_a_paired_difference(tables):
    whole = tables("classification")
    first = whole[whole["repeat"] == 1]
    curve = learning_curve(whole, {0.75: first}, SHARES, "classification", 1)
    last = curve[(curve["share"] == 1.0) & (curve["metric"] == "balanced_accuracy")]
    assert (last["ci_high"] - last["ci_low"] > 0.05).all()
    assert (last[["gain", "gain_low", "gain_high"]] == 0).all(axis=None)


def test_a_share_that_was_left_out_or_lacks_a_fold_says_why(tables):
    whole = tables("survival")
    first = whole[whole["repeat"] == 1]
    parts = {0.5: first[first["fold"] > 1], 0.75: first}
    curve = learning_curve(whole, parts, SHARES, "survival", 1)
    assert list(curve.columns) == COLUMNS
    reason = curve[curve["metric"] == "c_index"].groupby("share")["reason"].agg(list)
    assert reason[0.25] == ["no event"] * 2
    assert reason[0.5] == [NOT_TRAINED] * 2
    assert reason[0.75] == reason[1.0] == [""] * 2
    assert curve.loc[curve["share"] < 0.75, "estimate"].isna().all()


def test_failed_fits_are_counted_and_score_as_chance():
    whole, half = survival_rows([3, 2, 1, 3, 2, 1]), survival_rows([3, 2, 1] + 3 * [np.nan])
    curve = learning_curve(whole, {0.5: half}, SHARES, "survival", 1)
    row = curve[(curve["metric"] == "c_index") & (curve["share"] == 0.5)].iloc[0]
    assert row["n_failed"] == 1
    assert row["estimate"] == pytest.approx(0.75)


def test_groups_of_a_share_are_put_together():
    groups = pd.DataFrame({"share": [0.25, 0.25, 0.5], "group": ["n25g001", "n25g002", "n50"]})
    table = survival_rows([1, 2, 3, 4, 5, 6])
    tables = {"n25g001": table[table["fold"] == 1], "n25g002": table[table["fold"] == 2]}
    found = predictions_by_share(tables, groups)
    assert list(found) == [0.25]
    assert found[0.25]["sample"].tolist() == list("abcdef")


def test_a_group_is_read_off_the_name_of_a_file():
    assert group_of("fused-only-rna.v2.n25g001.predictions.tsv") == "n25g001"


def test_the_script_writes_the_same_whatever_the_order_of_its_files(tables, tmp_path):
    write_tsv(tables("survival"), tmp_path / "predictions.tsv")
    write_tsv(SHARES, tmp_path / "shares.tsv")
    groups = pd.DataFrame({"share": [0.5, 0.75], "group": ["n50", "n75"]})
    write_tsv(groups, tmp_path / "groups.tsv")
    files = []
    for seed, group in enumerate(groups["group"]):
        table = tables("survival", seed)
        for model, rows in table[table["repeat"] == 1].groupby("model"):
            files.append(f"{model}.{group}.predictions.tsv")
            write_tsv(rows, tmp_path / files[-1])
    options = ["--predictions", "predictions.tsv", "--groups", "groups.tsv", "--seed", "1"]
    options += ["--shares", "shares.tsv", "--task", "survival", "--of_shares"]
    written = []
    for order in (files, files[::-1]):
        subprocess.run([sys.executable, SCRIPT, *options, *order], cwd=tmp_path, check=True)
        written.append((tmp_path / "learning_curve.tsv").read_bytes())
    assert written[0] == written[1]
    curve = read_tsv(tmp_path / "learning_curve.tsv", text_columns=("metric", "reason"))
    assert list(curve.columns) == COLUMNS
    assert len(curve) == 2 * 4 * curve["metric"].nunique()
    c_index = curve[curve["metric"] == "c_index"].set_index("share")
    assert c_index.loc[0.5, "estimate"].tolist() == c_index.loc[1.0, "estimate"].tolist()
    # The second table is of another seed: its patients were dealt into other folds.
    assert (c_index.loc[0.75, "reason"] == NOT_TRAINED).all()
