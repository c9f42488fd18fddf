"""What CHECK_INPUT settles: who is used, why not, and what will run."""

from pathlib import Path

import pandas as pd
import pytest

from omicsfusion.tables.checking import check
from omicsfusion.tables.findings import Request
from omicsfusion.tables.ids import near_name, other_spellings, trailing_parts
from omicsfusion.tables.plan_text import plan_text
from tests.malformed.cases import DEFAULTS
from tests.malformed.cohort import SAMPLES, Cohort


def checked(cohort: Cohort, folder: Path, **options: object):
    sheet, samples = cohort.write(folder)
    return check(Request(sheet=sheet, samples=samples, **{**DEFAULTS, **options}))


def two_cohorts() -> Cohort:
    """The sound cohort and an external one of six samples that lacks mutations."""
    cohort = Cohort()
    cohort.sheet[0] += ["cohort", "role"]
    for row in cohort.sheet[1:]:
        row += ["", ""]
    for layer in ("rna", "protein"):
        rows = [[row[0], *row[1:7]] for row in cohort.tables[f"{layer}.tsv"]]
        rows[0] = ["feature", *(f"E{index}" for index in range(6))]
        cohort.tables[f"{layer}_ext.tsv"] = rows
        kind = {"rna": "rna_log", "protein": "protein"}[layer]
        cohort.sheet.append([layer, kind, f"{layer}_ext.tsv", "ext", "external"])
    cohort.samples += [[f"E{i}", f"E{i}", *row[2:]] for i, row in enumerate(cohort.samples[1:7])]
    return cohort


def test_a_sound_cohort_is_used_whole(tmp_path: Path) -> None:
    result = checked(Cohort(), tmp_path)
    assert result.problems.found == []
    assert list(result.samples["sample"]) == SAMPLES
    assert set(result.samples["layers"]) == {"mutation;protein;rna"}
    assert list(result.layers["layer"]) == ["mutation", "protein", "rna"]
    assert set(result.layers["rows"]) == {"features"}
    assert list(result.samples.columns) == [
        *("sample", "patient", "cohort", "role", "group", "batch", "split", "truth", "layers")
    ]


def test_the_order_of_rows_changes_no_table(tmp_path: Path) -> None:
    turned = Cohort()
    turned.sheet[1:] = turned.sheet[:0:-1]
    turned.samples[1:] = turned.samples[:0:-1]
    options = {"covariates": ("age", "sex"), "batch": "site"}
    first = checked(Cohort(), tmp_path / "a", **options)
    second = checked(turned, tmp_path / "b", **options)
    for name in ("layers", "samples", "accounting", "covariates"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name))
    assert plan_text(first.plan) == plan_text(second.plan)
    assert first.plan.as_json() == second.plan.as_json()


def test_every_sample_seen_anywhere_has_one_row_in_the_accounting(tmp_path: Path) -> None:
    cohort = Cohort()
    cohort.samples.append(["S98", *cohort.samples[1][1:]])
    del cohort.samples[1]
    cohort.set_sample("subtype", {"S04": ""})
    result = checked(cohort, tmp_path)
    fates = result.accounting.set_index("sample")
    assert list(fates.index) == sorted([*SAMPLES, "S98"])
    assert fates.at["S01", "reason"] == "not in samples.tsv"
    assert fates.at["S98", "reason"] == "has no omics layer"
    assert fates.at["S04", "reason"] == "subtype is missing"
    assert set(fates.loc[result.samples["sample"], "status"]) == {"used"}
    assert set(fates.loc[["S01", "S98", "S04"], "status"]) == {"left_out"}


def test_a_sample_without_a_layer_is_kept(tmp_path: Path) -> None:
    cohort = Cohort()
    for row in cohort.rna:
        del row[1:3]
    result = checked(cohort, tmp_path)
    layers = result.samples.set_index("sample")["layers"]
    assert (layers["S01"], layers["S03"]) == ("mutation;protein", "mutation;protein;rna")
    assert result.problems.found == []


