"""The late network: a network per layer, their stack, and what neither of them may see."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import h5py
import keras
import numpy as np
import pandas as pd
import pytest

from omicsfusion.interpret.explanation import Explainer
from omicsfusion.models import training
from omicsfusion.models.archive import save_archive
from omicsfusion.models.backend import compiled
from omicsfusion.models.ensemble import MemberEnsemble, ensemble_inputs, widened
from omicsfusion.models.families.fused import FusedNetwork
from omicsfusion.models.families.late import LateNetwork, stack_fits, train, train_layers
from omicsfusion.models.fit import Fit, failed_fit, prediction_table
from omicsfusion.models.heads.choice import head_for
from omicsfusion.models.layer_stacks import ScopeStack, decisions_of, stack_of
from omicsfusion.models.registry import ModelSpec
from omicsfusion.models.request import TrainingRequest
from omicsfusion.models.stacking import class_decisions
from omicsfusion.scopes import Scope
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.family_tasks import tasks_of
from tests.network_cohort import SAMPLES, WIDTHS, open_cohort, write_cohort
from tests.small_networks import begun, everything, padded, random_inputs

LAYERS = ("mirna", "rna")
OUTER = Scope(1, 1, "outer")
INNER = tuple(Scope(1, 1, str(number)) for number in range(3))
OTHER = Scope(1, 2, "outer")


def write_nested(folder: Path, task: str) -> None:
    """Write a cohort in which each training sample is held out by one of three inner folds."""
    write_cohort(folder, task, (OUTER, *INNER))
    tables = [_roles(OUTER, None), *(_roles(scope, int(scope.inner)) for scope in INNER)]
    write_tsv(pd.concat(tables), folder / "splits.tsv")


def _roles(scope: Scope, held_out: int | None) -> pd.DataFrame:
    number = np.arange(SAMPLES)
    tested, place = number % 5 == 0, number // 5 % 12
    test = tested if held_out is None else place % 3 == held_out
    stop = place // 3 == 0 if held_out is None else (place // 3 == held_out) & (number % 2 == 0)
    names = [f"s{i:03d}" for i in number]
    where = {"permutation": 0, "repeat": scope.repeat, "fold": scope.fold, "inner": scope.inner}
    table = pd.DataFrame({**where, "group": "all", "sample": names, "patient": names})
    table["role"] = np.select([test, stop], ["test", "stop"], "train")
    return table if held_out is None else table[~tested]


def asked(folder: Path, task: str, **more: object):
    """Return the question, and the reader of its cohort."""
    reader, outcome = open_cohort(folder, task)
    spec = ModelSpec("late", "late", LAYERS)
    return TrainingRequest(spec, outcome, [1.0, 2.0], 3, **more), reader


@pytest.fixture(scope="module")
def trained_on(tmp_path_factory):
    """Return a function from a task to its folder, question, reader, and the layers' fits."""

    @cache
    def trained_on(task: str):
        folder = tmp_path_factory.mktemp(task)
        write_nested(folder, task)
        question, reader = asked(folder, task)
        return folder, question, reader, train_layers(question, reader)

    return trained_on


@pytest.fixture(params=tasks_of("classification"))
def trained(request, trained_on):
    """Return what ``trained_on`` does, for each task."""
    return trained_on(request.param)


def head_of(question):
    return head_for(question.outcome, question.horizons, question.head, question.class_order)


def stack_on(scope: Scope, question, reader, fits) -> ScopeStack:
    head = head_of(question)
    decisions = decisions_of(fits, head, reader)
    return stack_of(reader.load(scope, ()), fits, decisions, head, question.outcome)


def output_columns(fit: Fit, model: MemberEnsemble) -> np.ndarray:
    names = [name if name in fit.columns else f"p_{name}" for name in model.outputs_named]
    return np.column_stack([fit.columns[name] for name in names])


def require_archive_gives_predictions(fit: Fit, reader, path: Path) -> MemberEnsemble:
    fit.save(path / fit.scope.key)
    model = keras.saving.load_model(path / f"{fit.scope.key}.keras", compile=False)
    data = reader.load(fit.scope, LAYERS)
    outputs = np.asarray(model(ensemble_inputs(model, data, data.rows("test"))))
    np.testing.assert_allclose(outputs, output_columns(fit, model), rtol=1e-4, atol=1e-5)
    assert np.ptp(outputs, axis=0).min() > 0
    return model


