"""The rule of the verdict, at its boundaries, and its sentence."""

from dataclasses import replace

import pytest

from omicsfusion.assess.comparison.verdict import (
    CANNOT_TELL,
    DID_NOT_HELP,
    HARMED,
    HELPED,
    NO_SIGNAL,
    Evidence,
    Margins,
    is_useless,
    verdict,
)
from omicsfusion.assess.comparison.verdict_words import model_in_words, sentences_of, signed_score

MARGINS = Margins(superiority=0.02, equivalence=0.05)
HELPING = Evidence(
    difference=0.02,
    ci_low=0.001,
    ci_high=0.06,
    p_holm=0.05,
    share_positive=0.8,
    share_negative=0.2,
    failed_share=0.1,
    events_per_fold=10,
    least_class=26,
    beats_chance=True,
    beats_mask=True,
    across_sites=0.001,
)
"""Everything at the boundary from which on it helped."""

HARMING = replace(
    HELPING,
    difference=-0.02,
    ci_low=-0.06,
    ci_high=-0.001,
    share_positive=0.2,
    share_negative=0.8,
    across_sites=-0.001,
)


def word(evidence):
    return verdict(evidence, MARGINS).word


def test_everything_at_its_boundary_helped_and_its_mirror_image_harmed():
    assert word(HELPING) == HELPED
    assert word(HARMING) == HARMED


@pytest.mark.parametrize(
    "change",
    [
        {"difference": 0.0199},
        {"ci_low": 0.0},
        {"p_holm": 0.0501},
        {"p_holm": float("nan")},
        {"share_positive": 0.79},
    ],
)
def test_just_below_any_boundary_it_is_not_said_to_have_helped(change):
    assert word(replace(HELPING, **change)) == CANNOT_TELL
    narrow = replace(HELPING, **change, ci_high=0.0499)
    assert word(narrow) == DID_NOT_HELP


@pytest.mark.parametrize(
    "change",
    [
        {"difference": -0.0199},
        {"ci_high": 0.0},
        {"p_holm": 0.0501},
        {"share_negative": 0.79},
    ],
)
def test_just_above_any_boundary_it_is_not_said_to_have_harmed(change):
    assert word(replace(HARMING, **change)) == DID_NOT_HELP


@pytest.mark.parametrize(("high", "expected"), [(0.0499, DID_NOT_HELP), (0.05, CANNOT_TELL)])
def test_it_did_not_help_when_the_interval_ends_below_equivalence(high, expected):
    assert word(replace(HELPING, p_holm=1.0, ci_high=high)) == expected


@pytest.mark.parametrize(
    "change",
    [{"events_per_fold": 9.9}, {"least_class": 25}, {"failed_share": 0.101}],
)
def test_with_too_little_to_judge_by_it_cannot_tell_whatever_else_is_so(change):
    for evidence in (HELPING, HARMING, replace(HELPING, beats_chance=False)):
        found = verdict(replace(evidence, **change), MARGINS)
        assert found.word == CANNOT_TELL
        assert len(found.reasons) == 1


@pytest.mark.parametrize("name", ["beats_chance", "beats_mask"])
def test_without_a_signal_a_difference_means_nothing_and_what_was_not_asked_is_no_objection(name):
    assert word(replace(HELPING, **{name: False})) == NO_SIGNAL
    assert word(replace(HELPING, **{name: None})) == HELPED


def test_what_is_asked_about_is_named_where_it_is_not_better_than_chance():
    evidence = replace(HELPING, beats_chance=False, beats_mask=None, about="the model of both")
    assert verdict(evidence, MARGINS).reasons == ("the model of both is not better than chance",)


def test_what_permuted_omics_add_as_well_is_no_help_and_says_nothing_of_harm():
    permuted = replace(HELPING, beats_permuted=False)
    assert verdict(permuted, MARGINS).word == CANNOT_TELL
    assert verdict(permuted, MARGINS).reasons == (
        "the difference is not larger than with permuted omics",
    )
    assert word(replace(permuted, ci_high=0.0499)) == DID_NOT_HELP
    assert word(replace(HELPING, beats_permuted=True)) == HELPED
    assert word(replace(HARMING, beats_permuted=False)) == HARMED