def test_external_samples_may_lack_the_outcome(tmp_path: Path) -> None:
    cohort = two_cohorts()
    cohort.set_sample("subtype", {"E0": "", "E1": "NA"})
    result = checked(cohort, tmp_path)
    assert result.problems.found == []
    roles = result.samples.set_index("sample")["role"]
    assert roles["E0"] == "external"
    assert (roles == "external").sum() == 6
    where = result.accounting.set_index("sample")["where"]
    assert (where["E0"], where["S01"]) == ("external validation", "cross-validation")


def test_covariates_become_a_clinical_layer_of_each_cohort(tmp_path: Path) -> None:
    result = checked(two_cohorts(), tmp_path, covariates=("age", "sex"))
    assert result.problems.found == []
    clinical = result.layers[result.layers["layer"] == "clinical"]
    assert list(clinical["cohort"]) == ["ext", "main"]
    assert set(clinical["sources"]) == {"covariates"}
    assert list(result.covariates.columns) == ["sample", "cohort", "age", "sex"]
    assert len(result.covariates) == len(result.samples)


def test_a_layer_that_only_external_samples_have_is_refused(tmp_path: Path) -> None:
    cohort = two_cohorts()
    cohort.sheet[-1][0] = "phospho"
    texts = [str(problem) for problem in checked(cohort, tmp_path).problems.errors]
    assert any("No training cohort has the layer phospho" in text for text in texts)


def test_a_sample_in_two_cohorts_is_refused(tmp_path: Path) -> None:
    cohort = two_cohorts()
    cohort.tables["rna_ext.tsv"][0][1] = "S01"
    texts = [str(problem) for problem in checked(cohort, tmp_path).problems.errors]
    assert any("S01 is in tables of several cohorts: ext, main" in text for text in texts)


def test_a_patient_with_a_clinical_table_only_is_left_out(tmp_path: Path) -> None:
    cohort = Cohort()
    cohort.tables["labs.tsv"] = [["id", "crp"], *([sample, "1"] for sample in [*SAMPLES, "S99"])]
    cohort.sheet.append(["labs", "clinical", "labs.tsv"])
    cohort.samples.append(["S99", *cohort.samples[1][1:]])
    result = checked(cohort, tmp_path)
    assert result.accounting.set_index("sample").at["S99", "reason"] == "has no omics layer"


def test_no_sample_is_called_used_while_the_inputs_have_errors_that_hide_its_fate(
    tmp_path: Path,
) -> None:
    cohort = Cohort()
    cohort.sheet[1][1] = "rna_lgo"
    result = checked(cohort, tmp_path)
    assert set(result.accounting["status"]) == {"left_out"}
    assert set(result.accounting["reason"]) == {"the inputs have errors"}


def test_strict_makes_errors_of_warnings(tmp_path: Path) -> None:
    cohort = Cohort()
    cohort.set_sample("subtype", {"S01": ""})
    assert checked(cohort, tmp_path).problems.errors == []
    result = checked(cohort, tmp_path, strict=True)
    assert [problem.severity for problem in result.problems.found] == ["error"]


def test_staged_tables_are_found_by_the_line_of_the_samplesheet(tmp_path: Path) -> None:
    sheet, samples = Cohort().write(tmp_path / "in")
    staged = {}
    for line, name in enumerate(["rna", "protein", "mutation"], 2):
        staged[line] = tmp_path / str(line)
        (tmp_path / "in" / f"{name}.tsv").rename(staged[line])
    request = Request(sheet=sheet, samples=samples, tables=staged, **DEFAULTS)
    assert check(request).problems.found == []
    del staged[3]
    texts = [str(problem) for problem in check(request).problems.errors]
    assert texts[0].startswith("samplesheet.csv, row 3, column 'file': The file 'protein.tsv'")


def test_a_group_column_and_a_batch_column_are_handed_on(tmp_path: Path) -> None:
    result = checked(Cohort(), tmp_path, group="site", batch="site", folds=2)
    assert result.problems.found == []
    assert list(result.samples["group"][:2]) == ["site0", "site1"]
    assert list(result.samples["batch"][:2]) == ["site0", "site1"]
    assert set(result.samples["split"]) == {""}


