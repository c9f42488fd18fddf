"""PRETRAIN: from a cohort's matrices to the file of encoders, without an outcome."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from omicsfusion.models.accelerator import NONE, settle_gpu
from omicsfusion.models.choice import default_choice
from omicsfusion.models.cohort import GroupReader, ScopeData
from omicsfusion.models.network import MEMBERS_PER_CHUNK, ONE_STRUCTURE
from omicsfusion.models.pretext.heads import OBJECTIVES, PretextHead
from omicsfusion.models.pretrained import LayerStart, Pretrained, write_pretrained
from omicsfusion.models.program import Programs, Task
from omicsfusion.models.registry import CLINICAL
from omicsfusion.models.request import ENSEMBLE
from omicsfusion.models.settings import read_settings
from omicsfusion.models.shapes import shapes_of
from omicsfusion.models.trained import Trained
from omicsfusion.pretraining import UnusablePretrainingError
from omicsfusion.scopes import FINAL, TRAINING_ROLES, Scope, read_splits
from omicsfusion.seeds import seed_for
from omicsfusion.tables.tsv import write_tsv

COHORT = Scope(0, 0, FINAL)
"""The one training set of pretraining: everyone."""


@dataclass(frozen=True)
class Learnt:
    """What came of pretraining.

    Attributes
    ----------
    encoders
        As they are written.
    data
        The cohort, without values.
    trained
        Of each network.
    """

    encoders: Pretrained
    data: ScopeData
    trained: Sequence[Trained]


def pretrain(
    *,
    matrices: Sequence[Path],
    splits: Path,
    objective: str,
    seed: int,
    ensemble: int = ENSEMBLE,
    settings: str = "",
    gpu: str = NONE,
) -> None:
    """Train an encoder for each omics layer, and write it.

    Writes ``encoders.h5``, ``pretraining.tsv`` and ``curves.tsv`` (see docs/output.md).
    """
    reader = GroupReader(matrices, read_splits(splits))
    settle_gpu(gpu)
    wanted = read_settings(settings)
    learnt = learn_encoders(reader, objective, seed, ensemble, wanted)
    data = learnt.data
    seen = data.rows(*TRAINING_ROLES)
    write_pretrained(
        Path("encoders.h5"),
        learnt.encoders,
        sorted(data.samples[row] for row in seen),
        sorted({data.patients[row] for row in seen}),
        {"settings": json.dumps(wanted, sort_keys=True), "seed": seed},
    )
    write_tsv(_record(learnt), "pretraining.tsv")
    write_tsv(_curves(learnt.trained), "curves.tsv")


def learn_encoders(
    reader: GroupReader,
    objective: str,
    seed: int,
    ensemble: int = ENSEMBLE,
    settings: Mapping[str, float] | None = None,
) -> Learnt:
    """Train an encoder for each omics layer on the training set of all samples.

    Raises
    ------
    UnusablePretrainingError
        When the cohort has nothing to learn from, or a loss was no number.
    """
    widths = {name: reader.width(COHORT, name) for name in reader.layer_names if name != CLINICAL}
    layers = [name for name, width in widths.items() if width]
    if not layers:
        raise UnusablePretrainingError("No omics layer has features to pretrain an encoder on.")
    head: PretextHead = OBJECTIVES[objective](reader, layers)
    shapes = shapes_of(reader, layers, MEMBERS_PER_CHUNK, ensemble)
    programs = Programs(head.network, ONE_STRUCTURE, head, shapes, reader, layers)
    choice = default_choice(settings or {})
    tasks = [
        Task(COHORT, choice, seed_for(seed, "pretrain", objective, number), number)
        for number in range(ensemble)
    ]
    found = {task.number: trained for task, _, trained, _ in programs.train(tasks)}
    if COHORT in programs.untrainable:
        raise UnusablePretrainingError(programs.untrainable[COHORT])
    trained = [found[number] for number in range(ensemble)]
    if any(one.best_epoch == 0 for one in trained):
        raise UnusablePretrainingError(
            "The loss of pretraining was infinite or undefined. Try --settings learning_rate=0.001."
        )
    data = reader.load(COHORT, ())
    features = reader.features(COHORT, layers)
    n_samples = len(data.rows(*TRAINING_ROLES))
    encoders = Pretrained(objective, n_samples, _starts(head, features, trained))
    return Learnt(encoders, data, trained)


def _starts(
    head: PretextHead, features: Mapping[str, tuple[str, ...]], trained: Sequence[Trained]
) -> dict[str, LayerStart]:
    """Take the encoders out of what was trained; kernels become effective ones."""
    network = head.network({name: len(names) for name, names in features.items()}, head.units, 1)
    network.build()
    place = {id(variable): i for i, variable in enumerate(network.trainable_variables)}

    def learnt(variable: object) -> np.ndarray:
        return np.stack([one.weights[place[id(variable)]] for one in trained])

    return {
        name: LayerStart(
            features[name],
            kernel=learnt(encoder.dense.kernel) / np.sqrt(np.float32(len(features[name]))),
            bias=learnt(encoder.dense.bias),
            gamma=learnt(encoder.norm.gamma),
            beta=learnt(encoder.norm.beta),
        )
        for name, encoder in network.pretrainable.items()
    }


def _record(learnt: Learnt) -> pd.DataFrame:
    """Return ``pretraining.tsv``: a row for each network."""
    data, encoders = learnt.data, learnt.encoders
    layers = [f"{name} ({len(one.features)})" for name, one in encoders.layers.items()]
    rows = [
        {
            "objective": encoders.objective,
            "network": number,
            "layers": ";".join(layers),
            "n_train": len(data.rows("train")),
            "n_stop": len(data.rows("stop")),
            "epochs": len(one.curve),
            "best_epoch": one.best_epoch,
            "stop_loss": one.curve[one.best_epoch - 1][2],
        }
        for number, one in enumerate(learnt.trained, start=1)
    ]
    return pd.DataFrame(rows)


def _curves(trained: Sequence[Trained]) -> pd.DataFrame:
    rows = [
        {"network": number, "epoch": epoch, "train_loss": train, "stop_loss": stop}
        for number, one in enumerate(trained, start=1)
        for epoch, train, stop in one.curve
    ]
    return pd.DataFrame(rows)
