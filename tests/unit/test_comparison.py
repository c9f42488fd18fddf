"""Models against models: who is compared, on which samples, and what comes of it."""

import json

import numpy as np
import pandas as pd
import pytest

from omicsfusion.assess.bootstrap import patient_weights
from omicsfusion.assess.classification import classification_metrics
from omicsfusion.assess.comparison.across_sites import (
    OtherRunError,
    differences_there,
    read_verdict,
)
from omicsfusion.assess.comparison.chance import against_chance, mean_score, permutation_p
from omicsfusion.assess.comparison.choice import best_of, inner_score, side_of
from omicsfusion.assess.comparison.differences import (
    common,
    is_repeated_kfold,
    nadeau_bengio,
    paired_difference,
    share_held_out,
)
from omicsfusion.assess.comparison.headline import headline_score
from omicsfusion.assess.comparison.judging import Background, compare
from omicsfusion.assess.comparison.more_patients import needed
from omicsfusion.assess.comparison.ranks import rank_table
from omicsfusion.assess.comparison.roles import (
    Question,
    main_network,
    only_layer,
    questions,
    without_layer,
)
from omicsfusion.assess.comparison.scorable import of_scorable
from omicsfusion.assess.comparison.single_split import delong_p, mcnemar_p, single_split_tests
from omicsfusion.assess.comparison.table import comparison_table
from omicsfusion.assess.comparison.verdict import Margins
from omicsfusion.assess.held_out import held_out_sets
from omicsfusion.assess.regression import regression_metrics
from omicsfusion.assess.survival import survival_metrics
from tests.compared_models import compared_models

NETWORKS = ("early", "fused")
METRICS = {
    "classification": ("auroc", classification_metrics),
    "survival": ("c_index", survival_metrics),
    "regression": ("r2", regression_metrics),
}
TASKS = tuple(METRICS)


def entries_of(table):
    return {str(model): rows for model, rows in table.groupby("model")}


def difference_of(table, first, second, task, scope="test", seed=1):
    entries = entries_of(table)
    patients = sorted(table.loc[table["scope"] == scope, "patient"].unique())
    weights = patient_weights(len(patients), seed, scope)
    return paired_difference(entries[first], entries[second], scope, task, patients, weights)


@pytest.mark.parametrize("task", TASKS)
def test_models_are_compared_by_a_metric_of_the_run(task):
    name, metrics = METRICS[task]
    table = compared_models(task, {"fused": 1.0})
    patients = sorted(table["patient"].unique())
    sets, weights = (
        held_out_sets(table, "test", patients),
        patient_weights(len(patients), 1, "test"),
    )
    assert headline_score(sets, task, weights[:20]) == pytest.approx(
        metrics(sets, weights[:20])[name], abs=1e-10
    )


def test_questions_are_told_by_the_names_of_the_models():
    models = [
        *("clinical", "dummy", "mask", "linear", "forest", "stacking", "priority"),
        *("linear-only-rna", "fused-only-rna", "clinical-only-age", "fused-minus-rna"),
        *("early", "fused", "fused+clinical", "linear+clinical"),
    ]
    assert questions(models, NETWORKS) == [
        Question("shallow", ("fused",), ("forest", "linear", "stacking")),
        Question("best_layer", ("fused",), ("fused-only-rna", "linear-only-rna")),
        Question("omics", ("fused+clinical",), ("clinical",)),
    ]
    assert without_layer(models, "fused") == {"rna": "fused-minus-rna"}


def test_what_sees_covariates_stands_for_omics_where_the_network_does_not():
    models = ["clinical", "early", "linear", "linear+clinical", "priority"]
    assert main_network(models, NETWORKS) == "early"
    assert questions(models, NETWORKS) == [
        Question("shallow", ("early",), ("linear",)),
        Question("omics", ("linear+clinical", "priority"), ("clinical",)),
    ]
    assert questions(["linear", "clinical"], NETWORKS) == []


@pytest.mark.parametrize(
    ("models", "first"),
    [
        (["clinical", "linear+clinical"], ("linear+clinical",)),
        (["clinical", "fused+clinical", "linear", "linear+clinical"], ("fused+clinical",)),
        (["clinical", "early+clinical", "fused-only-rna"], ("early+clinical",)),
    ],
)
def test_whether_omics_add_takes_no_network_of_the_omics_alone(models, first):
    assert main_network(models, NETWORKS) is None
    assert questions(models, NETWORKS) == [Question("omics", first, ("clinical",))]


