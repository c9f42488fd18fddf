"""Gathering the predictions of all models into one table."""

import numpy as np
import pandas as pd
import pytest

from omicsfusion.assess.predictions import PredictionsError, gather_predictions, with_outcome
from omicsfusion.tables.tsv import write_tsv
from tests.predictions_table import predictions_table

TASKS = ("classification", "survival", "regression")


def write_by_model(table, folder):
    """Write a file per model, as TRAIN does, and return their paths."""
    paths = []
    for model, rows in table.groupby("model"):
        paths.append(folder / f"{model}.all.predictions.tsv")
        write_tsv(rows, paths[-1])
    return paths


@pytest.mark.parametrize("task", TASKS)
def test_the_table_is_the_same_whatever_the_order_of_files_rows_and_columns(task, tmp_path):
    table = predictions_table(task, external=5)
    paths = write_by_model(table, tmp_path)
    expected = gather_predictions(paths, task)
    shuffled = table.sample(frac=1, random_state=3)[sorted(table.columns)]
    paths = write_by_model(shuffled, tmp_path)
    pd.testing.assert_frame_equal(gather_predictions(paths[::-1], task), expected)


def test_columns_come_in_the_order_of_the_contract(tmp_path):
    paths = write_by_model(predictions_table("survival"), tmp_path)
    assert list(gather_predictions(paths, "survival").columns) == [
        *("permutation", "target", "model", "scope", "repeat", "fold", "inner", "sample"),
        *("patient", "risk", "s_1.5", "s_3.0", "own_survival", "time", "event"),
    ]


def test_classes_that_look_like_numbers_or_missing_values_stay_text(tmp_path):
    table = predictions_table("classification")
    names = {"basal": "01", "her2": "NA", "luminal": "3"}
    table["truth"] = table["truth"].map(names)
    table = table.rename(columns={f"p_{old}": f"p_{new}" for old, new in names.items()})
    gathered = gather_predictions(write_by_model(table, tmp_path), "classification")
    assert set(gathered["truth"]) == {"01", "NA", "3"}
    assert len(with_outcome(gathered, "classification")) == len(table)


def test_an_external_sample_of_an_unknown_class_or_without_one_cannot_be_assessed():
    table = predictions_table("classification", external=2)
    outside = table["scope"] == "external"
    table.loc[outside & (table["patient"] == "P036"), "truth"] = "claudin-low"
    table.loc[outside & (table["patient"] == "P037"), "truth"] = np.nan
    assert "external" not in set(with_outcome(table, "classification")["scope"])


def test_a_file_without_a_column_is_named(tmp_path):
    table = predictions_table("regression").drop(columns=["patient", "sd"])
    paths = write_by_model(table, tmp_path)
    with pytest.raises(PredictionsError, match=r"clinical.all.predictions.tsv has no column sd"):
        gather_predictions(paths, "regression")


def test_files_that_differ_in_their_classes_are_refused(tmp_path):
    paths = write_by_model(predictions_table("classification"), tmp_path)
    write_tsv(pd.read_csv(paths[0], sep="\t").drop(columns="p_her2"), paths[0])
    with pytest.raises(PredictionsError, match="lacks columns that others have: p_her2"):
        gather_predictions(paths, "classification")


def test_a_prediction_given_twice_is_refused(tmp_path):
    paths = write_by_model(predictions_table("regression"), tmp_path)
    with pytest.raises(PredictionsError, match=r"occur more than once; the first: .*clinical"):
        gather_predictions([*paths, paths[0]], "regression")


def test_an_unknown_scope_is_refused(tmp_path):
    table = predictions_table("regression").replace({"scope": {"test": "outer"}})
    with pytest.raises(PredictionsError, match="Unknown scope in the predictions: outer"):
        gather_predictions(write_by_model(table, tmp_path), "regression")


def test_numbers_that_are_no_probabilities_are_refused(tmp_path):
    table = predictions_table("classification")
    table.loc[3, "p_her2"] += 0.5
    with pytest.raises(PredictionsError, match="not of sum 1, in 1 rows"):
        gather_predictions(write_by_model(table, tmp_path), "classification")
