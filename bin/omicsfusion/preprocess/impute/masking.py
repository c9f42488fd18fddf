"""Hide known values, as the missing ones are hidden, so that imputation can be judged."""

from dataclasses import dataclass

import numpy as np

from omicsfusion.preprocess.impute.missingness import Missingness
from omicsfusion.preprocess.order_statistics import SortedFeatures
from omicsfusion.seeds import seed_for

# So many samples and features at most take part in the comparison, evenly spread over all.
MAX_SAMPLES = 500
MAX_FEATURES = 2000
# A feature known in fewer samples loses none of them.
MIN_KNOWN = 10
# Fewer hidden values would judge nothing.
MIN_HIDDEN = 10
# The lowest values of a left-censored feature among which some are hidden, as a share.
LOWEST = 0.3


@dataclass(frozen=True)
class Masking:
    """What can be hidden, and how much of it.

    Attributes
    ----------
    X
        Training samples x features of the comparison, NaN where missing.
    samples
        Rows in which values are hidden.
    features
        Columns in which values are hidden: those with missing values, as long as there are any
        that vary and are known well enough.
    scale
        Standard deviation of each column, 1 for one that does not vary.
    low
        Samples x features: the lowest known values of the left-censored features.
    n_random, n_lowest
        How many values a mask hides by each mechanism.
    """

    X: np.ndarray
    samples: np.ndarray
    features: np.ndarray
    scale: np.ndarray
    low: np.ndarray
    n_random: int
    n_lowest: int


@dataclass(frozen=True)
class Mask:
    """One mask: what is left to see, and what was hidden.

    Attributes
    ----------
    visible
        Training samples x features, NaN where missing or hidden.
    samples
        Rows of ``visible`` in which values were hidden.
    row, feature
        Of each hidden value: its place in ``samples``, and its column.
    true, scale, lowest
        Of each hidden value: the value, the feature's standard deviation, and whether it was hidden
        for being low.
    """

    visible: np.ndarray
    samples: np.ndarray
    row: np.ndarray
    feature: np.ndarray
    true: np.ndarray
    scale: np.ndarray
    lowest: np.ndarray


def masking_for(X: np.ndarray, missingness: Missingness, hidden: float) -> Masking | None:
    """Plan masks for training samples; None where there is too little to hide.

    Parameters
    ----------
    X
        Training samples x features, NaN where missing.
    missingness
        How they are missing; its ``tail_share`` of the hidden values are low ones.
    hidden
        Share of the known values to hide; fewer where the lowest values do not suffice.
    """
    ordered = SortedFeatures.of(X)
    may = (ordered.n >= MIN_KNOWN) & (ordered.quantile(1) > ordered.quantile(0))
    incomplete = may & (ordered.n < len(X))
    hide_in = np.flatnonzero(incomplete if incomplete.any() else may)
    hide_in = spread(hide_in, MAX_FEATURES)
    kept = hide_in
    if len(hide_in) < MAX_FEATURES:
        others = np.setdiff1d(np.flatnonzero(ordered.n > 0), hide_in)
        kept = np.union1d(hide_in, spread(others, MAX_FEATURES - len(hide_in)))
    samples = spread(np.arange(len(X)), MAX_SAMPLES)
    part = np.ascontiguousarray(X[:, kept])
    columns = np.searchsorted(kept, hide_in)
    n_known = int((~np.isnan(part[np.ix_(samples, columns)])).sum())
    censored = np.zeros(len(kept), dtype=bool)
    censored[columns] = missingness.censored[hide_in]
    low = _lowest(part, censored)
    n_random, n_lowest = _numbers(hidden * n_known, missingness.tail_share, int(low[samples].sum()))
    if n_random + n_lowest < MIN_HIDDEN:
        return None
    deviation = np.sqrt(ordered.variance())[kept]
    scale = np.where(deviation > 0, deviation, 1.0)
    return Masking(part, samples, columns, scale, low, n_random, n_lowest)


def mask_entries(masking: Masking, number: int) -> Mask:
    """Hide values: some of the lowest ones, and any others at random.

    Parameters
    ----------
    masking
        The plan.
    number
        Of the mask; each hides other values.
    """
    rng = np.random.default_rng(seed_for(0, "impute", "mask", number))
    may = np.zeros(masking.X.shape, dtype=bool)
    may[np.ix_(masking.samples, masking.features)] = True
    may &= ~np.isnan(masking.X)
    lowest = _drawn(rng, may & masking.low, masking.n_lowest)
    random = _drawn(rng, may & ~lowest, masking.n_random)
    hidden = lowest | random
    # Every feature keeps a value, or there is nothing to learn from.
    known = ~np.isnan(masking.X)
    emptied = (known & ~hidden).sum(axis=0) == 0
    hidden[:, emptied] = False
    row, feature = np.nonzero(hidden)
    return Mask(
        visible=np.where(hidden, np.nan, masking.X),
        samples=masking.samples,
        row=np.searchsorted(masking.samples, row),
        feature=feature,
        true=masking.X[row, feature],
        scale=masking.scale[feature],
        lowest=lowest[row, feature],
    )


def spread(items: np.ndarray, limit: int) -> np.ndarray:
    """Return at most ``limit`` of the items, evenly spread."""
    if len(items) <= limit:
        return items
    return items[np.linspace(0, len(items) - 1, limit).round().astype(np.int64)]


def _numbers(n_hidden: float, tail_share: float, n_low: int) -> tuple[int, int]:
    """Return how many values to hide at random and of the lowest, in the proportion wanted.

    Half of the lowest values stay visible, if fewer have to be hidden for it.
    """
    if tail_share == 0:
        return int(n_hidden), 0
    n_hidden = min(n_hidden, n_low / 2 / tail_share)
    n_lowest = round(n_hidden * tail_share)
    return int(n_hidden) - n_lowest, n_lowest


def _lowest(X: np.ndarray, censored: np.ndarray) -> np.ndarray:
    """Mark the lowest known values of the left-censored features."""
    bound = SortedFeatures.of(X).quantile(LOWEST, "down")
    return censored & np.less_equal(X, bound)


def _drawn(rng: np.random.Generator, may: np.ndarray, n: int) -> np.ndarray:
    places = np.flatnonzero(may)
    drawn = np.zeros(may.size, dtype=bool)
    drawn[rng.choice(places, size=min(n, len(places)), replace=False)] = True
    return drawn.reshape(may.shape)
