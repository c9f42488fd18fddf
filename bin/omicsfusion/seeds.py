"""Random seeds from names, so that no result hangs on order, time or PYTHONHASHSEED."""

import hashlib


def seed_for(seed: int, *names: str | int) -> int:
    """Derive the seed of one random decision from the run's seed and the decision's name.

    Parameters
    ----------
    seed
        The run's ``--seed``.
    names
        What the decision is for, from general to special, e.g. ``"train", "fused", "r1f2-outer"``.

    Returns
    -------
    An integer in ``[0, 2**31)``, the same on every machine.
    """
    text = "\x1f".join([str(seed), *(str(name) for name in names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1
