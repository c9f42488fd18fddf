"""What the families with joint hidden layers must not notice, and that they learn and are kept."""

from functools import cache

import keras
import numpy as np
import pytest

from omicsfusion.models import training
from omicsfusion.models.backend import compiled, output_gradients
from omicsfusion.models.ensemble import ensemble_inputs, widened
from omicsfusion.models.families import attention, early, tensor
from omicsfusion.models.fit import prediction_table
from omicsfusion.models.registry import ModelSpec
from omicsfusion.models.request import TrainingRequest
from tests.family_tasks import families_and_tasks
from tests.network_cohort import open_cohort, write_cohort
from tests.small_networks import (
    DRAW,
    MEMBERS,
    ROWS,
    begun,
    everything,
    padded,
    random_inputs,
    require_same_alone,
)
from tests.trained_families import require_signal

FEATURES = {"cnv": tuple("abc"), "mirna": tuple("abcd"), "rna": tuple("abcdefgh")}
WIDTHS = {name: len(features) for name, features in FEATURES.items()}
EVERYTHING = everything(FEATURES)
NETWORKS = {
    "attention": attention.AttentionNetwork,
    "early": early.EarlyNetwork,
    "tensor": tensor.TensorNetwork,
}
TRAIN = {"attention": attention.train, "early": early.train, "tensor": tensor.train}
families = pytest.mark.parametrize("family", NETWORKS)
OFTEN = {"attention": "survival", "early": "regression", "tensor": "classification"}
of_task = pytest.mark.parametrize(("family", "task"), families_and_tasks(OFTEN))


def built(family: str, widths=WIDTHS):
    return begun(NETWORKS[family](widths, units=2, members=MEMBERS), FEATURES)


@families
def test_outputs_have_their_shape_and_are_the_same_when_compiled(family):
    network, x = built(family), random_inputs(FEATURES)
    for draw in (None, DRAW):
        outputs = np.asarray(network(x, EVERYTHING, draw))
        assert outputs.shape == (MEMBERS, ROWS, 2)
        assert np.isfinite(outputs).all()
        assert np.ptp(outputs, axis=1).min() > 0
        np.testing.assert_allclose(
            compiled(network)(x, EVERYTHING, draw), outputs, rtol=1e-4, atol=1e-5
        )


@families
@pytest.mark.parametrize("draw", [None, DRAW], ids=["predict", "train"])
@pytest.mark.parametrize("junk", [-1e6, np.nan, np.inf])
@pytest.mark.parametrize("column", range(len(FEATURES)), ids=FEATURES)
def test_values_of_an_absent_layer_change_nothing_at_all(family, column, junk, draw):
    network, x, present = built(family), random_inputs(FEATURES), EVERYTHING.copy()
    present[:, 2, column] = 0
    before = np.asarray(network(x, present, draw))
    x[list(FEATURES)[column]][:, 2] = junk
    np.testing.assert_array_equal(network(x, present, draw), before)
    assert np.isfinite(before).all()


@families
def test_a_sample_that_lacks_a_layer_gets_another_output_than_one_that_has_zeros_there(family):
    network, x, present = built(family), random_inputs(FEATURES), EVERYTHING.copy()
    x["mirna"][:, 2] = 0
    before = np.asarray(network(x, present))
    present[:, 2, 1] = 0
    changed = np.abs(np.asarray(network(x, present)) - before).max(axis=(0, 2))
    assert changed[2] > 1e-3
    assert not changed[[0, 1, 3, 4]].any()


@families
def test_a_sample_without_any_layer_gets_the_same_finite_output_whatever_it_holds(family):
    network = built(family)
    nothing = np.zeros_like(EVERYTHING)
    x = {name: np.full_like(values, np.nan) for name, values in random_inputs(FEATURES).items()}
    outputs = np.asarray(network(x, nothing))
    assert np.isfinite(outputs).all()
    np.testing.assert_array_equal(outputs, network(random_inputs(FEATURES), nothing))
    np.testing.assert_allclose(outputs, np.repeat(outputs[:, :1], ROWS, axis=1), rtol=1e-5)


