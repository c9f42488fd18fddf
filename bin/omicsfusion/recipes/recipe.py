"""A layer's recipe: the method of each step with all its options settled."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from omicsfusion.recipes.catalogue import NO_METHOD, STEPS, Catalogue

# Largest share of the features a chain needs that a new cohort's table may lack.
MAX_ABSENT = 0.2


@dataclass(frozen=True)
class Choice:
    """How one step is done.

    Attributes
    ----------
    options
        Parameters of the method, those that its name fixes included.
    file
        Name of the file whose content a parameter takes, as the user wrote it; empty for none.
    """

    step: str
    method: str
    options: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""


@dataclass(frozen=True)
class Recipe:
    """How a layer is prepared.

    Attributes
    ----------
    kind
        Of the layer.
    choices
        In the order of the chain; steps that do nothing are left out.
    max_absent
        Largest share of the needed features that a new cohort may lack, 0 to 1.
    chosen
        Steps for which the user said something; the others follow the kind.
    """

    kind: str
    choices: tuple[Choice, ...]
    max_absent: float = MAX_ABSENT
    chosen: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files that the recipe reads, sorted, each once."""
        return tuple(sorted({choice.file for choice in self.choices if choice.file}))

    def uses(self, step: str) -> Choice | None:
        """Return how a step is done; None when it does nothing."""
        return next((choice for choice in self.choices if choice.step == step), None)

    def to_json(self) -> str:
        """Return the recipe as one line of text, the same for equal recipes."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        """Read what :meth:`to_json` wrote."""
        found = json.loads(text)
        choices = tuple(Choice(**choice) for choice in found.pop("choices"))
        return cls(choices=choices, chosen=tuple(found.pop("chosen")), **found)


def settle(
    catalogue: Catalogue,
    kind: str,
    wishes: Mapping[str, tuple[str | None, Mapping[str, Any], str]] | None = None,
    max_absent: float = MAX_ABSENT,
) -> Recipe:
    """Make the recipe of a kind of layer, with the user's wishes put in.

    Parameters
    ----------
    wishes
        Step -> (method or None for the kind's own, options, file). They were checked before.
    """
    wishes = wishes or {}
    choices = []
    for step in STEPS:
        default, of_default = catalogue.defaults[kind].get(step, (NO_METHOD, {}))
        wanted, options, file = wishes.get(step, (None, {}, ""))
        name = wanted or default
        if name == NO_METHOD:
            continue
        # The kind's options belong to the kind's method; another method has its own.
        said = {**(of_default if name == default else {}), **options}
        choices.append(settled_choice(catalogue, step, name, said, file))
    return Recipe(kind, tuple(choices), max_absent, tuple(step for step in STEPS if step in wishes))


def settled_choice(
    catalogue: Catalogue, step: str, method: str, options: Mapping[str, Any], file: str = ""
) -> Choice:
    """Return how a step is done, with what its method uses where nothing is said.

    Parameters
    ----------
    options
        What is said. It was checked before.
    """
    entry = catalogue.methods[step][method]
    own = {option: rule.default for option, rule in entry.options.items()}
    return Choice(step, method, {**entry.params, **own, **options}, file)
