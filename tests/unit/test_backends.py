"""TensorFlow and JAX compute the same networks; each is imported in one file only."""

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from omicsfusion.tables.tsv import read_tsv
from tests.network_cohort import write_cohort

ROOT = Path(__file__).resolve().parents[2]
STEP = 1e-2
"""The learning rate: how far a weight moves in the first step, whatever its gradient."""


def imported_by(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.split(".")[0] for name in plain | named}


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_a_backend_is_imported_by_the_file_that_is_called_after_it_alone(backend):
    importing = [path for path in (ROOT / "bin").rglob("*.py") if backend in imported_by(path)]
    assert [path.name for path in importing] == [f"backend_{backend}.py"]


def test_another_backend_is_refused_by_name():
    code = (
        "import keras; keras.backend.backend = lambda: 'torch'; import omicsfusion.models.backend"
    )
    done = computed(code, "tensorflow", ROOT)
    assert done.returncode == 1
    assert "KERAS_BACKEND is 'torch': networks are computed with" in done.stderr


def computed(code: str, backend: str, folder: Path, *arguments: object):
    """Run Python code in a process of its own, in ``folder``, under a backend."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=folder,
        env={
            **os.environ,
            "KERAS_BACKEND": backend,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "bin"), str(ROOT)]),
        },
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> dict[str, Path]:
    """What the two backends computed of one cohort; JAX where importing TensorFlow fails."""
    if importlib.util.find_spec("jax") is None:
        pytest.skip(
            "JAX is not installed beside TensorFlow: what the two compute was not compared "
            "(pip install jax into an environment of your own, and run this file there)"
        )
    cohort = tmp_path_factory.mktemp("cohort")
    write_cohort(cohort, "regression")
    folders = {name: tmp_path_factory.mktemp(name) for name in ("tensorflow", "jax")}
    code = "from runpy import run_module; run_module('tests.backend_numbers', run_name='__main__')"
    for name, folder in folders.items():
        done = computed(code, name, folder, cohort, folders["tensorflow"] / "fused.all.models")
        assert done.returncode == 0, done.stderr
        assert {"tensorflow": "TensorFlow", "jax": "JAX"}[name] in done.stdout
    return folders


@pytest.mark.parametrize("family", ["fused", "attention", "vae", "gcn", "gat"])
def test_training_begins_with_the_same_steps(both, family):
    one, other = (np.load(both[name] / "weights.npz") for name in ("tensorflow", "jax"))
    names = [name for name in one if name.startswith(f"{family}-")]
    assert one.files == other.files
    assert len(names) > 20
    for name in names:
        np.testing.assert_allclose(other[name], one[name], rtol=1e-4, atol=STEP / 100)


def test_a_whole_fit_predicts_the_same(both):
    one, other = (read_tsv(both[name] / "fused.all.predictions.tsv") for name in both)
    assert one["sample"].tolist() == other["sample"].tolist()
    apart = np.abs(one["mean"] - other["mean"]).max()
    assert apart < 0.01 * one["truth"].std()


def test_a_network_kept_by_one_is_explained_alike_by_the_other(both):
    one, other = (
        read_tsv(both[name] / "fused.importance.tsv").sort_values(["layer", "feature"])
        for name in both
    )
    assert one["feature"].tolist() == other["feature"].tolist()
    np.testing.assert_allclose(other["mean_abs_shap"], one["mean_abs_shap"], rtol=1e-3)
