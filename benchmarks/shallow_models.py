"""What the shallow models cost: all candidates of each family fitted on one training set.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 .tools/bin/python benchmarks/shallow_models.py
        [--families linear forest …] [--samples 400] [--features 3000]

Three layers of a third of the features each, N(0,1), of which 20 tell of the outcome: four
classes, survival with two in five censored, or a number. It prints processor seconds of one
training set; a run fits folds x repeats x (1 + inner folds) of them, and as many of the last one.
"""

import argparse
import sys
import time
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bin"))

from omicsfusion.models.baselines.candidates import Family  # noqa: E402
from omicsfusion.models.baselines.training_set import TrainingSet  # noqa: E402
from omicsfusion.models.linear_tasks import task_of  # noqa: E402
from omicsfusion.models.registry import ROLES  # noqa: E402
from omicsfusion.models.trainers import BASELINES, MODULES  # noqa: E402
from omicsfusion.tables.outcome import TASKS, Outcome  # noqa: E402

SHALLOW = [family for family, role in ROLES.items() if role == "shallow"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--families", nargs="+", choices=SHALLOW, default=SHALLOW)
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--features", type=int, default=3000)
    arguments = parser.parse_args()
    print("family", *TASKS, sep="\t")
    for name in arguments.families:
        found = []
        for task in TASKS:
            if (name, task) == ("svm", "survival"):
                found.append("")
                continue
            training = training_set(task, arguments.samples, arguments.features)
            found.append(f"{cost(family_of(name), training):.1f}")
        print(name, *found, sep="\t", flush=True)


def family_of(name: str) -> Family:
    """Return what the file of a family holds."""
    return getattr(import_module(MODULES.get(name, f"{BASELINES}.{name}")), name.upper())


def cost(family: Family, training: TrainingSet) -> float:
    """Return the processor seconds that all candidates take."""
    begun = time.process_time()
    family.fit(training, family.candidates(training))
    return time.process_time() - begun


def training_set(task: str, samples: int, features: int) -> TrainingSet:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(samples, features))
    signal = x[:, :20].sum(axis=1) / 4
    time_ = rng.exponential(size=samples) * np.exp(-signal) + 0.01
    y = {
        "classification": np.digitize(signal, [-0.8, 0.0, 0.8]),
        "survival": np.stack([time_, rng.random(samples) < 0.6], axis=1),
        "regression": 3 * signal,
    }[task]
    outcome = Outcome(task, pd.DataFrame(), tuple("abcd") if task == "classification" else ())
    return TrainingSet(
        kind=task,
        task=task_of(outcome, [1.0]),
        x=x,
        y=y,
        layers=tuple(["cnv", "mirna", "rna"][column * 3 // features] for column in range(features)),
        features=tuple(f"f{column}" for column in range(features)),
        patients=tuple(f"p{number}" for number in range(samples)),
        seed=1,
    )


if __name__ == "__main__":
    main()