@pytest.mark.parametrize(
    ("model", "layer"),
    [
        ("linear-only-rna", "rna"),
        ("fused-only-clinical_chem", "clinical_chem"),
        ("linear-only-cell-type", "cell-type"),
        ("linear", None),
        ("fused-minus-rna", None),
        ("clinical-only-age", None),
        ("linear-only-rna+clinical", None),
    ],
)
def test_a_model_of_one_layer_is_told_by_its_name(model, layer):
    assert only_layer(model) == layer


@pytest.mark.parametrize("task", TASKS)
def test_the_best_of_several_is_chosen_by_inner_scores_and_never_by_test_scores(task):
    table = compared_models(task, {"inside": 2.0, "outside": 2.0})
    ids = [name for name in table.columns if name.startswith(("p_", "s_", "risk", "mean"))]
    spoilt = (table["model"] == "outside") & (table["scope"] == "inner")
    spoilt |= (table["model"] == "inside") & (table["scope"] == "test")
    means = table.loc[spoilt].groupby(["model", "scope", "repeat", "fold", "inner"])[ids]
    table.loc[spoilt, ids] = means.transform("mean")
    entries = entries_of(table)
    folds = [(1, 1), (1, 2), (0, 0)]
    assert inner_score(entries["inside"], (1, 1), task) > inner_score(
        entries["outside"], (1, 1), task
    )
    rows, chosen = best_of(entries, folds, task)
    assert chosen == ["inside"]
    assert set(zip(rows["repeat"], rows["fold"], strict=True)) == set(folds)


def test_each_fold_has_its_own_best():
    table = compared_models("regression", {"a": 1.0, "b": 1.0})
    inner = table["scope"] == "inner"
    first = (table["repeat"] == 1) & (table["fold"] == 1)
    worse = inner & ((table["model"] == "a") ^ first)
    table.loc[worse, "mean"] = 0.0
    rows, chosen = best_of(entries_of(table), [(1, 1), (1, 2), (1, 3)], "regression")
    assert chosen == ["b", "a"]
    assert set(zip(rows["fold"], rows["model"], strict=True)) == {(1, "a"), (2, "b"), (3, "b")}


@pytest.mark.parametrize("task", TASKS)
def test_repeated_folds_give_the_mean_difference_of_the_folds_and_the_corrected_test(task):
    """SE² = s² (1/J + n_test/n_train) (Nadeau & Bengio, Machine Learning 52, 2003, 239-281)."""
    table = compared_models(task, {"fused": 1.0, "linear": 0.5})
    found = difference_of(table, "fused", "linear", task)
    by_fold = []
    for model in ("fused", "linear"):
        entry = entries_of(table)[model]
        patients = sorted(entry["patient"].unique())
        sets = held_out_sets(entry, "test", patients)
        ones = np.ones((1, len(patients)))
        by_fold.append([headline_score([held], task, ones)[0] for held in sets])
    apart = np.subtract(*by_fold)
    assert len(apart) == 10
    assert found.difference == pytest.approx(apart.mean())
    assert found.score - found.score_against == pytest.approx(found.difference)
    assert (found.se, found.df, found.p) == pytest.approx(nadeau_bengio(apart, 1 / 4), rel=1e-3)
    assert found.method == "nadeau_bengio"
    assert found.ci_low < found.difference < found.ci_high
    assert (found.n_folds, found.n_repeats, found.n_patients) == (10, 2, 100)
    assert found.share_positive == np.mean(apart.reshape(2, 5).mean(axis=1) > 0)


def test_only_samples_that_both_models_predict_are_compared():
    table = compared_models("regression", {"fused": 1.0, "linear": 1.0})
    lacks = sorted(table["patient"].unique())[::4]
    fewer = table[(table["model"] == "fused") | ~table["patient"].isin(lacks)]
    found = difference_of(fewer, "fused", "linear", "regression")
    assert found.n_patients == 75
    both = table[~table["patient"].isin(lacks)]
    again = difference_of(both, "fused", "linear", "regression")
    assert found.difference == pytest.approx(again.difference)
    nobody = table[(table["model"] == "fused") | table["patient"].isin([])]
    nobody = pd.concat([nobody, table[(table["model"] == "linear") & (table["scope"] != "test")]])
    assert difference_of(nobody, "fused", "linear", "regression") is None


