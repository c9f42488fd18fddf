"""Expected gradients: what each feature adds to a network's prediction for each sample."""

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from omicsfusion.models.backend import output_gradients

SAMPLES_AT_ONCE = 8

Inputs = Mapping[str, Any]
Model = Callable[[Inputs], Any]


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


def expected_gradients(model: Model, inputs: Inputs, background: Inputs, seed: int) -> Attribution:
    """Attribute predictions to features by expected gradients.

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
        From ``{"x": layer -> samples x features, "present": samples x layers}`` to samples x
        outputs. It must not use the values of absent layers.
    inputs, background
        The samples to explain and those to compare with. Layers are in the order of ``present``.
    seed
        Of the dealing.
    """
    names = list(inputs["x"])
    n, size = len(inputs["present"]), len(background["present"])
    rng = np.random.default_rng(seed)
    place = (np.argsort(rng.random((n, size)), axis=1) + 0.5) / size
    compared = {
        name: np.where(background["present"][:, [column]] > 0, background["x"][name], 0.0)
        for column, name in enumerate(names)
    }
    parts = []
    for first in range(0, n, SAMPLES_AT_ONCE):
        rows = slice(first, min(first + SAMPLES_AT_ONCE, n))
        x = {name: inputs["x"][name][rows] for name in names}
        one, other = (
            _mean_over_paths(model, x, inputs["present"][rows], compared, at)
            for at in (place[rows], 1 - place[rows])
        )
        parts.append({name: (one[name] + other[name]) / 2 for name in names})
    values = {name: np.concatenate([part[name] for part in parts]) for name in names}
    for column, name in enumerate(names):
        values[name][inputs["present"][:, column] == 0] = 0.0
    return Attribution(
        values=values,
        prediction=np.asarray(model(inputs)),
        baseline=_baseline(model, compared, inputs["present"]),
    )


def _mean_over_paths(
    model: Model,
    x: Mapping[str, np.ndarray],
    present: np.ndarray,
    compared: Mapping[str, np.ndarray],
    place: np.ndarray,
) -> dict[str, np.ndarray]:
    """Average over the background; ``place`` is samples x background."""
    n, size = place.shape
    step = {name: x[name][:, None, :] - compared[name][None, :, :] for name in x}
    along = place[:, :, None].astype(np.float32)
    points = {
        name: (compared[name][None, :, :] + along * step[name]).reshape(n * size, -1) for name in x
    }
    gradients = output_gradients(model, points, np.repeat(present, size, axis=0))
    means: dict[str, list[np.ndarray]] = {name: [] for name in x}
    for of_output in gradients:
        for name in x:
            slope = of_output[name].reshape(n, size, -1)
            means[name].append(np.einsum("nbp,nbp->np", step[name], slope) / size)
    return {name: np.stack(columns, axis=-1) for name, columns in means.items()}


def _baseline(model: Model, compared: Mapping[str, np.ndarray], present: np.ndarray) -> np.ndarray:
    """Mean prediction of the background under each sample's own mask."""
    masks, which = np.unique(present, axis=0, return_inverse=True)
    size = len(next(iter(compared.values())))
    means = []
    for mask in masks:
        seen = {"x": dict(compared), "present": np.repeat(mask[None], size, axis=0)}
        means.append(np.asarray(model(seen)).mean(axis=0))
    return np.stack(means)[which.reshape(-1)]