def test_the_signal_is_found_in_samples_not_trained_on(trained):
    _, question, reader, fits = trained
    table = prediction_table(
        stack_fits(fits, question, reader), "late", "outcome", question.outcome
    )
    assert table["scope"].tolist() == ["inner"] * 96 + ["test"] * 24
    if question.outcome.task == "classification":
        columns = table.filter(regex="^p_")
        np.testing.assert_allclose(columns.sum(axis=1), 1)
        assert (columns.idxmax(axis=1).str.removeprefix("p_") == table["truth"]).mean() > 0.5
    elif question.outcome.task == "survival":
        died = table[table["event"] == 1]
        assert died["risk"].corr(died["time"], method="spearman") < -0.4
        assert ((table["s_1"] >= table["s_2"]) & table["s_2"].between(0, 1)).all()
    else:
        assert np.corrcoef(table["mean"], table["truth"])[0, 1] > 0.7
        assert table["sd"].between(2, 20).all()


def test_the_planted_layer_decides_and_that_of_noise_has_nearly_nothing_to_say(trained):
    _, question, reader, fits = trained
    for scope in (OUTER, *INNER):
        found = stack_on(scope, question, reader, fits)
        assert found.layers == list(LAYERS)
        assert found.stack.weights[1] > 0.5
        assert found.shares[0] < 0.2
        assert found.shares.sum() == pytest.approx(1)


def test_the_record_names_the_weights_and_the_curve_is_of_the_layers(trained):
    _, question, reader, fits = trained
    (fit, *_) = stack_fits(fits, question, reader)
    found = stack_on(OUTER, question, reader, fits)
    for layer, weight, share in zip(LAYERS, found.stack.weights, found.shares, strict=True):
        assert f"{layer} {weight:.3g} ({share:.0%})" in fit.record["setting"]
    curves = [fits[layer][OUTER].curve for layer in LAYERS]
    assert len(fit.curve) == fit.record["epochs"] == max(map(len, curves))
    np.testing.assert_allclose(fit.curve[0][1:], np.mean([c[0][1:] for c in curves], axis=0))


def test_an_archive_gives_the_predictions_also_when_widened_and_is_the_same_each_time(
    trained, tmp_path
):
    _, question, reader, fits = trained
    outer, *inner = stack_fits(fits, question, reader)
    assert all(fit.save is None for fit in inner)
    model = require_archive_gives_predictions(outer, reader, tmp_path)
    data = reader.load(OUTER, LAYERS)
    inputs = ensemble_inputs(model, data, data.rows("test"))
    wide = widened(model, {"mirna": 9, "rna": 20})
    assert wide.network.widths == {"mirna": 9, "rna": 20}
    np.testing.assert_allclose(
        wide(ensemble_inputs(wide, data, data.rows("test"))), model(inputs), rtol=1e-5, atol=1e-4
    )
    outer.save(tmp_path / "again")
    save_archive(model, tmp_path / "read")
    once = (tmp_path / f"{OUTER.key}.keras").read_bytes()
    assert (tmp_path / "again.keras").read_bytes() == once
    assert (tmp_path / "read.keras").read_bytes() == once


def test_attributions_add_up_and_those_of_absent_layers_are_exactly_zero(trained, tmp_path):
    _, question, reader, fits = trained
    outer = stack_fits(fits, question, reader)[0]
    model = widened(outer.network(), {"mirna": 9, "rna": 20})
    data = reader.load(OUTER, LAYERS)
    test = data.rows("test")
    found = Explainer().explain(model, data, test, seed=3)
    np.testing.assert_allclose(found.prediction, output_columns(outer, model), rtol=1e-4, atol=1e-4)
    difference = np.abs(found.prediction - found.baseline).mean()
    assert np.abs(found.gap).mean() < 0.2 * difference
    for name, values in found.values.items():
        here = data.layers[name].present[test]
        assert values.shape[1] == len(data.layers[name].features)
        assert not values[~here].any()
        assert values[here].any()
    strength = np.abs(found.values["rna"]).mean(axis=(0, 2))
    assert np.argmax(strength) == 0


def test_the_truth_of_an_inner_fold_does_not_enter_its_own_stack(trained):
    """What the networks decided is held: they were trained on outcomes of other inner folds."""
    _, question, reader, fits = trained
    decisions = decisions_of(fits, head_of(question), reader)

    def stacks(asked):
        head = head_of(asked)
        return [
            stack_of(reader.load(scope, ()), fits, decisions, head, asked.outcome)
            for scope in (OUTER, *INNER)
        ]

    before = stacks(question)
    for position, scope in enumerate(INNER, start=1):
        data = reader.load(scope, ())
        held_out = [data.samples[row] for row in data.rows("test")]
        table = question.outcome.table.copy()
        table.loc[held_out] = table.loc[held_out[::-1]].to_numpy()
        assert not table.equals(question.outcome.table)
        after = stacks(replace(question, outcome=replace(question.outcome, table=table)))
        for other, (was, now) in enumerate(zip(before, after, strict=True)):
            same = np.array_equal(was.stack.weights, now.stack.weights)
            assert same == (other == position)
        np.testing.assert_array_equal(after[position].scores, before[position].scores)