@families
def test_columns_of_padding_never_matter(family):
    more = {"cnv": 5, "mirna": 4, "rna": 20}
    narrow, wide, x = built(family), built(family, more), random_inputs(FEATURES)
    for draw in (None, DRAW):
        np.testing.assert_allclose(
            wide(padded(x, more), EVERYTHING, draw),
            narrow(x, EVERYTHING, draw),
            rtol=1e-4,
            atol=1e-5,
        )


@families
def test_random_layers_of_a_network_draw_at_places_of_their_own(family):
    network = built(family)
    places = [layer.place for layer in network._flatten_layers() if hasattr(layer, "place")]
    assert len(places) > len(FEATURES)
    assert len(set(places)) == len(places)


@pytest.mark.parametrize(
    "family",
    [pytest.param("attention", marks=pytest.mark.families), "early", "tensor"],
)
def test_after_one_epoch_a_member_alone_and_among_others_agree(family, monkeypatch):
    monkeypatch.setattr(training, "EPOCHS_WITHOUT_STOP", 1)
    network = built(family)
    fewer = {**FEATURES, "rna": FEATURES["rna"][3:]}
    require_same_alone(network, FEATURES, fewer)


@families
def test_the_structure_is_saved(family):
    structure = {
        "attention": {"hidden": 8, "heads": 2, "depth": 2, "queries": 3},
        "early": {"hidden": [8, 6, 5]},
        "tensor": {"hidden": 8, "fused": 5, "rank": 3},
    }[family]
    network = NETWORKS[family](WIDTHS, 2, MEMBERS, **structure)
    again = type(network).from_config(network.get_config())
    for one in (network, again):
        one.build()
    assert structure.items() <= again.get_config().items()
    assert [v.shape for v in again.variables] == [v.shape for v in network.variables]
    assert [v.path for v in again.variables] == [v.path for v in network.variables]


@pytest.fixture(scope="module")
def trained_on(tmp_path_factory):
    """Return a function from family and task to the reader, the outcome and the fits."""

    @cache
    def folder_of(task: str):
        folder = tmp_path_factory.mktemp(task)
        write_cohort(folder, task)
        return folder

    @cache
    def trained_on(family: str, task: str):
        reader, outcome = open_cohort(folder_of(task), task)
        spec = ModelSpec(family, family, ("mirna", "rna"))
        request = TrainingRequest(spec, outcome, [1.0, 2.0], seed=3)
        return reader, outcome, TRAIN[family](request, reader)

    return trained_on


@of_task
def test_the_signal_is_found_in_samples_not_trained_on(trained_on, family, task):
    _, outcome, fits = trained_on(family, task)
    table = prediction_table(fits, family, "outcome", outcome)
    require_signal(table, task)


@of_task
def test_an_archive_gives_the_predictions_of_the_fit_and_its_gradients(
    trained_on, family, task, tmp_path
):
    reader, _, fits = trained_on(family, task)
    for fit in (fit for fit in fits if fit.save):
        fit.save(tmp_path / fit.scope.key)
        model = keras.saving.load_model(tmp_path / f"{fit.scope.key}.keras", compile=False)
        data = reader.load(fit.scope, ("mirna", "rna"))
        inputs = ensemble_inputs(model, data, data.rows("test"))
        outputs = np.asarray(model(inputs))
        named = model.outputs_named
        columns = [f"p_{name}" for name in named] if task == "classification" else named
        saved = np.column_stack([fit.columns[column] for column in columns])
        np.testing.assert_allclose(outputs, saved, rtol=1e-4, atol=1e-4)
        wide = widened(model, {"mirna": 9, "rna": 20})
        more = ensemble_inputs(wide, data, data.rows("test"))
        np.testing.assert_allclose(np.asarray(wide(more)), outputs, rtol=1e-4, atol=1e-4)
        gradients = compiled(lambda i, m=model: output_gradients(m, i["x"], i["present"]))(inputs)
        absent = inputs["present"][:, 0] == 0
        assert absent.any()
        for of_output in gradients:
            assert np.asarray(of_output["rna"]).any(axis=0).all()
            assert not np.asarray(of_output["mirna"])[absent].any()
