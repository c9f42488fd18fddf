"""What the steps of a chain have in common: checks of their input, and their state on disk."""

import json
from typing import Any, ClassVar, Self

import h5py
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import validate_data


class UnusableInputError(ValueError):
    """What the user gave cannot be used by a step; the text says why and what to do."""


class Step(TransformerMixin, BaseEstimator):
    """A scikit-learn transformer whose parameters and fitted state fit into an HDF5 group.

    NaN is a missing value and welcome unless a step says otherwise. ``transform`` treats each
    sample alone: element-wise, or row by row (a product of matrices rounds differently with other
    numbers of rows), so that a sample's result is the same bits whatever other samples stand
    beside it.

    Three fitted attributes are the chain's to read, where a step has them: ``skipped_`` (str: why
    the values pass through unchanged, empty when they do not), ``dropped_`` (dict: reason ->
    number of features left out) and ``did_`` (str: what was done, for people, with its figures).
    """

    state: ClassVar[tuple[str, ...]] = ()
    """Names of the fitted attributes: arrays, or what JSON can hold."""

    needs: ClassVar[tuple[str, ...]] = ()
    """What ``fit`` takes by keyword beside X, of the fields of :class:`Annotations`."""

    transform_needs: ClassVar[tuple[str, ...]] = ()
    """The same for ``transform``."""

    supervised: ClassVar[bool] = False
    """Whether ``fit`` learns from the outcome, which it then takes as ``y``."""

    per_feature: ClassVar[bool] = False
    """Whether ``fit`` and ``transform`` of some columns are those columns of the whole."""

    feature_state: ClassVar[tuple[str, ...]] = ()
    """Of ``state``, the arrays with one entry per column of X."""

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