def test_garbage_in_test_samples_changes_neither_the_stack_nor_what_is_said_of_others(
    trained_on, tmp_path
):
    _, question, reader, fits = trained_on("survival")
    clean = stack_fits(fits, question, reader)
    write_nested(tmp_path, "survival")
    data = reader.load(OUTER, ())
    spoilt = {data.samples[row] for row in data.rows("test")[::2]}
    for path in tmp_path.glob("*.matrices.h5"):
        with h5py.File(path, "r+") as file:
            for node in file.values():
                rows = [i for i, name in enumerate(node["samples"].asstr()[:]) if name in spoilt]
                node["X"][rows] = np.full((len(rows), node["X"].shape[1]), 1e6, np.float32)
    samples = read_tsv(tmp_path / "samples.tsv").set_index("sample")
    samples.loc[sorted(spoilt), ["time", "event"]] = [1e6, 1]
    write_tsv(samples.reset_index(), tmp_path / "samples.tsv")
    dirty = train(*asked(tmp_path, "survival"))
    for was, now in zip(clean, dirty, strict=True):
        assert was.record == now.record
        assert was.curve == now.curve
        others = [row for row, name in enumerate(was.samples) if name not in spoilt]
        assert len(others) in (12, 32)
        for name, values in was.columns.items():
            np.testing.assert_array_equal(now.columns[name][others], values[others])
    clean[0].save(tmp_path / "clean")
    dirty[0].save(tmp_path / "dirty")
    archives = [(tmp_path / f"{name}.keras").read_bytes() for name in ("clean", "dirty")]
    assert archives[0] == archives[1]


def censor_those_with_mirna(folder: Path) -> None:
    samples = read_tsv(folder / "samples.tsv")
    samples.loc[np.arange(SAMPLES) % 4 != 3, "event"] = 0
    write_tsv(samples, folder / "samples.tsv")


def take_features_away(folder: Path, layer: str = "mirna") -> None:
    with h5py.File(folder / f"{layer}.all.matrices.h5", "r+") as file:
        for node in file.values():
            for name in ("X", "features"):
                kept = node[name][..., :0]
                del node[name]
                node[name] = kept


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [(censor_those_with_mirna, "has an event"), (take_features_away, "No sample to fit on has")],
    ids=["no event", "no features"],
)
def test_a_layer_whose_fit_fails_takes_no_part(tmp_path, spoil, reason):
    write_nested(tmp_path, "survival")
    spoil(tmp_path)
    question, reader = asked(tmp_path, "survival")
    fits = train(question, reader)
    for fit in fits:
        assert fit.record["status"] == "ok"
        assert "without mirna: " in fit.record["setting"]
        assert reason in fit.record["setting"]
        assert all(np.isfinite(values).all() for values in fit.columns.values())
    model = require_archive_gives_predictions(fits[0], reader, tmp_path)
    assert sorted(model.network.widths) == list(LAYERS)


def test_a_fit_that_fails_in_one_inner_fold_only_is_missed_there_only(trained):
    _, question, reader, fits = trained
    reason = "The loss was infinite or undefined."
    failed = failed_fit(reader.load(INNER[1], LAYERS), question.outcome, question.horizons, reason)
    fewer = {**fits, "mirna": {**fits["mirna"], INNER[1]: failed}}
    stacked = stack_fits(fewer, question, reader)
    told = [f"without mirna: {reason}" in fit.record["setting"] for fit in stacked]
    assert told == [False, False, True, False]
    for fit in stacked:
        assert all(np.isfinite(values).all() for values in fit.columns.values())


def test_a_scope_without_any_layer_or_inner_fold_fails_with_the_reasons(tmp_path, trained_on):
    write_nested(tmp_path, "regression")
    for layer in LAYERS:
        take_features_away(tmp_path, layer)
    for fit in train(*asked(tmp_path, "regression")):
        assert fit.record["status"] == "failed"
        for said in ("mirna: No sample", "rna: No sample"):
            assert said in fit.record["reason"]
        assert all(np.isnan(values).all() for values in fit.columns.values())
    _, question, reader, fits = trained_on("regression")
    outer = {layer: {OUTER: of_layer[OUTER]} for layer, of_layer in fits.items()}
    alone = stack_fits(outer, question, reader)[0]
    assert alone.record["status"] == "failed"
    assert "inner fold" in alone.record["reason"]


def test_a_sample_without_any_layer_is_judged_by_the_intercept(trained):
    _, question, reader, fits = trained
    found = stack_on(OUTER, question, reader, fits)
    data = reader.load(OUTER, LAYERS)
    none = [row for row in range(len(data.samples)) if row == SAMPLES - 1]
    assert not any(block.present[none].any() for block in data.layers.values())
    np.testing.assert_array_equal(found.scores[none[0]], found.stack.intercept)


