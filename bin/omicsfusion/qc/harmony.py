"""Harmony: batches drawn together in a layer's principal components, for looking only.

It has no transform, so it places the training samples and nobody else, and no model is given what
it makes.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omicsfusion.preprocess.batch.policy import MIN_BATCH

FEWEST_BATCHES = 2
# Width of a soft cluster. The paper's 0.1 is meant for thousands of cells of clear types: where two
# batches lie further apart than the classes, each cluster is then of one batch and nothing moves.
# Simulated, 300 samples of 3 classes: mean silhouette of the batches within a class .61 before, .61
# with 0.1, .12 with 0.5. Wider ones take more of classes that go with the batches: of a silhouette
# of .36, 0.5 leaves .31 and 0.7 leaves .25.
SIGMA = 0.5
# A cluster for so many samples, as the paper has it, but a few in any case: one alone would shift
# whole batches, and their classes with them.
SAMPLES_IN_CLUSTER = 30
FEWEST_CLUSTERS, MOST_CLUSTERS = 3, 100


@dataclass(frozen=True)
class Batched:
    """The training samples whose batch can be drawn to the others.

    Attributes
    ----------
    rows
        Their positions among the training samples, ascending. None when there is an obstacle.
    batches
        Of each of them.
    obstacle
        Why there are none; else empty.
    left_out
        In words, how many training samples have no part in it, and why; for each reason one.
    """

    rows: np.ndarray
    batches: tuple[str, ...]
    obstacle: str = ""
    left_out: tuple[str, ...] = ()


def batched_samples(batches: Sequence[str]) -> Batched:
    """Find the samples in batches of at least ``MIN_BATCH``, if there are at least two of these.

    Parameters
    ----------
    batches
        Of each training sample; empty where it has none.
    """
    sizes = Counter(batch for batch in batches if batch)
    large = {batch for batch, size in sizes.items() if size >= MIN_BATCH}
    if len(large) < FEWEST_BATCHES:
        return Batched(np.empty(0, dtype=np.int64), (), _obstacle(len(large), len(sizes)))
    rows = [row for row, batch in enumerate(batches) if batch in large]
    n_without = sum(not batch for batch in batches)
    n_small = len(batches) - len(rows) - n_without
    small = _counted(len(sizes) - len(large), "batch", "batches")
    left_out = [
        f"{_counted(n, 'training sample', 'training samples')} {why}"
        for n, why in (
            (n_without, "without a batch"),
            (n_small, f"in {small} of fewer than {MIN_BATCH}"),
        )
        if n
    ]
    return Batched(
        np.array(rows, dtype=np.int64), tuple(batches[row] for row in rows), "", tuple(left_out)
    )


def _obstacle(n_large: int, n_batches: int) -> str:
    if not n_batches:
        return "no training sample has a batch."
    return (
        f"{n_large} of {_counted(n_batches, 'batch', 'batches')} with {MIN_BATCH} or more training "
        f"samples, fewer than {FEWEST_BATCHES}."
    )


def _counted(n: int, one: str, more: str) -> str:
    return f"{n} {one if n == 1 else more}"


def drawn_together(scores: np.ndarray, batches: Sequence[str], seed: int) -> np.ndarray:
    """Draw the batches together (Korsunsky et al., Nat Methods 16:1289, 2019), the same each time.

    Parameters
    ----------
    scores
        Samples x principal components.
    batches
        Of each sample; at least two.
    seed
        For the centres that the clusters start from.

    Returns
    -------
    Samples x components. Where two batches lie so far apart that the clusters are the batches, they
    stay where they are.
    """
    from harmonypy import run_harmony

    clusters = round(len(scores) / SAMPLES_IN_CLUSTER)
    result = run_harmony(
        # Components x samples: of a square table it could not tell which is which.
        scores.T,
        {"batch": np.array(batches, dtype=object)},
        "batch",
        sigma=SIGMA,
        nclust=min(max(clusters, FEWEST_CLUSTERS), MOST_CLUSTERS),
        verbose=False,
        random_state=seed,
        ncores=1,
    )
    return np.asarray(result.Z_corr, dtype=np.float64)
