"""The head of classes: cross-entropy, smoothed or focused, and what its probabilities mean."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from omicsfusion.models.heads.choice import head_for
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.network_cohort import SCOPES, open_cohort, write_cohort

MEMBERS, ROWS, CLASSES = 2, 7, 3


@pytest.fixture
def cohort(tmp_path):
    """Return a function that writes the classes of some roles, and opens the one scope."""
    write_cohort(tmp_path, "classification", SCOPES[:1])

    def cohort(**truth_of_role: list[str]):
        splits = read_tsv(tmp_path / "splits.tsv", text_columns=("role", "group"))
        samples = read_tsv(tmp_path / "samples.tsv").set_index("sample")
        for role, truths in truth_of_role.items():
            chosen = splits.loc[splits["role"] == role, "sample"]
            samples.loc[chosen, "truth"] = np.resize(truths, len(chosen))
        write_tsv(samples.reset_index(), tmp_path / "samples.tsv")
        reader, outcome = open_cohort(tmp_path, "classification")
        return reader.load(SCOPES[0], ("mirna", "rna")), outcome

    return cohort


@pytest.fixture
def head(cohort):
    return head_for(cohort()[1])


def a_batch(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return outputs, classes and weights of a batch."""
    rng = np.random.default_rng(seed)
    outputs = 3 * rng.normal(size=(MEMBERS, ROWS, CLASSES)).astype(np.float32)
    truth = rng.integers(CLASSES, size=(MEMBERS, ROWS, 1)).astype(np.float32)
    return outputs, truth, rng.random((MEMBERS, ROWS)).astype(np.float32)


def settings(smoothing=(0.0, 0.0), focal=(0.0, 0.0)) -> dict[str, np.ndarray]:
    pairs = {"label_smoothing": smoothing, "focal": focal}
    return {name: np.array(values, np.float32) for name, values in pairs.items()}


def probabilities(outputs: np.ndarray) -> np.ndarray:
    odds = np.exp(outputs.astype(float))
    return odds / odds.sum(axis=-1, keepdims=True)


def weighted(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return (values * weight).sum(axis=-1) / weight.sum(axis=-1)


def test_without_smoothing_and_focus_the_loss_is_the_weighted_cross_entropy_to_the_bit(head):
    outputs, truth, weight = a_batch()
    loss = head.loss(outputs, truth, weight, settings())
    entropy = -keras.ops.sum(
        keras.ops.one_hot(truth[..., 0].astype(int), CLASSES)
        * keras.ops.log_softmax(outputs, axis=-1),
        axis=-1,
    )
    plain = keras.ops.sum(entropy * weight, axis=-1) / keras.ops.sum(weight, axis=-1)
    np.testing.assert_array_equal(loss, plain)
    p = np.take_along_axis(probabilities(outputs), truth.astype(int), axis=-1)[..., 0]
    np.testing.assert_allclose(loss, weighted(-np.log(p), weight), rtol=1e-5)


def test_each_member_smooths_by_its_own_share(head):
    outputs, truth, weight = a_batch(1)
    shares = np.array([0.1, 0.3])
    wanted = np.eye(CLASSES)[truth[..., 0].astype(int)]
    wanted = (1 - shares)[:, None, None] * wanted + shares[:, None, None] / CLASSES
    expected = weighted(-(wanted * np.log(probabilities(outputs))).sum(axis=-1), weight)
    loss = head.loss(outputs, truth, weight, settings(smoothing=shares))
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_each_member_focuses_by_its_own_exponent(head):
    outputs, truth, weight = a_batch(2)
    exponents = np.array([0.0, 2.0])
    p = np.take_along_axis(probabilities(outputs), truth.astype(int), axis=-1)[..., 0]
    expected = weighted((1 - p) ** exponents[:, None] * -np.log(p), weight)
    loss = head.loss(outputs, truth, weight, settings(focal=exponents))
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 2.0])
def test_a_sure_prediction_has_a_finite_gradient(head, exponent):
    outputs = tf.constant([[[200.0, 0, 0], [-200.0, 0, 0]]] * MEMBERS)
    truth, weight = np.zeros((MEMBERS, 2, 1), np.float32), np.ones((MEMBERS, 2), np.float32)
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        loss = head.loss(outputs, truth, weight, settings(focal=(exponent,) * 2))
    assert np.isfinite(loss).all()
    assert np.isfinite(tape.gradient(loss, outputs)).all()


def test_stop_samples_of_one_class_cannot_tell_when_to_stop(cohort):
    data, outcome = cohort()
    assert head_for(outcome).targets(data).stops
    data, outcome = cohort(stop=["high"])
    assert not head_for(outcome).targets(data).stops


def test_a_class_that_only_stop_samples_have_neither_weighs_nor_judges(cohort):
    data, outcome = cohort(train=["high", "low"], stop=["middle", "low"])
    targets = head_for(outcome).targets(data)
    middle = targets.values[:, 0] == outcome.classes.index("middle")
    assert middle.any()
    assert not targets.weight[middle].any()
    assert not targets.stops


def test_the_record_tells_the_shares_that_a_correction_needs(cohort):
    data, outcome = cohort(train=["high", "high", "low", "middle"])
    note = head_for(outcome).targets(data).note
    assert note == "shares of the classes fitted on: high 0.5, low 0.25, middle 0.25"
