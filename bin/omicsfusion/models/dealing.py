"""Which rows each member learns from, batch by batch, and which rows stop it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from omicsfusion.seeds import seed_for

NO_KIND = 2**32 - 1
"""Kind of what is no sample."""


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
    kinds
        Class of each train row; None where there are no classes.
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
    kinds: np.ndarray | None = None
    start: Mapping[int, np.ndarray] = field(default_factory=dict)


def dealt_rows(
    members: Sequence[Member],
    shape: tuple[int, int, int],
    epochs: Sequence[int],
    balances: bool = True,
) -> dict[str, np.ndarray]:
    """Deal each member's training rows into batches, anew in each epoch.

    The setting ``balance`` draws rare strata more often (``balanced_draw``).

    Parameters
    ----------
    shape
        Members, batches, rows of a batch: the most of each.
    epochs
        How many each member has behind it.
    balances
        Whether the loss is a sum over samples; without it nothing is balanced.

    Returns
    -------
    ``rows`` of the table, how much they are ``used`` (0 = padding) and their ``kinds``, of that
    shape; ``steps``: batches of each member.
    """
    rows, used = np.zeros(shape, np.int32), np.zeros(shape, np.float32)
    steps = np.zeros(shape[0], np.int32)
    kinds = np.full(shape, NO_KIND, np.uint32)
    for m, (member, epoch) in enumerate(zip(members, epochs, strict=True)):
        rows[m] = member.train[0]  # padding, too, is a member's own: what is not used may be NaN
        rng = np.random.default_rng(seed_for(member.seed, "batches", epoch))
        mixed = rng.permutation(len(member.train))
        mixed = mixed[np.argsort(member.strata[mixed], kind="stable")]
        counts = np.ones(len(mixed), np.float32)
        if balances and member.settings["balance"] > 0:
            mixed, counts = balanced_draw(mixed, member.strata, member.settings["balance"])
        steps[m] = -(-len(mixed) // shape[2])
        for step in range(steps[m]):
            batch = member.train[mixed[step :: steps[m]]]
            rows[m, step, : len(batch)] = batch
            used[m, step, : len(batch)] = counts[step :: steps[m]]
            if member.kinds is not None:
                kinds[m, step, : len(batch)] = member.kinds[mixed[step :: steps[m]]]
    return {"rows": rows, "used": used, "kinds": kinds, "steps": steps}


def balanced_draw(
    rows: np.ndarray, strata: np.ndarray, balance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Draw as many rows as there are, rare strata more often and common ones less.

    A stratum that is drawn c times as often counts 1 / c: the expected loss stays what it was, and
    every batch sees enough of the rare ones.

    Parameters
    ----------
    rows
        Sorted by stratum, shuffled within.
    strata
        Of each row.
    balance
        0: each stratum has its own share of the draw; 1: all have the same.

    Returns
    -------
    Rows, those of a stratum in turns, and how much each counts.
    """
    names, firsts, own = np.unique(strata[rows], return_index=True, return_counts=True)
    wanted = (1.0 - balance) * own + balance * len(rows) / len(names)
    ends = np.floor(np.cumsum(wanted) + 0.5).astype(int)
    drawn = np.diff(ends, prepend=0)
    parts = [
        np.resize(rows[first : first + n], many)
        for first, n, many in zip(firsts, own, drawn, strict=True)
    ]
    counts = np.repeat(own / np.maximum(drawn, 1), drawn)
    return np.concatenate(parts), counts.astype(np.float32)


def stop_rows(members: Sequence[Member], n_members: int, n_rows: int) -> dict[str, np.ndarray]:
    """Return the ``rows`` that stop each member and whether they are ``used``, members x rows."""
    rows = np.zeros((n_members, n_rows), np.int32)
    used = np.zeros((n_members, n_rows), np.float32)
    for m, member in enumerate(members):
        rows[m] = member.train[0]
        rows[m, : len(member.stop)] = member.stop
        used[m, : len(member.stop)] = 1.0
    return {"rows": rows, "used": used}