@pytest.mark.parametrize("task", TASKS)
def test_a_failed_fit_counts_as_chance_and_is_counted(task):
    table = compared_models(task, {"fused": 3.0, "linear": 3.0})
    predicted = [n for n in table.columns if n.startswith(("p_", "s_")) or n in ("risk", "mean")]
    failed = (table["model"] == "fused") & (table["repeat"] == 1) & (table["fold"] == 2)
    table.loc[failed & (table["scope"] == "test"), predicted] = np.nan
    found = difference_of(table, "fused", "linear", task)
    # Of the model that failed: in the mean of both a model may fail twice as often as it should.
    assert found.failed_share == 1 / 10
    assert difference_of(table, "linear", "fused", task).failed_share == 1 / 10
    assert found.n_patients == 100
    assert found.difference < 0


def test_a_class_that_no_test_sample_has_is_the_rarest():
    table = compared_models("classification", {"fused": 3.0, "linear": 1.0})
    assert difference_of(table, "fused", "linear", "classification").least_class == 50
    table["p_C"] = 0.0
    assert difference_of(table, "fused", "linear", "classification").least_class == 0


def test_a_model_of_one_layer_is_compared_on_those_who_have_it():
    models = {"fused": 1.0, "linear": 1.0, "linear-only-cnv": 1.0, "linear-only-rna": 1.0}
    table = compared_models("regression", models)
    everyone = sorted(table["sample"].unique())
    layers = {name: "cnv;rna" if number % 4 else "cnv" for number, name in enumerate(everyone)}
    patterns = pd.Series(layers)
    entries = entries_of(table)
    kept = of_scorable(entries, patterns)
    for model in ("fused", "linear", "linear-only-cnv"):
        assert set(kept[model]["sample"]) == set(everyone)
    assert set(kept["linear-only-rna"]["sample"]) == set(patterns.index[patterns == "cnv;rna"])
    assert set(kept["linear-only-rna"]["scope"]) == {"inner", "test"}
    given = (table, NETWORKS, "regression", 1, Margins(), Background())
    rows = compare(*given, patterns=patterns)[0].set_index(["family", "name"])["n_patients"]
    assert (rows["model", "linear"], rows["model", "linear-only-rna"]) == (100, 75)
    assert set(compare(*given)[0]["n_patients"]) == {100}


def test_a_model_that_predicts_nobody_of_a_scope_is_not_chosen_for_it():
    """No patient of the other cohort has the layer that does best here."""
    models = {"fused": 1.0, "linear-only-cnv": 0.5, "linear-only-rna": 3.0}
    table = compared_models("regression", models, external=40)
    home = table.loc[table["scope"] != "external", "sample"].unique()
    layers = {s: "cnv;rna" if s in home else "cnv" for s in table["sample"].unique()}
    entries = of_scorable(entries_of(table), pd.Series(layers))
    names = ("linear-only-cnv", "linear-only-rna")
    assert side_of(entries, names, "test", "regression")[1] == ["linear-only-rna"]
    assert side_of(entries, names, "external", "regression")[1] == ["linear-only-cnv"]
    rows = comparison_table(entries, NETWORKS, "regression", 1, 0.02)
    outside = rows[rows["scope"] == "external"].set_index("name")["n_patients"]
    assert outside.to_dict() == {"best_layer": 40, "linear-only-cnv": 40}
    nobody = of_scorable(entries_of(table), pd.Series({**layers, **dict.fromkeys(home, "cnv")}))
    assert side_of(nobody, ("linear-only-rna",), "external", "regression")[1] == [names[1]]


@pytest.mark.parametrize(("folds", "repeats"), [(4, 2), (5, 1)])
def test_fewer_folds_are_tested_by_the_bootstrap_of_all_their_pairs(folds, repeats):
    """Two-sided p = 2 (1 + beyond 0) / (1 + replicates) (Davison & Hinkley 1997, section 4.2)."""
    table = compared_models("survival", {"fused": 2.0, "linear": 0.2}, folds, repeats)
    found = difference_of(table, "fused", "linear", "survival")
    assert found.method == "bootstrap"
    scores = []
    for entry in (entries_of(table)[name] for name in ("fused", "linear")):
        patients = sorted(entry["patient"].unique())
        sets = held_out_sets(entry, "test", patients)
        scores.append(headline_score(sets, "survival", np.ones((1, len(patients))))[0])
    assert found.difference == pytest.approx(scores[0] - scores[1])
    assert found.p == pytest.approx(2 / 1001)
    assert found.df == 99


