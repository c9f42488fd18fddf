"""Whatever the table and the width of the blocks, fitting in blocks changes no byte."""

import tempfile
from pathlib import Path

import h5py
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from omicsfusion.preprocess.annotations import Annotations
from omicsfusion.preprocess.blocks import fit_in_blocks
from omicsfusion.preprocess.cohorts import CohortsLayer
from omicsfusion.preprocess.filter import FeatureFilter
from omicsfusion.preprocess.impute.median import MedianImputer
from omicsfusion.preprocess.normalise.methylation import BetaValues, MValues
from omicsfusion.preprocess.normalise.plain import LogTransform
from omicsfusion.preprocess.scale import FeatureScaler
from omicsfusion.preprocess.select.spread import AllFeatures, MadSelector, VarianceSelector
from omicsfusion.preprocess.step import Step

VALUES = st.one_of(
    st.sampled_from([0.0, 0.5, 1.0, np.nan]),
    st.floats(-0.25, 1.5, width=32),
    st.floats(width=32, allow_infinity=False),
)
TABLES = hnp.arrays(np.float32, st.tuples(st.integers(2, 9), st.integers(1, 12)), elements=VALUES)
NORMALISERS = st.sampled_from([MValues, BetaValues, LogTransform])
SELECTORS = st.sampled_from(
    [VarianceSelector(3), MadSelector(2), VarianceSelector(), AllFeatures()]
)


def features(n: int) -> tuple[str, ...]:
    return tuple(f"f{column}" for column in range(n))


def fit_whole(steps: list[Step], X: np.ndarray) -> np.ndarray:
    names = np.asarray(features(X.shape[1]), dtype=object)
    for step in steps:
        known = {"features": names} if "features" in step.needs else {}
        X = step.fit(X, **known).transform(X)
        names = step.get_feature_names_out(names)
        if X.shape[1] == 0:
            break
    return X.astype(np.float32)


def saved(steps: list[Step], path: Path) -> bytes:
    with h5py.File(path, "w") as file:
        for index, step in enumerate(steps):
            if hasattr(step, "n_features_in_"):
                step.to_h5(file.create_group(str(index)))
    return path.read_bytes()


@settings(max_examples=150, deadline=None)
@given(X=TABLES, width=st.integers(1, 13), normaliser=NORMALISERS, select=SELECTORS)
def test_blocks_give_the_bytes_of_the_whole_table(
    X: np.ndarray, width: int, normaliser: type[Step], select: Step
) -> None:
    def chain() -> list[Step]:
        chosen = type(select)(**select.get_params())
        return [FeatureFilter(), normaliser(), MedianImputer(), chosen, FeatureScaler()]

    samples = tuple(f"s{row}" for row in range(len(X)))
    layer = CohortsLayer("m", "methylation_beta", samples, features(X.shape[1]), X)
    annotations, rows = Annotations(layer.features), np.arange(len(X))
    whole = chain()
    with np.errstate(over="ignore", invalid="ignore"):
        expected = fit_whole(whole, X)
        wide = fit_in_blocks(chain(), layer, rows, annotations, width)
        with tempfile.TemporaryDirectory() as folder:
            paths = Path(folder) / "wide.h5", Path(folder) / "whole.h5"
            assert saved(wide.steps, paths[0]) == saved(whole, paths[1])
        assert len(wide.kept) == expected.shape[1]
        if len(wide.kept):
            np.testing.assert_array_equal(wide.transform(layer, rows, annotations), expected)
