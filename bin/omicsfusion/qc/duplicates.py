"""Pairs of samples that are the same material: near-identical profiles under two names.

A copy that sits on both sides of a split makes any model look good. Pearson correlation alone
does not find copies: in one tissue all pairs of samples exceed .999 where most of the variance is
between features. So a pair must also correlate once each feature is centred, which leaves what
tells samples apart; and scaled and clipped, so that one wild value that two samples share does not
make them alike (tcga_brca's RNA has such pairs: correlation .9997 to .9999, and .2 once clipped).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
import pandas as pd

from omicsfusion.qc.display_scale import RobustScale, on_display_scale, takes_logarithm
from omicsfusion.qc.pair_sums import ROUNDING, PairSums
from omicsfusion.tables.cohort_table import CohortTable
from omicsfusion.tables.duplicate_pairs import COLUMNS

CORRELATION = 0.999
CENTRED_CORRELATION = 0.9
# Fewer shared features agree by chance.
FEWEST_FEATURES = 30
# The cost grows with samples^2 x features. Of a wider table this many features, evenly spaced, are
# compared: the error of a correlation of .999 is then below 1e-5.
MOST_FEATURES = 50_000
# The centre and scale of smaller cohorts are not used where the other of a pair is larger.
FEWEST_SAMPLES = 10
# Layers with no more distinct values than this are calls: two tumours without any look the same.
MOST_CALLS = 16
# Samples that are compared with one another at a time, and features in one product of matrices.
TILE = 1000
FEATURES_AT_ONCE = 2048

SUMMARY_COLUMNS = ("layer", "n_samples", "n_pairs_compared", "n_duplicates", "note")


class Tile(NamedTuple):
    """Some used samples of one cohort: positions among them."""

    table: CohortTable
    start: int
    stop: int

    @property
    def samples(self) -> tuple[str, ...]:
        return self.table.samples[self.start : self.stop]

    def columns(self, features: Sequence[str]) -> np.ndarray:
        part = replace(self.table, rows=self.table.rows[self.start : self.stop])
        return part.columns(features)


@dataclass(frozen=True)
class Duplicates:
    """What FIND_DUPLICATES says of a layer.

    Attributes
    ----------
    pairs
        ``COLUMNS``; ``sample`` comes before ``other``; sorted.
    n_samples, n_pairs_compared
        Pairs that share fewer than ``FEWEST_FEATURES`` features, or of which one sample is
        constant, are not compared.
    note
        What was left out, and why; empty when nothing was.
    """

    pairs: pd.DataFrame
    n_samples: int
    n_pairs_compared: int
    note: str = ""


def find_duplicates(layer: str, tables: Sequence[CohortTable], samples: pd.DataFrame) -> Duplicates:
    """Compare each sample of a layer with each other one.

    A pair counts as duplicates when its Pearson correlation over the features that both know
    exceeds ``CORRELATION``, and ``CENTRED_CORRELATION`` after each feature has been centred on its
    median, divided by its robust standard deviation and clipped (``RobustScale``). Both are those
    of their cohort, or the means of those of their two cohorts: a shift between cohorts, which the
    samples of each share, does not count as likeness. Where both samples lie at the centre of each
    feature (in a cohort of two or three copies), the first rule decides alone; near copies, as
    opposed to exact ones, are found in cohorts of some five samples or more.

    Parameters
    ----------
    layer
        Name of the layer.
    tables
        From :func:`omicsfusion.tables.cohort_table.open_tables`.
    samples
        The clean ``samples.tsv``: ``sample, patient``.
    """
    n_samples = sum(len(table.rows) for table in tables)
    kind = tables[0].header.kind
    if kind in _NOT_EXAMINED:
        return Duplicates(_table([], layer, samples), n_samples, 0, _NOT_EXAMINED[kind])
    logarithm, calls = _survey(tables)
    if calls:
        return Duplicates(_table([], layer, samples), n_samples, 0, _NOT_EXAMINED["calls"])
    found: list[_Pair] = []
    n_compared, notes = 0, set()
    for one, two in combinations_with_replacement(tables, 2):
        features, note = _shared_features(one, two)
        if len(features) < FEWEST_FEATURES:
            notes.add(_too_few(one, two, len(features)))
            continue
        notes.add(note)
        scale = _common_scale(one, two, features, logarithm)
        for tile, other in _tile_pairs(one, two):
            sums = _compare(tile, other, features, scale, logarithm)
            pairs, n = _judge(tile, other, sums)
            found += pairs
            n_compared += n
    note = " ".join(sorted(notes - {""}))
    return Duplicates(_table(found, layer, samples), n_samples, n_compared, note)


_NOT_EXAMINED = {
    "clinical": "Covariates of different patients can be the same: not examined.",
    "mutation": "Mutation profiles of different patients can be the same: not examined.",
    "calls": f"At most {MOST_CALLS} distinct values (calls), which different patients can share "
    "throughout: not examined.",
}


class _Pair(NamedTuple):
    sample: str
    other: str
    correlation: float
    centred_correlation: float


def _survey(tables: Sequence[CohortTable]) -> tuple[bool, bool]:
    """Say whether the layer is compared on the log scale, and whether it holds calls only."""
    lowest, highest = np.nan, np.nan
    seen: np.ndarray = np.empty(0, dtype=np.float32)
    for table in tables:
        for _, X in table.blocks():
            if table.is_training and X.size:
                lowest = np.fmin(lowest, np.fmin.reduce(X, axis=None))
                highest = np.fmax(highest, np.fmax.reduce(X, axis=None))
            if len(seen) <= MOST_CALLS:
                seen = np.union1d(seen, np.unique(X[~np.isnan(X)])[: MOST_CALLS + 1])
    kind = tables[0].header.kind
    return takes_logarithm(kind, float(lowest), float(highest)), len(seen) <= MOST_CALLS


def _shared_features(one: CohortTable, two: CohortTable) -> tuple[tuple[str, ...], str]:
    """Return the features to compare two cohorts on, and a note when these are not all."""
    known = set(two.header.features)
    shared = tuple(feature for feature in one.header.features if feature in known)
    if len(shared) <= MOST_FEATURES:
        return shared, ""
    kept = np.linspace(0, len(shared) - 1, MOST_FEATURES).astype(np.int64)
    note = f"Compared on {MOST_FEATURES} evenly spaced features of {len(shared)}."
    return tuple(shared[position] for position in kept), note


def _too_few(one: CohortTable, two: CohortTable, n: int) -> str:
    where = f"the cohort {one.header.cohort!r}"
    if one is not two:
        where = f"the cohorts {one.header.cohort!r} and {two.header.cohort!r} together"
    return f"Only {n} features in {where}, fewer than {FEWEST_FEATURES}: not compared."


def _common_scale(
    one: CohortTable, two: CohortTable, features: Sequence[str], logarithm: bool
) -> RobustScale:
    """Return the scale on which samples of two cohorts (or of one) are compared."""
    tables = [one] if one is two else [one, two]
    large = [table for table in tables if len(table.rows) >= FEWEST_SAMPLES]
    scales = [_own_scale(table, features, logarithm) for table in large or tables]
    return RobustScale(
        np.mean([scale.centre for scale in scales], axis=0),
        np.mean([scale.width for scale in scales], axis=0),
    )


def _own_scale(table: CohortTable, features: Sequence[str], logarithm: bool) -> RobustScale:
    centre, width = np.zeros(len(features)), np.ones(len(features))
    for targets, X in table.blocks_of(features):
        own = RobustScale.of(on_display_scale(X, logarithm))
        centre[targets], width[targets] = own.centre, own.width
    return RobustScale(centre, width)


def _tiles(table: CohortTable) -> list[Tile]:
    n = len(table.rows)
    return [Tile(table, start, min(start + TILE, n)) for start in range(0, n, TILE)]


def _tile_pairs(one: CohortTable, two: CohortTable) -> Iterator[tuple[Tile, Tile]]:
    if one is two:
        yield from combinations_with_replacement(_tiles(one), 2)
    else:
        yield from ((tile, other) for tile in _tiles(one) for other in _tiles(two))


def _slices(n: int) -> Iterator[slice]:
    return (slice(start, start + FEATURES_AT_ONCE) for start in range(0, n, FEATURES_AT_ONCE))


def _compare(
    tile: Tile,
    other: Tile,
    features: Sequence[str],
    scale: RobustScale,
    logarithm: bool,
) -> tuple[PairSums, PairSums]:
    """Return the sums of the values as they are, and of the centred and scaled ones."""
    X = tile.columns(features)
    Y = X if other is tile else other.columns(features)
    plain, centred = PairSums((len(X), len(Y))), PairSums((len(X), len(Y)))
    for here in _slices(len(features)):
        x = on_display_scale(X[:, here], logarithm)
        y = on_display_scale(Y[:, here], logarithm)
        in_x, in_y = ~np.isnan(x), ~np.isnan(y)
        own = RobustScale(scale.centre[here], scale.width[here])
        centred.add(own.applied(x), own.applied(y), in_x, in_y)
        plain.add(np.nan_to_num(x, copy=False), np.nan_to_num(y, copy=False), in_x, in_y)
    return plain, centred


def _judge(tile: Tile, other: Tile, sums: tuple[PairSums, PairSums]) -> tuple[list[_Pair], int]:
    """Return the duplicates, and how many pairs were compared."""
    plain, centred = sums
    r, r_centred = plain.correlation(), centred.correlation()
    compared = (plain.n >= FEWEST_FEATURES) & ~np.isnan(r)
    if other is tile:
        compared &= np.triu(np.ones(r.shape, dtype=bool), k=1)
    # In standard deviations, no feature of either sample lies anywhere but at the centre.
    same = (centred.xx <= ROUNDING * centred.n) & (centred.yy <= ROUNDING * centred.n)
    alike = compared & (r > CORRELATION) & ((r_centred > CENTRED_CORRELATION) | same)
    pairs = []
    for row, column in zip(*np.nonzero(alike), strict=True):
        sample, beside = sorted((tile.samples[row], other.samples[column]))
        pairs.append(_Pair(sample, beside, float(r[row, column]), float(r_centred[row, column])))
    return pairs, int(compared.sum())


def _table(pairs: Sequence[_Pair], layer: str, samples: pd.DataFrame) -> pd.DataFrame:
    table = pd.DataFrame(sorted(pairs), columns=list(_Pair._fields))
    known = samples.set_index("sample")
    table["layer"] = layer
    for prefix, column in (("", "sample"), ("other_", "other")):
        for name in ("cohort", "patient"):
            table[prefix + name] = table[column].map(known[name])
    table["relation"] = "different_patients"
    table.loc[table["patient"] == table["other_patient"], "relation"] = "same_patient"
    table.loc[table["cohort"] != table["other_cohort"], "relation"] = "across_cohorts"
    digits = {"correlation": 6, "centred_correlation": 6}
    return table[list(COLUMNS)].round(digits)