def test_unequal_folds_are_no_repeated_kfold():
    table = compared_models("regression", {"fused": 1.0})
    patients = sorted(table["patient"].unique())
    sets = held_out_sets(table, "test", patients)
    assert is_repeated_kfold(sets)
    assert share_held_out(sets) == pytest.approx(1 / 4)
    first = set(sets[0].rows["sample"].iloc[:7])
    fewer = table[~((table["fold"] == 1) & (table["repeat"] == 1) & table["sample"].isin(first))]
    assert not is_repeated_kfold(held_out_sets(fewer, "test", patients))


def test_models_that_say_the_same_do_not_differ():
    one = compared_models("classification", {"fused": 1.0})
    table = pd.concat([one, one.assign(model="linear")])
    found = difference_of(table, "fused", "linear", "classification")
    assert (found.difference, found.se, found.p) == (0, 0, 1)
    assert (found.share_positive, found.share_negative) == (0, 0)
    assert needed(100, 0.0, 0.0, 9, 0.02).high == 0


def test_tests_of_a_single_split_need_one_sample_per_patient_and_delong_two_classes():
    table = compared_models("classification", {"fused": 1.0, "linear": 0.3}, folds=2, repeats=1)
    patients = sorted(table["patient"].unique())
    first, second = (
        held_out_sets(e, "test", patients)[0]
        for e in common(*(entries_of(table)[name] for name in ("fused", "linear")), "test")
    )
    truth = first.rows["truth"].to_numpy() == "B"
    scores = [held.rows["p_B"].to_numpy() for held in (first, second)]
    right = [(score > 0.5) == truth for score in scores]
    delong, mcnemar = single_split_tests(first, second)
    assert delong == pytest.approx(delong_p(truth, *scores))
    assert mcnemar == pytest.approx(mcnemar_p(*right))
    first.rows["patient"] = "one"
    assert np.isnan(single_split_tests(first, second)).all()


def test_two_scores_that_place_everyone_alike_do_not_differ_by_delong():
    truth = np.array([True, True, True, False, False, False])
    score = np.array([0.9, 0.8, 0.2, 0.5, 0.4, 0.1])
    assert delong_p(truth, score, score**3) == 1
    assert np.isnan(delong_p(truth, score, score)) is np.False_
    assert np.isnan(delong_p(np.array([True, False, False]), score[:3], score[3:]))


def test_a_permutation_p_counts_the_controls_that_score_as_high_on_the_same_repeats():
    """Counted as (1 + hits) / (1 + N) (Phipson & Smyth, Stat Appl Genet Mol Biol 9, 2010, 39)."""
    real = compared_models("regression", {"fused": 1.0})
    worse = compared_models("regression", {"fused": 0.0}, seed=5)
    first = [worse[worse["repeat"] <= 1].assign(permutation=n) for n in range(1, 4)]
    assert permutation_p(real, first, "regression") == 1 / 4
    same = real[real["repeat"] <= 1].assign(permutation=4)
    assert permutation_p(real, [*first, same], "regression") == 2 / 5
    assert mean_score(same, "regression") != mean_score(real, "regression")


def test_chance_is_judged_by_permutation_only_when_there_are_enough_controls():
    """Else by a percentile interval (Efron & Tibshirani 1993, chapter 13)."""
    real = compared_models("classification", {"fused": 1.5})
    # A control as good as the model: by permutation alone it would be no better than chance.
    few = pd.concat([real, *(real.assign(permutation=n) for n in (1, 2))])
    weights = patient_weights(100, 1, "test")
    found = against_chance(few, "classification", weights)
    assert (found.permutation_p, found.n_controls, found.beaten) == (1.0, 2, True)
    assert 0.5 < found.low < found.score
    alone = against_chance(real, "classification", weights)
    assert (alone.permutation_p, alone.beaten) == (None, True)
    thin = real[(real["repeat"] <= 1) & (real["fold"] <= 1)]
    many = pd.concat([real, *(thin.assign(permutation=n) for n in range(1, 100))])
    found = against_chance(many, "classification", weights)
    assert (found.permutation_p, found.beaten) == (1.0, False)


