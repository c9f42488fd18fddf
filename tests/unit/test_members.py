"""Members: what each network of a fit predicts by itself, from TRAIN's files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omicsfusion.models import network
from omicsfusion.models.fit import Fit, prediction_table
from omicsfusion.models.members import alone, members_of, members_table
from omicsfusion.models.training_task import train_group
from omicsfusion.scopes import Scope
from omicsfusion.tables.outcome import Outcome
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.network_cohort import SCOPES, write_cohort

KEYS = ["target", "model", "scope", "repeat", "fold", "inner", "sample"]


def run_train(folder: Path, model: str, task: str = "regression", **more: object) -> pd.DataFrame:
    """Train a model and return its table of members."""
    train_group(
        out=str(folder / f"{model}.all"),
        model=model,
        matrices=sorted(folder.glob("*.matrices.h5")),
        splits=folder / "splits.tsv",
        samples=folder / "samples.tsv",
        horizons=folder / "horizons.tsv" if task == "survival" else None,
        group="all",
        task=task,
        target="y",
        seed=3,
        **more,
    )
    return read_tsv(folder / f"{model}.all.members.tsv")


def predictions_of(folder: Path, model: str = "fused") -> pd.DataFrame:
    return read_tsv(folder / f"{model}.all.predictions.tsv")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, pd.DataFrame]:
    """Two outer fits, and an inner one, of three networks each."""
    folder = tmp_path_factory.mktemp("members")
    write_cohort(folder, "regression")
    return folder, run_train(folder, "fused", ensemble=3)


def test_a_row_stands_for_a_test_sample_of_an_outer_fit_and_a_network(trained):
    folder, members = trained
    predictions = predictions_of(folder)
    assert list(members.columns) == [
        *("permutation", "target", "model", "scope", "repeat", "fold", "inner", "member"),
        *("sample", "patient", "mean", "sd", "truth"),
    ]
    tested = predictions[predictions["scope"] == "test"]
    assert 0 < len(tested) < len(predictions)
    for number in (1, 2, 3):
        rows = members[members["member"] == number]
        assert rows[KEYS].to_numpy().tolist() == tested[KEYS].to_numpy().tolist()
        assert rows["truth"].tolist() == tested["truth"].tolist()
    assert set(members["member"]) == {1, 2, 3}


def test_the_mean_of_the_members_is_what_the_fit_predicts(trained):
    folder, members = trained
    predictions = predictions_of(folder)
    averaged = members.groupby(KEYS)["mean"].mean()
    together = predictions[predictions["scope"] == "test"].set_index(KEYS)["mean"]
    np.testing.assert_allclose(averaged[together.index], together, rtol=1e-5)
    apart = members.pivot_table(index=KEYS, columns="member", values="mean")
    assert (apart.std(axis=1) > 0).all()


def test_sd_is_of_the_samples_that_the_inner_fold_left_out(trained):
    folder, members = trained
    predictions = predictions_of(folder)
    first = predictions[predictions["fold"] == 1]
    held_out = first[first["scope"] == "inner"]
    expected = np.sqrt(np.mean((held_out["mean"] - held_out["truth"]) ** 2))
    np.testing.assert_allclose(first.loc[first["scope"] == "test", "sd"], expected, rtol=1e-6)
    of_members = members.loc[members["fold"] == 1].groupby("member")["sd"].unique()
    assert [len(values) for values in of_members] == [1, 1, 1]
    assert (abs(of_members.str[0] - expected) < 0.5 * expected).all()
    assert of_members.str[0].nunique() == 3


def test_a_member_is_the_network_that_an_ensemble_of_one_has(trained, tmp_path):
    _, members = trained
    write_cohort(tmp_path, "regression")
    only = run_train(tmp_path, "fused", ensemble=1)
    predictions = predictions_of(tmp_path)
    tested = predictions[predictions["scope"] == "test"]
    assert only["mean"].tolist() == tested["mean"].tolist()
    first = members.loc[members["member"] == 1, "mean"]
    np.testing.assert_allclose(first, only["mean"], rtol=1e-4)


def test_a_member_of_a_stack_is_the_stack_of_its_layers_members(tmp_path):
    inner = (Scope(1, 1, "0"), Scope(1, 1, "1"))
    write_cohort(tmp_path, "survival", (Scope(1, 1, "outer"), *inner))
    members = run_train(tmp_path, "late", "survival", ensemble=2)
    together = predictions_of(tmp_path, "late")
    only = run_train(tmp_path, "late", "survival", ensemble=1)
    first = members[members["member"] == 1]
    for column in ("risk", "s_1", "s_2"):
        np.testing.assert_allclose(first[column], only[column], rtol=1e-3, atol=1e-4)
    tested = together[together["scope"] == "test"]
    assert not np.allclose(first["risk"], tested["risk"], rtol=1e-3)


def test_a_shallow_model_has_a_header_only(trained, tmp_path):
    _, members = trained
    scopes = (Scope(1, 1, "outer"), Scope(1, 1, "0"), Scope(1, 1, "1"))
    write_cohort(tmp_path, "regression", scopes)
    table = run_train(tmp_path, "linear")
    assert list(table.columns) == list(members.columns)
    assert not len(table)


def test_rows_are_of_test_samples_of_outer_fits_only():
    tables = {"outer": ["test", "external"], "final": ["external"], "0": ["test"]}
    told = {"mean": np.array([1.0, 2.0]), "sd": np.ones(2)}
    fits = []
    for inner, roles in tables.items():
        columns = {name: values[: len(roles)] for name, values in told.items()}
        scope = Scope(0 if inner == "final" else 1, 0 if inner == "final" else 1, inner)
        samples = ["a", "b"][: len(roles)]
        record = {"status": "ok"}
        fits.append(Fit(scope, samples, samples, roles, columns, record, members={1: columns}))
    outcome = Outcome("regression", pd.DataFrame({"truth": [0.0, 1.0]}, index=["a", "b"]))

    def tabulate(some):
        return prediction_table(some, "fused", "y", outcome)

    predictions = tabulate(fits)
    found = members_table(fits, tabulate, predictions)
    assert found[["inner", "member", "sample", "mean"]].to_numpy().tolist() == [
        ["outer", 1, "a", 1.0]
    ]
    nothing = members_table(fits[1:], tabulate, predictions)
    assert list(nothing.columns) == list(found.columns)
    assert not len(nothing)


def test_each_target_of_a_joint_fit_has_its_own_rows(tmp_path):
    write_cohort(tmp_path, "regression", (Scope(1, 1, "outer"),))
    samples = read_tsv(tmp_path / "samples.tsv")
    samples["truth:b"] = (-samples["truth"]).where(samples.index % 3 != 1)
    write_tsv(samples, tmp_path / "samples.tsv")
    train_group(
        out=str(tmp_path / "fused.all"),
        model="fused",
        matrices=sorted(tmp_path.glob("*.matrices.h5")),
        splits=tmp_path / "splits.tsv",
        samples=tmp_path / "samples.tsv",
        horizons=None,
        group="all",
        task="regression",
        target="y,b",
        seed=3,
        ensemble=2,
    )
    members = read_tsv(tmp_path / "fused.all.members.tsv")
    predictions = predictions_of(tmp_path)
    counts = predictions[predictions["scope"] == "test"].groupby("target").size()
    assert counts["b"] < counts["y"]
    found = members.groupby(["member", "target"]).size().unstack()
    assert found.loc[1].to_dict() == found.loc[2].to_dict() == counts.to_dict()


def test_a_network_that_did_not_converge_predicts_nothing_and_the_others_do(tmp_path, monkeypatch):
    write_cohort(tmp_path, "regression", (Scope(1, 1, "outer"),))
    found = network._found

    def spoilt(*asked):
        results = found(*asked)
        for of_scope in results.values():
            problem, one, raw = of_scope[0]
            of_scope[0] = (problem, replace(one, best_epoch=0), raw)
        return results

    monkeypatch.setattr(network, "_found", spoilt)
    members = run_train(tmp_path, "fused", ensemble=2).set_index("member")
    predictions = predictions_of(tmp_path)
    assert members.loc[1, ["mean", "sd"]].isna().all(axis=None)
    assert members.loc[1, "truth"].notna().all()
    np.testing.assert_allclose(members.loc[2, "mean"], predictions["mean"], rtol=1e-6)


def test_a_member_without_predictions_is_a_failed_fit():
    told = {"mean": np.array([1.0, 2.0]), "sd": np.ones(2)}
    nothing = dict.fromkeys(told, np.full(2, np.nan))
    fit = Fit(
        SCOPES[0], ["a", "b"], ["a", "b"], ["test"] * 2, told, {"status": "ok"}, members={1: told}
    )
    fit = replace(fit, members={1: told, 2: nothing})
    assert members_of([fit]) == [1, 2]
    assert alone(fit, 1).record == {"status": "ok"}
    failed = alone(fit, 2)
    assert failed.record == {"status": "failed", "reason": "Network 2 did not converge."}
    assert failed.columns is nothing
