"""Which head predicts what, and what is said to who asks for the wrong one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from omicsfusion.models.heads.choice import head_for
from omicsfusion.models.heads.classes import SoftmaxHead
from omicsfusion.models.heads.discrete_hazards import DiscreteHazardHead
from omicsfusion.models.heads.hazards import CoxHead
from omicsfusion.models.heads.numbers import GaussianHead, HuberHead
from omicsfusion.models.heads.ordinal import OrdinalHead
from omicsfusion.models.heads.suitable import AUTO, TASK_OF_HEAD, UnsuitableHeadError
from omicsfusion.models.links import LINKS
from omicsfusion.tables.checking import check
from omicsfusion.tables.findings import Request
from omicsfusion.tables.outcome import TASKS, Outcome
from tests.malformed.cases import DEFAULTS
from tests.malformed.cohort import Cohort
from tests.network_cohort import write_cohort

ROOT = Path(__file__).resolve().parents[2]


def outcome(task: str) -> Outcome:
    classes = ("high", "low", "mid") if task == "classification" else ()
    return Outcome(task, pd.DataFrame(), classes)


@pytest.mark.parametrize(
    ("task", "asked", "order", "kind"),
    [
        ("classification", AUTO, (), SoftmaxHead),
        ("classification", AUTO, ("low", "mid", "high"), OrdinalHead),
        ("survival", AUTO, (), CoxHead),
        ("survival", "cox", (), CoxHead),
        ("survival", "discrete_hazard", (), DiscreteHazardHead),
        ("regression", AUTO, (), GaussianHead),
        ("regression", "gaussian", (), GaussianHead),
        ("regression", "huber", (), HuberHead),
    ],
)
def test_a_task_has_its_usual_head_or_the_one_that_was_asked_for(task, asked, order, kind):
    head = head_for(outcome(task), [1.0], asked, order)
    assert type(head) is kind
    assert head.link in LINKS
    assert head.mixes is (kind is not CoxHead)


@pytest.mark.parametrize("asked", [*TASK_OF_HEAD, "nonsense"])
@pytest.mark.parametrize("task", TASKS)
def test_a_head_for_another_task_is_refused_with_those_that_there_are(task, asked):
    if TASK_OF_HEAD.get(asked) == task:
        return
    with pytest.raises(UnsuitableHeadError, match=f"--head {asked} is not for --task {task}") as e:
        head_for(outcome(task), head=asked)
    fit = [name for name, its_task in TASK_OF_HEAD.items() if its_task == task]
    assert str(e.value).endswith(f"Use {' or '.join(['auto', *fit])}.")


@pytest.mark.parametrize("order", [("low", "high"), ("low", "mid", "high", "high"), ("a", "b")])
def test_an_order_that_does_not_name_each_class_once_is_refused(order):
    with pytest.raises(UnsuitableHeadError, match="must name each class once"):
        head_for(outcome("classification"), class_order=order)
    with pytest.raises(UnsuitableHeadError, match="there are no classes"):
        head_for(outcome("regression"), class_order=order)


def test_the_schema_lists_the_heads_that_there_are():
    schema = json.loads((ROOT / "nextflow_schema.json").read_text(encoding="utf-8"))
    rule = schema["$defs"]["outcome"]["properties"]["head"]
    assert rule["enum"] == [AUTO, *TASK_OF_HEAD]


def test_the_script_ends_with_a_sentence(tmp_path):
    write_cohort(tmp_path, "regression")
    arguments = (
        "--id x --model fused --group all --task regression --target outcome --seed 3 --head cox "
        "--splits splits.tsv --samples samples.tsv --matrices rna.all.matrices.h5"
    )
    done = subprocess.run(
        [sys.executable, ROOT / "bin" / "train.py", *arguments.split()],
        cwd=tmp_path,
        # As tasks have it (conf/base.config): what TensorFlow says at its start is not asked.
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "TF_ENABLE_ONEDNN_OPTS": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    telling = "--head cox is not for --task regression. Use auto or gaussian or huber."
    assert done.stderr.splitlines() == [telling]


def errors(folder: Path, **options: object) -> list[str]:
    """Return what CHECK_INPUT says of a sound cohort with classes A and B."""
    sheet, samples = Cohort().write(folder)
    checked = check(Request(sheet=sheet, samples=samples, **{**DEFAULTS, **options}))
    return [str(problem) for problem in checked.problems.errors]


def test_the_input_is_checked_for_the_classes_of_the_order(tmp_path):
    assert errors(tmp_path, class_order=("B", "A")) == []


@pytest.mark.parametrize(
    ("order", "telling"),
    [
        (("A", "C"), ("no training sample is of the class C", "B is not in it")),
        (("A", "B", "A"), ("A is in it twice",)),
        (("A",), ("B is not in it",)),
    ],
)
def test_an_order_of_other_classes_stops_the_run_and_lists_the_classes(tmp_path, order, telling):
    (text,) = errors(tmp_path, class_order=order)
    for words in (*telling, f"--class_order {','.join(order)}", "lowest first: A, B"):
        assert words in text


def test_an_order_for_another_task_stops_the_run(tmp_path):
    (text,) = errors(tmp_path, class_order=("A", "B"), task="regression", target="score")
    assert "--class_order is for --task classification" in text
