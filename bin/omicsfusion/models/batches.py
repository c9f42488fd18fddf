"""What a network is given of an epoch: rows of each member, and what else some member asks for."""

from collections.abc import Sequence, Set

import numpy as np

from omicsfusion.models.dealing import Member, dealt_rows
from omicsfusion.models.mixup import pairs
from omicsfusion.models.random_bits import KINDS

MIXUP = "mixup"


def asked_by(members: Sequence[Member], mixes: bool) -> Set[str]:
    """Say what some member needs of a batch beside its rows; nothing else is compiled.

    Parameters
    ----------
    mixes
        Whether the loss is a sum over samples: others are never mixed.

    Returns
    -------
    ``kinds`` where a member interpolates within classes (the setting ``smote``), ``mixup`` where
    one mixes samples.
    """
    smoted = any(one.kinds is not None and one.settings["smote"] > 0 for one in members)
    mixed = mixes and any(one.settings[MIXUP] > 0 for one in members)
    return {name for name, needed in ((KINDS, smoted), (MIXUP, mixed)) if needed}


def dealt_epoch(
    members: Sequence[Member],
    shape: tuple[int, int, int],
    patterns: np.ndarray,
    epochs: Sequence[int],
    mixes: bool,
    asked: Set[str],
) -> dict[str, np.ndarray]:
    """Deal the batches of an epoch.

    Parameters
    ----------
    shape
        Members, batches, rows of a batch: the most of each.
    patterns
        For each row of the table which layers it has, as a number.
    epochs
        How many each member has behind it.
    asked
        ``asked_by``.

    Returns
    -------
    ``rows``, ``used`` and ``steps`` (``dealt_rows``); the ``kinds`` of the rows, and ``partner``
    and ``share`` (``pairs``), where they are asked for.
    """
    dealt = dealt_rows(members, shape, epochs, balances=mixes)
    if KINDS not in asked:
        del dealt[KINDS]
    if MIXUP not in asked:
        return dealt
    seeds = [member.seed for member in members]
    strengths = [member.settings[MIXUP] for member in members]
    return dealt | pairs(dealt, seeds, strengths, patterns, epochs)
