"""A cohort that is pretrained on: no outcome is asked for, everyone is used, nobody is tested."""

from pathlib import Path

import pandas as pd
import pytest

from omicsfusion.guard.findings import FAILED, NOT_CHECKED, OK
from omicsfusion.guard.parts import pretrained_on_tested
from omicsfusion.models.pretrained import Pretrained, write_pretrained
from omicsfusion.preprocess.preparing import PrepareRequest, PreparingError, refuse_supervised
from omicsfusion.preprocess.register import Register
from omicsfusion.recipes.recipe import Choice, Recipe
from omicsfusion.scopes import Scope, scopes_in
from omicsfusion.splits import SplitError, list_groups, pretraining_splits
from omicsfusion.tables.checking import check
from omicsfusion.tables.findings import Request
from omicsfusion.tables.outcome import NO_TASK
from omicsfusion.tables.plan_text import plan_text
from tests.malformed.cohort import SAMPLES, Cohort


def test_samples_without_an_outcome_are_all_used(tmp_path: Path) -> None:
    cohort = Cohort()
    cohort.samples = [row[:2] for row in cohort.samples]
    sheet, samples = cohort.write(tmp_path)
    found = check(Request(sheet=sheet, samples=samples, task=NO_TASK, models=()))
    assert found.problems.found == []
    assert list(found.samples["sample"]) == SAMPLES
    assert set(found.samples["truth"]) == {""}
    assert set(found.accounting["where"]) == {"pretraining"}
    steps = [step.process for step in found.plan.steps()]
    assert steps == ["CHECK_INPUT", "IMPORT", "SPLIT", "PREPROCESS", "PRETRAIN"]
    text = plan_text(found.plan)
    assert text.startswith("Plan: encoders pretrained without an outcome")
    assert "for pretraining)" in text
    assert "outer folds" not in text


def unlabelled(n: int) -> pd.DataFrame:
    ids = [f"s{number:03d}" for number in range(n)]
    table = pd.DataFrame({"sample": ids, "patient": ids, "group": ids, "role": "train"})
    table["patient"] = [f"p{number // 2}" for number in range(n)]
    return table.assign(group=table["patient"], split=None, layers=["rna", "mirna;rna"] * (n // 2))


def test_one_scope_holds_everyone_and_a_tenth_of_the_patients_tells_when_to_stop() -> None:
    splits = pretraining_splits(unlabelled(200), seed=1)
    assert scopes_in(splits) == [Scope(0, 0, "final")]
    assert splits["role"].value_counts().to_dict() == {"train": 180, "stop": 20}
    assert splits.groupby("patient")["role"].nunique().max() == 1
    assert list_groups(splits).values.tolist() == [["all", 1, 0]]
    with pytest.raises(SplitError, match="4 patients are too few"):
        pretraining_splits(unlabelled(8), seed=1)


def test_steps_that_learn_from_the_outcome_are_refused(tmp_path: Path) -> None:
    request = PrepareRequest("rna.all", [], tmp_path, tmp_path, "all", NO_TASK, tmp_path)
    recipe = Recipe("rna_log", (Choice("select", "univariate"), Choice("scale", "zscore")))
    with pytest.raises(PreparingError, match=r"^rna: select: univariate learns from the outcome"):
        refuse_supervised(request, recipe)
    refuse_supervised(request, Recipe("rna_log", (Choice("select", "variance"),)))


def test_nothing_is_known_of_an_outcome() -> None:
    table = pd.DataFrame({"sample": ["a"], "batch": [None], "truth": [None]})
    assert Register.of(table, NO_TASK).annotate(["a"], ()).outcome is None


def test_the_guard_finds_patients_who_are_tested_and_were_pretrained_on(tmp_path: Path) -> None:
    path = tmp_path / "encoders.h5"
    write_pretrained(path, Pretrained("contrastive", 2, {}), ["x"], ["p1", "p2"], {})
    splits = pd.DataFrame(
        {"inner": "outer", "sample": ["a", "b"], "patient": ["p1", "p9"], "role": ["test", "train"]}
    )
    found = pretrained_on_tested(splits, path)
    assert (found.status, found.value) == (FAILED, 1)
    assert "1 patients who are tested" in found.detail
    assert pretrained_on_tested(splits[1:], path).status == OK
    assert pretrained_on_tested(splits, None).status == NOT_CHECKED
