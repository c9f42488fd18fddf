"""Which rows each member learns from, batch by batch, and which rows stop it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from omicsfusion.seeds import seed_for


@dataclass(frozen=True)
class Member:
    """One fit: who trains it and what its random numbers are named.

    Attributes
    ----------
    seed
        Of all its random numbers.
    train, stop
        Rows of the table.
    strata
        A label per train row; every batch gets its share of each.
    stops
        Whether the stop rows can judge it.
    settings
        Value of each setting (``settings.DEFAULTS``).
    constants
        Values of the weights that are not learnt (``FusionNetwork.constants``).
    start
        Weights that do not begin at random (``Pretrained.start``): place among the network's
        trainable variables -> values, NaN where it begins at random after all.
    """

    seed: int
    train: np.ndarray
    stop: np.ndarray
    strata: np.ndarray
    stops: bool
    settings: Mapping[str, float]
    constants: Sequence[np.ndarray]
    start: Mapping[int, np.ndarray] = field(default_factory=dict)


def dealt_rows(
    members: Sequence[Member], shape: tuple[int, int, int], epoch: int
) -> dict[str, np.ndarray]:
    """Deal each member's training rows into batches, anew in each epoch.

    Parameters
    ----------
    shape
        Members, batches, rows of a batch: the most of each.

    Returns
    -------
    ``rows`` of the table and whether they are ``used``, of that shape; ``steps``: batches of each
    member.
    """
    rows, used = np.zeros(shape, np.int32), np.zeros(shape, np.float32)
    steps = np.zeros(shape[0], np.int32)
    for m, member in enumerate(members):
        rows[m] = member.train[0]  # padding, too, is a member's own: what is not used may be NaN
        rng = np.random.default_rng(seed_for(member.seed, "batches", epoch))
        mixed = rng.permutation(len(member.train))
        mixed = mixed[np.argsort(member.strata[mixed], kind="stable")]
        steps[m] = -(-len(mixed) // shape[2])
        for step in range(steps[m]):
            batch = member.train[mixed[step :: steps[m]]]
            rows[m, step, : len(batch)] = batch
            used[m, step, : len(batch)] = 1.0
    return {"rows": rows, "used": used, "steps": steps}


def stop_rows(members: Sequence[Member], n_members: int, n_rows: int) -> dict[str, np.ndarray]:
    """Return the ``rows`` that stop each member and whether they are ``used``, members x rows."""
    rows = np.zeros((n_members, n_rows), np.int32)
    used = np.zeros((n_members, n_rows), np.float32)
    for m, member in enumerate(members):
        rows[m] = member.train[0]
        rows[m, : len(member.stop)] = member.stop
        used[m, : len(member.stop)] = 1.0
    return {"rows": rows, "used": used}
