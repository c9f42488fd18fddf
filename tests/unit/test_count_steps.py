"""What holds of every step that normalises counts, of genes or of genera."""

import warnings

import h5py
import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.counts import OF_GENERA, OF_GENES, draw_genera, draw_genes

NAN = np.nan
STEPS = OF_GENES + OF_GENERA


def drawn(cls: type, n: int, seed: int) -> np.ndarray:
    return draw_genes(n, seed) if cls in OF_GENES else draw_genera(n, seed)


def quiet(call):
    """Return the result; fail on a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return call()


@pytest.fixture(scope="module", params=STEPS, ids=lambda cls: cls.__name__)
def fitted(request):
    """Each step, fitted on 30 samples."""
    return request.param().fit(drawn(request.param, 30, 0))


def awkward_samples(cls: type) -> np.ndarray:
    """New samples: plain, shallow, sparse, lacking features, fractional, shares; Fortran order."""
    X = drawn(cls, 7, 1)
    X[1] = np.floor(X[1] / (50 if cls in OF_GENES else 20))
    X[2, 5:] = 0
    X[3, ::7] = NAN
    X[4] /= 3
    X[5] /= X[5].sum()
    return np.asfortranarray(X)


def test_a_sample_alone_equals_itself_in_a_batch_to_the_bit(fitted):
    X = awkward_samples(type(fitted))
    together = quiet(lambda: fitted.transform(X))
    for row in range(len(X)):
        np.testing.assert_array_equal(fitted.transform(X[[row]])[0], together[row])


def test_a_reloaded_step_gives_the_same_bits(fitted, tmp_path):
    with h5py.File(tmp_path / "step.h5", "w") as file:
        fitted.to_h5(file)
    with h5py.File(tmp_path / "step.h5") as file:
        again = type(fitted).from_h5(file)
    X = awkward_samples(type(fitted))
    np.testing.assert_array_equal(again.transform(X), fitted.transform(X))
    names = [f"g{k}" for k in range(X.shape[1])]
    assert (again.get_feature_names_out(names) == fitted.get_feature_names_out(names)).all()
    assert again.did_ == fitted.did_ != ""


@pytest.mark.parametrize("garbage", ["huge", "negative", "one huge", "one tiny", "mixed"])
def test_garbage_comes_out_finite_and_without_warnings(fitted, garbage):
    X = np.zeros((1, fitted.n_features_in_))
    if garbage == "huge":
        X[:] = 3e38
    elif garbage == "negative":
        X[:] = -7
        X[0, 3] = 2
    elif garbage == "one huge":
        X[0, 0] = 3e38
    elif garbage == "one tiny":
        X[0, 0] = 1e-37
    else:
        X[0] = 10.0 ** np.linspace(-37, 38, X.shape[1])
    found = quiet(lambda: fitted.transform(X))
    assert np.isfinite(found.astype(np.float32)).all()


def test_below_zero_counts_as_zero(fitted):
    X = drawn(type(fitted), 2, 3)
    X[np.random.default_rng(3).random(X.shape) < 0.3] = 0
    np.testing.assert_array_equal(fitted.transform(np.where(X == 0, -5.0, X)), fitted.transform(X))


def test_a_sample_without_counts_comes_out_missing(fitted):
    X = drawn(type(fitted), 3, 3)
    X[1], X[2] = 0, NAN
    found = quiet(lambda: fitted.transform(X))
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1:]).all()


def test_a_training_sample_without_counts_or_values_is_not_learnt_from(fitted):
    X = drawn(type(fitted), 30, 0)
    padded = np.vstack([X, np.zeros((1, X.shape[1])), np.full((1, X.shape[1]), NAN)])
    step = quiet(lambda: type(fitted)().fit(padded))
    np.testing.assert_allclose(step.transform(X), fitted.transform(X), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("cls", STEPS)
def test_a_table_with_negative_values_passes_through(cls, tmp_path):
    X = drawn(cls, 12, 0) - 40
    step = cls().fit(X)
    assert "are below 0: the table was transformed before" in step.skipped_
    assert step.did_ == ""
    names = [f"g{k}" for k in range(X.shape[1])]
    with h5py.File(tmp_path / "step.h5", "w") as file:
        step.to_h5(file)
        again = cls.from_h5(file)
    for one in (step, again):
        np.testing.assert_array_equal(one.transform(X), X)
        assert one.get_feature_names_out(names).tolist() == names


def test_the_order_of_the_matrix_in_memory_changes_no_bit(fitted):
    again = type(fitted)().fit(np.asfortranarray(drawn(type(fitted), 30, 0)))
    for name in fitted.state:
        np.testing.assert_array_equal(getattr(again, name), getattr(fitted, name))


def test_rows_may_be_read_one_by_one(fitted):
    X = drawn(type(fitted), 30, 0)
    passes = []

    def rows():
        passes.append(1)
        return iter(X)

    streamed = type(fitted)().fit_rows(rows)
    assert len(passes) <= (7 if type(fitted) in OF_GENES else 4)
    for name in fitted.state:
        np.testing.assert_array_equal(getattr(streamed, name), getattr(fitted, name))


def counting(cls: type) -> type:
    """Let the checks of scikit-learn, whose data are normal, work on counts."""

    def _checked(self, X, *, fitting=False):
        return np.rint(1000 * np.abs(cls._checked(self, X, fitting=fitting)))

    name = cls.__name__ + "OfCounts"
    # Of the module, so that the check that pickles the estimator finds it.
    globals()[name] = type(name, (cls,), {"_checked": _checked, "__module__": __name__})
    return globals()[name]


@parametrize_with_checks([cls() for cls in STEPS] + [counting(cls)() for cls in STEPS])
def test_scikit_learns_checks(estimator, check):
    check(estimator)
