"""What the steps of a chain have in common: checks of their input, and their state on disk."""

import json
from typing import Any, ClassVar, Self

import h5py
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import validate_data


class Step(TransformerMixin, BaseEstimator):
    """A scikit-learn transformer whose parameters and fitted state fit into an HDF5 group.

    NaN is a missing value and welcome unless a step says otherwise. ``transform`` treats each
    sample alone, with element-wise arithmetic only, so that a sample's result is the same bits
    whatever other samples stand beside it.
    """

    state: ClassVar[tuple[str, ...]] = ()
    """Names of the fitted attributes: arrays, or what JSON can hold."""

    def to_h5(self, group: h5py.Group) -> None:
        """Write the parameters and the fitted state."""
        write_json(group, "step", type(self).__name__)
        write_json(group, "params", self.get_params())
        write_json(group, "n_features_in_", self.n_features_in_)
        for name in self.state:
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                group.create_dataset(name, data=value)
            else:
                write_json(group, name, value)

    @classmethod
    def from_h5(cls, group: h5py.Group) -> Self:
        """Read a fitted step that :meth:`to_h5` wrote."""
        step = cls(**read_json(group, "params"))
        for name in ("n_features_in_", *cls.state):
            is_json = "json" in group[name].attrs
            setattr(step, name, read_json(group, name) if is_json else group[name][:])
        return step

    def _checked(self, X: Any, *, fitting: bool = False) -> np.ndarray:
        """Return X as float64, samples x features; refuse infinity and other widths than fitted."""
        return validate_data(
            self, X, reset=fitting, dtype=np.float64, ensure_all_finite="allow-nan"
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def write_json(group: h5py.Group, name: str, value: Any) -> None:
    """Write what JSON can hold as a dataset of UTF-8 bytes (an attribute ends at 64 KB)."""
    text = json.dumps(value, sort_keys=True)
    group.create_dataset(name, data=np.frombuffer(text.encode(), dtype=np.uint8))
    group[name].attrs["json"] = True


def read_json(group: h5py.Group, name: str) -> Any:
    """Read what :func:`write_json` wrote."""
    return json.loads(group[name][:].tobytes())
