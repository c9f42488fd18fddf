"""Which models there are, and what a model's name means.

A name is a family (``clinical``, ``linear``, ``fused``), then what it may see:
``fused+clinical`` (the covariates too), ``linear-only-rna`` (one layer), ``fused-minus-rna`` (all
but one), ``clinical-only-age`` (one covariate). The families stand in ``registry.json``, a line
each, which the workflow reads too; docs/contributing.md says how one is added.
"""

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CLINICAL = "clinical"
EVERY = "*"
"""In a set: every family by itself; after ``-only-`` or ``-minus-``: each omics layer."""


_REGISTRY = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
_ENTRIES: dict[str, dict] = _REGISTRY["families"]
FAMILIES: list[str] = list(_ENTRIES)
ROLES: Mapping[str, str] = {family: entry["role"] for family, entry in _ENTRIES.items()}
"""Of each family: ``clinical`` (covariates only), ``reference`` (nothing of what layers hold),
``shallow`` or ``network``."""
FORMATS: Mapping[str, str | None] = {name: entry["format"] for name, entry in _ENTRIES.items()}
"""Of each family: what a fitted model is saved as; None: it is not, and cannot be bundled."""
PRETRAINED: list[str] = [family for family, entry in _ENTRIES.items() if entry.get("pretrained")]
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


class UnsuitableModelError(ValueError):
    """A model is not for the task; the message says for which it is."""


def plain_name(family: str) -> str:
    """Return the name under which a family sees what it sees by default."""
    return f"{family}+{CLINICAL}" if _ENTRIES[family].get("needs_clinical") else family


def expanded(names: Sequence[str], layers: Sequence[str]) -> list[str]:
    """Write a set out: ``*`` is every family, ``linear-only-*`` one model per omics layer.

    So is ``fused-minus-*``, a model without each. Where there is one layer, the first would be
    ``linear`` once more, and the second has no layer left: both are nothing.

    Parameters
    ----------
    layers
        The layers there are; ``clinical`` is no omics layer.
    """
    omics = sorted(layer for layer in layers if layer != CLINICAL)
    each = omics if len(omics) > 1 else []
    found: list[str] = []
    for name in names:
        if name == EVERY:
            found += [plain_name(family) for family in FAMILIES]
        elif name.endswith((f"-only-{EVERY}", f"-minus-{EVERY}")):
            found += [name.removesuffix(EVERY) + layer for layer in each]
        else:
            found.append(name)
    return list(dict.fromkeys(found))


SETS: dict[str, list[str]] = _REGISTRY["sets"]
NAMES: list[str] = expanded(SETS["all"], [])
"""Names of models that hang on no layer."""


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
        near = difflib.get_close_matches(name, [*FAMILIES, *NAMES], 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UnknownModelError(f"There is no model {name!r}.{hint} Models: {', '.join(NAMES)}.")
    if _ENTRIES[base].get("needs_clinical") and not with_clinical:
        raise UnknownModelError(f"Model {name!r} sees the covariates: ask for '{name}+{CLINICAL}'.")
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


def refuse_other_tasks(spec: ModelSpec, task: str) -> None:
    """Refuse a model that is not for a task.

    Raises
    ------
    UnsuitableModelError
        When its family says for which tasks it is, and this is none of them.
    """
    tasks = _ENTRIES[spec.family].get("tasks")
    if tasks is not None and task not in tasks:
        raise UnsuitableModelError(
            f"Model {spec.name!r} is for {' and '.join(tasks)}, not for {task}: leave it out."
        )
