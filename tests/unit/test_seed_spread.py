"""Seed variance beside fold variance: by hand, and against the tables of ASSESS."""

import numpy as np
import pandas as pd
import pytest

from omicsfusion.assess.patterns import REPORTED
from omicsfusion.assess.predictions import MEMBER_KEYS, PredictionsError, gather_predictions
from omicsfusion.assess.seed_spread import COLUMNS, seed_spread
from omicsfusion.assess.summary import assess
from omicsfusion.tables.outcome import TASKS
from omicsfusion.tables.tsv import write_tsv
from tests.predictions_table import predictions_table

NO_METRICS = pd.DataFrame(columns=["permutation", "target", "model", "scope", "metric", "estimate"])
ERRORS = {  # (repeat, fold) -> error of each of three networks
    (1, 1): (2, 3, 4),
    (1, 2): (4, 5, 6),
    (2, 1): (3, 5, 7),
    (2, 2): (1, 1, 1),
}


def of_fold(repeat: int, fold: int, member: int, **columns: object) -> pd.DataFrame:
    n = max(len(values) for values in columns.values() if isinstance(values, list))
    names = [f"{fold}-{i}" for i in range(n)]
    ids = {"permutation": 0, "target": "y", "model": "fused", "scope": "test", "inner": "outer"}
    table = pd.DataFrame({"sample": names, "patient": names, **columns})
    return table.assign(**ids, repeat=repeat, fold=fold, member=member)


def numbers(members: int = 3) -> pd.DataFrame:
    """Four samples a fold, of which every network is wrong by what ``ERRORS`` says."""
    truth = [0.0, 10.0, 20.0, 30.0]
    return pd.concat(
        [
            of_fold(*key, member + 1, mean=[t + errors[member] for t in truth], sd=1, truth=truth)
            for key, errors in ERRORS.items()
            for member in range(members)
        ],
        ignore_index=True,
    )


def told(members: pd.DataFrame, task: str = "regression", metrics=NO_METRICS) -> pd.DataFrame:
    nobody = members.iloc[:0].drop(columns="member")
    return seed_spread(members, nobody, metrics, task).set_index("metric")


def test_seeds_folds_and_repeats_by_hand():
    row = told(numbers()).loc["mae"]
    # Networks over all folds: 2.5, 3.5, 4.5. Folds: 3 and 5, then 5 and 1. Repeats: 4 and 3.
    assert (row["n_seeds"], row["n_failed"], row["reason"]) == (3, 0, "")
    assert row["mean"] == pytest.approx(3.5)
    assert row["sd_seeds"] == pytest.approx(1)
    assert row["sd_folds"] == pytest.approx((np.sqrt(2) + np.sqrt(8)) / 2)
    assert row["sd_repeats"] == pytest.approx(np.sqrt(0.5))


def test_with_two_networks_the_spread_of_seeds_is_missing_and_the_others_are_there():
    row = told(numbers(members=2)).loc["mae"]
    assert np.isnan(row["sd_seeds"])
    assert (row["n_seeds"], row["reason"]) == (2, "fewer than 3 networks a fit")
    assert row["mean"] == pytest.approx(3)
    assert row["sd_folds"] == pytest.approx((np.sqrt(2) + np.sqrt(4.5)) / 2)


def test_with_one_repeat_there_is_no_spread_of_repeats():
    members = numbers()
    row = told(members[members["repeat"] == 1]).loc["mae"]
    assert np.isnan(row["sd_repeats"])
    assert row["sd_folds"] == pytest.approx(np.sqrt(2))


def test_pairs_are_counted_within_folds_and_a_failed_network_is_chance():
    # Ten pairs a fold; in order: 10 and 9, 10 and 10, 8 and 9; the fourth has nothing in fold 2.
    # Were the folds pooled, those of the second would seem to die first.
    time, risks = [1.0, 2.0, 3.0, 4.0, 5.0], [5.0, 4.0, 3.0, 2.0, 1.0]
    swapped = [100 + r for r in (5.0, 4.0, 3.0, 1.0, 2.0)]
    twice = [4.0, 5.0, 3.0, 1.0, 2.0]
    by_member = [
        (risks, swapped),
        (risks, [100 + r for r in risks]),
        (twice, swapped),
        (risks, [np.nan] * 5),
    ]
    members = pd.concat(
        [
            of_fold(1, fold, number, risk=risk, time=time, event=1).assign(**{"s_2": 0.5})
            for number, folds in enumerate(by_member, start=1)
            for fold, risk in enumerate(folds, start=1)
        ]
    )
    members.loc[members["risk"].isna(), "s_2"] = np.nan
    row = told(members, "survival").loc["c_index"]
    scores = np.array([19, 20, 17, 15]) / 20
    assert row["mean"] == pytest.approx(scores.mean())
    assert row["sd_seeds"] == pytest.approx(scores.std(ddof=1))
    folds = np.array([[10, 10, 8, 10], [9, 10, 9, 5]]).mean(axis=1) / 10
    assert row["sd_folds"] == pytest.approx(folds.std(ddof=1))
    assert (row["n_seeds"], row["n_failed"]) == (4, 1)
    # Censoring is that of training samples, of whom nothing is known here.
    uno = told(members, "survival").loc["uno_c"]
    assert np.isnan(uno["mean"])
    assert uno["reason"] == "defined for fewer than 3 networks"


