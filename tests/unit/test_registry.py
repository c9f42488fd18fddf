"""A model's name says what it is and what it may see."""

from importlib.util import find_spec

import pytest

from omicsfusion.models.network_modules import NETWORKS
from omicsfusion.models.registry import (
    FAMILIES,
    ROLES,
    SETS,
    UnknownModelError,
    expanded,
    parse_model,
)
from omicsfusion.models.trainers import BASELINES, MODULES
from omicsfusion.tables.plan import FIT_SECONDS

LAYERS = ("clinical", "protein", "rna")


@pytest.mark.parametrize(
    ("name", "family", "layers", "covariate"),
    [
        ("clinical", "clinical", ("clinical",), ""),
        ("clinical-only-age", "clinical", ("clinical",), "age"),
        ("linear", "linear", ("protein", "rna"), ""),
        ("linear-only-rna", "linear", ("rna",), ""),
        ("fused-minus-rna", "fused", ("protein",), ""),
        ("fused+clinical", "fused", ("clinical", "protein", "rna"), ""),
        ("fused-minus-rna+clinical", "fused", ("clinical", "protein"), ""),
    ],
)
def test_a_name_is_taken_apart(
    name: str, family: str, layers: tuple[str, ...], covariate: str
) -> None:
    spec = parse_model(name, LAYERS)
    assert (spec.family, spec.layers, spec.covariate) == (family, layers, covariate)


@pytest.mark.parametrize(
    ("name", "telling"),
    [
        ("fusd", "Did you mean 'fused'?"),
        ("linear-only-dna", "there is no layer 'dna' among protein, rna"),
        ("fused+age", "There is no model"),
    ],
)
def test_a_name_that_means_nothing_is_refused_with_what_there_is(name: str, telling: str) -> None:
    with pytest.raises(UnknownModelError, match=telling):
        parse_model(name, LAYERS)


def test_models_that_see_covariates_are_refused_without_any() -> None:
    for name in ("clinical", "linear+clinical"):
        with pytest.raises(UnknownModelError, match="--covariates"):
            parse_model(name, ("protein", "rna"))


def test_a_model_that_needs_covariates_says_under_which_name() -> None:
    with pytest.raises(UnknownModelError, match=r"ask for 'priority\+clinical'"):
        parse_model("priority", LAYERS)
    assert parse_model("priority+clinical", LAYERS).layers == LAYERS


def test_every_family_has_a_trainer_and_every_set_is_made_of_families() -> None:
    for family in FAMILIES:
        name = MODULES.get(family, f"{BASELINES}.{family}")
        assert find_spec(name) is not None, name
    assert set(MODULES) <= set(FAMILIES)
    assert {family for family, role in ROLES.items() if role == "network"} == set(NETWORKS)
    for members in SETS.values():
        for name in expanded(members, LAYERS):
            assert parse_model(name, LAYERS).family in FAMILIES


def test_all_is_every_family_and_default_answers_what_omics_add() -> None:
    every = {parse_model(name, LAYERS).family for name in expanded(SETS["all"], LAYERS)}
    assert every == set(FAMILIES)
    default = expanded(SETS["default"], LAYERS)
    assert {"clinical", "linear", "linear+clinical", "fused", "fused+clinical"} <= set(default)
    assert [name for name in default if "-only-" in name] == [
        "linear-only-protein",
        "linear-only-rna",
    ]


def test_one_layer_alone_gets_no_model_of_its_own() -> None:
    names = ["linear", "linear-only-*", "linear-minus-*"]
    assert expanded(names, ("clinical", "rna")) == ["linear"]


def test_all_leaves_out_each_layer_of_the_fused_network() -> None:
    every = expanded(SETS["all"], LAYERS)
    assert [name for name in every if "-minus-" in name] == [
        "fused-minus-protein",
        "fused-minus-rna",
    ]


def test_the_plan_knows_what_a_fit_of_every_shallow_family_costs() -> None:
    assert set(FIT_SECONDS) == {family for family, role in ROLES.items() if role != "network"}
