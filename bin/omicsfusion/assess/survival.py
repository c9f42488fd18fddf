"""Metrics of survival predictions, as functions of patient weights.

Pairs are counted within held-out sets. A sample without a prediction (its fit failed) counts as
chance: half a pair each time in the C-indices and AUCs, a slope of 0, and in the Brier score the
survival curve of the fit's training samples, which is the same for everyone.

D-calibration is a test and no score, and a bootstrap would only add to what it tests for: it has a
table of its own (:mod:`omicsfusion.assess.d_calibration`).
"""

from collections.abc import Sequence

import numpy as np

from omicsfusion.assess.bootstrap import Metrics
from omicsfusion.assess.cox_slope import cox_slope, stratum
from omicsfusion.assess.held_out import HeldOut, time_and_event
from omicsfusion.assess.pairs import PairSums, no_pairs
from omicsfusion.assess.predictions import horizons_of
from omicsfusion.assess.survival_brier import brier_scores
from omicsfusion.assess.survival_calibration import mean_calibration
from omicsfusion.assess.survival_pairs import antolini_pairs, auc_pairs, harrell_pairs, uno_pairs
from omicsfusion.assess.undefined import ratio


def survival_metrics(sets: Sequence[HeldOut], weights: np.ndarray) -> Metrics:
    """Compute all metrics of survival predictions.

    Parameters
    ----------
    sets
        The held-out sets of one model and scope.
    weights
        Replicates x patients.

    Returns
    -------
    For each metric an array of length replicates, NaN where not defined: ``c_index`` (Harrell),
    ``uno_c`` (Uno et al., Stat. Med. 30, 2011, 1105-1117), ``antolini_c``, and for each horizon
    ``auc@<time>`` (all in :mod:`omicsfusion.assess.survival_pairs`); ``ibs`` and for each horizon
    ``brier@<time>`` (Graf et al., Stat. Med. 18, 1999, 2529-2545);
    ``calibration_slope`` (:mod:`omicsfusion.assess.cox_slope`), for each horizon
    ``mean_calibration@<time>``. Censoring is estimated from the training samples of each fit; a set
    without any is left out of what needs them: ``uno_c``, ``auc``, ``ibs`` and ``brier``.
    """
    horizons = horizons_of(sets[0].rows)
    known = [held for held in sets if len(held.training)]
    harrell = c_index(sets, weights)
    antolini = _summed([antolini_pairs(held, weights) for held in sets], weights)
    aucs = {
        f"auc@{t}": _summed([auc_pairs(held, t, weights) for held in known], weights).share
        for t in horizons
    }
    return {
        "c_index": harrell.share,
        "uno_c": uno_c(sets, weights),
        "antolini_c": antolini.share,
        **aucs,
        **brier_scores(sets, weights),
        "calibration_slope": _slope(sets, harrell.comparable > 0, weights),
        **{f"mean_calibration@{t}": mean_calibration(sets, t, weights) for t in horizons},
    }


def c_index(sets: Sequence[HeldOut], weights: np.ndarray) -> PairSums:
    """Count the pairs of Harrell's C within held-out sets; ``weights``: replicates x patients."""
    return _summed([harrell_pairs(held, weights) for held in sets], weights)


def uno_c(sets: Sequence[HeldOut], weights: np.ndarray) -> np.ndarray:
    """Compute Uno's C of the held-out sets whose training samples are known."""
    known = [held for held in sets if len(held.training)]
    return _summed([uno_pairs(held, weights) for held in known], weights).share


def _summed(parts: Sequence[PairSums], weights: np.ndarray) -> PairSums:
    return sum(parts, start=no_pairs(len(weights)))


def _slope(sets: Sequence[HeldOut], comparable: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the Cox slope times the share of the samples with a risk; NaN without pairs."""
    strata, every, told = [], np.zeros(len(weights)), np.zeros(len(weights))
    for held in sets:
        risk, here = held.rows["risk"].to_numpy(dtype=float), weights[:, held.patients]
        strata.append(stratum(*time_and_event(held.rows), risk, here))
        every += here.sum(axis=1)
        told += here @ ~np.isnan(risk)
    return np.where(comparable, cox_slope(strata) * ratio(told, every), np.nan)
