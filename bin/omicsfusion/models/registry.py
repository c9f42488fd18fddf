"""Which models there are, and what a model's name means.

A name is a family (``clinical``, ``linear``, ``fused``), then what it may see:
``fused+clinical`` (the covariates too), ``linear-only-rna`` (one layer), ``fused-minus-rna`` (all
but one), ``clinical-only-age`` (one covariate). The names stand in ``registry.json``, which the
workflow reads too; a new family is an entry there, a file, and a line in ``trainers.py``.
"""

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CLINICAL = "clinical"


_REGISTRY = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
FAMILIES: list[str] = _REGISTRY["families"]
SETS: dict[str, list[str]] = _REGISTRY["sets"]
PRETRAINED: list[str] = _REGISTRY["pretrained"]
"""Families whose encoders may begin pretrained."""


@dataclass(frozen=True)
class ModelSpec:
    """A model's name, taken apart.

    Attributes
    ----------
    name, family
        As given, and its first word.
    layers
        Layers the model sees, sorted; ``clinical`` among them when it sees the covariates.
    covariate
        The one covariate it sees, or empty for all of them.
    """

    name: str
    family: str
    layers: tuple[str, ...]
    covariate: str = ""


class UnknownModelError(ValueError):
    """A model's name cannot be understood; the message says which names can."""


def parse_model(name: str, layers: Sequence[str]) -> ModelSpec:
    """Take a model's name apart.

    Parameters
    ----------
    name
        E.g. ``fused``, ``fused+clinical``, ``linear-only-rna``, ``fused-minus-rna``,
        ``clinical-only-age``.
    layers
        The layers there are; ``clinical`` is among them when covariates were given.

    Raises
    ------
    UnknownModelError
        When the family or the layer does not exist.
    """
    stem, _, with_clinical = name.partition("+")
    base, _, only = stem.partition("-only-")
    base, _, minus = base.partition("-minus-")
    if base not in FAMILIES or with_clinical not in ("", CLINICAL):
        near = difflib.get_close_matches(name, [*FAMILIES, *SETS["all"]], 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UnknownModelError(
            f"There is no model {name!r}.{hint} Models: {', '.join(SETS['all'])}."
        )
    if CLINICAL not in layers and (base == CLINICAL or with_clinical):
        raise UnknownModelError(f"Model {name!r} needs covariates: name them with --covariates.")
    if base == CLINICAL:
        return ModelSpec(name, base, (CLINICAL,), covariate=only)
    omics = [layer for layer in layers if layer != CLINICAL]
    for layer in filter(None, (only, minus)):
        if layer not in omics:
            raise UnknownModelError(
                f"Model {name!r}: there is no layer {layer!r} among {', '.join(omics)}."
            )
    kept = [layer for layer in omics if layer != minus and (not only or layer == only)]
    return ModelSpec(name, base, tuple(sorted([*kept, *([CLINICAL] if with_clinical else [])])))
