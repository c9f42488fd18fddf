"""Many fits as one network: seconds for each fit, beside the plain loop of ``model.fit``.

    .tools/bin/python benchmarks/batched_training.py [--members 1 25 50] [--loop 5] [--out FILE]

Three omics layers of 200 features, 245 samples to train on and 61 to stop with, two classes, the
default network, 60 epochs of batches of 64 in every fit. Measured in one run, each in a process of
its own, without the import of TensorFlow (a column of its own) and with everything else: tracing,
compiling, training, predicting. The loop builds the same network as a plain Keras model, compiles
it and calls ``fit``, one fit after the other, as most tools do. It prints, and writes to FILE, the
seconds for each fit and the speed over that of the loop.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from parts import run_part

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bin"))

LAYERS = ("mirna", "protein", "rna")
FEATURES, INFORMATIVE, TRAIN, STOP, TEST = 200, 30, 245, 61, 76
LEAST_RIGHT = 0.85
EPOCHS, BATCH, WIDTH = 60, 64, 64
COLUMNS = ("what", "fits", "seconds_per_fit", "speed_over_loop", "import_seconds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, nargs="+", default=[1, 25, 50])
    parser.add_argument("--loop", type=int, default=5, help="fits of the plain loop")
    parser.add_argument("--out", type=Path, default=Path("batched_training.tsv"))
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        what, fits = given.part
        print(json.dumps(measure(what, int(fits))))
        return
    loop, imported = run_part(__file__, "loop", given.loop)
    rows: list[tuple[Any, ...]] = [("loop", given.loop, f"{loop:.2f}", "", f"{imported:.1f}")]
    for members in given.members:
        own, imported = run_part(__file__, "batched", members)
        rows.append(("batched", members, f"{own:.3f}", f"{loop / own:.1f}", f"{imported:.1f}"))
    text = ["\t".join(COLUMNS), *("\t".join(map(str, row)) for row in rows)]
    print("\n".join(text))
    given.out.write_text("".join(f"{line}\n" for line in text), encoding="utf-8")


def measure(what: str, fits: int) -> tuple[float, float]:
    """Return the seconds for each fit, and those of the import."""
    started = time.monotonic()
    from omicsfusion.models.backend import keras

    imported = time.monotonic() - started
    started = time.monotonic()
    scores = train_batched(fits) if what == "batched" else train_in_a_loop(keras, fits)
    seconds = time.monotonic() - started
    if not np.mean(scores) > LEAST_RIGHT:
        raise ValueError(f"The networks did not learn: they are right in {scores}.")
    return seconds / fits, imported


def make_data(seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the layers of one fold, train, stop and test samples below each other, and classes.

    The class is the sign of a factor that the first features of each layer measure with noise.
    """
    rng = np.random.default_rng(seed)
    n = TRAIN + STOP + TEST
    factor = rng.normal(size=n)
    x = {name: rng.normal(size=(n, FEATURES)).astype(np.float32) for name in LAYERS}
    for values in x.values():
        values[:, :INFORMATIVE] += factor[:, None]
    return x, (factor > 0).astype(int)


def train_batched(members: int) -> list[float]:
    """Train all fits as members of one network; return the share of right calls of each."""
    from omicsfusion.models import dealing, training
    from omicsfusion.models.families.fused import FusedNetwork
    from omicsfusion.models.settings import DEFAULTS
    from omicsfusion.models.shapes import MEMBERS_OF_NETWORK, even_share
    from omicsfusion.tables.outcome import Outcome

    training.EPOCHS_WITHOUT_STOP = EPOCHS  # as many as the loop makes
    folds = [make_data(seed) for seed in range(members)]
    n = TRAIN + STOP + TEST
    together = even_share(members, MEMBERS_OF_NETWORK)
    network = FusedNetwork(dict.fromkeys(LAYERS, FEATURES), units=2, members=together)
    network.build()
    loss = loss_of_two_classes(Outcome)
    steps = -(-TRAIN // BATCH)
    trainer = training.Trainer(
        network, loss, BATCH, STOP, steps, threads=len(os.sched_getaffinity(0))
    )
    table = training.Table(
        x={name: np.concatenate([x[name] for x, _ in folds]) for name in LAYERS},
        present=np.ones((n * members, len(LAYERS)), np.float32),
        target=np.concatenate([y for _, y in folds])[:, None].astype(np.float32),
        weight=np.ones(n * members, np.float32),
    )
    names = {name: tuple(map(str, range(FEATURES))) for name in LAYERS}
    constants = network.constants(names, DEFAULTS)
    fits = [
        dealing.Member(
            seed=m,
            train=n * m + np.arange(TRAIN),
            stop=n * m + TRAIN + np.arange(STOP),
            strata=folds[m][1][:TRAIN],
            stops=False,
            settings=DEFAULTS,
            constants=constants,
        )
        for m in range(members)
    ]
    trained = trainer.train(table, fits)
    rows = np.stack([n * m + TRAIN + STOP + np.arange(TEST) for m in range(members)])
    outputs = trainer.predict(table, fits, trained, rows)
    return [
        float(np.mean(outputs[m].argmax(axis=1) == folds[m][1][-TEST:])) for m in range(members)
    ]


def loss_of_two_classes(outcome_class: Any) -> Any:
    """Return the loss of the classification head for two classes."""
    import pandas as pd

    from omicsfusion.models.heads.classes import SoftmaxHead

    return SoftmaxHead(outcome_class("classification", pd.DataFrame(), ("no", "yes"))).loss


def train_in_a_loop(keras: Any, fits: int) -> list[float]:
    """Build, compile and fit one plain Keras model after the other."""
    right = []
    for seed in range(fits):
        x, y = make_data(seed)
        train, stop = slice(0, TRAIN), slice(TRAIN, TRAIN + STOP)
        model = plain_model(keras)
        model.compile(
            keras.optimizers.AdamW(1e-2, weight_decay=1e-3),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        model.fit(
            [x[name][train] for name in LAYERS],
            y[train],
            validation_data=([x[name][stop] for name in LAYERS], y[stop]),
            epochs=EPOCHS,
            batch_size=BATCH,
            verbose=0,
        )
        outputs = model.predict([x[name][TRAIN + STOP :] for name in LAYERS], verbose=0)
        right.append(float(np.mean(outputs.argmax(axis=1) == y[TRAIN + STOP :])))
    return right


def plain_model(keras: Any) -> Any:
    """Return the default network as a Keras model of one fit, without masks."""
    layers, inputs, tokens, wide = keras.layers, [], [], []
    for name in LAYERS:
        inputs.append(keras.Input((FEATURES,), name=name))
        seen = layers.Dropout(0.3)(inputs[-1])
        token = layers.LayerNormalization()(layers.Dense(WIDTH)(seen))
        tokens.append(layers.Dropout(0.3)(layers.ReLU()(token)))
        wide.append(layers.Dense(2)(seen))
    gate = layers.Softmax()(layers.Concatenate()([layers.Dense(1)(token) for token in tokens]))
    weighed = [
        layers.Multiply()([token, layers.Lambda(lambda g, i=i: g[:, i : i + 1])(gate)])
        for i, token in enumerate(tokens)
    ]
    fused = layers.Dropout(0.3)(layers.Add()(weighed))
    return keras.Model(inputs, layers.Add()([layers.Dense(2)(fused), *wide]))


if __name__ == "__main__":
    main()
