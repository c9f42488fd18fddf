"""The user's choices for the chains: legal ones are settled, others are told with their cure."""

import json
from pathlib import Path

import pytest

from omicsfusion.recipes.catalogue import STEPS, read_catalogue
from omicsfusion.recipes.contents import with_contents
from omicsfusion.recipes.files import FileProblem, read_table
from omicsfusion.recipes.recipe import Recipe, settle
from omicsfusion.recipes.wishes import Run, settle_recipes
from omicsfusion.tables.problems import Problems
from omicsfusion.tables.samplesheet import KINDS

CATALOGUE = read_catalogue()
LAYERS = {"rna": "rna_counts", "prot": "protein", "meth": "methylation_beta"}


def settled(tmp_path: Path, text: str, run: Run | None = None, files=()) -> tuple[dict, list[str]]:
    path = tmp_path / "choices.yml"
    path.write_text(text, encoding="utf-8")
    problems = Problems()
    there = {name: tmp_path / name for name in files}
    recipes = settle_recipes(CATALOGUE, run or Run(LAYERS), path, there, problems)
    return recipes, [str(problem) for problem in problems.found]


def test_every_kind_has_a_default_for_each_step_that_exists_and_suits_it():
    assert set(CATALOGUE.defaults) == set(KINDS)
    for kind, of_kind in CATALOGUE.defaults.items():
        for step, (name, options) in of_kind.items():
            method = CATALOGUE.methods[step][name]
            assert kind in method.kinds, (kind, step, name)
            assert set(options) <= set(method.options), (kind, step, name)
            assert not (method.table and method.table.required), (kind, step, name)


def test_defaults_of_options_obey_their_own_rules():
    for of_step in CATALOGUE.methods.values():
        for method in of_step.values():
            for name, rule in method.options.items():
                if rule.default is None or not isinstance(rule.default, int | float):
                    continue
                where = (method.step, method.name, name)
                assert rule.minimum is None or rule.default >= rule.minimum, where
                assert rule.maximum is None or rule.default <= rule.maximum, where


def test_without_a_file_each_layer_follows_its_kind():
    recipes = settle_recipes(CATALOGUE, Run(LAYERS), None, {}, Problems())
    assert [choice.step for choice in recipes["rna"].choices] == [
        *("outliers", "filter", "normalise", "impute", "select", "scale")
    ]
    assert recipes["rna"].uses("normalise").method == "tmm"
    assert recipes["prot"].uses("impute").method == "censored"
    assert recipes["rna"].chosen == ()


def test_steps_stand_in_the_order_of_the_chain_whatever_the_order_of_the_file(tmp_path):
    text = "rna:\n  scale: zscore\n  normalise: cpm\n  filter: {max_missing: 0.2}\n"
    recipes, problems = settled(tmp_path, text)
    assert problems == []
    steps = [choice.step for choice in recipes["rna"].choices]
    assert steps == sorted(steps, key=STEPS.index)
    assert recipes["rna"].uses("scale").method == "zscore"
    assert recipes["rna"].uses("filter").options["max_missing"] == 0.2
    assert recipes["rna"].chosen == ("filter", "normalise", "scale")


def test_a_step_can_be_left_out(tmp_path):
    recipes, problems = settled(tmp_path, "rna:\n  select: none\n")
    assert problems == []
    assert recipes["rna"].uses("select") is None


def test_an_edit_for_one_layer_leaves_the_text_of_the_others_as_it_is(tmp_path):
    before, _ = settled(tmp_path, "rna:\n  select: mad\n")
    after, _ = settled(tmp_path, "rna:\n  select: variance\n")
    assert before["rna"].to_json() != after["rna"].to_json()
    assert before["prot"].to_json() == after["prot"].to_json()


