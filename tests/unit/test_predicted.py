"""From outputs of all scopes to predictions: what training samples are worth out of fold."""

import numpy as np
import pandas as pd
import pytest

from omicsfusion.models.cohort import ScopeData
from omicsfusion.models.heads.choice import head_for, head_of
from omicsfusion.models.heads.distilled import DistilledHead
from omicsfusion.models.predicted import predicted, predicted_scopes
from omicsfusion.models.registry import ModelSpec
from omicsfusion.models.request import TrainingRequest
from omicsfusion.scopes import Scope
from omicsfusion.tables.outcome import Outcome

NAMES = np.array([f"s{number:02d}" for number in range(24)])
OUTER, FIRST, SECOND, OTHER = (
    Scope(*key) for key in ((1, 1, "outer"), (1, 1, "0"), (1, 1, "1"), (1, 2, "outer"))
)
TESTED, HELD_FIRST, HELD_SECOND = NAMES[::4], NAMES[1::4], NAMES[[2, 6, 10, 14]]
"""Of the 18 training samples of the outer fold nobody leaves out 8."""

RNG = np.random.default_rng(5)


def scope(key: Scope, samples: np.ndarray, tested: np.ndarray) -> ScopeData:
    stop = np.arange(len(samples)) % 3 == 0
    role = np.where(np.isin(samples, tested), "test", np.where(stop, "stop", "train"))
    return ScopeData(key, tuple(samples), tuple(samples), role, {})


def outputs_of(head, units: int = 1) -> dict:
    """Return outputs of two networks on an outer fold, its two inner folds, and another fold."""
    inside = NAMES[~np.isin(NAMES, TESTED)]
    scopes = [
        scope(OUTER, NAMES, TESTED),
        scope(FIRST, inside, HELD_FIRST),
        scope(SECOND, inside, HELD_SECOND),
        scope(OTHER, NAMES, HELD_FIRST),
    ]
    if isinstance(head, DistilledHead):
        head.taught.update({data.scope: np.zeros((len(data.samples), units)) for data in scopes})
    return {
        data.scope: (
            RNG.normal(size=(2, len(data.samples), units)).astype(np.float32),
            data,
            head.targets(data),
        )
        for data in scopes
    }


def numbers(scale: float = 7.0) -> Outcome:
    truth = 50 + scale * RNG.normal(size=len(NAMES))
    return Outcome("regression", pd.DataFrame({"truth": truth}, index=pd.Index(NAMES)))


def held_out(said, outputs, inner: Scope, samples: np.ndarray, name: str) -> pd.Series:
    """Return what an inner fold predicts of some of the samples that it holds out."""
    data = outputs[inner][1]
    found = pd.Series(said[inner].columns[name], [data.samples[r] for r in data.rows("test")])
    return found[samples]


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


@pytest.mark.parametrize("distilled", [False, True])
def test_sd_is_of_training_samples_that_inner_folds_left_out(distilled):
    outcome = numbers()
    head = DistilledHead(head_for(outcome), {}, 3) if distilled else head_for(outcome)
    outputs = outputs_of(head)
    said = predicted_scopes(head, outputs)
    truth = outcome.table["truth"]
    first = held_out(said, outputs, FIRST, HELD_FIRST, "mean")
    second = held_out(said, outputs, SECOND, HELD_SECOND, "mean")
    both = pd.concat([first, second])
    np.testing.assert_allclose(said[OUTER].columns["sd"], rms(both - truth[both.index]), rtol=1e-6)
    # The siblings of an inner fold know whom it tests; nobody judges the samples of the other fold.
    for alone in (FIRST, OTHER):
        np.testing.assert_array_equal(
            said[alone].columns["sd"], predicted(head, *outputs[alone]).columns["sd"]
        )
    means = [said[OUTER].columns["mean"], predicted(head, *outputs[OUTER]).columns["mean"]]
    np.testing.assert_array_equal(*means)


def test_each_of_several_targets_has_its_own_sd():
    targets = {"a": numbers(), "b": numbers(70.0)}
    targets["b"].table.loc[NAMES[[1, 2, 3]]] = np.nan
    spec = ModelSpec("fused", "fused", ("rna",))
    head = head_of(TrainingRequest(spec, targets["a"], [], 3, targets=targets))
    outputs = outputs_of(head, units=4)
    said = predicted_scopes(head, outputs)
    for target, outcome in targets.items():
        parts = [
            held_out(said, outputs, inner, samples, f"{target}\tmean")
            for inner, samples in ((FIRST, HELD_FIRST), (SECOND, HELD_SECOND))
        ]
        residuals = (pd.concat(parts) - outcome.table["truth"]).dropna()
        assert len(residuals) == (10 if target == "a" else 8)
        np.testing.assert_allclose(said[OUTER].columns[f"{target}\tsd"], rms(residuals), rtol=1e-6)
