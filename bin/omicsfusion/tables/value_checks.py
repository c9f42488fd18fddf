"""Whether a layer's values can be what its kind says: looked at block by block while IMPORT reads.

What no kind allows (text, infinity) is for :mod:`omicsfusion.tables.cells` to say.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from omicsfusion.tables.ids import shown
from omicsfusion.tables.problems import Problems
from omicsfusion.tables.value_words import Judged, RuleName, tell

SHOWN = 5
COUNTS = ("rna_counts", "mirna_counts", "microbiome_counts")


@dataclass
class _Found:
    """Cells that break one rule: how many, and the first of them (sample, feature, value)."""

    count: int = 0
    first: list[tuple[int, int, float]] = field(default_factory=list)


@dataclass(frozen=True)
class _Rule:
    """What a kind does not expect.

    Attributes
    ----------
    name
        What the cells are.
    holds
        Which cells are so; not true of NaN.
    possible
        Whether there can be such cells between the lowest and the highest value of a block.
    """

    name: RuleName
    holds: Callable[[np.ndarray], np.ndarray]
    possible: Callable[[float, float], bool] = lambda low, high: True


_NEGATIVE = _Rule("negative", lambda values: values < 0, lambda low, high: low < 0)
_FRACTIONAL = _Rule("fractional", lambda values: np.abs(values - np.rint(values)) > 0)
_OUTSIDE = _Rule(
    "outside",
    lambda values: (values < 0) | (values > 1),
    lambda low, high: low < 0 or high > 1,
)
_ABOVE_ONE = _Rule("above one", lambda values: values > 1, lambda low, high: high > 1)

_RULES: dict[str, tuple[_Rule, ...]] = {
    **dict.fromkeys(COUNTS, (_NEGATIVE, _FRACTIONAL)),
    "methylation_beta": (_OUTSIDE,),
    "mutation": (_NEGATIVE, _FRACTIONAL, _ABOVE_ONE),
    "metabolite": (_NEGATIVE,),
}


class ValueChecks:
    """Collects what is odd about the values of one layer of one cohort.

    Parameters
    ----------
    kind
        As in the samplesheet.
    samples, features
        Ids, in the order of the layer's rows and columns.
    gaps
        Whether features without any value are to be expected: the bins of a SEG file that no sample
        has a segment in, such as centromeres. Nothing is said of them then.
    """

    def __init__(
        self, kind: str, samples: Sequence[str], features: Sequence[str], *, gaps: bool = False
    ) -> None:
        self.kind = kind
        self.samples = samples
        self.features = features
        self.gaps = gaps
        self._rules = _RULES.get(kind, ())
        self._found = {rule.name: _Found() for rule in self._rules}
        self._low = np.full(len(features), np.inf, dtype=np.float32)
        self._high = np.full(len(features), -np.inf, dtype=np.float32)
        self._known = np.zeros(len(samples), dtype=np.int64)

    def look(self, rows: np.ndarray, column: int, values: np.ndarray) -> None:
        """Look at a block of the layer.

        Parameters
        ----------
        rows
            Which samples, each at most once.
        column
            Position of the block's first feature.
        values
            float32, len(rows) x neighbouring features; NaN is a missing value.
        """
        part = slice(column, column + values.shape[1])
        least, most, gaps = _extremes(values)
        self._low[part] = np.fmin(self._low[part], least)
        self._high[part] = np.fmax(self._high[part], most)
        self._known[rows] += values.shape[1] - gaps
        low, high = (float(np.fmin.reduce(least)), float(np.fmax.reduce(most)))
        for rule in self._rules:
            if rule.possible(low, high):
                self._note(rule, rows, column, values)

    def report(self, files: Sequence[str], problems: Problems) -> None:
        """Tell what was found in all blocks.

        Parameters
        ----------
        files
            What the user calls the layer's table, or that of each sample.
        """
        file = files[0]
        if not self._known.any():
            problems.error(
                "No cell of the table holds a value.", "Is it the right table?", file=file
            )
            return
        self._report_empty_samples(file, problems)
        self._report_features(file, problems)
        judged = Judged(
            kind=self.kind,
            n_known=int(self._known.sum()),
            low=float(self._low.min()),
            high=float(self._high.max()),
            counts={name: found.count for name, found in self._found.items()},
            places={name: self._places(found) for name, found in self._found.items()},
            files={name: _file_of(found, files) for name, found in self._found.items()},
        )
        tell(judged, problems)

    def _note(self, rule: _Rule, rows: np.ndarray, column: int, values: np.ndarray) -> None:
        cells = rule.holds(values)
        count = int(np.count_nonzero(cells))
        found = self._found[rule.name]
        if count and len(found.first) < SHOWN:
            for row, offset in np.argwhere(cells)[: SHOWN - len(found.first)]:
                place = int(rows[row]), column + int(offset), float(values[row, offset])
                found.first.append(place)
        found.count += count

    def _places(self, found: _Found) -> str:
        places = "; ".join(
            f"feature {self.features[column]}, sample {self.samples[row]}: {value:g}"
            for row, column, value in found.first
        )
        more = found.count - len(found.first)
        return f"{places}; and {more} more" if more else places

    def _report_empty_samples(self, file: str, problems: Problems) -> None:
        empty = [self.samples[row] for row in np.flatnonzero(self._known == 0).tolist()]
        if empty:
            problems.warn(
                f"{len(empty)} samples have no value at all: {shown(empty)}.",
                "They would be filled in like measured ones: delete the sample from the table if "
                "the layer was not measured.",
                file=file,
            )

    def _report_features(self, file: str, problems: Problems) -> None:
        filled = self._high >= self._low
        empty = [self.features[column] for column in np.flatnonzero(~filled).tolist()]
        if empty and not self.gaps:
            problems.warn(
                f"{len(empty)} of {len(filled)} features have no value in any sample: "
                f"{shown(empty)}.",
                "They are left out.",
                file=file,
            )
        if len(self.samples) == 1:
            return
        n_filled, n_constant = int(filled.sum()), int((filled & (self._high == self._low)).sum())
        if n_constant == n_filled:
            problems.error(
                f"No feature varies: each of the {n_filled} features has the same value in all "
                f"{len(self.samples)} samples.",
                "Is it the right table?",
                file=file,
            )
        elif n_constant > n_filled / 2:
            problems.warn(
                f"{n_constant} of {n_filled} features have the same value in all samples.",
                "They are left out; is it the right table?",
                file=file,
            )


def _extremes(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each column's least and highest value (NaN: it has none), and each row's gaps."""
    with np.errstate(invalid="ignore"):
        least, most = np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0)
    # Summed as int64, truth values take three times as long.
    return least, most, np.add.reduce(np.isnan(values), axis=1, dtype=np.uint32)


def _file_of(found: _Found, files: Sequence[str]) -> str:
    return files[found.first[0][0]] if found.first and len(files) > 1 else files[0]
