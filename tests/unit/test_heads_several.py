"""Several targets on one network: who has which, how they are weighted, what is saved."""

import numpy as np
import pandas as pd
import pytest

from omicsfusion.models.backend import gradients, keras
from omicsfusion.models.cohort import ScopeData
from omicsfusion.models.fit import predicted_rows
from omicsfusion.models.heads.base import UntrainableError
from omicsfusion.models.heads.choice import head_of
from omicsfusion.models.heads.several import having
from omicsfusion.models.links import average_members, joined
from omicsfusion.models.registry import ModelSpec
from omicsfusion.models.request import TrainingRequest
from omicsfusion.scopes import Scope
from omicsfusion.tables.outcome import Outcome

ops = keras.ops

SAMPLES = tuple(f"s{number}" for number in range(12))
ROLES = np.array(["train"] * 6 + ["stop"] * 3 + ["test"] * 3)
SETTINGS = {name: np.zeros(1, np.float32) for name in ("label_smoothing", "focal")}
# Without b: two that train, one that stops, one that is tested.
WITHOUT_B = [1, 4, 7, 10]


def scope() -> ScopeData:
    return ScopeData(Scope(1, 1, "outer"), SAMPLES, SAMPLES, ROLES, {})


def numbers(values: np.ndarray) -> Outcome:
    table = pd.DataFrame({"truth": values}, index=pd.Index(SAMPLES, name="sample"))
    return Outcome("regression", table)


def two_numbers() -> dict[str, Outcome]:
    a = np.arange(12.0)
    b = 100 - 3.0 * np.arange(12) ** 2
    b[WITHOUT_B] = np.nan
    return {"a": numbers(a), "b": numbers(b)}


def head_for_all(targets: dict[str, Outcome], **asked: object):
    first = next(iter(targets.values()))
    spec = ModelSpec("fused", "fused", ("rna",))
    return head_of(TrainingRequest(spec, first, [1.0, 2.0], 3, targets=targets, **asked))


def classes(names: list[object]) -> Outcome:
    table = pd.DataFrame({"truth": names}, index=pd.Index(SAMPLES, name="sample"))
    return Outcome("classification", table, tuple(sorted({n for n in names if n == n})))


def as_batch(targets, rows: list[int]) -> tuple[object, object]:
    """Values and weights of some samples, as the trainer hands them to a loss of one member."""
    return (
        ops.convert_to_tensor(targets.values[rows][None]),
        ops.convert_to_tensor(targets.weight[rows][None]),
    )


def test_the_loss_is_the_sum_over_targets_weighted_by_their_variances():
    head = head_for_all(two_numbers())
    targets = head.targets(scope())
    rows = [0, 1, 2, 4]
    log_variance = np.array([0.3, -0.7])
    said = np.array([[0.5, -1.0], [0.1, 9.0], [-0.4, 0.2], [1.5, -9.0]], np.float32)
    outputs = np.concatenate([said, np.tile(log_variance, (4, 1))], axis=1).astype(np.float32)
    loss = head.loss(outputs[None], *as_batch(targets, rows), SETTINGS)

    a, b = (outcome.table["truth"].to_numpy() for outcome in two_numbers().values())
    fit_a, fit_b = a[:6], b[[0, 2, 3, 5]]
    error_a = said[:, 0] - (a[rows] - fit_a.mean()) / fit_a.std()
    error_b = said[[0, 2], 1] - (b[[0, 2]] - fit_b.mean()) / fit_b.std()
    losses = 0.5 * np.array([np.mean(error_a**2), np.mean(error_b**2)])
    expected = np.sum(np.exp(-log_variance) * losses + 0.5 * log_variance)
    np.testing.assert_allclose(np.asarray(loss), [expected], rtol=1e-5)


def test_a_target_that_no_sample_of_the_batch_has_counts_for_nothing():
    head = head_for_all(two_numbers())
    rows = [1, 4]
    batch = as_batch(head.targets(scope()), rows)
    outputs = np.array([[[0.5, 3.0, 0.3, -0.7], [0.1, 9.0, 0.3, -0.7]]], np.float32)
    other = outputs.copy()
    other[..., [1, 3]] = 5.0
    assert np.asarray(head.loss(outputs, *batch, SETTINGS)) == np.asarray(
        head.loss(other, *batch, SETTINGS)
    )


def test_what_stands_where_a_sample_lacks_a_target_changes_neither_loss_nor_gradient():
    targets = two_numbers()
    head = head_for_all(targets)
    known = head.targets(scope())
    values = known.values.copy()
    b = 2  # a's value, a's weight, b's value, b's weight
    assert (values[WITHOUT_B, b + 1] == 0).all()
    values[WITHOUT_B, b] = 77.0
    rows = list(range(6))
    outputs = np.random.default_rng(1).normal(size=(1, 6, 4)).astype(np.float32)
    outputs[..., 2:] = [0.2, 0.4]

    def loss_and_gradient(which: np.ndarray):
        batch = ops.convert_to_tensor(which[rows][None])
        weight = ops.convert_to_tensor(known.weight[rows][None])
        return gradients(
            lambda weights: head.loss(weights[0], batch, weight, SETTINGS),
            [ops.convert_to_tensor(outputs)],
        )

    loss, (slope,) = loss_and_gradient(known.values)
    other_loss, (other_slope,) = loss_and_gradient(values)
    np.testing.assert_array_equal(np.asarray(loss), np.asarray(other_loss))
    np.testing.assert_array_equal(np.asarray(slope), np.asarray(other_slope))
    assert (np.asarray(slope)[0, [1, 4], 1] == 0).all()
    assert (np.asarray(slope)[0, [1, 4], 0] != 0).all()


