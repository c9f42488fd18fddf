"""A model's name says what it is and what it may see."""

import pytest

from omicsfusion.models.registry import FAMILIES, SETS, UnknownModelError, parse_model
from omicsfusion.models.trainers import MODULES

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


def test_every_family_has_a_trainer_and_every_set_is_made_of_families() -> None:
    assert set(MODULES) == set(FAMILIES)
    for members in SETS.values():
        assert {parse_model(name, LAYERS).family for name in members} <= set(FAMILIES)
