"""A model is added by one file and one line, as docs/contributing.md shows it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from omicsfusion.scopes import Scope
from omicsfusion.tables.tsv import read_tsv
from tests.network_cohort import write_cohort

ROOT = Path(__file__).resolve().parents[2]
SCOPES = (Scope(1, 1, "outer"), Scope(1, 1, "0"))


@pytest.fixture
def shown() -> dict[str, str]:
    """Return what the page shows, by language."""
    page = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
    return dict(re.findall(r"```(python|json)\n(.*?)```", page, flags=re.DOTALL))


def test_the_file_and_the_line_of_the_page_are_a_model_that_trains(
    shown: dict[str, str], tmp_path: Path
) -> None:
    bin_ = tmp_path / "bin"
    shutil.copytree(ROOT / "bin", bin_, ignore=shutil.ignore_patterns("__pycache__"))
    models = bin_ / "omicsfusion" / "models"
    (models / "baselines" / "neighbours.py").write_text(shown["python"], encoding="utf-8")
    registry = (models / "registry.json").read_text(encoding="utf-8")
    opening = '  "families": {\n'
    assert opening in registry
    assert shown["json"].count("\n") == 1
    (models / "registry.json").write_text(
        registry.replace(opening, opening + shown["json"]), encoding="utf-8"
    )

    write_cohort(tmp_path, "classification", SCOPES)
    done = _train(bin_, tmp_path, "classification")
    assert done.returncode == 0, done.stderr
    record = read_tsv(tmp_path / "neighbours.all.training.tsv")
    assert record["status"].tolist() == ["ok", "ok"]
    assert record["setting"].str.startswith("neighbours=").all()
    table = read_tsv(tmp_path / "neighbours.all.predictions.tsv")
    called = table.filter(regex="^p_").idxmax(axis=1).str.removeprefix("p_")
    assert (called == table["truth"]).mean() > 0.4
    assert not list((tmp_path / "neighbours.all.models").iterdir())

    refused = _train(bin_, tmp_path, "regression")
    assert "'neighbours' is for classification, not for regression" in refused.stderr


def _train(bin_: Path, folder: Path, task: str) -> subprocess.CompletedProcess[str]:
    write_cohort(folder, task, SCOPES)
    matrices = sorted(folder.glob("*.matrices.h5"))
    command = [
        *(sys.executable, bin_ / "train.py", "--id", folder / "neighbours.all"),
        *("--model", "neighbours", "--matrices", *matrices),
        *("--splits", folder / "splits.tsv", "--samples", folder / "samples.tsv"),
        *("--group", "all", "--task", task, "--target", "outcome", "--seed", "1"),
    ]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
