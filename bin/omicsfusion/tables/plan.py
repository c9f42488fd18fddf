"""What will run and about how long it takes: ``plan.json``, and ``plan.txt`` for people."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from omicsfusion.tables.outcome import NO_TASK
from omicsfusion.tables.samplesheet import CLINICAL

SCHEMA = 1

# Rough costs on one core of 2024, to be calibrated against runs of the real cohorts.
START_SECONDS = 3.0  # interpreter and imports without TensorFlow (../shared: pandas 1.5, sklearn 4)
START_SECONDS_TENSORFLOW = 12.0  # measured 5 warm, 12 cold
IMPORT_SECONDS_PER_MILLION_CELLS = 0.15  # 100,000 x 1,000 cells in 13 s
PREPROCESS_SECONDS_PER_MILLION_CELLS = 0.2  # of one fit: sort for medians, scale, write
# Of families that are no networks, all candidates on one training set of 400 samples x 3,000
# features (docs/performance.md). EXPLAIN has no task for them.
FIT_SECONDS = {
    "clinical": 0.1,
    "dummy": 0.1,
    "mask": 0.1,
    "linear": 2.0,
    "ipf": 0.7,
    "priority": 0.9,
    "forest": 13.0,
    "xgboost": 11.0,
    "svm": 0.4,
    "plsda": 0.5,
    "factors": 0.3,
    "stacking": 0.8,
}
FIT_SECONDS_NETWORK = 5.0  # one fit of a few hundred samples
FIT_SECONDS_NETWORK_PER_MILLION_CELLS = 3.0
EXPLAIN_SECONDS_PER_FOLD = 5.0
OTHER_SECONDS = 20.0  # ASSESS, ENRICH, REPORT: each
MEMORY_GB_TENSORFLOW = 0.8  # measured 655 MB after import, 752 MB with a small network
MEMORY_GB = 0.3
BYTES_PER_CELL = 4
COPIES = 4  # of a layer's matrix that a fit holds at a time


@dataclass(frozen=True)
class LayerCount:
    """A layer of one cohort in numbers.

    Attributes
    ----------
    cohort, layer, kind, role
        As in the samplesheet.
    n_samples
        Used samples that have it.
    n_features
        Features in its table.
    """

    cohort: str
    layer: str
    kind: str
    role: str
    n_samples: int
    n_features: int


@dataclass(frozen=True)
class Design:
    """What was asked for.

    Attributes
    ----------
    task, target, models
        As given; without a task (``NO_TASK``) encoders are pretrained on one training set.
    split, folds, repeats
        ``n_outer`` follows from them; for a split column, folds = what the column holds.
    inner_folds, folds_per_task
        As given.
    """

    task: str
    target: str
    models: tuple[str, ...]
    split: str
    folds: int
    repeats: int
    inner_folds: int
    folds_per_task: int

    @property
    def n_outer(self) -> int:
        """Outer folds of all repeats."""
        return 0 if self.task == NO_TASK else self.folds * self.repeats

    @property
    def n_scopes(self) -> int:
        """Training sets: outer folds and the final one, with their inner folds."""
        return 1 if self.task == NO_TASK else (self.n_outer + 1) * (1 + self.inner_folds)

    @property
    def n_groups(self) -> int:
        """Groups of scopes, the unit of a task."""
        whole = self.folds_per_task == 0 or self.task == NO_TASK
        return 1 if whole else math.ceil(self.n_outer / self.folds_per_task) + 1


@dataclass(frozen=True)
class Step:
    """One process of the plan: tasks, fits, seconds and memory of all tasks / the largest task."""

    process: str
    tasks: int
    fits: int
    seconds: float
    memory_gb: float


@dataclass(frozen=True)
class Plan:
    """The whole plan.

    Attributes
    ----------
    design
        What was asked for.
    layers
        The layers in numbers.
    patterns
        Layers joined by `` + `` -> how many used samples have just these.
    outcome
        Sentences about the outcome.
    samples
        ``used``, ``left_out``, ``train``, ``external`` -> how many.
    notes
        What the user should be told about the reading of the inputs.
    advice
        Where the cohort is small for what is asked of it.
    """

    design: Design
    layers: Sequence[LayerCount]
    patterns: Mapping[str, int]
    outcome: Sequence[str]
    samples: Mapping[str, int]
    notes: Sequence[str] = field(default=())
    advice: Sequence[str] = field(default=())

    def steps(self) -> list[Step]:
        """List the processes with tasks, fits, expected seconds of computing and memory."""
        design = self.design
        cells = self._millions_of_cells()
        networks = [model for model in design.models if _family(model) not in FIT_SECONDS]
        matrix_gb = COPIES * BYTES_PER_CELL * 1e6 / 1e9
        sets = (design.n_groups, design.n_scopes)
        train = [_train_step(model, *sets, cells) for model in design.models]
        first = [
            Step("CHECK_INPUT", 1, 0, START_SECONDS, MEMORY_GB),
            Step(
                "IMPORT",
                len(self.layers),
                0,
                START_SECONDS * len(self.layers) + cells * IMPORT_SECONDS_PER_MILLION_CELLS,
                MEMORY_GB,
            ),
            Step("SPLIT", 1, 0, START_SECONDS, MEMORY_GB),
            self._preprocess_step(*sets),
        ]
        if design.task == NO_TASK:
            return [*first, replace(_train_step("encoders", *sets, cells), process="PRETRAIN")]
        return [
            *first,
            *train,
            Step("ASSESS", 1, 0, OTHER_SECONDS, MEMORY_GB),
            Step(
                "EXPLAIN",
                len(networks),
                0,
                len(networks)
                * (START_SECONDS_TENSORFLOW + design.n_outer * EXPLAIN_SECONDS_PER_FOLD),
                MEMORY_GB_TENSORFLOW + cells * matrix_gb,
            ),
            Step("ENRICH", 1, 0, OTHER_SECONDS, MEMORY_GB),
            Step("REPORT", 1, 0, OTHER_SECONDS, MEMORY_GB),
        ]

    def control_steps(self) -> list[Step]:
        """List what one negative control adds: the first repeat, without the final training set."""
        design = self.design
        if design.task == NO_TASK:
            return []
        n_scopes = design.folds * (1 + design.inner_folds)
        per_task = design.folds_per_task or design.folds
        n_groups = math.ceil(design.folds / per_task)
        cells = self._millions_of_cells()
        # Once more with permuted omics, of which only the covariates are prepared anew.
        again = with_covariates(design.models)
        prepared = n_groups * START_SECONDS
        covariates = Step("PREPROCESS covariates", n_groups, n_scopes, prepared, MEMORY_GB)
        return [
            Step("PERMUTE", 1, 0, START_SECONDS, MEMORY_GB),
            self._preprocess_step(n_groups, n_scopes),
            *([covariates] if again else []),
            *(_train_step(m, n_groups, n_scopes, cells) for m in (*design.models, *again)),
        ]

    def _millions_of_cells(self) -> float:
        return sum(layer.n_samples * layer.n_features for layer in self.layers) / 1e6

    def _preprocess_step(self, n_groups: int, n_scopes: int) -> Step:
        sizes = [layer.n_samples * layer.n_features / 1e6 for layer in self.layers]
        n_layers = len({layer.layer for layer in self.layers})
        tasks = n_layers * n_groups
        # A scope's table holds all its samples, whatever the fold: each fit costs the whole layer.
        seconds = n_scopes * self._millions_of_cells() * PREPROCESS_SECONDS_PER_MILLION_CELLS
        memory = MEMORY_GB + max(sizes, default=0) * COPIES * BYTES_PER_CELL * 1e6 / 1e9
        return Step(
            "PREPROCESS", tasks, n_layers * n_scopes, tasks * START_SECONDS + seconds, memory
        )

    def as_json(self) -> dict[str, Any]:
        """Return what ``plan.json`` holds."""
        steps = self.steps()
        return {
            "schema": SCHEMA,
            "design": asdict(self.design)
            | {
                "n_outer": self.design.n_outer,
                "n_scopes": self.design.n_scopes,
                "n_groups": self.design.n_groups,
            },
            "samples": dict(self.samples),
            "outcome": list(self.outcome),
            "layers": [asdict(layer) for layer in self.layers],
            "patterns": dict(self.patterns),
            "notes": list(self.notes),
            "advice": list(self.advice),
            "steps": [asdict(step) for step in steps],
            **_added_up(steps),
            "memory_gb": round(max(step.memory_gb for step in steps), 2),
            "negative_control": _added_up(self.control_steps()),
        }


def with_covariates(models: Sequence[str]) -> list[str]:
    """Return the models that a control with permuted omics trains (``parameters/main.nf``)."""
    seeing = [model for model in models if model == CLINICAL or model.endswith(f"+{CLINICAL}")]
    return seeing if CLINICAL in models and len(seeing) > 1 else []


def count_patterns(layers_of: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Count how many samples have just which layers, the most frequent first."""
    counts = Counter(" + ".join(layers) for layers in layers_of.values())
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _added_up(steps: Sequence[Step]) -> dict[str, float]:
    return {
        "tasks": sum(step.tasks for step in steps),
        "fits": sum(step.fits for step in steps),
        "seconds": round(sum(step.seconds for step in steps), 1),
    }


def _family(model: str) -> str:
    """The first word of a model's name: linear-only-rna and linear+clinical are linear."""
    return model.split("+")[0].split("-")[0]


def _train_step(model: str, n_groups: int, n_scopes: int, cells: float) -> Step:
    family = _family(model)
    if family in FIT_SECONDS:
        seconds = n_scopes * FIT_SECONDS[family] + n_groups * START_SECONDS
        return Step(f"TRAIN {model}", n_groups, n_scopes, seconds, MEMORY_GB)
    each = FIT_SECONDS_NETWORK + cells * FIT_SECONDS_NETWORK_PER_MILLION_CELLS
    seconds = n_scopes * each + n_groups * START_SECONDS_TENSORFLOW
    memory = MEMORY_GB_TENSORFLOW + cells * 1e6 * BYTES_PER_CELL * COPIES / 1e9
    return Step(f"TRAIN {model}", n_groups, n_scopes, seconds, memory)
