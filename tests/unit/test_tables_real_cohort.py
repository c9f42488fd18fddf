"""The real breast cancer cohort passes the checks, with its traps told."""

from pathlib import Path

import numpy as np
import pytest

from omicsfusion.tables.checking import Checked, check
from omicsfusion.tables.findings import Request
from omicsfusion.tables.importing import ImportRequest, import_layer
from omicsfusion.tables.layer import read_header, read_rows
from tests.malformed.cases import DEFAULTS

COHORT = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tcga_brca"
KINDS = {
    "rna": "rna_log",
    "cnv": "cnv",
    "mutation": "mutation",
    "methylation": "methylation_beta",
    "mirna": "mirna_log",
    "rppa": "rppa",
}

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not COHORT.is_dir(), reason=f"{COHORT} is not there"),
]


def checked(folder: Path, **options: object) -> Checked:
    rows = [f"{layer},{kind},{COHORT}/{layer}.tsv.gz" for layer, kind in KINDS.items()]
    sheet = folder / "samplesheet.csv"
    sheet.write_text("\n".join(["layer,kind,file", *rows]) + "\n")
    request = {**DEFAULTS, "folds": 5, **options}
    return check(Request(sheet=sheet, samples=COHORT / "samples.tsv", **request))


def test_nine_patients_without_follow_up_are_left_out_of_survival(tmp_path: Path) -> None:
    result = checked(tmp_path, task="survival", target="os", covariates=("age", "stage_ajcc"))
    assert result.problems.errors == []
    assert len(result.samples) == 970
    lost = result.accounting[result.accounting["status"] == "left_out"]
    assert len(lost) == 9
    assert lost["reason"].str.contains("os_time is .*, not positive").all()
    assert any(
        "9 of 979 samples have a time of zero or less" in str(p) for p in result.problems.found
    )


def test_all_patients_with_a_subtype_are_used_whatever_layers_they_lack(tmp_path: Path) -> None:
    result = checked(tmp_path, target="pam50")
    assert result.problems.errors == []
    sizes = result.samples["truth"].value_counts().to_dict()
    assert sizes == {"LumA": 390, "LumB": 185, "Basal": 133, "Her2": 66, "Normal": 23}
    assert sum("rna" in layers.split(";") for layers in result.samples["layers"]) == 774


def test_rna_is_imported_with_its_extreme_values(tmp_path: Path) -> None:
    out = tmp_path / "main.rna.h5ad"
    files = (COHORT / "rna.tsv.gz",)
    problems = import_layer(ImportRequest("rna", "rna_log", "main", "features", files), out)
    assert problems.found == []
    header = read_header(out)
    assert (len(header.samples), len(header.features)) == (956, 1558)
    values = read_rows(out, range(956))
    assert np.isfinite(values).all()
    assert values.max() == 36893
