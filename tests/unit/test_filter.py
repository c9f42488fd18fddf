import h5py
import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from omicsfusion.preprocess.filter import FeatureFilter

NAN = np.nan
X = np.array(
    [
        [1, 7, NAN, 1, NAN, 0, 0],
        [1, 8, NAN, NAN, NAN, 0, 3],
        [1, 7, NAN, NAN, 2, 0, 0],
        [1, 7, NAN, 3, 1, 5, 4],
    ]
)
NAMES = tuple("abcdefg")


@parametrize_with_checks([FeatureFilter(), FeatureFilter(min_prevalence=0.1)])
def test_scikit_learns_checks_pass(estimator, check):
    check(estimator)


def test_constant_and_mostly_missing_features_are_left_out():
    step = FeatureFilter().fit(X)
    assert step.get_feature_names_out(NAMES).tolist() == ["b", "d", "e", "f", "g"]
    assert step.dropped_ == {"constant": 1, "mostly missing": 1}
    assert FeatureFilter(max_missing=0.4).fit(X).support_.tolist() == [0, 1, 0, 0, 0, 1, 1]


def test_a_feature_that_is_missing_in_all_samples_is_never_kept():
    assert FeatureFilter(max_missing=1).fit(X).dropped_["mostly missing"] == 1


def test_features_rarely_above_0_are_left_out_when_asked():
    step = FeatureFilter(min_prevalence=0.5).fit(X)
    assert step.get_feature_names_out(NAMES).tolist() == ["b", "d", "e", "g"]
    assert step.dropped_["rarely above 0"] == 1


def test_the_prevalence_is_a_share_of_the_values_that_are_there():
    values = np.array([[NAN, NAN, NAN, 0.0, 2.0, 3.0]]).T
    assert FeatureFilter(min_prevalence=2 / 3).fit(values).support_.all()
    assert not FeatureFilter(min_prevalence=0.7).fit(values).support_.any()


def test_features_on_the_list_are_left_out_and_counted_first():
    step = FeatureFilter(drop=["a", "g", "elsewhere"]).fit(X, features=NAMES)
    assert step.get_feature_names_out(NAMES).tolist() == ["b", "d", "e", "f"]
    assert step.dropped_ == {"on the list to drop": 2, "mostly missing": 1}
    assert "not on a list of 3" in step.did_


def test_a_list_without_names_of_the_columns_is_refused():
    with pytest.raises(ValueError, match=r"list of 1 features to drop .* pass features"):
        FeatureFilter(drop=["a"]).fit(X)


def test_a_filter_reloads_from_hdf5(tmp_path):
    step = FeatureFilter(0.3, 0.5, ["b"]).fit(X, features=NAMES)
    with h5py.File(tmp_path / "step.h5", "w") as file:
        step.to_h5(file)
        reloaded = FeatureFilter.from_h5(file)
    assert reloaded.get_params() == step.get_params()
    assert (reloaded.did_, reloaded.dropped_) == (step.did_, step.dropped_)
    np.testing.assert_array_equal(reloaded.transform(X), step.transform(X))