def test_a_recipe_reads_back_as_it_was_written(tmp_path):
    recipes, _ = settled(tmp_path, "rna:\n  max_absent: 0.1\n  select: {max_features: 10}\n")
    for recipe in recipes.values():
        text = recipe.to_json()
        assert "\n" not in text
        assert Recipe.from_json(text) == recipe
        json.loads(text)
    assert recipes["rna"].max_absent == 0.1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rn:\n  select: mad\n", "There is no layer 'rn'. Did you mean 'rna'?"),
        ("rna:\n  selekt: mad\n", "has no step 'selekt'. Did you mean 'select'?"),
        ("rna:\n  normalise: tnm\n", "has no method 'tnm' for normalise. Did you mean 'tpm'?"),
        ("rna:\n  normalise: pqn\n", "cannot use normalise: pqn, for it is of kind rna_counts"),
        ("rna:\n  select: {max_feature: 3}\n", "no option 'max_feature'. Did you mean"),
        (
            "rna:\n  select: {max_features: 2.5}\n",
            "max_features is 2.5, but must be a whole number",
        ),
        ("rna:\n  select: {max_features: -1}\n", "must be a whole number at least 1"),
        ("rna:\n  filter: {max_missing: 2}\n", "must be a number at least 0 and at most 1"),
        ("rna:\n  max_absent: many\n", "max_absent is 'many', but must be a number from 0 to 1"),
        ("rna:\n  normalise: tpm\n", "normalise: tpm needs a file"),
        ("rna:\n  normalise: {method: tpm, file: no.tsv}\n", "there is no file 'no.tsv'"),
        ("rna:\n  select: {method: variance, file: a.txt}\n", "reads no file"),
        ("rna:\n  batch: combat\n", "needs to know the batches. Name the column"),
        ("rna: quantile\n", "holds 'quantile' where steps belong"),
        ("- rna\n", "does not say which layer is meant"),
        ("rna: {select: [\n", "choices.yml, row 2: The file is no YAML"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path, text, told):
    _, problems = settled(tmp_path, text)
    assert len(problems) == 1, problems
    assert told in problems[0]
    assert problems[0].startswith("choices.yml")


def test_all_mistakes_are_told_together(tmp_path):
    text = "rn: {}\nrna:\n  select: {max_features: 0}\n  scale: wide\nprot:\n  impute: 3\n"
    _, problems = settled(tmp_path, text)
    assert len(problems) == 4


def test_only_covariates_can_be_protected(tmp_path):
    text = "rna:\n  batch: {method: combat, protect: [age, grade]}\n"
    _, problems = settled(tmp_path, text, Run(LAYERS, has_batch=True, covariates=("age",)))
    assert len(problems) == 1
    assert "protect grade, which is no covariate" in problems[0]


def test_the_content_of_a_file_becomes_an_option(tmp_path):
    (tmp_path / "lengths.tsv").write_text("gene\tlength\nA\t1000\nB\t2500.5\n", encoding="utf-8")
    text = "rna:\n  normalise: {method: tpm, file: lengths.tsv}\n"
    recipes, problems = settled(tmp_path, text, files=["lengths.tsv"])
    assert problems == []
    assert recipes["rna"].files == ("lengths.tsv",)
    filled = with_contents(recipes["rna"], CATALOGUE, {"lengths.tsv": tmp_path / "lengths.tsv"})
    assert filled.uses("normalise").options["lengths"] == {"A": 1000.0, "B": 2500.5}


@pytest.mark.parametrize(
    ("reads", "text", "told"),
    [
        ("numbers", "A\t1\nB\tlong\n", "'long' of 'B' is no number"),
        ("words", "A\n", "has 1 columns, but needs 2"),
        ("regions", "chr1\t200\t100\tA\n", "200 to 100 is no region"),
        ("names", "# nothing\n\n", "The file holds nothing"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(tmp_path, reads, text, told):
    path = tmp_path / "file.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileProblem, match=told):
        read_table(path, reads)


def test_files_are_read_as_methods_want_them(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("track name=x\nchr1\t0\t10\tA\nchr1\t5\t20\tB\n", encoding="utf-8")
    assert read_table(path, "regions") == [["A", "chr1", 0, 10], ["B", "chr1", 5, 20]]
    path.write_text("probe,type\ncg1,I\ncg2,II\n", encoding="utf-8")
    assert read_table(path, "words") == {"cg1": "I", "cg2": "II"}
    path.write_text("cg1\ncg2\ncg1\n", encoding="utf-8")
    assert read_table(path, "names") == ["cg1", "cg2"]


def test_options_of_the_kind_are_not_those_of_another_method():
    recipe = settle(CATALOGUE, "rna_counts", {"filter": ("present", {}, "")})
    assert recipe.uses("filter").options["min_prevalence"] == 0.1
    assert settle(CATALOGUE, "cnv").uses("filter").options["min_prevalence"] == 0
