"""The methods that a chain's steps can use, as ``catalogue.json`` lists them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

# In the order in which a chain does them. Selection comes before scaling: after it all variances
# are 1, and selection by them is void.
STEPS = ("outliers", "encode", "filter", "normalise", "batch", "impute", "select", "scale")
NO_METHOD = "none"


@dataclass(frozen=True)
class Option:
    """A number, word, list or switch that a method takes.

    Attributes
    ----------
    type
        ``number``, ``integer``, ``boolean``, ``choice``, ``text`` or ``names`` (a list of words).
    default
        What the method uses when nothing is said.
    required
        Whether something must be said.
    says
        What it does, for people.
    """

    type: str
    says: str
    default: Any = None
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A file that a method reads.

    Attributes
    ----------
    option
        The parameter of the method that gets its content.
    reads
        ``names`` (one a line), ``numbers`` or ``words`` (name, value) or ``regions`` (BED).
    """

    option: str
    reads: str
    required: bool
    says: str


@dataclass(frozen=True)
class Method:
    """One way of doing a step.

    Attributes
    ----------
    params
        Parameters of the class that the method's name fixes.
    kinds
        The kinds of layers that it suits.
    """

    step: str
    name: str
    says: str
    kinds: tuple[str, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Option] = field(default_factory=dict)
    table: Table | None = None


@dataclass(frozen=True)
class Catalogue:
    """All methods, and what each kind of layer uses when nothing is said.

    Attributes
    ----------
    methods
        Step -> name -> method.
    defaults
        Kind -> step -> (name of the method, options).
    """

    methods: Mapping[str, Mapping[str, Method]]
    defaults: Mapping[str, Mapping[str, tuple[str, Mapping[str, Any]]]]

    def for_kind(self, kind: str, step: str) -> list[str]:
        """List the methods of a step that suit a kind, sorted."""
        return sorted(
            name for name, method in self.methods.get(step, {}).items() if kind in method.kinds
        )


@cache
def read_catalogue() -> Catalogue:
    """Read the catalogue that stands beside this file."""
    text = Path(__file__).with_name("catalogue.json").read_text(encoding="utf-8")
    entries = json.loads(text)
    kinds = tuple(entries["defaults"])
    methods = {
        step: {name: _method(step, name, entry, kinds) for name, entry in of_step.items()}
        for step, of_step in entries["methods"].items()
    }
    defaults = {
        kind: {step: _choice(choice) for step, choice in of_kind.items()}
        for kind, of_kind in entries["defaults"].items()
    }
    return Catalogue(methods, defaults)


def _method(step: str, name: str, entry: Mapping[str, Any], kinds: tuple[str, ...]) -> Method:
    suited = entry["kinds"]
    if suited == "all":
        suited = kinds
    elif suited == "all but clinical":
        suited = [kind for kind in kinds if kind != "clinical"]
    options = {
        option: Option(**{**rule, "choices": tuple(rule.get("choices", ()))})
        for option, rule in entry.get("options", {}).items()
    }
    table = Table(**entry["file"]) if "file" in entry else None
    return Method(step, name, entry["says"], tuple(suited), entry.get("params", {}), options, table)


def _choice(choice: str | list[Any]) -> tuple[str, Mapping[str, Any]]:
    return (choice, {}) if isinstance(choice, str) else (choice[0], choice[1])
