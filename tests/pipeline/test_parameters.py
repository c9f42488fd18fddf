"""Parameters are checked against the schema, under both parsers, before anything runs."""

import json
import re
from pathlib import Path

import pytest

from tests.pipeline.engine import ROOT, run

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("parser", ["v1", "v2"])
def test_every_wrong_parameter_is_named_with_a_near_one(tmp_path: Path, parser: str) -> None:
    done = run(
        tmp_path,
        *("--targt", "os", "--folds", "abc", "--task", "survivl"),
        *("--folds-per-task", "2", "--models", "fusd", "--strict", "maybe"),
        *("--head", "hubre", "--class_order", "it's", "--margin", "0", "--equivalence", "wide"),
        parser=parser,
    )
    assert done.code == 1
    for telling in (
        "--targt is no parameter of this pipeline. Did you mean '--target'?",
        "--folds abc: must be a whole number",
        "--task survivl: Did you mean 'survival'?",
        "--strict maybe: must be true or false",
        "--head hubre: Did you mean 'huber'?",
        "--class_order it's: Give the classes separated by commas and without quotes",
        "--margin 0: Give a number above 0",
        "--equivalence wide: must be a number",
        "there is no model 'fusd'. Did you mean 'fused'?",
        "--input is missing",
    ):
        assert telling in done.text
    assert done.submitted == []


@pytest.mark.parametrize("parser", ["v1", "v2"])
def test_what_does_not_fit_together_is_refused(tmp_path: Path, parser: str) -> None:
    done = run(
        tmp_path,
        *(
            "--task",
            "regression",
            "--target",
            "score,score",
            "--head",
            "cox",
            "--class_order",
            "a,b",
            "--distil",
            "--ensemble",
            "1",
            "--learning_curve",
            "--show_optimism",
        ),
        *("--settings", "mixap=1,focal=1,focal=2,l1=7", "--tuning_minutes", "5"),
        parser=parser,
    )
    assert done.code == 1
    for telling in (
        "--target: score is there twice. Name each target once.",
        "--class_order orders the classes of one target, and --target names 2.",
        "--distil teaches a network one target, and --target names 2.",
        "--distil needs several networks to learn from: give --ensemble 2 or more.",
        "--learning_curve is of one target, and --target names 2.",
        "--show_optimism is of one target, and --target names 2.",
        "--head cox is not for --task regression. Use auto or gaussian or huber.",
        "--class_order is for --task classification; a regression has no classes. Leave it out.",
        "--settings: there is no setting 'mixap'. Did you mean 'mixup'?",
        "--settings: focal is there twice.",
        "--settings: l1 must be a number from 0.0 to 1.0, not 7.",
        "--tuning_minutes is for tuning: give --trials, too, or leave it out.",
    ):
        assert telling in done.text
    assert done.submitted == []


@pytest.mark.parametrize("parser", ["v1", "v2"])
def test_models_and_encoders_that_do_not_fit_the_run_are_refused(
    tmp_path: Path, parser: str
) -> None:
    needed = ("--input", "a.csv", "--samples", "a.tsv", "--task", "survival", "--target", "os")
    models = ("--models", "linear,early", "--pretrained", "encoders.h5")
    done = run(tmp_path, *needed, *models, parser=parser)
    assert "--pretrained: none of the models linear, early takes pretrained encoders" in done.text
    models = ("--models", "svm,priority,linear")
    done = run(tmp_path, *needed, *models, "--settings", "freeze=3", parser=parser)
    assert "--settings: freeze is for --pretrained encoders" in done.text
    assert "'svm' is for classification and regression, not for --task survival" in done.text
    assert "'priority' sees the covariates: ask for 'priority+clinical'" in done.text
    step = ("--step", "pretrain", "--pretrained", "encoders.h5", "--pretrain_objective", "both")
    done = run(tmp_path, *needed, *step, parser=parser)
    assert "--pretrained is for training" in done.text
    assert "--pretrain_objective both: Choose reconstruction or contrastive." in done.text
    assert done.code == 1


def test_help_lists_every_parameter_of_the_schema(tmp_path: Path) -> None:
    done = run(tmp_path, "--help")
    schema = json.loads((ROOT / "nextflow_schema.json").read_text())
    names = [name for group in schema["$defs"].values() for name in group["properties"]]
    assert done.code == 0
    assert [name for name in names if not re.search(rf"--{name}\b", done.text)] == []


def test_the_schema_and_the_configuration_name_the_same_parameters_and_defaults() -> None:
    schema = json.loads((ROOT / "nextflow_schema.json").read_text())
    rules = {n: r for group in schema["$defs"].values() for n, r in group["properties"].items()}
    block = re.search(r"params \{(.*?)\n\}", (ROOT / "nextflow.config").read_text(), re.S)
    config = dict(re.findall(r"^ +(\w+) += (.+)$", block.group(1), re.M))
    assert config.keys() == rules.keys()
    for name, value in config.items():
        expected = rules[name].get("default")
        assert json.loads(value.replace("'", '"')) == expected, name
