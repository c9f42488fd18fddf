"""Mixup: training samples that lie between two samples.

Zhang, Cisse, Dauphin and Lopez-Paz, ICLR 2018: of two samples of a batch, share * one + (1 - share)
* the other is trained on, with the losses for the two outcomes mixed in the same way. The share is
drawn from Beta(a, a), once for a batch. Only samples that have the same omics layers are mixed:
between a layer that is there and one that is not lies nothing. Both are training samples of the
same fit.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.seeds import seed_for

ops = keras.ops


def patterns_of(present: np.ndarray) -> np.ndarray:
    """Number the sets of layers that samples have; ``present``: samples x layers."""
    return np.unique(present, axis=0, return_inverse=True)[1].reshape(-1)


def pairs(
    batches: Mapping[str, np.ndarray],
    seeds: Sequence[int],
    strengths: Sequence[float],
    patterns: np.ndarray,
    epochs: Sequence[int],
) -> dict[str, np.ndarray]:
    """Draw who is mixed with whom, and how much.

    Parameters
    ----------
    batches
        ``rows`` of the table and whether they are ``used``, members x batches x rows.
    seeds, strengths
        Seed and a of each member; 0: nothing is mixed.
    patterns
        For each row of the table which layers it has, as a number.
    epochs
        How many each member has behind it.

    Returns
    -------
    ``partner`` (a row of the table for each row of ``rows``) and ``share`` (members x batches):
    what stays of the row itself.
    """
    partner = batches["rows"].copy()
    share = np.ones(partner.shape[:2], np.float32)
    of_members = zip(seeds, strengths, epochs, strict=True)
    for m, (seed, strength, epoch) in enumerate(of_members):
        if strength > 0:
            rng = np.random.default_rng(seed_for(seed, "mixup", epoch))
            for step in range(partner.shape[1]):
                here = np.flatnonzero(batches["used"][m, step])
                rows = batches["rows"][m, step, here]
                partner[m, step, here] = rows[shuffled_within(patterns[rows], rng)]
                share[m, step] = rng.beta(strength, strength)
    return {"partner": partner, "share": share}


def shuffled_within(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Permute positions at random among those of the same group."""
    random = rng.permutation(len(groups))
    shuffled = np.empty_like(random)
    shuffled[np.argsort(groups, kind="stable")] = random[np.argsort(groups[random], kind="stable")]
    return shuffled


def mixed(one: Tensor, other: Tensor, share: Tensor) -> Tensor:
    """Return share * one + (1 - share) * other; ``share``: members, the others members x …."""
    share = ops.reshape(share, (-1, *[1] * (one.ndim - 1)))
    return share * one + (1.0 - share) * other