@pytest.mark.parametrize(("there", "expected"), [(-0.001, CANNOT_TELL), (0.0, HELPED)])
def test_a_gain_that_turns_round_when_sites_are_left_out_is_taken_back(there, expected):
    assert word(replace(HELPING, across_sites=there)) == expected
    assert word(replace(HARMING, across_sites=-there)) == {HELPED: HARMED}.get(expected, expected)


def test_a_gain_over_the_choice_of_each_fold_is_none_where_one_of_those_chosen_from_does_no_worse():
    found = verdict(replace(HELPING, rival="linear"), MARGINS)
    assert (found.word, found.reasons) == (
        CANNOT_TELL,
        ("it helped, but linear alone does no worse",),
    )
    assert word(replace(HELPING, rival="linear", ci_high=0.0499, p_holm=1.0)) == DID_NOT_HELP
    assert word(replace(HARMING, rival="linear")) == HARMED


def test_a_loss_of_the_equivalence_margin_is_no_harm_without_a_test():
    assert word(replace(HARMING, p_holm=1.0)) == DID_NOT_HELP


def test_nothing_is_known_without_an_interval():
    found = verdict(replace(HELPING, ci_low=float("nan"), ci_high=float("nan")), MARGINS)
    assert (found.word, found.reasons) == (CANNOT_TELL, ("no interval could be computed",))


@pytest.mark.parametrize(
    ("high", "p", "expected"),
    [(0.0199, 0.05, True), (0.02, 0.05, False), (0.0199, 0.0501, False)],
)
def test_a_layer_is_useless_when_its_loss_is_surely_below_the_margin(high, p, expected):
    assert is_useless(high, p, 0.02) is expected


def found(**changes):
    """What ``verdict.json`` says of a target: question ``shallow`` and question ``omics``."""
    question = {
        "question": "shallow",
        "verdict": HELPED,
        "reasons": [],
        "model": "fused",
        "against": "linear",
        "score": 0.812,
        "score_against": 0.771,
        "difference": 0.041,
        "ci_low": 0.018,
        "ci_high": 0.066,
        "method": "nadeau_bengio",
        "n_folds": 10,
        "n_patients": 1234,
        "n_events": 300,
        "rival": None,
        "needed": {"effect": 0.041, "low": 150, "high": 320, "beyond": False},
    }
    omics = {**question, "question": "omics", "verdict": DID_NOT_HELP, "difference": -0.012}
    return {
        "metric": "c_index",
        "network": "fused",
        "equivalence": 0.05,
        "permutation_p": None,
        "n_controls": 0,
        "chance": 0.5,
        "score_low": 0.78,
        "beats_chance": True,
        "omics_permutation_p": None,
        "n_omics_controls": None,
        "mask_not_asked": False,
        "networks_tuned": True,
        "label_source": "",
        "questions": [{**question, **changes}, omics],
    }


def test_the_sentence_says_verdict_numbers_interval_and_how_many_more_would_tell():
    assert sentences_of(found())["sentence"] == (
        "Deep fusion helped: C-index 0.81 against 0.77 for linear, difference 0.04 "
        "(90 % CI 0.02 to 0.07; 10 folds, 1,234 patients, 300 events). "
        "Omics add less than 0.05 to clinical data (−0.01). "
        "To see a difference of 0.04: about 150 to 320 events."
    )


@pytest.mark.parametrize(
    ("kind", "beginning"),
    [
        (HELPED, "Deep fusion helped: "),
        (HARMED, "Deep fusion harmed: "),
        (DID_NOT_HELP, "Deep fusion did not help: "),
        (CANNOT_TELL, "Deep fusion cannot be told apart: "),
        (NO_SIGNAL, "Deep fusion found no usable signal: "),
    ],
)
def test_every_verdict_has_its_words(kind, beginning):
    assert sentences_of(found(verdict=kind))["sentence"].startswith(beginning)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (HELPED, "Omics add to clinical data (−0.01)."),
        (HARMED, "Omics add less than 0.05 to clinical data (−0.01)."),
        (DID_NOT_HELP, "Omics add less than 0.05 to clinical data (−0.01)."),
        (CANNOT_TELL, "Omics may or may not add to clinical data (−0.01)."),
        (NO_SIGNAL, "Clinical data and omics together are not better than chance."),
    ],
)
def test_every_answer_about_omics_has_its_words(kind, said):
    of = found()
    of["questions"][1]["verdict"] = kind
    assert said in sentences_of(of)["sentence"]


