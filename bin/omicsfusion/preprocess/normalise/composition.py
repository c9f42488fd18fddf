"""Step: counts of a sample's parts, as shares of the whole or as log ratios between parts."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from omicsfusion.preprocess.normalise.count_rows import (
    Rows,
    Tally,
    as_counts,
    counted,
    library_size,
    rows_of,
)
from omicsfusion.preprocess.normalise.counts_step import CountsStep
from omicsfusion.preprocess.step import UnusableInputError

# Martín-Fernández et al. (2003) find the least distortion at 65 % of the detection limit.
SHARE_OF_LIMIT = 0.65
# A share below this has no logarithm in float64.
SMALLEST_SHARE = float(np.finfo(np.float64).tiny)
# Of the means of log ratios between parts that not all samples have: steps of this size in log2
# are too small to matter, and each step is a fraction of the one before.
CENTRE_TOLERANCE = 1e-6
MOST_PASSES = 50


class Composition(CountsStep):
    """A step on the shares that parts (genera) have in a sample.

    Left out when the training values are no abundances (:attr:`Tally.no_abundances`); shares may
    come as they are.
    """

    def _refusal(self, tally: Tally) -> str:
        return tally.no_abundances

    def _forget(self) -> None:
        """Nothing: the profile is all that there is."""


class RelativeAbundance(Composition):
    """Shares of the whole, 0 to 1."""

    def apply(self, X: np.ndarray, factors: np.ndarray) -> np.ndarray:
        """Return the shares in samples of the totals ``factors`` (samples x 1)."""
        return as_counts(X) / factors

    def _learn(self, rows: Rows, tally: Tally) -> None:
        self.did_ = "relative abundance"

    def _factors_of(self, row: np.ndarray) -> tuple[float, ...]:
        return (library_size(as_counts(row), self.profile_),)


class LogRatios(Composition):
    """Log ratios (base 2) between parts, after multiplicative replacement of zeros.

    A share of 0 becomes delta, the others are multiplied by 1 - delta * (number of zeros), so that
    they keep their ratios and the sum stays 1: Martín-Fernández, Barceló-Vidal & Pawlowsky-Glahn,
    Math. Geol. 35:253 (2003). Delta is the same for all samples; unless given, it is
    ``SHARE_OF_LIMIT`` of the detection limit, which is the median over the training samples of
    their smallest share above 0; at most 1 / (2 * number of parts), so that the zeros never take
    more than half of the whole. Rarefying is not done: it throws counts away, at random.

    Where a mean over parts is taken and a sample lacks some of them, they stand in it at their
    training means, shifted as the parts that are there are shifted on average.

    Parameters
    ----------
    delta
        Share that replaces 0; 0 to learn it.

    Attributes
    ----------
    delta_
        Share that replaces 0.
    centre_
        Mean CLR of each part over the training samples; its sum is 0.
    """

    state: ClassVar[tuple[str, ...]] = (*Composition.state, "delta_", "centre_")
    feature_state: ClassVar[tuple[str, ...]] = (*Composition.feature_state, "centre_")

    def __init__(self, delta: float = 0.0) -> None:
        self.delta = delta

    def _forget(self) -> None:
        self.delta_ = 0.0
        self.centre_ = np.zeros_like(self.profile_)

    def _learn(self, rows: Rows, tally: Tally) -> None:
        largest = 1 / (2 * len(self.profile_))
        if self.delta == 0:
            limits = [self._smallest_share(row) for row in counted(rows)]
            self.delta_ = float(min(SHARE_OF_LIMIT * np.nanmedian(limits), largest))
        else:
            self.delta_ = min(self.delta, largest)
        for _ in range(MOST_PASSES):
            before, self.centre_ = self.centre_, self._mean_clr(rows)
            if tally.n_missing == 0 or np.abs(self.centre_ - before).max() < CENTRE_TOLERANCE:
                break
        self.did_ = f"zeros replaced by a share of {self.delta_:.3g}"

    def _smallest_share(self, row: np.ndarray) -> float:
        positive = row[row > 0]
        return float(positive.min() / library_size(row, self.profile_)) if positive.size else np.nan

    def _mean_clr(self, rows: Rows) -> np.ndarray:
        """Mean CLR over the samples that have the part, 0 where none has; their sum is 0.

        A sample's missing parts stand at the present ``centre_``: where there are such, the mean
        has to be taken again until it stays.
        """
        total, n = np.zeros((2, len(self.profile_)))
        for row in counted(rows):
            deviation = self._logs_of(row)
            deviation -= self._level(deviation)
            total += np.nan_to_num(deviation)
            n += ~np.isnan(deviation)
        mean = total / np.maximum(n, 1)
        return mean - mean.mean()

    def _logs_of(self, row: np.ndarray) -> np.ndarray:
        """Return log2 of the shares of one sample, zeros replaced."""
        return self._logs(row[None], np.array([self._closure_of(row)]))[0]

    def _closure_of(self, row: np.ndarray) -> tuple[float, float]:
        """Return the total of a sample, and what its shares above 0 are multiplied by."""
        n_zero = int((row == 0).sum())
        return library_size(row, self.profile_), 1 - self.delta_ * n_zero

    def _logs(self, X: np.ndarray, closures: np.ndarray) -> np.ndarray:
        """Return log2 of shares, zeros replaced, by element.

        Parameters
        ----------
        X
            Samples x parts, not below 0.
        closures
            Samples x 2: see :meth:`_closure_of`.
        """
        total, multiplier = closures[:, :1], closures[:, 1:]
        shares = np.maximum(X / total * multiplier, SMALLEST_SHARE)
        return np.log2(np.where((X == 0) & ~np.isnan(total), self.delta_, shares))

    def _factors_of(self, row: np.ndarray) -> tuple[float, ...]:
        """Return total, multiplier of shares above 0, and what log2 shares are set against."""
        row = as_counts(row)
        return (*self._closure_of(row), self._origin(self._logs_of(row)))

    def _origin(self, logs: np.ndarray) -> float:
        """Return the mean of the logarithms of a sample's parts, missing ones at their centre."""
        return self._level(logs)

    def _level(self, logs: np.ndarray) -> float:
        """Return the mean of the logarithms of a sample's parts, missing ones at their centre."""
        known = ~np.isnan(logs)
        return float((logs[known] - self.centre_[known]).mean()) if known.any() else np.nan


