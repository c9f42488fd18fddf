"""Which batches get parameters of their own: by how many training samples they have."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

# Fewer samples estimate no variance that could be trusted.
MIN_BATCH = 5
POOL, PASS, REFUSE, ADAPT = "pool", "pass", "refuse", "adapt"
SMALL_BATCH = (POOL, PASS)
NEW_BATCH = (PASS, REFUSE, ADAPT)


@dataclass(frozen=True)
class Groups:
    """The batches of the training samples, small ones pooled or left out.

    Attributes
    ----------
    names
        The groups: names of batches, and last, where there is one, the pool of small batches.
    group_of
        Batch -> position in ``names``, for all batches that are corrected.
    pooled
        The batches that make up the pool.
    left
        Batch -> why it is not corrected.
    """

    names: list[str] = field(default_factory=list)
    group_of: dict[str, int] = field(default_factory=dict)
    pooled: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)

    def of(self, batch: np.ndarray) -> np.ndarray:
        """Return the group of each sample; -1 where it has none."""
        return np.array([self.group_of.get(label, -1) for label in batch], dtype=np.int64)


def labels_of(batch: Any, n_samples: int) -> np.ndarray:
    """Return the batch of each sample as text, empty where it is missing or none were named."""
    if batch is None:
        return np.full(n_samples, "", dtype=object)
    if len(batch) != n_samples:
        raise ValueError(f"There are {n_samples} samples, but batches of {len(batch)}.")
    return np.array(["" if pd.isna(label) else str(label) for label in batch], dtype=object)


def group_batches(batch: np.ndarray, small_batch: str) -> Groups:
    """Give each batch of at least ``MIN_BATCH`` samples a group, and smaller ones one together.

    Parameters
    ----------
    batch
        Of the training samples, text; empty: not known, such a sample belongs to no group.
    small_batch
        ``pool``: batches under ``MIN_BATCH`` samples are pooled; they are left out when the pool
        itself is under ``MIN_BATCH``. ``pass``: they are left out.
    """
    labels, counts = np.unique(batch[batch != ""].astype(str), return_counts=True)
    sizes = {str(label): int(n) for label, n in zip(labels, counts, strict=True)}
    names = [label for label, n in sizes.items() if n >= MIN_BATCH]
    group_of = {label: position for position, label in enumerate(names)}
    small = [label for label, n in sizes.items() if n < MIN_BATCH]
    left = {label: f"batch {label} has {sizes[label]} training samples only" for label in small}
    n_small = sum(sizes[label] for label in small)
    if small_batch == POOL and n_small >= MIN_BATCH:
        group_of |= dict.fromkeys(small, len(names))
        names = [*names, f"pool of {len(small)} small batches"]
        return Groups(names, group_of, small)
    return Groups(names, group_of, [], left)
