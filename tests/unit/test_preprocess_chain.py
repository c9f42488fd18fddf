import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from omicsfusion.preprocess.annotations import Annotations
from omicsfusion.preprocess.chain import Chain
from omicsfusion.preprocess.cohorts import read_cohorts
from omicsfusion.preprocess.fitting import count_features, fit_chains, read_chain
from omicsfusion.preprocess.matrices import read_matrix, scopes_of
from omicsfusion.preprocess.register import Register
from omicsfusion.recipes.catalogue import read_catalogue
from omicsfusion.recipes.recipe import settle
from omicsfusion.scopes import FINAL, OUTER, Scope
from omicsfusion.tables.cohort_table import LayerFilesError
from omicsfusion.tables.layer import LayerHeader, new_layer
from omicsfusion.tables.tsv import read_tsv, write_tsv

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "preprocess.py"
COMMON = ["--task", "classification", "--recipe", "recipe.json"]
NAN = np.nan


def write_layer(path, cohort, samples, features, X, kind="rna_log", types=(), categories=None):
    header = LayerHeader(
        path.name.split(".")[1], kind, cohort, samples, features, types, categories or {}
    )
    with new_layer(path, header) as x:
        x[:] = np.asarray(X, dtype=np.float32)
    return path


def samples_table(main, external=()):
    cohort = ["main"] * len(main) + ["other"] * len(external)
    role = ["train"] * len(main) + ["external"] * len(external)
    return pd.DataFrame({"sample": [*main, *external], "cohort": cohort, "role": role})


def splits_table(roles):
    """One row per scope and sample from {scope: {sample: role}}."""
    rows = [
        (0, scope.repeat, scope.fold, scope.inner, "all", sample, sample, role)
        for scope, of_samples in roles.items()
        for sample, role in of_samples.items()
    ]
    names = ["permutation", "repeat", "fold", "inner", "group", "sample", "patient", "role"]
    return pd.DataFrame(rows, columns=names)


def test_the_features_are_those_of_the_training_cohorts(tmp_path):
    a = write_layer(tmp_path / "a.rna.h5ad", "main", ("s1", "s3"), ("g1", "g2"), [[1, 2], [3, 4]])
    b = write_layer(tmp_path / "b.rna.h5ad", "other", ("s0", "s2"), ("g3", "g2"), [[5, 6], [7, 8]])
    for paths in ([a, b], [b, a]):
        layer = read_cohorts(paths, samples_table(["s1", "s3"], ["s0", "s2"]))
        assert layer.samples == ("s0", "s1", "s2", "s3")
        assert layer.features == ("g1", "g2")
        np.testing.assert_array_equal(layer.X, [[NAN, 6], [1, 2], [NAN, 8], [3, 4]])


def test_two_training_cohorts_unite_their_features_in_the_order_of_names(tmp_path):
    a = write_layer(tmp_path / "a.rna.h5ad", "one", ("s1",), ("g2", "g1"), [[1, 2]])
    b = write_layer(tmp_path / "b.rna.h5ad", "two", ("s2",), ("g3", "g2"), [[3, 4]])
    table = pd.DataFrame({"sample": ["s1", "s2"], "cohort": ["one", "two"], "role": "train"})
    layer = read_cohorts([b, a], table)
    assert layer.features == ("g2", "g1", "g3")
    np.testing.assert_array_equal(layer.X, [[1, 2, NAN], [4, NAN, 3]])


def test_samples_that_are_not_used_are_not_read(tmp_path):
    path = write_layer(tmp_path / "a.rna.h5ad", "main", ("s1", "s2"), ("g",), [[1], [2]])
    assert read_cohorts([path], samples_table(["s2"])).samples == ("s2",)


def clinical(path, cohort, sample, levels, kind="categorical"):
    categories = {"stage": levels} if kind == "categorical" else {}
    return write_layer(path, cohort, (sample,), ("stage",), [[0]], "clinical", (kind,), categories)


def test_levels_of_covariates_are_united_over_cohorts(tmp_path):
    a = clinical(tmp_path / "a.clinical.h5ad", "main", "s1", ("II", "IV"))
    b = clinical(tmp_path / "b.clinical.h5ad", "other", "s2", ("I", "II"))
    layer = read_cohorts([a, b], samples_table(["s1"], ["s2"]))
    assert layer.categories == (("I", "II", "IV"),)
    assert layer.X.tolist() == [[1], [0]]


