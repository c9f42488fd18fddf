"""What can differ between networks of one family: settings of the training, and the structure."""

from collections.abc import Mapping
from dataclasses import dataclass

from omicsfusion.models.settings import DEFAULTS

STRUCTURE = "structure"
DEFAULT = "default"


@dataclass(frozen=True)
class Choice:
    """What a network is trained with.

    Attributes
    ----------
    settings
        Value of each setting (``settings.DEFAULTS``).
    structure
        Name of one of the structures of its family.
    """

    settings: Mapping[str, float]
    structure: str = DEFAULT

    def value(self, name: str) -> str:
        """Return one of the choices in words."""
        return self.structure if name == STRUCTURE else f"{self.settings[name]:.3g}"


def default_choice(settings: Mapping[str, float]) -> Choice:
    """Return what is trained with where nothing is tuned: the defaults, but for some settings."""
    return Choice({**DEFAULTS, **settings})


DEFAULT_CHOICE = default_choice({})