def test_each_target_is_brought_back_to_its_own_unit():
    targets = two_numbers()
    head = head_for_all(targets)
    data = scope()
    joint = head.targets(data)
    raw = np.random.default_rng(2).normal(size=(3, 12, 4)).astype(np.float32)
    offset, scale = head.unit(raw, data, joint)
    prediction = np.asarray(average_members(raw, head.link, offset, scale))
    found = head.columns(raw, prediction, data, joint)
    assert list(found) == ["a\tmean", "a\tsd", "b\tmean", "b\tsd"]
    for place, (target, outcome) in enumerate(targets.items()):
        alone = head.heads[target]
        here = having(data, outcome)
        own = alone.targets(here)
        unit = alone.unit(raw[..., [place]], here, own)
        said = np.asarray(average_members(raw[..., [place]], alone.link, *unit))
        expected = alone.columns(raw[..., [place]], said, here, own)
        for name, values in expected.items():
            np.testing.assert_array_equal(found[f"{target}\t{name}"], values)
    assert np.abs(found["b\tmean"]).max() > 2 * np.abs(found["a\tmean"]).max()


def test_the_first_target_has_the_names_of_a_model_of_its_own():
    head = head_for_all({"x": classes([*"pqpqpqpqpqpq"]), "y": classes([*"rrrssstttrst"])})
    assert head.names == ("p", "q", "y:r", "y:s", "y:t")
    assert head.link == "softmax:2:2+softmax:3:3"
    assert head.units == 2 + 3 + 2


def test_the_joint_link_is_that_of_each_target_on_its_own_units():
    raw = np.random.default_rng(3).normal(size=(2, 5, 16)).astype(np.float32)
    link = joined([("identity", 1, 1), ("softmax", 3, 3), ("log_hazard", 10, 1)])
    offset = np.arange(5, dtype=np.float32)
    scale = np.linspace(1, 2, 16).astype(np.float32)
    found = np.asarray(average_members(raw, link, offset, scale))
    parts = [
        average_members(raw[..., :1], "identity", offset[:1], scale[:1]),
        average_members(raw[..., 1:4], "softmax", offset[1:4], scale[1:4]),
        average_members(raw[..., 4:14], "log_hazard", offset[4:], scale[4:14]),
    ]
    np.testing.assert_array_equal(found, np.concatenate([np.asarray(p) for p in parts], axis=1))


@pytest.mark.parametrize("head", ["cox", "discrete_hazard"])
def test_survival_of_two_kinds_is_learnt_from_those_of_whom_it_is_known(head):
    rng = np.random.default_rng(4)
    index = pd.Index(SAMPLES, name="sample")
    first = pd.DataFrame({"time": rng.random(12) + 1, "event": 1.0}, index=index)
    second = first.assign(time=rng.random(12) + 1)
    second.loc[[SAMPLES[row] for row in WITHOUT_B]] = np.nan
    outcomes = {"os": Outcome("survival", first), "pfs": Outcome("survival", second)}
    several = head_for_all(outcomes, head=head)
    data = scope()
    joint = several.targets(data)
    assert np.isfinite(joint.values).all()
    assert (joint.values[WITHOUT_B, -1] == 0).all()
    raw = rng.normal(size=(2, 12, several.units)).astype(np.float32)
    offset, scale = several.unit(raw, data, joint)
    prediction = np.asarray(average_members(raw, several.link, offset, scale), float)
    found = several.columns(raw, prediction, data, joint)
    assert list(found) == [
        f"{t}\t{c}" for t in outcomes for c in ("risk", "s_1", "s_2", "own_survival")
    ]
    own = {name: values for name, values in found.items() if name.endswith("own_survival")}
    assert all(np.isfinite(values).all() for name, values in found.items() if name not in own)
    for (_, values), outcome in zip(own.items(), outcomes.values(), strict=True):
        known = outcome.known[[data.samples[row] for row in predicted_rows(data)]]
        assert (np.isfinite(values) == known).all()


def test_a_target_with_nothing_to_learn_from_is_named():
    targets = two_numbers()
    targets["b"].table.loc[[f"s{row}" for row in range(6)], "truth"] = 5.0
    with pytest.raises(UntrainableError, match=r"^b: The target has one value only"):
        head_for_all(targets).targets(scope())


def test_stop_samples_that_cannot_judge_a_target_take_no_part_in_its_stopping_loss():
    targets = {
        "x": classes([*"pqpqpqpqpqpq"]),
        "y": classes([*"rsrsrs", *"rrr", *"rsr"]),
    }
    joint = head_for_all(targets).targets(scope())
    stop = scope().rows("stop")
    assert joint.stops
    assert (joint.values[stop][:, 1] > 0).all()
    assert (joint.values[stop][:, 3] == 0).all()
    assert (joint.values[scope().rows("train")][:, 3] > 0).all()
