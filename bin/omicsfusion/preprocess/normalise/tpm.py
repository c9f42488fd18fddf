"""Step: transcripts per million, for counts whose features have known lengths."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from omicsfusion.preprocess.normalise.count_rows import (
    Rows,
    Tally,
    as_counts,
    library_size,
    rows_of,
)
from omicsfusion.preprocess.normalise.library_size import MILLION, CountNormaliser
from omicsfusion.preprocess.step import UnusableInputError

KILOBASE = 1e3
# With fewer of its features the sum over the transcripts means nothing.
LEAST_SHARE_WITH_LENGTH = 0.5
SHOWN = 5
NO_LENGTH = "no length known"


class LengthsError(UnusableInputError):
    """The lengths of features cannot be used; the text says why."""


class TranscriptsPerMillion(CountNormaliser):
    """log2(TPM + 1): counts per kilobase, as parts of a million of the sample's sum of them.

    Wagner, Kin & Lynch, Theory Biosci. 131:281 (2012). The lengths are those of the features, the
    same for all samples. Features without a length are left out.

    Parameters
    ----------
    lengths
        Feature -> length in bases. None: all alike, which gives counts per million.

    Attributes
    ----------
    kilobases_
        Length of each column of X in kilobases; NaN where it is not known.
    profile_
        Mean training count per kilobase of each feature; 0 where the length is not known.
    dropped_
        How many features have no length.
    """

    state: ClassVar[tuple[str, ...]] = (*CountNormaliser.state, "kilobases_", "dropped_")
    feature_state: ClassVar[tuple[str, ...]] = (*CountNormaliser.feature_state, "kilobases_")
    needs = ("features",)

    def __init__(self, lengths: Mapping[str, float] | None = None) -> None:
        self.lengths = lengths

    def fit(self, X: Any, y: None = None, features: Sequence[str] | None = None) -> Self:
        """Learn from training samples in memory.

        Parameters
        ----------
        features
            Names of the columns of X; needed with ``lengths``.

        Raises
        ------
        LengthsError
            When fewer than half of the features have a length, or one is not above 0.
        """
        return self.fit_rows(rows_of(self._checked(X, fitting=True)), features)

    def fit_rows(self, rows: Rows, features: Sequence[str] | None = None) -> Self:
        """Learn from training samples that are read one by one."""
        super().fit_rows(rows)
        if not self.skipped_:
            self._weigh(features)
        return self

    def apply(self, X: np.ndarray, factors: np.ndarray) -> np.ndarray:
        """Return log2(TPM + 1) of samples with ``factors`` (samples x 1) counts per kilobase."""
        rates = as_counts(X) / self.kilobases_
        return np.log2(rates / factors * MILLION + 1)[:, self._kept()]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the features that have a length."""
        return super().get_feature_names_out(input_features)[self._kept()]

    def _kept(self) -> np.ndarray:
        return ~np.isnan(self.kilobases_)

    def _forget(self) -> None:
        self.kilobases_ = np.ones_like(self.profile_)
        self.dropped_ = {NO_LENGTH: 0}

    def _learn(self, rows: Rows, tally: Tally) -> None:
        """Learn nothing more: the size of a sample depends on the lengths and the profile only."""

    def _weigh(self, features: Sequence[str] | None) -> None:
        """Find the lengths, and bring the profile to counts per kilobase."""
        if self.lengths is not None:
            self.kilobases_ = _kilobases(self.lengths, features)
        kept = self._kept()
        self.dropped_ = {NO_LENGTH: int((~kept).sum())}
        self.profile_ = np.where(kept, self.profile_ / np.where(kept, self.kilobases_, 1), 0)
        self.did_ = f"log2(TPM + 1), lengths of {int(kept.sum()):,} features"

    def _size_of(self, row: np.ndarray) -> float:
        kept = self._kept()
        return library_size(row[kept] / self.kilobases_[kept], self.profile_[kept])


def _kilobases(lengths: Mapping[str, float], features: Sequence[str] | None) -> np.ndarray:
    """Return the length of each feature, NaN where it is not known."""
    if features is None:
        raise LengthsError("The names of the columns are needed to find their lengths.")
    impossible = [name for name in features if not 0 < lengths.get(name, 1) < np.inf]
    if impossible:
        raise LengthsError(
            f"The length of {', '.join(impossible[:SHOWN])} is not above 0. Lengths are in bases."
        )
    unknown = [name for name in features if name not in lengths]
    if len(unknown) > (1 - LEAST_SHARE_WITH_LENGTH) * len(features):
        raise LengthsError(
            f"{len(unknown):,} of {len(features):,} features have no length, such as "
            f"{', '.join(unknown[:SHOWN])}. Are they named in the table as in the file of lengths?"
        )
    return np.array([lengths.get(name, np.nan) for name in features], dtype=float) / KILOBASE
