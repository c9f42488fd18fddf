"""Two numbers of which one is missing for a third of the samples: TRAIN from files to files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omicsfusion.models.archive import read_archive
from omicsfusion.models.ensemble import ensemble_inputs, widened
from omicsfusion.models.training_task import train_group
from omicsfusion.scopes import Scope, read_splits, rows_of
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.network_cohort import SCOPES, open_cohort, write_cohort

OUTER = SCOPES[0]


def write_two(folder: Path) -> None:
    """The cohort of numbers, and a second one that every third sample lacks."""
    write_cohort(folder, "regression")
    samples = read_tsv(folder / "samples.tsv")
    noise = np.random.default_rng(5).normal(size=len(samples))
    samples["truth:b"] = 3 - 0.01 * samples["truth"] + 0.05 * noise
    samples.loc[samples.index % 3 == 1, "truth:b"] = np.nan
    write_tsv(samples, folder / "samples.tsv")


def run_train(folder: Path, model: str, target: str, out: str, **more: object) -> pd.DataFrame:
    train_group(
        out=str(folder / out),
        model=model,
        matrices=sorted(folder.glob("*.matrices.h5")),
        splits=folder / "splits.tsv",
        samples=folder / "samples.tsv",
        horizons=None,
        group="all",
        task="regression",
        target=target,
        seed=3,
        **more,
    )
    return read_tsv(folder / f"{out}.predictions.tsv")


@pytest.fixture(scope="module")
def joint(tmp_path_factory) -> tuple[Path, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("joint")
    write_two(folder)
    return folder, run_train(folder, "fused", "a,b", "fused.all")


def test_both_targets_are_found_each_in_its_own_unit(joint):
    _, table = joint
    assert list(table.columns[9:]) == ["mean", "sd", "truth"]
    for _, rows in table.groupby("target"):
        assert np.corrcoef(rows["mean"], rows["truth"])[0, 1] > 0.7
        assert 0.1 < rows["sd"].mean() / rows["truth"].std() < 0.9


def test_a_row_stands_for_a_sample_that_has_the_target(joint):
    folder, table = joint
    samples = read_tsv(folder / "samples.tsv").set_index("sample")
    assert table["truth"].notna().all()
    for target, column in {"a": "truth", "b": "truth:b"}.items():
        rows = table[(table["target"] == target) & (table["repeat"] == 1) & (table["fold"] == 1)]
        rows = rows[rows["scope"] == "test"]
        tested = rows_of(read_splits(folder / "splits.tsv"), OUTER)
        tested = tested.loc[tested["role"] == "test", "sample"]
        has = samples.loc[tested, column].dropna()
        assert list(rows["sample"]) == sorted(has.index)
        np.testing.assert_array_equal(rows["truth"], has.sort_index())


def test_the_logs_tell_of_joint_fits_once(joint):
    folder, _ = joint
    record = read_tsv(folder / "fused.all.training.tsv")
    assert list(record.columns[:5]) == ["model", "target", "repeat", "fold", "inner"]
    assert record["target"].tolist() == ["a,b"] * len(SCOPES)
    assert record["status"].tolist() == ["ok"] * len(SCOPES)
    assert record["setting"].str.contains("a, b together, weighted by learnt variances").all()
    assert list(read_tsv(folder / "fused.all.curves.tsv").columns[:2]) == ["model", "target"]


def test_an_archive_gives_the_predictions_of_both_targets_the_first_one_first(joint):
    folder, table = joint
    model = read_archive(folder / "fused.all.models" / f"{OUTER.key}.keras")
    assert model.outputs_named == ["mean", "b:mean"]
    data = open_cohort(folder, "regression")[0].load(OUTER, ("mirna", "rna"))
    test = data.rows("test")
    rows = table[(table["fold"] == OUTER.fold) & (table["scope"] == "test")]
    for one in (model, widened(model, {"mirna": 9, "rna": 20})):
        outputs = np.asarray(one(ensemble_inputs(one, data, test)))
        for place, target in enumerate(("a", "b")):
            said = pd.Series(outputs[:, place], index=[data.samples[row] for row in test])
            known = rows[rows["target"] == target].set_index("sample")["mean"]
            np.testing.assert_allclose(said[known.index], known, rtol=1e-4, atol=1e-4)


def test_the_members_learn_how_to_weigh_the_targets(joint):
    folder, _ = joint
    model = read_archive(folder / "fused.all.models" / f"{OUTER.key}.keras")
    learnt = np.asarray(model.network.log_variances)
    assert learnt.shape == (3, 2)
    assert (learnt < 0).all()  # the variance that is left is below that of the targets


def test_a_baseline_fits_each_target_as_if_it_were_the_only_one(tmp_path):
    scopes = (Scope(1, 1, "outer"), *(Scope(1, 1, str(inner)) for inner in range(2)))
    write_cohort(tmp_path, "regression", scopes)
    samples = read_tsv(tmp_path / "samples.tsv")
    samples["truth:b"] = (-samples["truth"]).where(samples.index % 3 != 1)
    write_tsv(samples, tmp_path / "samples.tsv")
    both = run_train(tmp_path, "linear", "a,b", "linear.all")
    assert sorted(p.name for p in (tmp_path / "linear.all.models").iterdir()) == [
        "r1f1-outer.json",
        "r1f1-outer.target2.json",
    ]
    record = read_tsv(tmp_path / "linear.all.training.tsv")
    assert record["target"].tolist() == ["a"] * 3 + ["b"] * 3
    assert record["n_train"].iloc[3] < record["n_train"].iloc[0]
    for target, column in {"a": "truth", "b": "truth:b"}.items():
        alone = tmp_path / target
        alone.mkdir()
        kept = samples[samples[column].notna()].assign(truth=samples[column])
        write_tsv(kept.drop(columns="truth:b"), alone / "samples.tsv")
        splits = read_tsv(tmp_path / "splits.tsv", text_columns=("role", "group"))
        write_tsv(splits[splits["sample"].isin(kept["sample"])], alone / "splits.tsv")
        for path in tmp_path.glob("*.matrices.h5"):
            (alone / path.name).symlink_to(path)
        single = run_train(alone, "linear", target, "linear.all")
        own = both[both["target"] == target].reset_index(drop=True)
        pd.testing.assert_frame_equal(own, single)


def test_trials_are_scored_on_the_mean_over_targets(tmp_path):
    scopes = (OUTER, Scope(1, 1, "0"), Scope(1, 1, "1"))
    write_cohort(tmp_path, "regression", scopes)
    samples = read_tsv(tmp_path / "samples.tsv")
    samples["truth:b"] = (-samples["truth"]).where(samples.index % 3 != 1)
    write_tsv(samples, tmp_path / "samples.tsv")
    run_train(tmp_path, "early", "a,b", "early.all", trials=2, ensemble=1)
    trials = read_tsv(tmp_path / "early.all.trials.tsv")
    assert trials["trial"].tolist() == [0, 1]
    assert trials["target"].tolist() == ["a,b"] * 2
    assert trials["score"].between(0, 1).any()
