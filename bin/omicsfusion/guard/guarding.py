"""GUARD: every check, in the order of ``guards.tsv``."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omicsfusion.guard.batch_importance import batch_importance
from omicsfusion.guard.batch_label import batch_decides_outcome, batch_predicts_outcome
from omicsfusion.guard.components import LayerValues, read_values
from omicsfusion.guard.earlier_steps import scaled_before, selected_before
from omicsfusion.guard.findings import Finding
from omicsfusion.guard.parts import (
    duplicates_in_one_part,
    external_patients,
    groups_in_one_part,
    patients_in_one_part,
    pretrained_on_tested,
    temporal_order,
)
from omicsfusion.scopes import read_splits
from omicsfusion.tables.cohort_table import open_tables
from omicsfusion.tables.duplicate_pairs import read_duplicates
from omicsfusion.tables.layer import read_header
from omicsfusion.tables.outcome import read_outcome, read_samples, with_outcome


@dataclass(frozen=True)
class GuardRequest:
    """What GUARD looks at; the paths and options of ``guard.py``."""

    splits: Path
    samples: Path
    duplicates: Sequence[Path]
    files: Sequence[Path]
    task: str
    split: str
    seed: int
    pretrained: Path | None = None


def guard(request: GuardRequest) -> list[Finding]:
    """Make every check; of several targets the first is the outcome."""
    samples = read_samples(request.samples, request.task)
    outcome = read_outcome(request.samples, request.task)
    known = with_outcome(samples, outcome)
    splits = read_splits(request.splits)
    duplicates = read_duplicates(request.duplicates)
    findings = [
        patients_in_one_part(splits, samples),
        groups_in_one_part(splits, samples),
        duplicates_in_one_part(splits, samples, duplicates),
        temporal_order(splits, samples, duplicates, request.split),
        external_patients(samples, duplicates),
        pretrained_on_tested(splits, request.pretrained),
        batch_decides_outcome(known, outcome),
        batch_predicts_outcome(splits, known, outcome, request.seed),
    ]
    cohorts = set(samples.loc[samples["role"] == "train", "cohort"])
    layers: list[LayerValues] = []
    for layer, paths in _by_layer(request.files).items():
        findings += scaled_before(layer, paths, cohorts)
        tables = [table for table in open_tables(paths, known) if table.is_training]
        if tables:
            layers.append(read_values(layer, tables))
            findings.append(selected_before(layers[-1], outcome))
    findings.append(batch_importance(splits, known, outcome, layers, request.seed))
    return findings


def _by_layer(files: Sequence[Path]) -> dict[str, list[Path]]:
    """Layers by name, without the covariates, each with its files."""
    found: dict[str, list[Path]] = {}
    for path in sorted(files, key=lambda path: path.name):
        header = read_header(path)
        if header.kind != "clinical":
            found.setdefault(header.layer, []).append(path)
    return dict(sorted(found.items()))
