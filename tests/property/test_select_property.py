"""What must hold of every filter and selection, whatever the values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy

from omicsfusion.preprocess.filter import FeatureFilter
from omicsfusion.preprocess.outliers import OutlierRule
from omicsfusion.preprocess.select.clumping import ClumpingSelector
from omicsfusion.preprocess.select.laplacian import LaplacianSelector
from omicsfusion.preprocess.select.names import ListSelector
from omicsfusion.preprocess.select.spread import AllFeatures, MadSelector, VarianceSelector
from omicsfusion.preprocess.select.stability import StabilitySelector
from omicsfusion.preprocess.select.univariate import UnivariateSelector

HUGE = 3e38
COUNTS = st.integers(0, 3).map(float)
NUMBERS = st.floats(-HUGE, HUGE) | COUNTS | st.just(np.nan)
STEPS = [
    FeatureFilter(min_prevalence=0.3),
    AllFeatures(),
    VarianceSelector(3),
    MadSelector(3),
    LaplacianSelector(3),
    ClumpingSelector(0.7, 3),
    ListSelector([], 3),
    UnivariateSelector(max_features=3, min_features=2),
    UnivariateSelector(max_features=3, min_features=2, ranks=True),
    StabilitySelector(max_features=3, min_features=2, n_chosen=2, n_subsamples=3),
    StabilitySelector(max_features=3, min_features=2, n_chosen=2, n_subsamples=3, base="lasso"),
    OutlierRule(),
]


def tables(values=NUMBERS, most=9):
    shapes = st.tuples(st.integers(5, 24), st.integers(1, most))
    return shapes.flatmap(lambda shape: of_numpy.arrays(np.float64, shape, elements=values))


@st.composite
def with_outcome(draw):
    X = draw(tables())
    n = len(X)
    labels = st.lists(st.integers(0, 2), min_size=n, max_size=n)
    events = np.array(draw(labels)) > 0
    times = np.array(draw(labels), dtype=float) + 1
    words = np.array(["a", "b", "c"])[draw(labels)]
    return X, draw(st.sampled_from([words, times + 0.5, np.column_stack([times, events])]))


@st.composite
def in_blocks(draw):
    X = draw(tables())
    cuts = draw(st.lists(st.integers(1, max(X.shape[1] - 1, 1)), max_size=3))
    inside = sorted({cut for cut in cuts if cut < X.shape[1]})
    # Blocks come with either memory order, as a reader hands them out.
    order = draw(st.sampled_from([np.ascontiguousarray, np.asfortranarray]))
    return X, [order(block) for block in np.split(X, inside, axis=1)]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: type(step).__name__)
@settings(deadline=None, max_examples=25)
@given(data=with_outcome())
def test_any_finite_table_can_be_fitted_and_a_sample_alone_is_itself(step, data):
    X, y = data
    before = X.tobytes()
    out = step.fit(X, y).transform(X)
    assert X.tobytes() == before
    alone = np.concatenate([step.transform(X[[row]]) for row in range(len(X))])
    assert out.tobytes() == alone.tobytes()
    if hasattr(step, "support_"):
        assert out.tobytes() == X[:, step.support_].tobytes()
        assert sum(step.dropped_.values()) == (~step.support_).sum()


@pytest.mark.parametrize("step", STEPS[2:-1], ids=lambda step: type(step).__name__)
@settings(deadline=None, max_examples=25)
@given(data=with_outcome())
def test_a_selection_never_keeps_more_than_asked_and_never_nothing(step, data):
    X, y = data
    assert 1 <= step.fit(X, y).support_.sum() <= min(3, X.shape[1])


@pytest.mark.parametrize("selector", [VarianceSelector, MadSelector])
@settings(deadline=None, max_examples=60)
@given(data=in_blocks(), limit=st.integers(1, 9))
def test_choosing_by_the_scores_of_blocks_is_fitting_the_whole(selector, data, limit):
    X, blocks = data
    step = selector(limit)
    scores = [step.scores(block) for block in blocks]
    joined = tuple(np.concatenate(parts) for parts in zip(*scores, strict=True))
    for found, expected in zip(joined, step.scores(X), strict=True):
        assert found.tobytes() == expected.tobytes()
    chosen = selector(limit).choose(joined, X.shape[1])
    whole = step.fit(X)
    assert chosen.support_.tolist() == whole.support_.tolist()
    assert (chosen.did_, chosen.dropped_) == (whole.did_, whole.dropped_)
    assert chosen.n_features_in_ == whole.n_features_in_


@settings(deadline=None, max_examples=60)
@given(data=in_blocks(), max_missing=st.floats(0, 1), min_prevalence=st.floats(0, 1))
def test_filters_of_blocks_join_to_the_filter_of_the_whole(data, max_missing, min_prevalence):
    X, blocks = data
    names = [f"g{column}" for column in range(X.shape[1])]
    step = FeatureFilter(max_missing, min_prevalence, ["g1", "g3"])
    ends = np.cumsum([block.shape[1] for block in blocks])
    parts = [
        FeatureFilter(**step.get_params()).fit(block, features=names[end - block.shape[1] : end])
        for block, end in zip(blocks, ends, strict=True)
    ]
    joined, whole = FeatureFilter.joined(parts), step.fit(X, features=names)
    assert joined.support_.tolist() == whole.support_.tolist()
    assert (joined.did_, joined.dropped_) == (whole.did_, whole.dropped_)
    assert joined.n_features_in_ == whole.n_features_in_


@settings(deadline=None, max_examples=60)
@given(X=tables(st.integers(-9, 9).map(float), 20), threshold=st.floats(0.1, 0.95))
def test_no_two_kept_features_are_more_alike_than_the_threshold(X, threshold):
    step = ClumpingSelector(threshold).fit(X)
    low = np.quantile(X, 0.05, axis=0, method="higher")
    high = np.quantile(X, 0.95, axis=0, method="lower")
    plain = low >= high
    values = np.where(plain, X, np.clip(X, low, np.maximum(low, high)))
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.nan_to_num(np.abs(np.corrcoef(values.T).reshape(X.shape[1], X.shape[1])))
    np.fill_diagonal(r, 0)
    kept = step.support_
    assert (r[np.ix_(kept, kept)] <= threshold + 1e-9).all()
    assert (r[np.ix_(~kept, kept)] > threshold - 1e-9).any(axis=1).all()