def test_a_covariate_that_is_a_number_here_and_a_word_there_is_refused(tmp_path):
    a = clinical(tmp_path / "a.clinical.h5ad", "main", "s1", ("II",))
    b = clinical(tmp_path / "b.clinical.h5ad", "other", "s2", (), kind="numeric")
    with pytest.raises(LayerFilesError, match="stage are numbers in one cohort"):
        read_cohorts([a, b], samples_table(["s1"], ["s2"]))


def test_files_of_two_layers_are_refused(tmp_path):
    a = write_layer(tmp_path / "a.rna.h5ad", "main", ("s1",), ("g",), [[1]])
    b = write_layer(tmp_path / "b.mirna.h5ad", "other", ("s2",), ("g",), [[1]])
    with pytest.raises(LayerFilesError, match=r"mirna \(rna_log\), rna \(rna_log\)"):
        read_cohorts([a, b], samples_table(["s1"], ["s2"]))


def test_two_files_of_one_cohort_are_refused(tmp_path):
    a = write_layer(tmp_path / "a.rna.h5ad", "main", ("s1",), ("g",), [[1]])
    b = write_layer(tmp_path / "b.rna.h5ad", "main", ("s2",), ("g",), [[1]])
    with pytest.raises(LayerFilesError, match="Two files hold the cohort 'main' of"):
        read_cohorts([a, b], samples_table(["s1", "s2"]))


def test_a_file_of_which_no_sample_is_used_adds_no_feature(tmp_path):
    a = write_layer(tmp_path / "a.rna.h5ad", "one", ("s1",), ("g1",), [[1]])
    b = write_layer(tmp_path / "b.rna.h5ad", "two", ("s2",), ("g2",), [[2]])
    table = pd.DataFrame({"sample": ["s1", "s3"], "cohort": ["one", "two"], "role": "train"})
    layer = read_cohorts([a, b], table)
    assert (layer.samples, layer.features) == (("s1",), ("g1",))


def notes(n, features=("a", "b"), categories=()):
    return Annotations(features=tuple(features), categories=tuple(categories))


def test_a_chain_has_the_steps_of_its_recipe():
    chain = Chain(settle(read_catalogue(), "rna_counts"))
    assert repr(chain) == (
        "Chain(rna_counts: filter:present > normalise:tmm > impute:median > select:variance > "
        "scale:robust)"
    )


def test_a_chain_of_covariates_makes_named_numbers():
    stage = [0] * 6 + [1] * 6
    age = [40.0, 60.0] * 5 + [NAN, NAN]
    X = np.array([stage, age], dtype=np.float32).T
    known = notes(12, ["stage", "age"], [("I", "II"), None])
    chain = Chain(settle(read_catalogue(), "clinical")).fit(X, known)
    assert chain.get_feature_names_out() == ("stage=I", "stage=II", "age", "age=missing")
    out = chain.transform(np.array([[1, 50], [0, NAN]]), known)
    np.testing.assert_array_equal(out, [[0, 1, 0, 0], [1, 0, 0, 1]])
    assert out.dtype == np.float32


@pytest.mark.parametrize(
    ("X", "reason"),
    [
        (np.random.default_rng(0).normal(size=(4, 2)), "fewer than 5 training samples"),
        (np.empty((0, 2)), "fewer than 5 training samples"),
        (np.ones((9, 2)), "no feature is left: 2 constant"),
        (np.full((9, 2), NAN), "no feature is left: 2 mostly missing"),
    ],
)
def test_a_layer_that_cannot_be_fitted_comes_out_without_columns(tmp_path, X, reason):
    chain = Chain(settle(read_catalogue(), "rna_log")).fit(X, notes(len(X)))
    with h5py.File(tmp_path / "c.h5", "w") as file:
        chain.to_h5(file)
        reloaded = Chain.from_h5(file)
    for fitted in (chain, reloaded):
        assert fitted.absent_ == reason
        assert fitted.n_train_ == len(X)
        assert fitted.get_feature_names_out() == ()
        assert fitted.transform(np.ones((3, 2)), notes(3)).shape == (3, 0)


