"""What a family is asked to train."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omicsfusion.models.registry import ModelSpec
from omicsfusion.tables.outcome import Outcome


@dataclass(frozen=True)
class TrainingRequest:
    """One model on the scopes of one group.

    Attributes
    ----------
    spec
        The model.
    outcome
        What is predicted.
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
    """

    spec: ModelSpec
    outcome: Outcome
    horizons: Sequence[float]
    seed: int
    gene_sets: tuple[Path, ...] = ()
    network: Path | None = None
    positions: Path | None = None
