"""Signs that a table was transformed, scaled or selected before it came.

Whoever standardises a table over all of its samples has let each test sample shape the training
samples, and nothing downstream can undo it; but such a table gives itself away: the mean of each
feature is zero to the last digit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omicsfusion.preprocess.normalise.earlier_scale import FEATURE_DEVIATION, FEATURE_MEAN
from omicsfusion.qc.moments import Moments
from omicsfusion.qc.signs import FEWEST, TOLERANCE, ScaleSigns
from omicsfusion.tables.cohort_table import column_blocks
from omicsfusion.tables.layer import LayerHeader, read_header

ALL_COHORTS = "all cohorts"
# A table with more zeros than this has medians of zero by nature.
MANY_ZEROS = 0.1


def scale_signs(paths: Sequence[str | Path]) -> list[ScaleSigns]:
    """Read the tables of a layer in blocks of columns and measure them.

    Parameters
    ----------
    paths
        Layer files (``tables/layer.py``) of one layer, one per cohort, in any order.

    Returns
    -------
    One entry per cohort, by name; of several cohorts also one, last, on their samples together
    over the features that all of them have: tables that were standardised as one.
    """
    tallies = sorted((_tally(path) for path in paths), key=lambda tally: tally.header.cohort)
    signs = [tally.signs() for tally in tallies]
    return signs if len(tallies) < 2 else [*signs, _together(tallies)]


@dataclass
class _Counts:
    """How many values lie above and below zero, per feature or per sample."""

    above: np.ndarray
    below: np.ndarray

    @classmethod
    def none(cls, size: int) -> "_Counts":
        return cls(np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64))

    def at(self, positions: np.ndarray) -> "_Counts":
        return _Counts(self.above[positions], self.below[positions])


@dataclass
class _Tally:
    """What is added up while the blocks of one table go by."""

    header: LayerHeader
    features: Moments
    feature_counts: _Counts
    whole: np.ndarray
    samples: Moments
    sample_counts: _Counts
    lowest: float = np.nan
    highest: float = np.nan

    @classmethod
    def none(cls, header: LayerHeader) -> "_Tally":
        n_samples, n_features = len(header.samples), len(header.features)
        return cls(
            header,
            Moments.none(n_features),
            _Counts.none(n_features),
            np.zeros(n_features, dtype=np.int64),
            Moments.none(n_samples),
            _Counts.none(n_samples),
        )

    def add(self, start: int, X: np.ndarray) -> None:
        here = slice(start, start + X.shape[1])
        moments = Moments.of(X, axis=0)
        self.features.n[here] = moments.n
        self.features.mean[here] = moments.mean
        self.features.squares[here] = moments.squares
        self.samples = self.samples.merged(Moments.of(X, axis=1))
        above, below = X > 0, X < 0
        self.feature_counts.above[here] = above.sum(axis=0)
        self.feature_counts.below[here] = below.sum(axis=0)
        self.sample_counts.above += above.sum(axis=1)
        self.sample_counts.below += below.sum(axis=1)
        self.whole[here] = (np.rint(X) == X).sum(axis=0)
        self.lowest = float(np.fmin(self.lowest, np.fmin.reduce(X, axis=None)))
        self.highest = float(np.fmax(self.highest, np.fmax.reduce(X, axis=None)))

    def signs(self) -> ScaleSigns:
        n_samples, n_features = len(self.header.samples), len(self.header.features)
        features, samples = self.features, self.samples
        n = int(features.n.sum())
        below, above = int(self.feature_counts.below.sum()), int(self.feature_counts.above.sum())
        vary, differ = features.sd() > 0, samples.sd() > 0
        return ScaleSigns(
            kind=self.header.kind,
            cohort=self.header.cohort,
            n_samples=n_samples,
            n_features=n_features,
            missing=(n_samples * n_features - n) / max(n_samples * n_features, 1),
            negative=below / max(n, 1),
            zeros=(n - above - below) / max(n, 1),
            integers=int(self.whole.sum()) / max(n, 1),
            lowest=self.lowest,
            highest=self.highest,
            varying_features=int(vary.sum()),
            varying_samples=int(differ.sum()),
            centred_features=_share(_centred(features), vary),
            standardised_features=_share(_centred(features) & _unit(features), vary),
            near_standardised_features=_share(_near_unit(features), vary),
            median_zero_features=_share(_balanced(features.n, self.feature_counts), vary),
            centred_samples=_share(_centred(samples), differ),
            standardised_samples=_share(_centred(samples) & _unit(samples), differ),
            median_zero_samples=_share(_balanced(samples.n, self.sample_counts), differ),
            spread_of_sums=_relative_spread(samples.n * samples.mean),
            in_order_of_spread=_falls(features.sd()),
        )


def _tally(path: str | Path) -> _Tally:
    header = read_header(path)
    tally = _Tally.none(header)
    for start, X in column_blocks(path, header):
        tally.add(start, X)
    return tally


def _together(tallies: Sequence[_Tally]) -> ScaleSigns:
    """Add up cohorts over the features that all have, in the order of the first."""
    known = set.intersection(*(set(tally.header.features) for tally in tallies))
    shared = tuple(feature for feature in tallies[0].header.features if feature in known)
    samples = tuple(sample for tally in tallies for sample in tally.header.samples)
    first = tallies[0].header
    whole = _Tally.none(LayerHeader(first.layer, first.kind, ALL_COHORTS, samples, shared))
    for tally in tallies:
        position = {feature: column for column, feature in enumerate(tally.header.features)}
        columns = np.array([position[feature] for feature in shared], dtype=np.int64)
        whole.features = whole.features.merged(tally.features.at(columns))
        counts = tally.feature_counts.at(columns)
        whole.feature_counts.above += counts.above
        whole.feature_counts.below += counts.below
        whole.whole += tally.whole[columns]
    whole.samples = Moments(
        np.concatenate([tally.samples.n for tally in tallies]),
        np.concatenate([tally.samples.mean for tally in tallies]),
        np.concatenate([tally.samples.squares for tally in tallies]),
    )
    whole.sample_counts = _Counts(
        np.concatenate([tally.sample_counts.above for tally in tallies]),
        np.concatenate([tally.sample_counts.below for tally in tallies]),
    )
    whole.lowest = float(np.fmin.reduce([tally.lowest for tally in tallies]))
    whole.highest = float(np.fmax.reduce([tally.highest for tally in tallies]))
    return whole.signs()


def _centred(moments: Moments) -> np.ndarray:
    return np.abs(moments.mean) < TOLERANCE * moments.sd()


def _unit(moments: Moments) -> np.ndarray:
    """Whether the standard deviation is one, divided by n or by n - 1."""
    near = [np.abs(moments.sd(ddof) - 1) < TOLERANCE for ddof in (0, 1)]
    return near[0] | near[1]


def _near_unit(moments: Moments) -> np.ndarray:
    low, high = FEATURE_DEVIATION
    sd = moments.sd()
    return (np.abs(moments.mean) <= FEATURE_MEAN) & (sd >= low) & (sd <= high)


def _balanced(n: np.ndarray, counts: _Counts) -> np.ndarray:
    """Whether the median is zero: as many values above as below, counted rather than sorted."""
    zeros = n - counts.above - counts.below
    few = zeros <= MANY_ZEROS * n
    return few & (np.abs(counts.above - counts.below) <= np.maximum(zeros, 1))


def _share(holds: np.ndarray, among: np.ndarray) -> float:
    return float(holds[among].mean()) if among.any() else 0.0


def _relative_spread(sums: np.ndarray) -> float:
    mean = float(sums.mean()) if len(sums) else 0.0
    return float(sums.std() / abs(mean)) if mean else np.nan


def _falls(sd: np.ndarray) -> bool:
    """Whether the numbers fall from first to last, not all the same; by chance 1 in p! times."""
    return len(sd) >= 2 * FEWEST and bool((np.diff(sd) <= 0).all()) and bool(sd[0] > sd[-1])