def test_a_matrix_of_another_width_is_refused():
    X = np.random.default_rng(0).normal(size=(9, 2))
    chain = Chain(settle(read_catalogue(), "rna_log")).fit(X, notes(9))
    with pytest.raises(ValueError, match="X has 3 features, the chain was fitted on 2"):
        chain.transform(np.ones((1, 3)), notes(1))


def test_train_and_stop_fit_the_chain_and_test_and_external_do_not(tmp_path):
    ids = tuple(f"s{number:02d}" for number in range(12))
    X = np.arange(12.0)[:, None] ** 2
    path = write_layer(tmp_path / "a.rna.h5ad", "main", ids, ("g",), X, kind="cnv")
    layer = read_cohorts([path], samples_table(ids))
    role = ["train"] * 6 + ["stop"] * 2 + ["test"] * 3 + ["external"]
    scope = Scope(1, 1, OUTER)
    splits = splits_table({scope: dict(zip(ids, role, strict=True))})
    register = Register.of(samples_table(ids), "classification")
    recipe = settle(read_catalogue(), "cnv", {"normalise": ("none", {}, "")})
    chains = fit_chains(layer, splits, recipe, register).chains
    assert chains[scope].n_train_ == 8
    np.testing.assert_allclose(chains[scope].steps[-1].centre_, X[:8].mean())
    assert count_features("rna", chains).iloc[0].tolist() == [
        "rna", 1, 1, "outer", 1, 0, 1, 8, "",
    ]  # fmt: skip


def test_the_script_writes_matrices_chains_and_counts(tmp_path):
    rng = np.random.default_rng(3)
    ids = tuple(f"s{number:02d}" for number in range(20))
    X = rng.normal(size=(20, 3))
    X[:, 1] = 5
    write_layer(tmp_path / "main.rna.h5ad", "main", ids[:15], ("g1", "g2", "g3"), X[:15])
    write_tsv(samples_table(ids), tmp_path / "samples.tsv")
    scopes = {
        Scope(0, 0, FINAL): dict.fromkeys(ids, "train"),
        Scope(1, 1, OUTER): {**dict.fromkeys(ids[:10], "train"), **dict.fromkeys(ids[10:], "test")},
        Scope(1, 2, OUTER): {**dict.fromkeys(ids[:12], "test"), **dict.fromkeys(ids[12:], "train")},
    }
    write_tsv(splits_table(scopes), tmp_path / "splits.tsv")
    recipe = settle(read_catalogue(), "rna_log")
    (tmp_path / "recipe.json").write_text(recipe.to_json(), encoding="utf-8")
    arguments = "--id rna.all --files main.rna.h5ad --splits splits.tsv --samples samples.tsv"
    done = subprocess.run(
        [sys.executable, SCRIPT, *arguments.split(), *COMMON, "--group", "all"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert scopes_of(tmp_path / "rna.all.matrices.h5") == list(scopes)
    matrix = read_matrix(tmp_path / "rna.all.matrices.h5", Scope(1, 1, OUTER))
    assert matrix.samples == ids[:15]
    assert matrix.features == ("g1", "g3")
    chain = read_chain(tmp_path / "rna.all.chains.h5", Scope(1, 1, OUTER))
    out = chain.transform(X[:15].astype(np.float32), notes(15, ["g1", "g2", "g3"]))
    np.testing.assert_array_equal(out, matrix.X)
    absent = read_matrix(tmp_path / "rna.all.matrices.h5", Scope(1, 2, OUTER))
    assert absent.X.shape == (15, 0)
    counts = read_tsv(tmp_path / "rna.all.features.tsv")
    assert counts["n_constant"].tolist() == [1, 1, 0]
    assert counts["n_kept"].tolist() == [2, 2, 0]
    assert counts["n_train"].tolist() == [15, 10, 3]
    assert counts["note"].fillna("").tolist() == ["", "", "fewer than 5 training samples"]


def test_the_script_refuses_an_unknown_group_in_a_sentence(tmp_path):
    write_tsv(splits_table({Scope(0, 0, FINAL): {"s1": "train"}}), tmp_path / "splits.tsv")
    arguments = "--id rna.g9 --files x.h5ad --splits splits.tsv --samples samples.tsv --group g9"
    done = subprocess.run(
        [sys.executable, SCRIPT, *arguments.split(), *COMMON],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "splits.tsv has no scopes in the group 'g9'.\n")
