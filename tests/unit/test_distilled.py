"""Distillation: the loss by hand, and a network that takes the place of those it learnt from."""

import numpy as np
import pandas as pd
import pytest

from omicsfusion.models.families.fused import train
from omicsfusion.models.heads.choice import head_for
from omicsfusion.models.heads.distilled import DistilledHead
from omicsfusion.models.registry import ModelSpec
from omicsfusion.models.request import TrainingRequest
from omicsfusion.models.settings import DEFAULTS
from omicsfusion.scopes import Scope
from omicsfusion.tables.outcome import Outcome
from tests.network_cohort import open_cohort, write_cohort

SPEC = ModelSpec("fused", "fused", ("mirna", "rna"))
SETTINGS = {name: np.full(1, value, np.float32) for name, value in DEFAULTS.items()}
WEIGHT = np.array([[1.0, 1.0, 0.0]], np.float32)
RNG = np.random.default_rng(4)


def head_of(task: str, classes: tuple[str, ...] = ()) -> DistilledHead:
    return DistilledHead(head_for(Outcome(task, pd.DataFrame(), classes), []), {}, networks=3)


def loss_of(head: DistilledHead, outputs, values, taught) -> float:
    target = np.concatenate([values, taught], axis=-1).astype(np.float32)
    return float(np.asarray(head.loss(outputs.astype(np.float32), target, WEIGHT, SETTINGS))[0])


def test_numbers_are_matched_half_with_the_outcome_and_half_with_the_ensemble():
    outputs, values, taught = (RNG.normal(size=(1, 3, 1)) for _ in range(3))
    of_outcome = np.mean(0.5 * (outputs - values)[0, :2, 0] ** 2)
    of_ensemble = np.mean((outputs - taught)[0, :2, 0] ** 2)
    found = loss_of(head_of("regression"), outputs, values, taught)
    assert found == pytest.approx(0.5 * (of_outcome + of_ensemble), rel=1e-5)


def test_what_an_output_leaves_open_is_left_open():
    classes, risks = head_of("classification", ("a", "b", "c")), head_of("survival")
    outputs, values = RNG.normal(size=(1, 3, 3)), np.array([[[0.0], [2.0], [1.0]]])
    taught = RNG.normal(size=(1, 3, 3))
    moved = taught + RNG.normal(size=(1, 3, 1))  # the same for all classes of a sample
    assert loss_of(classes, outputs, values, moved) == pytest.approx(
        loss_of(classes, outputs, values, taught), rel=1e-4
    )
    outputs, times = RNG.normal(size=(1, 3, 1)), np.array([[[1.0, 1.0], [2.0, 0.0], [0.0, 0.0]]])
    taught = RNG.normal(size=(1, 3, 1))
    found = loss_of(risks, outputs, times, taught)
    assert loss_of(risks, outputs, times, taught + 5.0) == pytest.approx(found, rel=1e-4)
    taught[0, 0] += 1.0
    assert abs(loss_of(risks, outputs, times, taught) - found) > 0.01


@pytest.mark.parametrize(
    "task", [pytest.param("classification", marks=pytest.mark.families), "survival"]
)
def test_one_network_takes_the_place_of_those_it_learnt_from(task, tmp_path):
    scope = Scope(1, 1, "outer")
    write_cohort(tmp_path, task, (scope,))
    reader, outcome = open_cohort(tmp_path, task)
    request = TrainingRequest(SPEC, outcome, [], seed=3, ensemble=3)
    [together] = train(request, reader)
    [alone] = train(TrainingRequest(SPEC, outcome, [], seed=3, ensemble=3, distil=True), reader)
    assert str(alone.record["setting"]).startswith("one network; distilled from the mean of 3")
    assert alone.network is not None
    assert alone.network().network.members == 1
    assert list(together.members) == [1, 2, 3]
    assert alone.members == {}
    column = next(iter(together.columns))
    agreement = np.corrcoef(alone.columns[column], together.columns[column])[0, 1]
    assert agreement > 0.9
    assert not np.array_equal(alone.columns[column], together.columns[column])
