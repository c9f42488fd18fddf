"""What CHECK_INPUT was asked, and what its checks have found so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from omicsfusion.tables.arguments import listed
from omicsfusion.tables.cohorts import Membership
from omicsfusion.tables.layer_ids import LayerIds
from omicsfusion.tables.problems import Problems
from omicsfusion.tables.samplesheet import SheetRow


@dataclass(frozen=True)
class Request:
    """What the user asked for; fields are the arguments of ``check_input.py``.

    Attributes
    ----------
    task
        What is predicted; ``NO_TASK`` where encoders are only pretrained, which needs no outcome.
    target
        One name, or several separated by commas.
    tables
        Line of the samplesheet -> staged file; None: paths are read as written.
    """

    sheet: Path
    samples: Path
    task: str
    target: str = ""
    class_order: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    batch: str | None = None
    group: str | None = None
    split: str = "kfold"
    strict: bool = False
    folds: int = 5
    repeats: int = 1
    inner_folds: int = 3
    folds_per_task: int = 0
    models: tuple[str, ...] = ("clinical", "linear", "fused")
    tables: Mapping[int, Path] | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets by name, as the user listed them."""
        return listed(self.target)


@dataclass
class Findings:
    """What the checks hand on to each other.

    Attributes
    ----------
    request
        What the user asked for.
    problems, notes
        What is wrong; what the user should know.
    sheet
        Sound rows of the samplesheet.
    layers
        Layers whose reading is settled.
    members
        Where every sample belongs.
    roles
        Cohort -> role.
    """

    request: Request
    problems: Problems
    notes: list[str] = field(default_factory=list)
    sheet: list[SheetRow] = field(default_factory=list)
    layers: list[LayerIds] = field(default_factory=list)
    members: Membership = field(default_factory=Membership)
    roles: dict[str, str] = field(default_factory=dict)
