"""Samples whose two layers do not belong together, and pairs of samples that were exchanged."""

import math
from typing import Any

import numpy as np
import pandas as pd

from omicsfusion.concordance.likeness import Likeness

# Share of samples expected to be mixed up: Zych et al. (PLoS ONE 12, 2017, e0171324) found 4 % on
# average in eight published cohorts.
EXPECTED_SHARE = 0.04
OK, MISMATCH, SWAP = "ok", "mismatch", "swap"

SWAP_COLUMNS = [
    "layer",
    "other",
    "cohort",
    "sample",
    "patient",
    "own_similarity",
    "own_rank",
    "n",
    "best_match",
    "best_similarity",
    "swapped_with",
    "flag",
    "reason",
]


def evidence_needed(n: int) -> float:
    """Logarithm of the odds against a sample's being mixed up with one given other of n."""
    return math.log(n / EXPECTED_SHARE)


def why_not_judged(likeness: Likeness) -> str:
    """Say why single samples cannot be judged; empty when they can.

    Scores of strangers have mean 0 and standard deviation 1, own scores have the median m. Were
    both normal with that spread, the logarithm of the likelihood ratio of "exchanged" against "in
    order" would be m times the gain in score (Neyman & Pearson, Phil. Trans. A 231, 1933, 289-337),
    and an exchange of two samples would gain 2 m on average. Where even that is less evidence than
    ``evidence_needed``, no sample is judged. Own scores spread less than those of strangers in the
    cohorts tried (.6 to .9), so that the rule errs on the side of silence.
    """
    m, n = float(np.median(likeness.own)), len(likeness.samples)
    if m > 0 and 2 * m * m >= evidence_needed(n):
        return ""
    return (
        f"Not judged: a sample's own similarity is {m:.2f} standard deviations above that of "
        f"strangers, too little to tell an exchange among {n} samples "
        f"({math.sqrt(evidence_needed(n) / 2):.2f} needed)."
    )


def judge(
    likeness: Likeness, layers: tuple[str, str], cohort: str, patients: dict[str, str]
) -> pd.DataFrame:
    """Flag each sample.

    ``swap``: with one other sample, each fits the other's profile better than its own (a score
    nearer to the usual own score than to that of a stranger), the gain in the sum of the four
    scores is worth more evidence than ``evidence_needed``, and each is the other's best partner in
    this. ``mismatch``: another sample fits better by the same evidence, and
    the own score is nearer to that of a stranger than to the usual own score.

    Returns
    -------
    ``SWAP_COLUMNS``, one row per sample.
    """
    own, others = likeness.own, likeness.others()
    m, n = float(np.median(own)), len(own)
    needed = evidence_needed(n) / m
    best = others.argmax(axis=1)
    gain = others + others.T - own[:, None] - own
    partner = gain.argmax(axis=1)
    at = np.arange(n)
    fits = others[at, partner] > np.maximum(own, m / 2)
    swapped = (partner[partner] == at) & (gain[at, partner] > needed) & fits & fits[partner]
    mismatched = ~swapped & (others[at, best] - own > needed) & (own < m / 2)
    names = np.array(likeness.samples, dtype=object)
    table = pd.DataFrame(
        {
            "layer": layers[0],
            "other": layers[1],
            "cohort": cohort,
            "sample": names,
            "patient": [patients[sample] for sample in names],
            "own_similarity": own.round(4),
            "own_rank": likeness.own_rank,
            "n": n,
            "best_match": names[best],
            "best_similarity": others[at, best].round(4),
            "swapped_with": np.where(swapped, names[partner], ""),
            "flag": np.select([swapped, mismatched], [SWAP, MISMATCH], OK),
        }
    )
    table["reason"] = [
        _reason(row, m, gain[position, partner[position]])
        for position, row in enumerate(table.itertuples(index=False))
    ]
    return table[SWAP_COLUMNS]


def _reason(row: Any, usual: float, gain: float) -> str:
    own = f"own similarity {row.own_similarity:.2f}, usually {usual:.2f}"
    if row.flag == SWAP:
        return (
            f"{row.layer} of {row.sample} fits {row.other} of {row.swapped_with} and the other way "
            f"round, better than their own by {gain:.2f} in all ({own})"
        )
    if row.flag == MISMATCH:
        return (
            f"{row.layer} of {row.sample} fits {row.other} of {row.best_match} "
            f"({row.best_similarity:.2f}) better than its own ({own})"
        )
    return ""
