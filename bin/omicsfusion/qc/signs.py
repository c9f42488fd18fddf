"""What the figures on a table are signs of: logarithms, scaling, selection before it came."""

from dataclasses import dataclass
from typing import NamedTuple

from omicsfusion.preprocess.normalise.earlier_scale import FEATURE_SHARE

# A mean is zero, and a standard deviation one, within this many standard deviations. Values that
# were rounded to two decimals miss by some 3e-4 with 100 samples; features that merely lie around
# zero come as near in 3 % of the cases with 1,000 samples, so that most of them never do.
TOLERANCE = 1e-3
# A sign counts when it holds for more than this share of the features (or samples) that vary.
MOST = 0.5
# Fewer samples (or features) have means near zero by chance.
FEWEST = 5
# Nothing on a logarithmic scale is that large; 2^40 is beyond any count.
LARGEST_LOGARITHM = 40.0
COUNTS = ("rna_counts", "mirna_counts", "microbiome_counts")
ABUNDANCES = (*COUNTS, "metabolite")
LOGARITHMS = ("rna_log", "mirna_log", "array", "rppa")


class Sign(NamedTuple):
    """One figure on a table: ``note`` says what it is a sign of, empty when of nothing."""

    name: str
    value: float
    note: str


@dataclass(frozen=True)
class ScaleSigns:
    """The figures of one cohort's table, over all of its samples, used or not.

    Attributes
    ----------
    kind, cohort
        As in the samplesheet; cohort ``all cohorts`` stands for their samples together.
    n_samples, n_features
        Size of the table.
    missing
        Share of missing values.
    negative, zeros, integers
        Shares of the values that are not missing.
    lowest, highest
        NaN in a table without any value.
    varying_features, varying_samples
        How many are not constant.
    centred_features
        Share of the varying features whose mean over the samples is zero (``TOLERANCE``).
    standardised_features
        The same, and whose standard deviation is one.
    near_standardised_features
        Share of the varying features with a mean near zero and a standard deviation near one, as
        z-scores have that were taken over other samples too.
    median_zero_features
        Share of the varying features with as many values above zero as below, and few zeros.
    centred_samples, standardised_samples, median_zero_samples
        The same for samples, over their features.
    spread_of_sums
        Coefficient of variation of the sums of the samples; 0 for proportions.
    in_order_of_spread
        Whether features stand in order of falling standard deviation, as a selection leaves them.
    """

    kind: str
    cohort: str
    n_samples: int
    n_features: int
    missing: float
    negative: float
    zeros: float
    integers: float
    lowest: float
    highest: float
    varying_features: int
    varying_samples: int
    centred_features: float
    standardised_features: float
    near_standardised_features: float
    median_zero_features: float
    centred_samples: float
    standardised_samples: float
    median_zero_samples: float
    spread_of_sums: float
    in_order_of_spread: bool

    @property
    def scaled_over_samples(self) -> str:
        """How features were scaled over all samples at once; empty without a sign of it."""
        if self.n_samples < FEWEST or self.varying_features < FEWEST:
            return ""
        if self.standardised_features > MOST:
            return "standardised"
        if self.centred_features > MOST:
            return "centred"
        return "centred on the median" if self.median_zero_features > MOST else ""

    @property
    def scaled_per_sample(self) -> str:
        """How each sample was scaled over its features; empty without a sign of it."""
        if self.n_features < FEWEST or self.varying_samples < FEWEST:
            return ""
        if self.standardised_samples > MOST:
            return "standardised"
        if self.centred_samples > MOST:
            return "centred"
        if self.median_zero_samples > MOST:
            return "centred on the median"
        proportions = self.lowest >= 0 and self.spread_of_sums < TOLERANCE
        return "divided by its sum" if proportions else ""

    @property
    def logged(self) -> bool:
        """Whether the values are logarithms (or centred) although the kind promises abundances."""
        if self.kind not in ABUNDANCES:
            return False
        small = 1 < self.highest <= LARGEST_LOGARITHM and self.integers < MOST
        return self.negative > 0 or (small and not self.spread_of_sums < TOLERANCE)

    def signs(self) -> list[Sign]:
        """Return each figure with what it is a sign of."""
        notes = {
            "negative": self._on_negative(),
            "integers": self._on_integers(),
            "highest": self._on_highest(),
            "standardised_features": self._on_features("standardised"),
            "centred_features": self._on_features("centred"),
            "near_standardised_features": self._on_z_scores(),
            "median_zero_features": self._on_features("centred on the median"),
            "standardised_samples": self._on_samples("standardised"),
            "centred_samples": self._on_samples("centred"),
            "median_zero_samples": self._on_samples("centred on the median"),
            "spread_of_sums": self._on_samples("divided by its sum"),
            "in_order_of_spread": self._on_order(),
        }
        names = [name for name in self.__dataclass_fields__ if name not in ("kind", "cohort")]
        return [Sign(name, float(getattr(self, name)), notes.get(name, "")) for name in names]

    def _on_negative(self) -> str:
        if self.negative > 0 and self.kind in ABUNDANCES:
            return f"{self.kind} cannot be negative: the table was logged or centred before it came"
        if self.negative > 0 and self.kind == "methylation_beta":
            return "beta values cannot be negative: these may be M-values"
        return ""

    def _on_integers(self) -> str:
        if self.kind in COUNTS and self.integers < 1:
            return "counts are whole numbers: the table was normalised before it came"
        return ""

    def _on_highest(self) -> str:
        if self.kind in LOGARITHMS and self.highest > LARGEST_LOGARITHM:
            return "no logarithm is that large: the table is not logged, or has a few wild values"
        if self.kind == "metabolite" and self.logged and self.negative == 0:
            return "abundances that small and fractional may be logged already"
        return ""

    def _on_features(self, how: str) -> str:
        if self.scaled_over_samples != how:
            return ""
        return (
            f"most features are {how} over all samples of the table: test samples have shaped the "
            "training samples before this pipeline saw them"
        )

    def _on_z_scores(self) -> str:
        share = self.near_standardised_features
        if self.scaled_over_samples or self.negative == 0 or share < FEATURE_SHARE:
            return ""
        return (
            f"z-scores: {share:.0%} of the features have a mean near 0 and a standard deviation "
            "near 1. If these samples were among those they were taken over, test samples have "
            "shaped the training samples"
        )

    def _on_samples(self, how: str) -> str:
        if self.scaled_per_sample != how:
            return ""
        return f"each sample was {how} over its features (which leaks nothing between samples)"

    def _on_order(self) -> str:
        if not self.in_order_of_spread:
            return ""
        return (
            "features stand in order of falling standard deviation over all samples: they may have "
            "been selected on the whole cohort, test samples included"
        )
