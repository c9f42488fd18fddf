"""Whether a model is better than chance.

With negative controls (the outcome permuted before the split, the whole chain run again) by
permutation: p = (1 + hits) / (1 + N), hits being the controls that score at least as high. Without
enough of them by the lower bound of the 95 % bootstrap interval of the score.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from omicsfusion.assess.bootstrap import estimates_with_intervals
from omicsfusion.assess.comparison.headline import CHANCE, headline_score
from omicsfusion.assess.held_out import held_out_sets, scored_rows
from omicsfusion.assess.undefined import mean_of_defined

LEAST_CONTROLS = 99
"""With fewer, p cannot be told from .05: of 19 a single hit takes it from .05 to .10."""

ALPHA = 0.05


@dataclass(frozen=True)
class AgainstChance:
    """How a model stands against knowing nothing.

    Attributes
    ----------
    permutation_p
        None without negative controls.
    n_controls
        How many there are.
    score, low
        Headline score over all test sets, and the lower end of its 95 % bootstrap interval.
    chance
        The score of a model that knows nothing.
    """

    permutation_p: float | None
    n_controls: int
    score: float
    low: float
    chance: float

    @property
    def by_permutation(self) -> bool:
        """Whether there are enough negative controls to decide by."""
        return self.permutation_p is not None and self.n_controls >= LEAST_CONTROLS

    @property
    def beaten(self) -> bool:
        """Whether the model is better than chance."""
        if self.permutation_p is not None and self.by_permutation:
            return self.permutation_p <= ALPHA
        return self.low > self.chance


def against_chance(rows: pd.DataFrame, task: str, weights: np.ndarray) -> AgainstChance:
    """Compare one model with its negative controls, and with chance.

    Parameters
    ----------
    rows
        All permutations of the model for one target, with an outcome.
    task
        ``classification``, ``survival`` or ``regression``.
    weights
        Replicates x test patients of the real outcome.
    """
    real = rows[rows["permutation"] == 0]
    patients = sorted(scored_rows(real, "test")["patient"].unique())
    sets = held_out_sets(real, "test", patients)
    found = estimates_with_intervals(lambda w: {"s": headline_score(sets, task, w)}, weights)
    _, score, low, _ = next(iter(found))
    controls = [part for number, part in rows.groupby("permutation") if number != 0]
    return AgainstChance(
        permutation_p=permutation_p(real, controls, task) if controls else None,
        n_controls=len(controls),
        score=score,
        low=low,
        chance=CHANCE[task],
    )


def permutation_p(real: pd.DataFrame, controls: list[pd.DataFrame], task: str) -> float:
    """Return (1 + hits) / (1 + N) by the headline score averaged over outer folds.

    A control may have fewer repeats than the run; the real score is that of the same repeats. A
    control whose score is not defined counts as a hit.
    """
    hits = 0
    for control in controls:
        same = real[real["repeat"].isin(control["repeat"].unique())]
        hits += not mean_score(control, task) < mean_score(same, task)
    return (1 + hits) / (1 + len(controls))


def mean_score(entry: pd.DataFrame, task: str) -> float:
    """Average the headline score of one model over its outer folds."""
    patients = sorted(scored_rows(entry, "test")["patient"].unique())
    ones = np.ones((1, len(patients)))
    scores = [headline_score([h], task, ones)[0] for h in held_out_sets(entry, "test", patients)]
    return float(mean_of_defined(np.array(scores)))
