"""The demo cohort is what its README says, and its script makes it again."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assets.demo.simulate import Cohort, simulate, write

DEMO = Path(__file__).resolve().parents[2] / "assets" / "demo"
LAYERS = ("methylation", "protein", "rna")


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return simulate()


@pytest.fixture(scope="module")
def effects(cohort: Cohort) -> pd.DataFrame:
    """The correlation of each feature with the response, beside its effect (0: not planted)."""
    response = cohort["samples"].set_index("sample")["response"]
    rows = pd.concat(
        {name: cohort[name].T.corrwith(response) for name in LAYERS}, names=["layer", "feature"]
    )
    truth = cohort["truth"].set_index(["layer", "feature"])
    return rows.to_frame("observed").join(truth).fillna({"effect": 0.0, "role": ""})


def content(path: Path) -> bytes:
    """Bytes of a file; of a packed one the bytes inside, for zlib's packing differs by version."""
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def test_the_script_makes_the_committed_files_again(cohort: Cohort, tmp_path: Path) -> None:
    write(cohort, tmp_path)
    made = sorted(path.name for path in tmp_path.iterdir())
    assert sorted(set(made) | {"README.md", "simulate.py"}) == sorted(
        path.name for path in DEMO.iterdir() if path.is_file()
    )
    for name in made:
        assert content(tmp_path / name) == content(DEMO / name), name


def test_packed_files_hold_no_time_stamp() -> None:
    for path in DEMO.glob("*.gz"):
        assert path.read_bytes()[4:8] == b"\0\0\0\0"


def test_the_committed_cohort_is_small() -> None:
    assert sum(path.stat().st_size for path in DEMO.iterdir() if path.is_file()) < 400_000


def test_each_patient_lacks_at_most_one_layer(cohort: Cohort) -> None:
    everyone = set(cohort["samples"]["sample"])
    lacking = [everyone - set(cohort[name].columns) for name in LAYERS]
    assert [len(group) for group in lacking] == [4, 4, 4]
    assert len(set.union(*lacking)) == 12


def test_values_fit_the_kind_of_their_layer(cohort: Cohort) -> None:
    assert cohort["methylation"].stack().between(0, 1).all()
    assert (cohort["rna"] >= 0).all(axis=None)
    assert not cohort["rna"].isna().any(axis=None)
    assert 0.02 < cohort["protein"].isna().mean().mean() < 0.04
    assert abs(cohort["samples"]["os_event"].mean() - 0.55) < 0.02
    assert (cohort["samples"]["os_time"] > 0).all()


def test_planted_features_follow_the_response_and_others_do_not(effects: pd.DataFrame) -> None:
    rises = {"growth": 1.0, "immune": -1.0}
    for role, sign in rises.items():
        planted = effects[effects["role"] == role]
        assert (np.sign(planted["observed"]) == sign * np.sign(planted["effect"])).mean() > 0.9
    noise = effects.loc[effects["role"].isin(["", "silencing"]), "observed"]
    assert abs(noise.mean()) < 0.05
    assert noise.abs().quantile(0.5) < 0.1


def test_planted_sets_hold_the_genes_that_rise_with_their_factor(cohort: Cohort) -> None:
    truth = cohort["truth"].query("layer == 'rna' and effect > 0")
    for role in ("growth", "immune"):
        rising = set(truth.loc[truth["role"] == role, "feature"])
        members = cohort["gene_sets"].query(f"term == 'DEMO_{role.upper()}_UP'")["gene"]
        assert rising < set(members)
        assert members.is_unique


def test_the_other_sets_hold_no_gene_that_follows_growth_or_immune(cohort: Cohort) -> None:
    planted = set(cohort["truth"].query("layer == 'rna'")["feature"])
    others = cohort["gene_sets"][cohort["gene_sets"]["term"].str.startswith("DEMO_RANDOM")]
    assert others["term"].nunique() == 18
    assert not planted & set(others["gene"])


def test_a_small_cohort_has_the_same_build(tmp_path: Path) -> None:
    small = simulate(40, {"rna": 30, "methylation": 30, "protein": 30}, seed=5)
    assert [len(small[name]) for name in LAYERS] == [30, 30, 30]
    assert len(small["samples"]) == 40
    assert set(small["truth"]["role"]) == {"growth", "immune", "silencing"}
    write(small, tmp_path)
    read = pd.read_csv(tmp_path / "rna.tsv.gz", sep="\t", index_col=0)
    assert list(read.columns) == list(small["rna"].columns)