def test_each_layer_is_learnt_from_the_samples_that_have_it(tmp_path):
    write_nested(tmp_path, "regression")
    reader, _ = open_cohort(tmp_path, "regression")
    having = reader.narrowed("mirna")
    assert having.layer_names == ("mirna",)
    assert having.scopes == reader.scopes
    assert having.largest("train") == reader.largest("train")
    for scope in reader.scopes:
        everyone = reader.load(scope, ("mirna",))
        some = having.load(scope, ("mirna",))
        assert some.layers["mirna"].present.all()
        assert some.samples == tuple(np.array(everyone.samples)[everyone.layers["mirna"].present])
        assert sum(having.role_counts(scope).values()) == len(some.samples)
    take_features_away(tmp_path)
    assert reader.narrowed("mirna").scopes == []


@pytest.mark.parametrize(
    ("task", "more", "said"),
    [
        ("survival", {"head": "discrete_hazard"}, "logistic hazards"),
        ("regression", {"head": "huber"}, "Huber"),
        ("classification", {"class_order": ("high", "low", "middle")}, "high < low < middle"),
    ],
    ids=["discrete hazards", "huber", "ordinal"],
)
def test_other_heads_are_stacked_too(tmp_path, monkeypatch, task, more, said):
    monkeypatch.setattr(training, "MAX_EPOCHS", 20)
    write_nested(tmp_path, task)
    question, reader = asked(tmp_path, task, **more)
    fits = train(question, reader)
    assert said in fits[0].record["setting"]
    for fit in fits:
        assert all(np.isfinite(values).all() for values in fit.columns.values())
    require_archive_gives_predictions(fits[0], reader, tmp_path)


FEATURES: Mapping[str, tuple[str, ...]] = {
    name: tuple(f"{name}_{i}" for i in range(width)) for name, width in sorted(WIDTHS.items())
}


def small(link: str = "softmax") -> MemberEnsemble:
    """Return a late network with random weights: two members for one layer, three for another."""
    parts = []
    for (name, features), members in zip(FEATURES.items(), (2, 3), strict=True):
        network = begun(FusedNetwork({name: len(features)}, 2, members), {name: features})
        parts.append(MemberEnsemble(network, link, ("a", "b"), {name: features}))
    network = LateNetwork(parts)
    network.build()
    network.layer_weights.assign([[0.5, 2.0]])
    network.intercept.assign([[0.25, -1.0]])
    return MemberEnsemble(network, link, ("a", "b"), FEATURES)


def small_inputs() -> tuple[dict[str, np.ndarray], np.ndarray]:
    return random_inputs(FEATURES, members=1), everything(FEATURES)[:1]


@pytest.mark.parametrize("link", ["softmax", "identity"])
def test_outputs_are_the_weighted_decisions_of_the_layers(link):
    network = small(link).network
    x, present = small_inputs()
    expected = np.array([[0.25, -1.0]])
    for part, weight in zip(network.parts, (0.5, 2.0), strict=True):
        (name,) = part.network.widths
        said = np.asarray(part({"x": {name: x[name][0]}, "present": present[0, :, :1]}))
        expected = expected + weight * (class_decisions(said) if link == "softmax" else said)
    outputs = np.asarray(network(x, present))
    assert outputs.shape == (1, 5, 2)
    np.testing.assert_allclose(outputs[0], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(compiled(network)(x, present), outputs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("junk", [-1e6, np.nan, np.inf])
@pytest.mark.parametrize("column", range(2), ids=FEATURES)
def test_values_of_an_absent_layer_change_nothing_at_all(column, junk):
    network = small().network
    x, present = small_inputs()
    complete = np.asarray(network(x, present))
    present[:, 2, column] = 0
    before = np.asarray(network(x, present))
    x[list(FEATURES)[column]][:, 2] = junk
    np.testing.assert_array_equal(network(x, present), before)
    assert np.isfinite(before).all()
    assert not np.array_equal(before[0, 2], complete[0, 2])


def test_a_sample_without_any_layer_gets_the_intercept():
    network = small().network
    x = {name: np.full_like(values, np.nan) for name, values in small_inputs()[0].items()}
    outputs = np.asarray(network(x, np.zeros((1, 5, 2), np.float32)))
    np.testing.assert_array_equal(outputs, np.broadcast_to([0.25, -1.0], (1, 5, 2)))


def test_padding_of_columns_does_not_matter():
    model = small()
    more = {"mirna": 7, "rna": 30}
    x, present = small_inputs()
    np.testing.assert_allclose(
        widened(model, more).network(padded(x, more), present),
        model.network(x, present),
        rtol=1e-4,
        atol=1e-5,
    )
