"""The sex check: called where the genes tell, silent where they do not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omicsfusion.qc.layer_checks import check_layer
from omicsfusion.qc.sex import SexCalls, call_sex, given_sex, sex_genes
from omicsfusion.tables.cohort_table import open_tables
from tests.layer_files import names, samples_table, write_layer

GENES = ("TP53", "xist", "RPS4Y1", "DDX3Y", "kdm5d")


def tissue(sexes: str, seed: int = 0) -> np.ndarray:
    """Log expression of the genes in samples of these sexes, such as ``FFM``."""
    rng = np.random.default_rng(seed)
    is_female = np.array(list(sexes)) == "F"
    X = rng.normal(6, 1, (len(sexes), len(GENES)))
    X[:, 1] = np.where(is_female, 9, 1) + rng.normal(0, 0.8, len(sexes))
    X[:, 2:] = np.where(is_female, 0.5, 7)[:, None] + rng.normal(0, 0.8, (len(sexes), 3))
    return X


def called(folder: Path, X: np.ndarray, kind: str = "rna_log") -> SexCalls | None:
    path = write_layer(folder, X, kind=kind, features=GENES[: X.shape[1]])
    (table,) = open_tables([path], samples_table(names("s", len(X))))
    return call_sex(table, logarithm=kind == "rna_counts")


def letters(calls: SexCalls) -> str:
    return "".join(sex[:1].upper() or "-" for _, sex in sorted(calls.called.items()))


@pytest.mark.parametrize(
    "sexes", ["FM" * 20, "F" * 30 + "M" * 6, "M" * 95 + "F" * 5, "F" * 100 + "MM", "FFFFFFMMMM"]
)
def test_each_sample_gets_its_sex_even_of_a_rare_one(tmp_path: Path, sexes: str) -> None:
    calls = called(tmp_path, tissue(sexes))
    assert calls is not None
    assert letters(calls) == sexes
    assert calls.note == "by XIST and 3 genes of the Y chromosome"


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("sex", ["F", "M"])
def test_a_cohort_of_one_sex_is_not_cut_in_two(tmp_path: Path, sex: str, seed: int) -> None:
    calls = called(tmp_path, tissue(sex * (12 if seed % 2 else 200), seed))
    assert calls is not None
    assert calls.called == {}
    assert calls.note == "XIST and the Y genes part the samples into no two clear groups"


def test_a_wild_value_makes_no_sex(tmp_path: Path) -> None:
    X = tissue("F" * 60)
    X[3, 1] = X[4, 1] = -50
    X[8, 2] = X[9, 2] = 90
    calls = called(tmp_path, X)
    assert calls is not None
    assert calls.called == {}


def test_a_tumour_that_lost_its_y_chromosome_or_xist_is_not_called(tmp_path: Path) -> None:
    X = tissue("FM" * 20)
    X[0, 1] = 1
    X[1, 2:] = 0.5
    calls = called(tmp_path, X)
    assert calls is not None
    assert letters(calls) == "--" + "FM" * 19


def test_counts_are_judged_as_logarithms(tmp_path: Path) -> None:
    X = np.floor(2 ** tissue("FM" * 20))
    calls = called(tmp_path, X, "rna_counts")
    assert calls is not None
    assert letters(calls) == "FM" * 20


def test_layers_without_the_genes_or_of_another_kind_are_not_examined(tmp_path: Path) -> None:
    assert called(tmp_path, tissue("FM" * 20)[:, :3]) is None
    assert called(tmp_path, tissue("FM" * 20), "methylation_beta") is None


def test_few_samples_are_not_called(tmp_path: Path) -> None:
    calls = called(tmp_path, tissue("FM" * 4))
    assert calls == SexCalls({}, "fewer than 10 samples with values of the sex genes")


def test_missing_values_leave_a_sample_uncalled(tmp_path: Path) -> None:
    X = tissue("FM" * 20)
    X[0, 1] = np.nan
    X[1, 2:] = np.nan
    X[2, 3] = np.nan
    calls = called(tmp_path, X)
    assert calls is not None
    assert sorted(set(names("s", 40)) - set(calls.called)) == ["s0000", "s0001"]
    assert calls.called["s0002"] == "female"


def test_genes_are_found_by_symbol_and_by_ensembl_id() -> None:
    assert sex_genes(["a", "Xist", "UTY", "Rps4y1"]) == ("Xist", ("Rps4y1", "UTY"))
    features = ["ENSG00000229807.13", "ENSG00000129824", "ENSG00000067048.2"]
    assert sex_genes(features) == (features[0], tuple(features[1:]))
    assert sex_genes(["XIST|7503", "DDX3Y|8653", "KDM5D|8284"]) is not None
    assert sex_genes(["XIST", "DDX3Y", "ENSG00000067048"]) is None
    assert sex_genes(["DDX3Y", "UTY"]) is None


@pytest.mark.parametrize(
    ("column", "cells", "expected"),
    [
        ("sex", ["F", "Male", ""], {"a": "female", "b": "male"}),
        ("Gender", ["female ", "m", "unknown"], {"a": "female", "b": "male"}),
        ("is_female", ["1", "0", "NA"], {"a": "female", "b": "male"}),
        ("is_female", [1.0, 0.0, np.nan], {"a": "female", "b": "male"}),
        ("sex", ["0", "1", "1"], {}),
        ("site", ["F", "M", "F"], {}),
    ],
)
def test_the_given_sex_is_read_as_people_write_it(
    column: str, cells: list[object], expected: dict[str, str]
) -> None:
    table = pd.DataFrame({"sample": ["a", "b", "c"], "cohort": "main", column: cells})
    assert given_sex(table) == expected


def test_a_swapped_sample_shows_in_the_tables(tmp_path: Path) -> None:
    sexes = "FM" * 20
    path = write_layer(tmp_path, tissue(sexes), features=GENES)
    samples = samples_table(names("s", 40))
    given = ["F" if letter == "F" else "M" for letter in sexes]
    given[7], given[9] = "F", ""
    covariates = pd.DataFrame({"sample": samples["sample"], "cohort": "main", "sex": given})
    found = check_layer("rna", open_tables([path], samples), samples, covariates, ())
    row = found.samples.set_index("sample")[["sex_called", "sex_given", "sex_agrees"]]
    assert row.loc["s0007"].to_list() == ["male", "female", "no"]
    assert row.loc["s0009"].to_list() == ["male", "", ""]
    assert row["sex_agrees"].value_counts().to_dict() == {"yes": 38, "no": 1, "": 1}
    summary = found.summary.set_index("name")
    assert summary.loc["sex_called", "value"] == 40
    assert summary.loc["sex_disagrees", "note"] == "not the sex that was given: s0007"
