"""Whether the batch tells the outcome: then correcting for the one takes away the other."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import chi2_contingency, f_oneway

# More samples than this share in batches with one class: refused.
MAX_ONE_CLASS = 0.5
SIGNIFICANT = 0.05
SHOWN = 5
WORDS = {
    "classification": "one class",
    "regression": "one value",
    "survival": "no event",
}


@dataclass(frozen=True)
class Confounding:
    """How batch and outcome hang together, over samples in which both are known.

    Attributes
    ----------
    task
        ``classification``, ``regression`` or ``survival``.
    n_samples, n_batches
        Samples in which both are known, and their batches.
    measure, value, p
        ``Cramer's V``, ``eta squared`` or ``log-rank chi-squared``, and its p value. NaN where it
        cannot be told (one batch, or an outcome that does not vary).
    one_class
        Batches whose samples all have one class (regression: one value; survival: no event), and
        how many samples each has.
    aliased
        Whether a model of batch and outcome has no unique solution: some classes are seen in some
        batches only, and those batches have no others (with two classes: each batch has one).
        Regression: the outcome is constant within each batch. Survival: all events lie in one
        batch.
    """

    task: str
    n_samples: int
    n_batches: int
    measure: str
    value: float
    p: float
    one_class: dict[str, int]
    aliased: bool

    @property
    def share_one_class(self) -> float:
        """Share of the samples that lie in batches with one class."""
        return sum(self.one_class.values()) / self.n_samples if self.n_samples else 0.0

    @property
    def verdict(self) -> str:
        """``refuse``, ``warn`` or ``none``."""
        if self.n_batches < 2 or np.isnan(self.value):
            return "none"
        if self.aliased or self.share_one_class > MAX_ONE_CLASS:
            return "refuse"
        return "warn" if self.one_class or self.p < SIGNIFICANT else "none"

    def problems(self) -> list[str]:
        """Say why a correction is refused, a sentence for each reason; empty when it is not."""
        if self.verdict != "refuse":
            return []
        found = []
        if self.aliased:
            found.append(f"{ALIASED[self.task]} {self.association()}.")
        if self.share_one_class > MAX_ONE_CLASS:
            found.append(f"{self.one_class_sentence()} {self.association()}.")
        return found

    def one_class_sentence(self) -> str:
        """Say how many batches have one class, which, and how many samples they hold."""
        named = ", ".join(f"{name} ({n})" for name, n in list(self.one_class.items())[:SHOWN])
        more = len(self.one_class) - SHOWN
        told = f": {named}{f' and {more} more' if more > 0 else ''}" if named else ""
        singles = sum(n == 1 for n in self.one_class.values())
        return (
            f"{len(self.one_class)} of {self.n_batches} batches have {WORDS[self.task]} "
            f"({singles} of them one sample), {sum(self.one_class.values())} of "
            f"{self.n_samples} samples ({self.share_one_class:.0%}){told}."
        )

    def association(self) -> str:
        """Say the measure of association."""
        return f"{self.measure} of batch and outcome is {self.value:.2f} (p {self.p:.2g})"


ALIASED = {
    "classification": "Batch and classes cannot be told apart: some classes are seen in some "
    "batches only, which have no other class.",
    "regression": "The outcome is the same for all samples of a batch, in every batch.",
    "survival": "All events lie in one batch.",
}


def confounding(batch: np.ndarray, outcome: np.ndarray, task: str) -> Confounding:
    """Measure how batch and outcome hang together.

    Classes: Cramér's V with Bergsma's correction for bias (J Korean Stat Soc 42:323, 2013), p of
    Pearson's chi-squared test. Numbers: eta², the share of variance between batches, p of the F
    test. Survival: the log-rank test of all batches (Mantel, Cancer Chemother Rep 50:163, 1966).

    A batch of one sample has one class by nature. In survival a batch without events counts as one
    with one class, for its hazard cannot be estimated; one with events only does not, for its times
    differ.

    Parameters
    ----------
    batch
        Of each sample, text; empty: not known.
    outcome
        Class names, numbers, or (time, event) in two columns; samples in which it is missing are
        left out.
    task
        ``classification``, ``regression`` or ``survival``.
    """
    known = np.array([bool(label) for label in batch], dtype=bool)
    missing = pd.isna(outcome)
    known &= ~(missing.any(axis=1) if missing.ndim == 2 else missing | (outcome == ""))
    labels, outcome = np.asarray(batch)[known].astype(str), outcome[known]
    names, codes = np.unique(labels, return_inverse=True)
    measured = {"classification": _classes, "regression": _numbers, "survival": _survival}
    measure, value, p, single, aliased = measured[task](codes, outcome, len(names))
    sizes = np.bincount(codes, minlength=len(names))
    one_class = {
        str(name): int(n)
        for name, n, is_single in zip(names, sizes, single, strict=True)
        if is_single
    }
    return Confounding(
        task, len(codes), len(names), measure, float(value), float(p), one_class, bool(aliased)
    )


def confounding_problems(batch: np.ndarray, outcome: np.ndarray, task: str) -> list[str]:
    """Say why correcting for the batch is refused, with the numbers; empty when it is not.

    Parameters
    ----------
    batch, outcome, task
        As for :func:`confounding`.
    """
    return confounding(batch, outcome, task).problems()


def cramers_v(table: np.ndarray) -> float:
    """Return Cramér's V of a table of counts, corrected for bias (Bergsma 2013, section 4).

    NaN when the table has one row or one column.
    """
    n, (rows, columns) = table.sum(), table.shape
    if min(rows, columns) < 2 or n < 2:
        return float("nan")
    statistic = chi2_contingency(table, correction=False).statistic
    phi2 = max(0.0, statistic / n - (rows - 1) * (columns - 1) / (n - 1))
    width = min(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)) - 1
    return float(np.sqrt(min(phi2 / width, 1.0))) if width > 0 else float("nan")


Measured = tuple[str, float, float, np.ndarray, bool]


def _classes(codes: np.ndarray, outcome: np.ndarray, n_batches: int) -> Measured:
    classes, class_codes = np.unique(outcome.astype(str), return_inverse=True)
    table = np.zeros((n_batches, len(classes)))
    np.add.at(table, (codes, class_codes), 1)
    single = (table > 0).sum(axis=1) == 1
    if min(table.shape) < 2:
        return "Cramer's V", np.nan, np.nan, single, False
    # The design of batch and class has rank batches + classes - parts of this graph; one part is
    # what the intercept costs.
    parts, _ = connected_components(
        coo_array(
            np.block(
                [[np.zeros((n_batches,) * 2), table], [table.T, np.zeros((len(classes),) * 2)]]
            )
        )
    )
    p = chi2_contingency(table, correction=False).pvalue
    value = cramers_v(table)
    return "Cramer's V", 1.0 if np.isnan(value) else value, p, single, parts > 1


def _numbers(codes: np.ndarray, outcome: np.ndarray, n_batches: int) -> Measured:
    groups = [outcome[codes == number].astype(float) for number in range(n_batches)]
    single = np.array([np.ptp(group) == 0 for group in groups], dtype=bool)
    if n_batches < 2 or np.ptp(outcome) == 0:
        return "eta squared", np.nan, np.nan, single, False
    total = ((outcome - outcome.mean()) ** 2).sum()
    within = sum(((group - group.mean()) ** 2).sum() for group in groups)
    if single.all():
        return "eta squared", 1.0, 0.0, single, True
    p = f_oneway(*groups).pvalue if len(codes) > n_batches else np.nan
    return "eta squared", 1 - within / total, p, single, False


def _survival(codes: np.ndarray, outcome: np.ndarray, n_batches: int) -> Measured:
    from lifelines.statistics import multivariate_logrank_test

    time, event = outcome[:, 0].astype(float), outcome[:, 1] > 0
    events = np.bincount(codes, weights=event, minlength=n_batches)
    if n_batches < 2 or not event.any():
        return "log-rank chi-squared", np.nan, np.nan, events == 0, False
    test = multivariate_logrank_test(time, codes, event)
    return (
        "log-rank chi-squared",
        test.test_statistic,
        test.p_value,
        events == 0,
        (events > 0).sum() == 1,
    )