def test_comparisons_of_a_family_are_corrected_together():
    models = {"fused": 1.0, "fused-minus-cnv": 0.5, "fused-minus-rna": 1.0, "linear": 0.9}
    models |= {"clinical": 0.1, "linear-only-rna": 0.6, "mask": 0.0}
    table = comparison_table(
        entries_of(compared_models("regression", models, external=20)),
        NETWORKS,
        "regression",
        1,
        0.02,
    )
    assert set(table["scope"]) == {"test", "external"}
    test = table[table["scope"] == "test"].set_index(["family", "name"])
    assert list(test.loc["question"].index) == ["shallow", "best_layer"]
    assert list(test.loc["model"].index) == ["clinical", "linear", "linear-only-rna", "mask"]
    assert list(test.loc["layer"].index) == ["cnv", "rna"]
    asked = test.loc["question"]
    assert asked["p_holm"].min() == pytest.approx(2 * asked["p"].min())
    assert test.loc[("question", "shallow"), "p"] == test.loc[("model", "linear"), "p"]
    external = table[(table["scope"] == "external") & (table["family"] == "question")]
    assert set(external["method"]) == {"bootstrap"}


def test_ranks_are_of_models_that_predict_everyone():
    models = {"best": 3.0, "middle": 0.5, "worst": 0.0}
    table = compared_models("regression", models)
    some = table[(table["model"] != "worst") | (table["patient"] < "P050")]
    entries = entries_of(table)
    ranks = rank_table(entries, "regression")
    assert list(ranks["model"]) == ["best", "middle", "worst"]
    assert ranks["mean_rank"].sum() == 6
    assert set(ranks["n_folds"]) == {10}
    assert rank_table(entries_of(some), "regression").empty


@pytest.fixture(scope="module")
def judged():
    """A network far better than a line and a layer, a useless layer, and omics that add."""
    models = {"fused": 6.0, "fused-minus-cnv": 6.0, "fused-minus-rna": 0.4, "linear": 0.5}
    models |= {"forest": 0.5, "linear-only-rna": 0.4, "clinical": 0.2, "fused+clinical": 6.0}
    table = compared_models("classification", models, patients=300)
    return compare(table, NETWORKS, "classification", 1, Margins(), Background())


def test_a_network_that_is_far_better_helped_and_the_verdict_is_json(judged):
    _, _, record = judged
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    (found,) = record["targets"]
    assert record["schema_version"] == 1
    assert (found["target"], found["metric"], found["network"]) == ("outcome", "auroc", "fused")
    assert found["verdict"] == "helped"
    assert {q["question"]: q["verdict"] for q in found["questions"]} == {
        "shallow": "helped",
        "best_layer": "helped",
        "omics": "helped",
    }
    assert found["permutation_p"] is None
    assert found["beats_chance"] is True
    assert found["beats_mask"] is None
    assert found["sentence"].startswith("Deep fusion helped: AUROC 1.00 against 0.8")
    assert "for the best of " in found["sentence"]
    assert "Omics add to clinical data (" in found["sentence"]


def test_a_layer_without_which_nothing_is_lost_is_useless(judged):
    (found,) = judged[2]["targets"]
    assert {layer["layer"]: layer["verdict"] for layer in found["layers"]} == {
        "cnv": "useless",
        "rna": "not shown",
    }


def test_the_order_of_the_predictions_changes_nothing(judged):
    models = {"fused": 1.0, "linear": 0.5, "forest": 0.7}
    table = compared_models("survival", models)
    shuffled = table.sample(frac=1, random_state=3, ignore_index=True)
    one, other = (
        compare(t, NETWORKS, "survival", 1, Margins(), Background()) for t in (table, shuffled)
    )
    pd.testing.assert_frame_equal(one[0], other[0])
    pd.testing.assert_frame_equal(one[1], other[1])
    assert one[2] == other[2]


def test_a_network_that_does_not_beat_the_mask_found_no_usable_signal():
    models = {"fused": 0.6, "linear": 0.5, "mask": 6.0}
    table = compared_models("classification", models, patients=300)
    (found,) = compare(table, NETWORKS, "classification", 1, Margins(), Background())[2]["targets"]
    assert found["beats_mask"] is False
    assert found["verdict"] == "no usable signal"
    assert "knowing which layers a patient has" in found["caveats"][0]


def test_without_a_signal_of_both_together_omics_add_nothing_that_could_be_told():
    models = {"fused": 0.0, "linear": 0.0, "clinical": 0.0, "fused+clinical": 0.0}
    table = compared_models("classification", models, patients=300)
    (found,) = compare(table, NETWORKS, "classification", 1, Margins(), Background())[2]["targets"]
    omics = found["questions"][-1]
    assert (omics["question"], omics["verdict"]) == ("omics", "no usable signal")
    assert omics["reasons"] == ["the model of clinical data and omics is not better than chance"]
    assert "Clinical data and omics together are not better than chance." in found["sentence"]


