"""What a family is asked to train."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from omicsfusion.models.registry import ModelSpec
from omicsfusion.tables.outcome import Outcome

if TYPE_CHECKING:
    from omicsfusion.models.pretrained import Pretrained

ENSEMBLE = 3
"""Networks averaged per fit where nothing else is asked for: the fewest between whose scores ASSESS
tells a standard deviation (``assess/seed_spread.py``)."""


class MissingKnowledgeError(ValueError):
    """A family needs knowledge of features that it was not given, or that names none of them.

    Gene sets and positions are such knowledge. The message names what there is on both sides.
    """


class OtherStudyError(ValueError):
    """Trials of an earlier run do not belong to this study; the message says why."""


@dataclass(frozen=True)
class TrainingRequest:
    """One model on the scopes of one group.

    Attributes
    ----------
    spec
        The model.
    outcome
        What is predicted; the first of several targets.
    horizons
        Times at which survival is predicted.
    seed
        Of the run.
    gene_sets
        GMT files; for families that read them.
    network
        Table of edges between genes, or None; for families that read it.
    positions
        BED file of where features lie on the genome, or None; for families that read it.
    head
        What networks predict with: ``auto``, or a name in ``heads.json``.
    class_order
        The classes from the lowest up; empty when they have no order.
    ensemble
        Networks that are averaged per fit, each with random numbers of its own (Lakshminarayanan et
        al., NeurIPS 2017).
    mc_dropout
        Thinned networks by which each network predicts (``thinning``); 0: by itself.
    distil
        Whether one network learns from those of a fit, and takes their place.
    trials
        Of each training set, on its inner folds; without any, networks have their defaults.
    settings
        What the user set (``settings.read_settings``); not tuned. All else has its default.
    tuning_minutes
        After which no more trials begin; 0: no limit.
    studies
        Tables of trials (``trials.tsv``) of an earlier run, from which the studies go on.
    threads
        Networks that are trained at the same time. No result hangs on it.
    targets
        Outcome of each target, the first one among them, when several are trained together; empty
        otherwise.
    target
        Which of several targets is fitted by itself; empty otherwise.
    pretrained
        Encoders from which networks begin, or None; for families that take them.
    """

    spec: ModelSpec
    outcome: Outcome
    horizons: Sequence[float]
    seed: int
    gene_sets: tuple[Path, ...] = ()
    network: Path | None = None
    positions: Path | None = None
    head: str = "auto"
    class_order: tuple[str, ...] = ()
    ensemble: int = ENSEMBLE
    mc_dropout: int = 0
    distil: bool = False
    trials: int = 0
    settings: Mapping[str, float] = field(default_factory=dict)
    tuning_minutes: int = 0
    studies: tuple[Path, ...] = ()
    threads: int = 1
    targets: Mapping[str, Outcome] = field(default_factory=dict)
    target: str = ""
    pretrained: "Pretrained | None" = None