class CentredLogRatio(LogRatios):
    """log2 of each part over the geometric mean of all.

    Aitchison, The Statistical Analysis of Compositional Data (1986), section 4.6; in base 2, so
    that 1 is a doubling.
    """

    def apply(self, X: np.ndarray, factors: np.ndarray) -> np.ndarray:
        """Return the log ratios.

        Parameters
        ----------
        factors
            Samples x 3: total, multiplier of shares above 0, mean log2 share.
        """
        return self._logs(as_counts(X), factors[:, :2]) - factors[:, 2:]

    def _learn(self, rows: Rows, tally: Tally) -> None:
        super()._learn(rows, tally)
        self.did_ += "; log2 ratio to the geometric mean of all parts (CLR)"


class AdditiveLogRatio(LogRatios):
    """log2 of each part over one part, the reference, which is left out.

    Aitchison (1986), section 4.6. Unless named, the reference is, of the parts that are above 0 in
    the most training samples, the one whose CLR varies least, which makes the sum of the variances
    of the log ratios to it least; a quiet reference is also what Greenacre, Martínez-Álvaro &
    Blasco advise (Front. Microbiol. 12:727398, 2021).

    Parameters
    ----------
    delta
        As in :class:`LogRatios`.
    reference
        Name of the reference part; empty to learn it.

    Attributes
    ----------
    reference_
        Position of the reference among the columns of X; -1 when nothing is done.
    """

    state: ClassVar[tuple[str, ...]] = (*LogRatios.state, "reference_")
    needs = ("features",)

    def __init__(self, delta: float = 0.0, reference: str = "") -> None:
        super().__init__(delta)
        self.reference = reference

    def fit(self, X: Any, y: None = None, features: Sequence[str] | None = None) -> Self:
        """Learn from training samples in memory.

        Parameters
        ----------
        features
            Names of the columns of X; needed with ``reference``.

        Raises
        ------
        ValueError
            When the reference is not among the features.
        """
        return self.fit_rows(rows_of(self._checked(X, fitting=True)), features)

    def fit_rows(self, rows: Rows, features: Sequence[str] | None = None) -> Self:
        """Learn from training samples that are read one by one."""
        super().fit_rows(rows)
        if not self.skipped_:
            self.reference_ = self._choose(rows, features)
            name = f"column {self.reference_}" if features is None else features[self.reference_]
            self.did_ += f"; log2 ratio to {name} (ALR)"
        return self

    def apply(self, X: np.ndarray, factors: np.ndarray) -> np.ndarray:
        """Return the log ratios.

        Parameters
        ----------
        factors
            Samples x 3: total, multiplier of shares above 0, log2 share of the reference.
        """
        return (self._logs(as_counts(X), factors[:, :2]) - factors[:, 2:])[:, self._kept()]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of all parts but the reference."""
        return super().get_feature_names_out(input_features)[self._kept()]

    def _kept(self) -> np.ndarray:
        return np.arange(self.n_features_in_) != self.reference_

    def _forget(self) -> None:
        super()._forget()
        self.reference_ = -1

    def _origin(self, logs: np.ndarray) -> float:
        """Return the log2 share of the reference; its centre where a sample lacks it."""
        known = float(logs[self.reference_])
        missing = self._level(logs) + float(self.centre_[self.reference_])
        return missing if np.isnan(known) else known

    def _choose(self, rows: Rows, features: Sequence[str] | None) -> int:
        if self.reference:
            if features is None or self.reference not in features:
                raise UnusableInputError(
                    f"The reference {self.reference!r} is not among the features of the layer that "
                    "the filter keeps. Write its name as it stands in the table."
                )
            return list(features).index(self.reference)
        squares, n, n_positive = np.zeros((3, len(self.profile_)))
        for row in counted(rows):
            logs = self._logs_of(row)
            deviation = logs - self._level(logs) - self.centre_
            known = ~np.isnan(deviation)
            squares[known] += deviation[known] ** 2
            n += known
            n_positive += row > 0
        variance = squares / np.maximum(n, 1)
        return int(np.lexsort((variance, -n_positive))[0])


class IsometricLogRatio(LogRatios):
    """Balances: each part but the first against the parts that stand before it, log2.

    z_k = sqrt(k / (k + 1)) * log2(x_{k+1} / geometric mean of x_1..x_k), k = 1 .. D - 1: Egozcue
    et al., Math. Geol. 35:279 (2003), with the sign turned, so that a balance grows with the part
    that it is named after: ``<part>/<k> before``. Parts are in the order of the layer's columns.
    The balance of a part that a sample lacks is missing.
    """

    def _learn(self, rows: Rows, tally: Tally) -> None:
        super()._learn(rows, tally)
        self.did_ += "; balances of each part with those before it (ILR)"

    def apply(self, X: np.ndarray, factors: np.ndarray) -> np.ndarray:
        """Return the balances.

        Parameters
        ----------
        factors
            Samples x 3: total, multiplier of shares above 0, mean log2 share.
        """
        logs = self._logs(as_counts(X), factors[:, :2])
        filled = np.where(np.isnan(logs), factors[:, 2:] + self.centre_, logs)
        k = np.arange(1, X.shape[1])
        # Added up part by part along each row: the same bits for one sample and for many.
        before = np.cumsum(filled[:, :-1], axis=1) / k
        return np.sqrt(k / (k + 1)) * (logs[:, 1:] - before)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the balances."""
        names = super().get_feature_names_out(input_features)
        if self.skipped_:
            return names
        balances = [f"{name}/{k} before" for k, name in enumerate(names[1:], 1)]
        return np.asarray(balances, dtype=object)
