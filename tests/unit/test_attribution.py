import numpy as np
import tensorflow as tf

from omicsfusion.interpret.attribution import ExpectedGradients

rng = np.random.default_rng(0)
WEIGHTS = {
    name: rng.normal(size=(p, 2)).astype(np.float32) for name, p in (("mirna", 3), ("rna", 4))
}
CURVE = rng.normal(size=(4, 4)).astype(np.float32)
# Sums of some tens of float32 terms of size about one.
ROUNDING = {"rtol": 1e-5, "atol": 2e-5}


def inputs(rows: int, seed: int) -> dict:
    draw = np.random.default_rng(seed)
    shapes = {name: (rows, len(w)) for name, w in WEIGHTS.items()}
    x = {name: draw.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    return {"x": x, "present": np.ones((rows, 2), np.float32)}


def seen(arrays, column, name):
    return arrays["x"][name] * tf.convert_to_tensor(arrays["present"])[:, column : column + 1]


def linear(_, arrays):
    return sum(
        seen(arrays, i, name) @ tf.constant(w) for i, (name, w) in enumerate(WEIGHTS.items())
    )


def quadratic(_, arrays):
    rna = seen(arrays, 1, "rna")
    return linear(None, arrays) + tf.reduce_sum(
        (rna @ tf.constant(CURVE)) * rna, axis=1, keepdims=True
    )


def test_attributions_of_a_linear_model_are_weight_times_distance_from_the_background():
    given, background = inputs(11, 1), inputs(5, 2)
    found = ExpectedGradients(linear).attribute([], given, background, seed=3)
    for name, weight in WEIGHTS.items():
        distance = given["x"][name] - background["x"][name].mean(axis=0)
        expected = distance[:, :, None] * weight
        np.testing.assert_allclose(found.values[name], expected, **ROUNDING)
    np.testing.assert_allclose(found.gap, 0, **ROUNDING)


def test_attributions_of_a_quadratic_model_add_up_exactly():
    given, background = inputs(6, 4), inputs(7, 5)
    found = ExpectedGradients(quadratic).attribute([], given, background, seed=3)
    difference = quadratic(None, given).numpy() - quadratic(None, background).numpy().mean(axis=0)
    np.testing.assert_allclose(found.prediction - found.baseline, difference, **ROUNDING)
    summed = sum(values.sum(axis=1) for values in found.values.values())
    np.testing.assert_allclose(summed, difference, **ROUNDING)


def test_an_absent_layer_gets_exactly_nothing_and_the_background_is_seen_without_it():
    given, background = inputs(4, 6), inputs(5, 7)
    given["present"][1, 1] = 0
    given["x"]["rna"][1] = 1e6
    found = ExpectedGradients(quadratic).attribute([], given, background, seed=3)
    assert not found.values["rna"][1].any()
    assert found.values["rna"][0].all()
    without = background["x"]["mirna"].mean(axis=0) @ WEIGHTS["mirna"]
    np.testing.assert_allclose(found.baseline[1], without, **ROUNDING)
    np.testing.assert_allclose(found.gap, 0, **ROUNDING)


def test_a_background_sample_without_the_layer_stands_at_the_training_centre():
    given, background = inputs(4, 8), inputs(5, 9)
    background["present"][:, 1] = 0
    found = ExpectedGradients(linear).attribute([], given, background, seed=3)
    expected = given["x"]["rna"][:, :, None] * WEIGHTS["rna"]
    np.testing.assert_allclose(found.values["rna"], expected, **ROUNDING)