def test_what_permuted_omics_say_stands_beside_the_verdict():
    control = {**found(), "omics_permutation_p": 0.05, "n_omics_controls": 99}
    assert sentences_of(control)["caveats"][-1] == (
        "By 99 negative controls omics add more than permuted omics do (p = 0.05)."
    )
    above = {**control, "omics_permutation_p": 0.06}
    assert "omics add not more than permuted omics do" in sentences_of(above)["caveats"][-1]
    few = {**control, "n_omics_controls": 98}
    assert "too few to decide" in sentences_of(few)["caveats"][-1]


def test_more_than_twenty_times_the_samples_is_no_advice():
    beyond = {"effect": 0.02, "low": 9000, "high": 20000, "beyond": True}
    said = sentences_of(found(needed=beyond, n_events=None))["sentence"]
    assert said.endswith("To see a difference of 0.02: not by more samples of this kind.")


def test_a_bootstraps_p_is_told_where_only_the_omics_are_asked_about():
    omics = {**found(method="bootstrap")["questions"][0], "question": "omics"}
    alone = {**found(), "network": None, "beats_chance": None, "questions": [omics]}
    told = sentences_of(alone)
    assert told["sentence"].startswith("No network of all omics was trained")
    (said,) = told["caveats"]
    assert "the p-value is that of a bootstrap of the patients" in said


def test_what_the_verdict_rests_on_is_said_beside_it():
    said = sentences_of({**found(reasons=["a", "b"]), "label_source": "rna"})["caveats"]
    assert said[0] == "Why not more: a; b."
    assert said[1] == (
        "No negative control was run; the C-index of the network: the lower end of its 95 % "
        "interval, 0.78, is above chance (0.50)."
    )
    assert said[2].startswith("The outcome was made from the layer rna: ")
    control = {**found(), "permutation_p": 0.01, "n_controls": 99}
    assert sentences_of(control)["caveats"] == [
        "By 99 negative controls the network is better than chance (p = 0.01)."
    ]
    few = {**found(), "permutation_p": 0.05, "n_controls": 19}
    assert "which are too few to decide" in sentences_of(few)["caveats"][0]


def test_a_model_that_alone_does_no_worse_is_named_with_its_score():
    rival = {"model": "forest", "score": 0.815}
    assert sentences_of(found(rival=rival))["caveats"][0].startswith(
        "Alone, forest scores 0.81, no less than the network on the same patients"
    )
    assert "Alone" not in sentences_of(found(rival=rival, difference=0.0))["caveats"][0]


def test_where_layers_lack_and_nothing_asks_what_that_tells_it_is_said():
    lacking = {**found(), "mask_not_asked": True}
    assert (
        "The model mask, which would say how much, was not trained."
        in sentences_of(lacking)["caveats"][-1]
    )
    nobody = {**lacking, "network": None, "beats_chance": None}
    assert sentences_of(nobody)["caveats"] == []


@pytest.mark.parametrize(
    ("kind", "tuned", "said"),
    [
        (DID_NOT_HELP, False, True),
        (NO_SIGNAL, False, True),
        (CANNOT_TELL, False, True),
        (HARMED, False, True),
        (HELPED, False, False),
        (DID_NOT_HELP, True, False),
    ],
)
def test_that_a_network_which_did_not_help_was_not_tuned_is_said(kind, tuned, said):
    caveats = sentences_of({**found(verdict=kind), "networks_tuned": tuned})["caveats"]
    assert any(caveat.startswith("The network was not tuned") for caveat in caveats) == said


def test_the_best_of_several_models_is_named_as_what_it_is():
    assert model_in_words("linear") == "linear"
    assert model_in_words("forest;linear;xgboost") == (
        "the best of forest, linear and xgboost (chosen in each fold by its inner folds)"
    )


def test_a_small_difference_is_not_written_as_none():
    assert signed_score(-0.0041) == "−0.004"
    assert signed_score(0.0) == "0.00"
    assert signed_score(None) == "not defined"
