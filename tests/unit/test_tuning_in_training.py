"""Networks tuned on inner folds: what is chosen is used, and test samples have no part in it."""

from functools import cache
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from omicsfusion.models.families.fused import train
from omicsfusion.models.registry import ModelSpec
from omicsfusion.models.request import OtherStudyError, TrainingRequest
from omicsfusion.models.tuning.scopes import data_digest, earlier_trials
from omicsfusion.models.tuning.space import RANGES
from omicsfusion.scopes import Scope, read_splits
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.network_cohort import SAMPLES, open_cohort, write_cohort

OUTER = Scope(1, 1, "outer")
INNER = tuple(Scope(1, 1, str(number)) for number in range(2))
SPEC = ModelSpec("fused", "fused", ("mirna", "rna"))
TRIALS = 3
SET = {"input_noise": 0.1}


def write_nested(folder: Path) -> None:
    """Write a cohort of one outer fold (every fifth sample) whose others are in two inner folds."""
    write_cohort(folder, "regression", (OUTER, *INNER))
    splits = read_splits(folder / "splits.tsv")
    number = splits["sample"].str[1:].astype(int)
    tested, half = number % 5 == 0, number // 5 % 2
    inner = splits["inner"].map({"0": 0, "1": 1})
    stop = number // 10 % 4 == 0
    splits["role"] = np.where(stop, "stop", "train")
    splits.loc[inner.isna() & tested, "role"] = "test"
    splits.loc[inner.notna() & (half == inner), "role"] = "test"
    write_tsv(splits[inner.isna() | ~tested], folder / "splits.tsv")


def fits_of(folder: Path, trials: int = TRIALS, **more):
    reader, outcome = open_cohort(folder, "regression")
    request = TrainingRequest(SPEC, outcome, [], seed=3, trials=trials, settings=SET, **more)
    return train(request, reader)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    @cache
    def tuned(garbage: bool):
        folder = tmp_path_factory.mktemp("tuned")
        write_nested(folder)
        if garbage:
            replace_test_samples(folder)
        return fits_of(folder)

    return tuned


def replace_test_samples(folder: Path) -> None:
    """Give the test samples of the outer fold other values and another outcome."""
    tested = [f"s{i:03d}" for i in range(0, SAMPLES, 5)]
    samples = read_tsv(folder / "samples.tsv").set_index("sample")
    samples.loc[tested, "truth"] = 1e4
    write_tsv(samples.reset_index(), folder / "samples.tsv")
    for path in folder.glob("*.matrices.h5"):
        with h5py.File(path, "r+") as file:
            for scope in file.values():
                rows = np.isin(scope["samples"].asstr()[:], tested)
                values = scope["X"][:]
                values[rows] = 1e3
                scope["X"][...] = values


def test_the_training_set_has_a_row_for_each_trial_and_says_what_was_chosen(tuned):
    outer, *inner = tuned(False)
    assert [row["trial"] for row in outer.trials] == list(range(TRIALS))
    assert sum(row["chosen"] for row in outer.trials) == 1
    assert all(np.isfinite(row["score"]) for row in outer.trials)
    assert all("learning_rate" in row and "input_noise" not in row for row in outer.trials)
    assert "input_noise 0.1; best of 3 trials" in outer.record["setting"]
    assert "best of 3 trials on 2 inner folds" in outer.record["setting"]
    assert all(not fit.trials for fit in inner)
    assert all("best of 3 trials" in fit.record["setting"] for fit in inner)


def test_what_test_samples_hold_changes_no_trial_and_no_inner_prediction(tuned):
    clean, dirty = tuned(False), tuned(True)
    assert clean[0].trials == dirty[0].trials
    assert [fit.record for fit in clean] == [fit.record for fit in dirty]
    for one, other in zip(clean[1:], dirty[1:], strict=True):
        assert one.samples == other.samples
        np.testing.assert_array_equal(one.columns["mean"], other.columns["mean"])


def test_earlier_trials_are_read_back_and_refused_for_other_data(tuned, tmp_path):
    write_nested(tmp_path)
    outer = tuned(False)[0]
    table = pd.DataFrame(
        [{"model": "fused", "repeat": 1, "fold": 1, "inner": "outer", **t} for t in outer.trials]
    )
    write_tsv(table, tmp_path / "fused.all.trials.tsv")
    found = earlier_trials([tmp_path / "fused.all.trials.tsv"], "fused", [OUTER])
    assert [row["trial"] for row in found[OUTER]] == ["0", "1", "2"]
    tuned_names = set(RANGES) - set(SET)
    for row, trial in zip(found[OUTER], outer.trials, strict=True):
        assert {name: row[name] for name in tuned_names} == {
            name: trial[name] for name in tuned_names
        }
        scores = [float(score) for score in row["fold_scores"].split(";")]
        assert np.mean(scores) == trial["score"]
    assert earlier_trials([tmp_path / "fused.all.trials.tsv"], "early", [OUTER]) == {OUTER: []}
    write_tsv(table.drop(columns="data"), tmp_path / "old.trials.tsv")
    with pytest.raises(OtherStudyError, match=r"old.trials.tsv lacks data"):
        earlier_trials([tmp_path / "old.trials.tsv"], "fused", [OUTER])


def test_the_digest_of_the_data_sees_inner_samples_and_no_test_samples(tuned, tmp_path):
    digest = {row["data"] for row in tuned(False)[0].trials}
    assert digest == {row["data"] for row in tuned(True)[0].trials}
    write_nested(tmp_path)
    with h5py.File(tmp_path / "rna.all.matrices.h5", "r+") as file:
        file[INNER[0].key]["X"][1, 0] += 1
    reader, outcome = open_cohort(tmp_path, "regression")
    assert data_digest(reader, SPEC.layers, [outcome], INNER) not in digest


def test_without_trials_nothing_is_tuned(tmp_path):
    write_nested(tmp_path)
    for fit in fits_of(tmp_path, trials=0, ensemble=1):
        assert not fit.trials
        assert fit.record["setting"].startswith("one network; ")
        assert "input_noise 0.1" in fit.record["setting"]
        assert "trial" not in fit.record["setting"]


def test_a_larger_ensemble_begins_with_the_networks_of_a_smaller_one(tmp_path):
    write_nested(tmp_path)
    more, fewer = (fits_of(tmp_path, 0, ensemble=number)[0] for number in (3, 1))
    assert more.record["setting"].startswith("mean of 3 networks")
    networks = [fit.network().network.trainable_variables for fit in (more, fewer)]
    for of_three, of_one in zip(*networks, strict=True):
        assert of_three.shape[0] == 3
        np.testing.assert_allclose(of_three[0], of_one[0], rtol=1e-3, atol=1e-4)
        assert not np.allclose(of_three[1], of_three[0]) or np.ptp(of_three) == 0
