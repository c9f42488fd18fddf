"""Which models a question is about, told by their names alone, before any score is seen.

A name is a family, then what it may see (docs/usage.md): ``linear``, ``linear-only-rna``,
``fused-minus-rna``, ``fused+clinical``. Which families are networks the workflow says, from the
registry of the models; any other family that is not named here is a shallow model of all omics.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

CLINICAL = "clinical"
MASK = "mask"
"""The model that knows only which layers a patient has."""

SEES_COVARIATES = (CLINICAL, "priority")
"""Families that see the covariates whatever their name says."""

NOT_SHALLOW = (*SEES_COVARIATES, MASK, "dummy")
"""Families without omics, or with more than omics: not what a fused network is measured against."""

BEST_LAYER, SHALLOW, OMICS = "best_layer", "shallow", "omics"


@dataclass(frozen=True)
class Question:
    """Two sides that are compared; of several models a side takes the best of each fold.

    Attributes
    ----------
    name
        ``best_layer`` (network against the best single layer), ``shallow`` (against the best
        shallow model on the same layers; the headline) or ``omics`` (clinical and omics against
        clinical).
    first, second
        Names of the models of each side, sorted.
    """

    name: str
    first: tuple[str, ...]
    second: tuple[str, ...]


def family_of(model: str) -> str:
    """Return the first word of a model's name."""
    return re.split("[-+]", model, maxsplit=1)[0]


def main_network(models: Sequence[str], networks: Sequence[str]) -> str | None:
    """Return the network that the verdict is about: ``fused``, or the first that was trained.

    Parameters
    ----------
    networks
        Families that are networks, in the order of the registry.
    """
    trained = [name for name in ("fused", *networks) if name in models]
    return trained[0] if trained else None


def questions(models: Sequence[str], networks: Sequence[str]) -> list[Question]:
    """List the questions that the trained models can answer, the headline first.

    Parameters
    ----------
    models
        Names of the models that were trained.
    networks
        Families that are networks.
    """
    network = main_network(models, networks)
    alone = (network,) if network else ()
    layers = [m for m in models if only_layer(m)]
    shallow = [m for m in models if m == family_of(m) and m not in (*networks, *NOT_SHALLOW)]
    asked = [
        Question(SHALLOW, alone, tuple(sorted(shallow))),
        Question(BEST_LAYER, alone, tuple(sorted(layers))),
        Question(
            OMICS,
            _with_omics(models, network, networks),
            tuple(m for m in models if m == CLINICAL),
        ),
    ]
    return [question for question in asked if question.first and question.second]


def only_layer(model: str) -> str | None:
    """Return the layer that is all that a model sees; None for one that sees more, or no layer."""
    found = re.fullmatch("[^-+]+-only-([^+]+)", model)
    return found[1] if found and not _sees_covariates(model) else None


def without_layer(models: Sequence[str], network: str) -> dict[str, str]:
    """Return layer -> the network's model that was trained without it."""
    start = f"{network}-minus-"
    return {m.removeprefix(start): m for m in sorted(models) if m.startswith(start)}


def _with_omics(
    models: Sequence[str], network: str | None, networks: Sequence[str]
) -> tuple[str, ...]:
    """The models of clinical data and omics: the network, or all of them where it is not one."""
    ending = f"+{CLINICAL}"
    seeing = [m.removesuffix(ending) for m in models if m.endswith(ending)]
    named = network or main_network(seeing, networks)
    if named in seeing:
        return (f"{named}{ending}",)
    return tuple(sorted(m for m in models if _sees_covariates(m) and family_of(m) != CLINICAL))


def _sees_covariates(model: str) -> bool:
    return model.endswith(f"+{CLINICAL}") or family_of(model) in SEES_COVARIATES