SHALLOW_THERE = {"question": "shallow", "difference": -0.1}
THERE = {
    "target": "outcome",
    "network": "fused",
    "metric": "auroc",
    "questions": [SHALLOW_THERE],
}
SITES = {"schema_version": 1, "split": "leave_out:site", "targets": [THERE]}
"""What of ``verdict.json`` is read of a run that left sites out."""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"network": "early"}, "it judges early by auroc for outcome, and this run fused by auroc"),
        ({"metric": "r2"}, "it judges fused by r2 for outcome"),
    ],
)
def test_the_verdict_of_another_run_is_refused_where_it_is_not_of_the_same(change, said):
    record = {**SITES, "targets": [{**THERE, **change}]}
    with pytest.raises(OtherRunError, match=said):
        differences_there(record, "outcome", "fused", "auroc")
    assert differences_there(SITES, "outcome", "fused", "auroc") == {"shallow": -0.1}
    assert differences_there(SITES, "other", "fused", "auroc") == {}


@pytest.mark.parametrize("split", ["kfold", "column:fold", "temporal:year", None])
def test_the_verdict_of_a_run_that_left_no_sites_out_is_refused(tmp_path, split):
    """A single split has the same test of the differences as sites that were left out."""
    (tmp_path / "verdict.json").write_text(json.dumps(SITES), encoding="utf-8")
    assert read_verdict(tmp_path / "verdict.json") == SITES
    other = {**SITES, "split": split}
    (tmp_path / "verdict.json").write_text(json.dumps(other), encoding="utf-8")
    said = f"^verdict.json is of a run with --split {split}. Give that of a run with --split leave"
    with pytest.raises(OtherRunError, match=said):
        read_verdict(tmp_path / "verdict.json")


def test_a_gain_that_another_run_turns_round_is_taken_back(judged):
    models = {"fused": 6.0, "linear": 0.5}
    table = compared_models("classification", models, patients=300)
    known = Background("rna")
    _, _, record = compare(table, NETWORKS, "classification", 1, Margins(), known, SITES)
    (found,) = record["targets"]
    assert found["verdict"] == "cannot tell"
    assert found["questions"][0]["across_sites"] == -0.1
    assert "turns round when whole sites are left out" in found["caveats"][0]
    assert "was made from the layer rna" in found["caveats"][-1]


@pytest.mark.parametrize(("alone", "expected"), [(2.0, "helped"), (12.0, "cannot tell")])
def test_a_gain_that_is_only_one_over_a_bad_choice_is_taken_back(alone, expected):
    """Forest looks like nothing in the inner folds, so that linear is chosen in each fold."""
    models = {"fused": 6.0, "linear": 0.5, "forest": alone, "blind": 0.0}
    table = compared_models("classification", models, patients=300)
    inner = table["scope"] == "inner"
    unlucky = table[inner & (table["model"] == "blind")].assign(model="forest")
    kept = table[(table["model"] != "blind") & ~(inner & (table["model"] == "forest"))]
    table = pd.concat([kept, unlucky], ignore_index=True)
    (found,) = compare(table, NETWORKS, "classification", 1, Margins(), Background())[2]["targets"]
    (question,) = found["questions"]
    assert question["against"] == "linear"
    assert question["verdict"] == expected
    if expected == "helped":
        assert question["rival"] is None
    else:
        assert question["rival"]["model"] == "forest"
        assert question["rival"]["score"] >= question["score"] > question["score_against"]
        assert question["reasons"] == ["it helped, but forest alone does no worse"]


def test_without_a_network_or_a_shallow_model_there_is_nothing_to_judge():
    alone = compared_models("regression", {"linear": 1.0, "clinical": 0.5})
    (found,) = compare(alone, NETWORKS, "regression", 1, Margins(), Background())[2]["targets"]
    assert (found["verdict"], found["network"]) == (None, None)
    assert found["sentence"].startswith("No network of all omics was trained")
    asked = compared_models("regression", {"clinical": 0.5, "fused+clinical": 3.0}, patients=300)
    (found,) = compare(asked, NETWORKS, "regression", 1, Margins(), Background())[2]["targets"]
    assert (found["verdict"], found["network"]) == (None, None)
    assert [question["verdict"] for question in found["questions"]] == ["helped"]
    assert "nothing to say of deep fusion. Omics add to clinical data" in found["sentence"]
    alone = compared_models("regression", {"fused": 1.0})
    (found,) = compare(alone, NETWORKS, "regression", 1, Margins(), Background())[2]["targets"]
    assert (found["verdict"], found["network"]) == (None, "fused")
    assert found["sentence"].startswith("Deep fusion was not compared")
