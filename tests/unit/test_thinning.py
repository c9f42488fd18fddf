"""Monte Carlo dropout: thinned networks, the same for all samples."""

from pathlib import Path

import numpy as np
import pytest

from omicsfusion.models.archive import read_archive
from omicsfusion.models.ensemble import ensemble_inputs
from omicsfusion.models.families.fused import FusedNetwork, train
from omicsfusion.models.registry import ModelSpec
from omicsfusion.models.request import TrainingRequest
from omicsfusion.models.settings import DEFAULTS
from omicsfusion.models.thinning import thinned_outputs
from omicsfusion.scopes import Scope
from tests.network_cohort import open_cohort, write_cohort

SPEC = ModelSpec("fused", "fused", ("mirna", "rna"))
NAMES = {"mirna": ("a", "b", "c"), "rna": tuple("defghijk")}
SEEDS = np.array([3, 4], np.uint32)
NETWORKS = 5
RNG = np.random.default_rng(2)
X = {name: RNG.normal(size=(2, 6, len(of))).astype(np.float32) for name, of in NAMES.items()}
PRESENT = np.ones((2, 6, 2), np.float32)


@pytest.fixture(scope="module")
def network() -> FusedNetwork:
    network = FusedNetwork({name: len(of) for name, of in NAMES.items()}, 2, 2, hidden=8)
    network.build()
    for variable in network.trainable_variables:
        variable.assign(RNG.normal(size=variable.shape))
    set_up(network, DEFAULTS)
    return network


def set_up(network: FusedNetwork, settings) -> None:
    for variable, value in zip(
        network.non_trainable_variables, network.constants(NAMES, settings), strict=True
    ):
        variable.assign(np.stack([value] * 2))


def thinned(network: FusedNetwork, networks: int = NETWORKS, samples: slice = slice(None)):
    x = {name: values[:, samples] for name, values in X.items()}
    outputs = thinned_outputs(lambda draw: network(x, PRESENT[:, samples], draw), SEEDS, networks)
    return np.asarray(outputs)


def test_networks_of_a_member_stand_side_by_side_and_differ(network):
    found = thinned(network)
    assert found.shape == (2 * NETWORKS, 6, 2)
    draw = {"thinned": np.stack([SEEDS, np.full(2, 3, np.uint32)], axis=1)}
    third = np.asarray(network(X, PRESENT, draw))
    np.testing.assert_allclose(found[[3, NETWORKS + 3]], third, rtol=1e-5)
    assert np.ptp(found[:NETWORKS], axis=0).min() > 0


def test_a_prediction_does_not_hang_on_the_samples_beside_it(network):
    together = thinned(network)
    np.testing.assert_allclose(
        thinned(network, samples=slice(4, 5))[:, 0], together[:, 4], rtol=1e-5
    )


def test_without_dropout_thinned_networks_are_whole_and_no_layer_is_hidden(network):
    set_up(network, {**DEFAULTS, "hidden_dropout": 0.0, "input_dropout": 0.0, "omics_dropout": 0.9})
    whole = thinned(network, networks=0)
    found = thinned(network)
    set_up(network, DEFAULTS)
    np.testing.assert_allclose(found, np.repeat(whole, NETWORKS, axis=0), rtol=1e-5)


def test_an_archive_predicts_by_the_same_thinned_networks(tmp_path: Path):
    scope = Scope(1, 1, "outer")
    write_cohort(tmp_path, "regression", (scope,))
    reader, outcome = open_cohort(tmp_path, "regression")
    [fit] = train(TrainingRequest(SPEC, outcome, [], seed=3, mc_dropout=NETWORKS), reader)
    [plain] = train(TrainingRequest(SPEC, outcome, [], seed=3), reader)
    assert "each the mean of 5 thinned ones" in str(fit.record["setting"])
    assert fit.save is not None
    fit.save(tmp_path / "model")
    model = read_archive(tmp_path / "model.keras")
    data = reader.load(scope, ["mirna", "rna"])
    mean = np.asarray(model(ensemble_inputs(model, data, data.rows("test"))))[:, 0]
    np.testing.assert_allclose(mean, fit.columns["mean"], rtol=1e-4)
    assert np.corrcoef(fit.columns["mean"], plain.columns["mean"])[0, 1] > 0.9
    assert not np.allclose(fit.columns["mean"], plain.columns["mean"], rtol=1e-3)
