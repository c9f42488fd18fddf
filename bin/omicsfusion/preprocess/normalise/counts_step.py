"""What steps on counts and abundances have in common: they learn from rows, in a few passes."""

from abc import abstractmethod
from typing import Any, ClassVar, Self

from omicsfusion.preprocess.normalise.count_rows import Rows, Tally, rows_of
from omicsfusion.preprocess.normalise.sample_factors import SampleFactors


class CountsStep(SampleFactors):
    """A step that reads its training samples one by one, as counts.

    Values below 0 count as 0. Left out as a whole when the training values are not what the step
    works on. A sample in which nothing was counted comes out as missing values.

    Attributes
    ----------
    profile_
        Mean training value of each feature: by it a sample's missing features are allowed for.
    skipped_
        Why the values pass through.
    """

    state: ClassVar[tuple[str, ...]] = ("profile_", "skipped_", "did_")
    feature_state: ClassVar[tuple[str, ...]] = ("profile_",)

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn from training samples in memory."""
        return self.fit_rows(rows_of(self._checked(X, fitting=True)))

    def fit_rows(self, rows: Rows) -> Self:
        """Learn from training samples that are read one by one."""
        tally = Tally.of(rows)
        self.n_features_in_ = len(tally.mean)
        self.profile_ = tally.mean
        self.skipped_ = self._refusal(tally)
        self.did_ = ""
        self._forget()
        if not self.skipped_:
            self._learn(rows, tally)
        return self

    @abstractmethod
    def _refusal(self, tally: Tally) -> str:
        """Say why the step does not suit the training values; empty when it does."""

    @abstractmethod
    def _forget(self) -> None:
        """Set what is learnt to what it is when nothing is."""

    @abstractmethod
    def _learn(self, rows: Rows, tally: Tally) -> None:
        """Learn from rows that suit."""
