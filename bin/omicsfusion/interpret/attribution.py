"""Expected gradients: what each feature adds to a network's prediction for each sample."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from omicsfusion.models.backend import Tensor, compiled, keras, output_gradients

ops = keras.ops

SAMPLES_AT_ONCE = 16

Inputs = Mapping[str, Any]
Weights = Any
Model = Callable[[Weights, Inputs], Tensor]


@dataclass(frozen=True)
class Attribution:
    """Attributions of some samples.

    Attributes
    ----------
    values
        Layer -> samples x features x outputs, in the unit of the outputs. Exactly 0 where the
        sample lacks the layer.
    prediction
        samples x outputs.
    baseline
        samples x outputs: the mean prediction of the background, each background sample seen with
        the layers that the explained sample has.
    """

    values: dict[str, np.ndarray]
    prediction: np.ndarray
    baseline: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """Sum of the attributions less (prediction - baseline), samples x outputs; 0 if exact."""
        summed = sum(values.sum(axis=1) for values in self.values.values())
        return summed - (self.prediction - self.baseline)


class ExpectedGradients:
    """Attributes predictions to features by expected gradients; compiles once per shape.

    Erion et al., Nature Machine Intelligence 3, 2021, 620-631, equation 3: the mean over background
    samples x' and places a in (0, 1) of (x - x') times the gradient at x' + a (x - x'). Every
    background sample is used twice per explained sample, at a place a of its own and at 1 - a: the
    places are the midpoints of as many equal parts of the path, dealt to the background samples at
    random. The pairs make a gradient that changes linearly along the path exact.

    The layers that are there stay those of the explained sample. Where a background sample lacks a
    layer that the explained one has, its values are 0, the centre of the training samples.

    Parameters
    ----------
    model
        ``model(weights, {"x": layer -> samples x features, "present": samples x layers})`` returns
        samples x outputs. It must not use the values of absent layers. The weights are apart so
        that networks of the same shapes share what was compiled.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._mean_over_paths = compiled(partial(_mean_over_paths, model))

    def attribute(
        self, weights: Weights, inputs: Inputs, background: Inputs, seed: int
    ) -> Attribution:
        """Explain samples.

        Parameters
        ----------
        inputs, background
            The samples to explain and those to compare with. Layers are in the order of
            ``present``.
        seed
            Of the dealing of places.
        """
        names = list(inputs["x"])
        n, size = len(inputs["present"]), len(background["present"])
        place = np.argsort(np.random.default_rng(seed).random((n, size)), axis=1) + 0.5
        place = (place / size).astype(np.float32)
        compared = {
            name: np.where(background["present"][:, [column]] > 0, background["x"][name], 0.0)
            for column, name in enumerate(names)
        }
        parts = []
        for first in range(0, n, SAMPLES_AT_ONCE):
            # The last block repeats its last sample, so that all have one shape.
            rows = np.minimum(np.arange(first, first + SAMPLES_AT_ONCE), n - 1)
            x = {name: inputs["x"][name][rows] for name in names}
            found = self._mean_over_paths(
                weights, x, inputs["present"][rows], compared, place[rows]
            )
            parts.append({name: np.asarray(found[name])[: n - first] for name in names})
        return Attribution(
            values={name: np.concatenate([part[name] for part in parts]) for name in names},
            prediction=np.asarray(self.model(weights, inputs)),
            baseline=self._baseline(weights, compared, inputs["present"]),
        )

    def _baseline(
        self, weights: Weights, compared: Mapping[str, np.ndarray], present: np.ndarray
    ) -> np.ndarray:
        """Mean prediction of the background under each sample's own mask."""
        masks, which = np.unique(present, axis=0, return_inverse=True)
        size = len(next(iter(compared.values())))
        means = []
        for mask in masks:
            seen = {"x": dict(compared), "present": np.repeat(mask[None], size, axis=0)}
            means.append(np.asarray(self.model(weights, seen)).mean(axis=0))
        return np.stack(means)[which.reshape(-1)]


def _mean_over_paths(
    model: Model,
    weights: Weights,
    x: Mapping[str, Tensor],
    present: Tensor,
    compared: Mapping[str, Tensor],
    place: Tensor,
) -> dict[str, Tensor]:
    """Average over background and places: layer -> samples x features x outputs."""
    n, size = place.shape
    step = {name: x[name][:, None, :] - compared[name][None, :, :] for name in x}
    masks = ops.repeat(present, size, axis=0)
    totals: dict[str, list[Tensor]] = {name: [] for name in x}
    for at in (place, 1 - place):
        points = {
            name: ops.reshape(
                compared[name][None, :, :] + at[:, :, None] * step[name], (n * size, -1)
            )
            for name in x
        }
        gradients = output_gradients(partial(model, weights), points, masks)
        for name in x:
            slopes = [ops.reshape(of_output[name], (n, size, -1)) for of_output in gradients]
            means = [ops.sum(step[name] * slope, axis=1) / (2 * size) for slope in slopes]
            totals[name].append(ops.stack(means, axis=-1))
    return {name: sum(parts) for name, parts in totals.items()}