@pytest.mark.parametrize("task", TASKS)
def test_the_score_of_a_network_is_that_of_metrics_and_its_folds_those_of_metrics_by_fold(task):
    table = predictions_table(task, samples_per_patient=2, external=3)
    tested = table[(table["scope"] == "test") & (table["model"] == "fused")]
    members = pd.concat([tested.assign(member=number) for number in (1, 2, 3)])
    tables = assess(table, task, seed=1)
    found = seed_spread(members, table, tables["metrics"], task)
    assert list(found.columns) == COLUMNS
    assert found["metric"].tolist() == list(REPORTED[task])
    assert set(found["model"]) == {"fused"}
    np.testing.assert_allclose(found["mean"], found["ensemble"], rtol=1e-9)
    np.testing.assert_allclose(found["sd_seeds"], 0, atol=1e-12)
    by_fold = tables["metrics_by_fold"].query("scope == 'test' and model == 'fused'")
    for row in found.to_dict("records"):
        estimates = by_fold[by_fold["metric"] == row["metric"]].groupby("repeat")["estimate"]
        assert row["sd_folds"] == pytest.approx(estimates.std(ddof=1).mean())
        assert row["sd_folds"] > 0


def test_permuted_outcomes_stay_out_and_the_ensemble_is_that_of_the_real_one():
    table = predictions_table("regression", models=("fused",))
    both = pd.concat([table, table.assign(permutation=1, mean=-table["mean"])], ignore_index=True)
    metrics = assess(both, "regression", seed=1)["metrics"]
    members = both[both["scope"] == "test"].assign(member=1)
    found = seed_spread(members, both, metrics, "regression")
    alone = seed_spread(members[members["permutation"] == 0], table, metrics, "regression")
    pd.testing.assert_frame_equal(found, alone)
    assert found["n_seeds"].tolist() == [1, 1]


def test_targets_with_other_classes_are_scored_apart():
    table = predictions_table("classification", models=("fused",))
    renamed = {f"p_{name}": f"p_other {name}" for name in ("basal", "her2", "luminal")}
    other = table.rename(columns=renamed).assign(truth="other " + table["truth"], target="b")
    both = pd.concat([table, other], ignore_index=True)
    members = pd.concat(
        [both[both["scope"] == "test"].assign(member=number) for number in (1, 2, 3)]
    )
    metrics = assess(both, "classification", seed=1)["metrics"]
    found = seed_spread(members, both, metrics, "classification")
    assert found["target"].tolist() == ["b", "b", "outcome", "outcome"]
    np.testing.assert_allclose(found["mean"], found["ensemble"], rtol=1e-9)
    assert found["n_failed"].tolist() == [0] * 4


def test_tables_of_members_are_read_in_any_order_and_may_hold_no_rows(tmp_path):
    table = numbers()
    for number, rows in table.groupby("member"):
        write_tsv(rows.sample(frac=1, random_state=1), tmp_path / f"{number}.members.tsv")
    write_tsv(table.iloc[:0].assign(model="linear"), tmp_path / "linear.members.tsv")
    paths = sorted(tmp_path.glob("*.members.tsv"), reverse=True)
    found = gather_predictions(paths, "regression", MEMBER_KEYS)
    assert list(found.columns[:10]) == [*MEMBER_KEYS, "patient"]
    keys = ["repeat", "fold", "member", "sample"]
    assert found[keys].to_numpy().tolist() == sorted(table[keys].to_numpy().tolist())
    pd.testing.assert_frame_equal(told(found), told(table))
    empty = gather_predictions([tmp_path / "linear.members.tsv"], "regression", MEMBER_KEYS)
    assert list(told(empty).reset_index().columns) == [
        "metric",
        *[c for c in COLUMNS if c != "metric"],
    ]
    assert not len(told(empty))
    write_tsv(table.drop(columns="member"), tmp_path / "old.members.tsv")
    with pytest.raises(PredictionsError, match=r"old.members.tsv has no column member"):
        gather_predictions([tmp_path / "old.members.tsv"], "regression", MEMBER_KEYS)
