"""The usual mistakes: what PREPROCESS and TRAIN are given where somebody looks ahead."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from omicsfusion.look_ahead import (
    SELECTED,
    look_ahead,
    mistaken_recipe,
    outcome_as_covariates,
)
from omicsfusion.recipes.catalogue import STEPS, read_catalogue
from omicsfusion.recipes.recipe import Recipe, settle
from omicsfusion.scopes import OUTER
from omicsfusion.tables.mistakes import BATCH, MISTAKES, SELECTION, TUNING
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.unit.test_splits import classes, samples_table, split

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "look_ahead.py"
CATALOGUE = read_catalogue()
SCOPE = ["repeat", "fold", "inner"]


def cohort():
    return samples_table(40).assign(
        role=["train"] * 36 + ["external"] * 4, truth=["a", "b"] * 20, cohort="main", batch=""
    )


@pytest.fixture(scope="module")
def splits():
    samples = cohort()
    return split(samples, classes(samples, list(samples["truth"])), repeats=2)


def roles(table, scope):
    return table[(table[SCOPE] == scope).all(axis=1)].groupby("role")["sample"].agg(set).to_dict()


def test_selection_before_splitting_shows_every_sample_to_each_chain_and_to_no_model(splits):
    made = look_ahead(splits, SELECTION)
    everybody = set(cohort()["sample"][:36])
    for scope in ([1, 2, OUTER], [1, 2, "0"]):
        assert roles(made.prepare, scope) == {"train": everybody}
        assert roles(made.train, scope) == {
            role: names for role, names in roles(splits, scope).items() if role != "external"
        }
    assert made.networks.equals(made.train)
    assert made.groups.to_numpy().tolist() == [["selection", 9, 3]]


def test_tuning_on_the_test_folds_makes_them_the_one_inner_fold(splits):
    made = look_ahead(splits, TUNING)
    honest = roles(splits, [1, 3, OUTER])
    honest.pop("external")
    for table in (made.prepare, made.train):
        assert roles(table, [1, 3, OUTER]) == roles(table, [1, 3, "0"]) == honest
    assert set(made.train["inner"]) == {OUTER, "0"}
    assert made.groups.to_numpy().tolist() == [["tuning", 6, 3]]


def test_networks_that_are_tuned_on_the_test_folds_stop_on_them_too(splits):
    made = look_ahead(splits, TUNING)
    honest = roles(splits, [1, 1, OUTER])
    for inner in (OUTER, "0"):
        found = roles(made.networks, [1, 1, inner])
        assert found["test"] == found["stop"] == honest["test"]
        assert found["train"] == honest["train"] | honest["stop"]
    assert not made.networks.duplicated([*SCOPE, "sample", "role"]).any()


def test_groups_of_folds_stay_groups(splits):
    apart = splits.assign(group="g" + splits["fold"].map("{:03d}".format))
    made = look_ahead(apart, BATCH)
    names = ["batchg001", "batchg002", "batchg003"]
    assert made.groups["group"].tolist() == names
    for table in (made.prepare, made.train, made.networks):
        assert sorted(table["group"].unique()) == names


def test_the_selection_is_by_the_outcome_and_keeps_a_fixed_number_of_features():
    recipe = settle(CATALOGUE, "rna_counts")
    found = mistaken_recipe(SELECTION, recipe, "regression", CATALOGUE)
    choice = found.uses("select")
    assert choice.method == "univariate"
    assert choice.options["max_features"] == choice.options["min_features"] == SELECTED
    left = [one for one in found.choices if one.step != "select"]
    assert left == [one for one in recipe.choices if one.step != "select"]
    order = [STEPS.index(one.step) for one in found.choices]
    assert order == sorted(order)


def test_a_selection_by_the_outcome_that_the_user_made_stays():
    wishes = {"select": ("stability", {}, "")}
    recipe = settle(CATALOGUE, "rna_log", wishes)
    assert mistaken_recipe(SELECTION, recipe, "survival", CATALOGUE) == recipe


@pytest.mark.parametrize("mistake", MISTAKES)
def test_covariates_are_prepared_as_ever(mistake):
    recipe = settle(CATALOGUE, "clinical")
    assert mistaken_recipe(mistake, recipe, "survival", CATALOGUE) == recipe


def test_batches_are_corrected_with_the_outcome_protected_even_where_they_are_confounded():
    recipe = settle(CATALOGUE, "rna_log", {"batch": ("linear", {"protect": ["age"]}, "")})
    choice = mistaken_recipe(BATCH, recipe, "survival", CATALOGUE).uses("batch")
    assert choice.method == "combat"
    assert choice.options["protect"] == ["time", "event"]
    assert choice.options["force"]
    settled = CATALOGUE.methods["batch"]["combat"].options
    assert set(choice.options) == set(settled)


@pytest.mark.parametrize("kind", ["rna_log", "mutation"])
def test_tuning_leaves_every_recipe_as_it_is(kind):
    recipe = settle(CATALOGUE, kind)
    assert mistaken_recipe(TUNING, recipe, "survival", CATALOGUE) == recipe


def test_classes_are_protected_as_words_even_where_they_are_numbers():
    samples = cohort().assign(truth=["1", "2"] * 20)
    table = outcome_as_covariates(samples, "classification")
    assert table.columns.tolist() == ["sample", "cohort", "truth"]
    assert set(table["truth"]) == {"class 1", "class 2"}


def run_script(folder, mistake, splits):
    write_tsv(splits, folder / "splits.tsv")
    write_tsv(cohort(), folder / "samples.tsv")
    for kind in ("rna_log", "clinical"):
        text = settle(CATALOGUE, kind).to_json() + "\n"
        (folder / f"{kind}.v2.recipe.json").write_text(text, encoding="utf-8")
    command = [sys.executable, SCRIPT, "--mistake", mistake, "--task", "classification"]
    command += ["--splits", "splits.tsv", "--samples", "samples.tsv"]
    command += ["--recipes", "clinical.v2.recipe.json", "rna_log.v2.recipe.json"]
    subprocess.run(command, cwd=folder, check=True)


def test_the_script_writes_what_each_process_is_given(splits, tmp_path):
    run_script(tmp_path, BATCH, splits)
    made = look_ahead(splits, BATCH)
    for name in ("prepare", "train", "networks", "groups"):
        found = read_tsv(tmp_path / f"batch.{name}.tsv", text_columns=("group", "role"))
        pd.testing.assert_frame_equal(found, getattr(made, name), check_dtype=False)
    recipe = Recipe.from_json((tmp_path / "batch/rna_log.v2.recipe.json").read_text())
    assert recipe.uses("batch").options["protect"] == ["truth"]
    plain = Recipe.from_json((tmp_path / "batch/clinical.v2.recipe.json").read_text())
    assert plain == settle(CATALOGUE, "clinical")
    assert read_tsv(tmp_path / "batch.covariates.tsv")["truth"].unique().tolist() == [
        "class a",
        "class b",
    ]


def test_only_a_batch_correction_is_shown_the_outcome(splits, tmp_path):
    run_script(tmp_path, SELECTION, splits)
    assert not (tmp_path / "selection.covariates.tsv").exists()
