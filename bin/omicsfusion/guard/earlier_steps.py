"""Signs in the input tables that they were scaled or selected on the whole cohort before."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from omicsfusion.guard.components import LayerValues
from omicsfusion.guard.findings import OK, WARNING, Finding, not_checked
from omicsfusion.guard.outcome_parts import target_of
from omicsfusion.preprocess.select.associations import associations, checked_outcome
from omicsfusion.qc.scales import scale_signs
from omicsfusion.qc.signs import MOST, ScaleSigns, Sign
from omicsfusion.tables.outcome import Outcome

FEWEST_FEATURES = 20
FEWEST_SAMPLES = 20
# A layer in which fewer features than this share stay above P_VALUE looks selected: of features
# without any relation to the outcome nine in ten stay above.
FEWEST_UNRELATED = 0.02
P_VALUE = 0.1
FEATURE_SIGNS = (
    "standardised_features",
    "centred_features",
    "median_zero_features",
    "near_standardised_features",
)
FROM_RAW = (
    "Start from the values before that, or judge the result on a cohort that was scaled apart: "
    "these results may look better than they are."
)


def scaled_before(layer: str, paths: Sequence[Path], training: set[str]) -> list[Finding]:
    """Tell whether a table was centred or standardised over all of its samples.

    Parameters
    ----------
    layer
        Its name.
    paths
        Its files, one per cohort.
    training
        Names of the training cohorts.

    Returns
    -------
    ``scaled_before``, and ``selected_by_spread`` (features in order of falling spread).
    """
    looked = [
        signs
        for signs in scale_signs(paths)
        if signs.cohort in training or signs.cohort == "all cohorts"
    ]
    return [_scaled(layer, looked), _ordered(layer, looked)]


def _scaled(layer: str, looked: Sequence[ScaleSigns]) -> Finding:
    found = [(signs, sign) for signs in looked for sign in _feature_signs(signs)]
    told = [(signs, sign) for signs, sign in found if sign.note]
    if told:
        signs, sign = told[0]
        detail = (
            f"{_where(signs)}: {sign.name} = {sign.value:.3f} of {signs.varying_features} varying "
            f"features over {signs.n_samples} samples: {sign.note}."
        )
        return Finding("scaled_before", layer, WARNING, sign.value, MOST, detail, FROM_RAW)
    largest = max(found, key=lambda entry: entry[1].value, default=None)
    if largest is None:
        return not_checked("scaled_before", "No training cohort has it.", layer)
    signs, sign = largest
    detail = (
        f"{_where(signs)}: no sign of scaling over samples (largest share: {sign.name} = "
        f"{sign.value:.3f} of {signs.varying_features} varying features)."
    )
    return Finding("scaled_before", layer, OK, sign.value, MOST, detail)


def _feature_signs(signs: ScaleSigns) -> list[Sign]:
    return [sign for sign in signs.signs() if sign.name in FEATURE_SIGNS]


def _where(signs: ScaleSigns) -> str:
    return signs.cohort.capitalize() if signs.cohort == "all cohorts" else f"Cohort {signs.cohort}"


def _ordered(layer: str, looked: Sequence[ScaleSigns]) -> Finding:
    ordered = [signs for signs in looked if signs.in_order_of_spread]
    if not ordered:
        detail = "Features do not stand in order of their spread."
        return Finding("selected_by_spread", layer, OK, 0, 1, detail)
    detail = (
        f"{_where(ordered[0])}: the {ordered[0].n_features} features stand in order of falling "
        "standard deviation over all samples, as a selection by spread leaves them."
    )
    return Finding("selected_by_spread", layer, WARNING, 1, 1, detail, _FROM_ALL)


_FROM_ALL = (
    "If features were selected on the whole cohort, test samples had a say in it: start from the "
    "table with all features (the step 'select' chooses on training samples only)."
)


def selected_before(values: LayerValues, outcome: Outcome) -> Finding:
    """Tell whether nearly all features of a layer are related to the outcome.

    Each feature is tested on ranks over all training samples that have the layer. Whoever picked
    features by such a test on the whole cohort leaves no large p-values behind.
    """
    name = "selected_before"
    p = _tested(values, outcome)
    if p is None:
        reason = f"Fewer than {FEWEST_FEATURES} varying features or {FEWEST_SAMPLES} samples."
        return not_checked(name, reason, values.layer)
    share = float((p > P_VALUE).mean())
    detail = (
        f"Of {len(p)} features, {(p > P_VALUE).sum()} ({share:.1%}) have p > {P_VALUE:g} with the "
        f"outcome over {len(values.samples)} training samples; the median p is {np.median(p):.2g}."
    )
    if share >= FEWEST_UNRELATED:
        return Finding(name, values.layer, OK, share, FEWEST_UNRELATED, detail)
    advice = f"An outcome that shapes the whole layer can do this too. {_FROM_ALL}"
    return Finding(name, values.layer, WARNING, share, FEWEST_UNRELATED, detail, advice)


def _tested(values: LayerValues, outcome: Outcome) -> np.ndarray | None:
    samples = sorted(values.samples)
    X = values.X[[values.samples[sample] for sample in samples]]
    if len(samples) < FEWEST_SAMPLES:
        return None
    known = ~np.isnan(X)
    low = np.where(known, X, np.inf).min(axis=0)
    high = np.where(known, X, -np.inf).max(axis=0)
    X = X[:, high > low]
    if X.shape[1] < FEWEST_FEATURES:
        return None
    task, y = checked_outcome(target_of(outcome, samples), outcome.task, X)
    return associations(X, y, task, ranks=True)[1]