def test_a_split_column_is_handed_on_and_is_one_fold_when_it_says_train_and_test(
    tmp_path: Path,
) -> None:
    result = checked(Cohort(), tmp_path, split="column:part")
    assert result.problems.found == []
    assert list(result.samples["split"]) == ["train"] * 8 + ["test"] * 4
    assert result.plan.design.n_outer == 1


def test_each_value_of_a_left_out_column_is_a_fold(tmp_path: Path) -> None:
    result = checked(Cohort(), tmp_path, split="leave_out:site")
    assert result.problems.found == []
    assert result.plan.design.n_outer == 2


def test_the_plan_counts_tasks_and_fits(tmp_path: Path) -> None:
    plan = checked(
        Cohort(), tmp_path, folds=3, repeats=2, inner_folds=2, folds_per_task=4
    ).plan.as_json()
    assert plan["design"]["n_outer"] == 6
    assert plan["design"]["n_scopes"] == 21
    assert plan["design"]["n_groups"] == 3
    steps = {step["process"]: step for step in plan["steps"]}
    assert (steps["PREPROCESS"]["tasks"], steps["PREPROCESS"]["fits"]) == (9, 63)
    assert (steps["TRAIN fused"]["tasks"], steps["TRAIN fused"]["fits"]) == (3, 21)
    assert steps["EXPLAIN"]["tasks"] == 1
    assert plan["patterns"] == {"mutation + protein + rna": 12}
    # Of one control: PERMUTE, three layers and three models in a group of three folds.
    control = plan["negative_control"]
    assert (control["tasks"], control["fits"]) == (1 + 3 + 3, (3 + 3) * 9)
    assert 0 < control["seconds"] < plan["seconds"]


def test_a_control_also_permutes_omics_where_the_verdict_asks_what_they_add(
    tmp_path: Path,
) -> None:
    models = ("clinical", "linear", "linear+clinical", "fused")
    settings = {"folds": 3, "repeats": 1, "inner_folds": 2, "covariates": ("age",)}

    def control(*models: str) -> dict[str, float]:
        found = checked(Cohort(), tmp_path, models=models, **settings).plan.as_json()
        return dict(found["negative_control"])

    # PERMUTE, four layers (one of the covariates), four models; then the covariates and two models.
    asked = control(*models)
    assert (asked["tasks"], asked["fits"]) == (1 + 4 + 4 + 1 + 2, (4 + 4 + 1 + 2) * 9)
    without_network = control(*models[:3])
    assert without_network["tasks"] == 1 + 4 + 3 + 1 + 2
    assert control("clinical", "fused")["tasks"] == 1 + 4 + 2


def test_the_plan_for_people_names_layers_and_what_was_found_out(tmp_path: Path) -> None:
    text = plan_text(checked(Cohort(), tmp_path).plan)
    for words in ("12 samples are used", "mutation + protein + rna", "A 6, B 6", "found out"):
        assert words in text


def test_ids_are_matched_only_where_one_is_meant() -> None:
    assert other_spellings(["s1"], ["S1", "S2"]) == {"s1": ("S1", "upper and lower case")}
    assert other_spellings(["s1"], ["S1", "S01"])["s1"][0] == "S1"
    assert other_spellings(["P.7"], ["P-007", "P-7"]) == {
        "P.7": ("P-7", "'.', '-', '_' or a blank")
    }
    assert other_spellings(["X7"], ["7"])["X7"][0] == "7"
    assert other_spellings(["A1"], ["B1"]) == {}


def test_names_with_trailing_parts_are_seen() -> None:
    assert trailing_parts(["TCGA-1-01A"], ["TCGA-1"]) == ("TCGA-1-01A", "TCGA-1")
    assert trailing_parts(["TCGA-1"], ["TCGA-1-01A"]) == ("TCGA-1", "TCGA-1-01A")
    assert trailing_parts(["S10"], ["S1"]) is None


@pytest.mark.parametrize(
    ("wrong", "right"), [("subtyp", "subtype"), ("SUBTYPE", "subtype"), ("zzz", "")]
)
def test_a_near_name_is_suggested(wrong: str, right: str) -> None:
    expected = f"Did you mean {right!r}?" if right else ""
    assert near_name(wrong, ["subtype", "age"]) == expected
