import h5py
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import RobustScaler, StandardScaler

from omicsfusion.preprocess.clinical import ClinicalEncoder
from omicsfusion.preprocess.filter import FeatureFilter
from omicsfusion.preprocess.impute.median import MedianImputer
from omicsfusion.preprocess.normalise.plain import LogTransform
from omicsfusion.preprocess.order_statistics import SortedFeatures
from omicsfusion.preprocess.scale import FeatureScaler
from omicsfusion.preprocess.select.spread import VarianceSelector

NAN = np.nan


@pytest.fixture
def values():
    """50 samples x 7 features, a tenth of the values missing."""
    rng = np.random.default_rng(0)
    X = rng.gamma(2, size=(50, 7)) * 10.0 ** np.arange(-3, 4)
    return np.where(rng.random(X.shape) < 0.1, NAN, X)


@pytest.mark.parametrize("q", [0, 0.05, 0.25, 0.5, 0.77, 1])
def test_quantiles_are_numpys(values, q):
    found = SortedFeatures.of(values).quantile(q)
    np.testing.assert_allclose(found, np.nanquantile(values, q, axis=0), rtol=1e-13)


def test_median_mean_and_variance_are_numpys(values):
    ordered = SortedFeatures.of(values)
    np.testing.assert_allclose(ordered.median(), np.nanmedian(values, axis=0), rtol=1e-13)
    np.testing.assert_allclose(ordered.mean(), np.nanmean(values, axis=0), rtol=1e-13)
    np.testing.assert_allclose(ordered.variance(), np.nanvar(values, axis=0), rtol=1e-12)


def test_rounded_quantiles_are_values_of_the_data():
    ordered = SortedFeatures.of(np.array([[1.0], [5.0], [2.0], [NAN]]))
    assert ordered.quantile(0.4, "down") == [1]
    assert ordered.quantile(0.4, "up") == [2]


def test_the_filter_leaves_out_constant_and_mostly_missing_features():
    X = np.array(
        [[1, 7, NAN, 1, NAN], [1, 8, NAN, NAN, NAN], [1, 7, NAN, NAN, 2], [1, 7, NAN, 3, 1]]
    )
    step = FeatureFilter().fit(X)
    assert step.get_feature_names_out(list("abcde")).tolist() == ["b", "d", "e"]
    assert step.dropped_ == {"constant": 1, "mostly missing": 1}
    assert FeatureFilter(max_missing=0.4).fit(X).support_.tolist() == [0, 1, 0, 0, 0]


def test_counts_are_logged_and_values_that_are_logged_already_are_not():
    counts = np.array([[0.0, 7.0], [1.0, NAN]])
    step = LogTransform().fit(counts)
    np.testing.assert_array_equal(step.transform(counts), [[0, 3], [1, NAN]])
    np.testing.assert_array_equal(step.transform([[-5.0, 0.0]]), [[0, 0]])
    logged = np.array([[-1.0, 2.0], [-3.0, 1.0]])
    step = LogTransform().fit(logged)
    assert step.skipped_ == "2 training values are negative: logged before"
    np.testing.assert_array_equal(step.transform(logged), logged)


def test_imputation_is_scikit_learns(values):
    reference = SimpleImputer(strategy="median").fit_transform(values)
    np.testing.assert_allclose(MedianImputer().fit(values).transform(values), reference, rtol=1e-13)


def test_a_single_huge_value_does_not_make_a_feature_variable():
    rng = np.random.default_rng(1)
    for n in (6, 20, 40, 800):
        X = rng.normal(size=(n, 4)) * [1.0, 3.0, 0.5, 2.0]
        X[n // 2, 0] = 36_893
        step = VarianceSelector(max_features=2).fit(X)
        assert step.support_.tolist() == [False, True, False, True], n


def test_selection_ranks_rare_mutations_by_their_frequency_and_keeps_the_order():
    X = np.zeros((100, 4))
    for feature, carriers in enumerate([1, 4, 2, 3]):
        X[:carriers, feature] = 1
    step = VarianceSelector(max_features=2).fit(X)
    assert step.get_feature_names_out(list("abcd")).tolist() == ["b", "d"]


def test_few_features_are_all_kept(values):
    assert VarianceSelector(max_features=7).fit(values).support_.all()


def test_z_scores_are_scikit_learns(values):
    X = np.nan_to_num(values)
    found = FeatureScaler("zscore", clip=1e9).fit(X).transform(X)
    np.testing.assert_allclose(found, StandardScaler().fit_transform(X), rtol=1e-10, atol=1e-12)


def test_robust_scaling_is_scikit_learns_in_units_of_a_standard_deviation(values):
    X = np.nan_to_num(values)
    reference = RobustScaler(unit_variance=True).fit_transform(X)
    found = FeatureScaler("robust", clip=1e9).fit(X).transform(X)
    np.testing.assert_allclose(found, reference, rtol=1e-12, atol=1e-12)


def test_robust_scaling_falls_back_to_the_standard_deviation_and_clips():
    X = np.zeros((100, 2))
    X[:10, 0] = [4] * 10
    X[0, 1] = 36_893
    step = FeatureScaler("robust").fit(X)
    np.testing.assert_allclose(step.scale_, X.std(axis=0))
    assert step.transform(X).max() == 5


def test_a_constant_feature_is_scaled_to_zero():
    for n in range(2, 30):
        X = np.full((n, 1), 0.1)
        assert np.abs(FeatureScaler("zscore").fit(X).transform(X)).max() < 1e-15


def test_binary_features_are_left_alone_when_asked():
    X = np.array([[0.0, 1.0], [1.0, 2.0], [1.0, 6.0]])
    step = FeatureScaler("zscore", keep_binary=True).fit(X)
    np.testing.assert_array_equal(step.transform(X)[:, 0], X[:, 0])
    assert step.transform(X)[0, 1] < 0


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="'minmax' is not one of"):
        FeatureScaler("minmax").fit(np.eye(3))


STAGES = ("I", "II", "III", "IV")


def encode(codes, new, levels=STAGES, new_levels=None):
    """Fit on codes of one covariate; return the columns of new codes by name."""
    step = ClinicalEncoder().fit(np.array(codes, dtype=float)[:, None], categories=[levels])
    names = step.get_feature_names_out(["stage"])
    new_levels = levels if new_levels is None else new_levels
    out = step.transform(np.array(new, dtype=float)[:, None], categories=[new_levels])
    return {name: out[:, column].tolist() for column, name in enumerate(names)}


def test_rare_levels_and_levels_unseen_in_training_share_a_column():
    found = encode([0] * 5 + [1] * 9 + [2] * 4, [0, 1, 2, 3, NAN])
    assert found == {
        "stage=I": [1, 0, 0, 0, 0],
        "stage=II": [0, 1, 0, 0, 0],
        "stage=other": [0, 0, 1, 1, 0],
    }


def test_a_missing_value_has_a_column_when_training_samples_had_one():
    found = encode([0] * 5 + [1] * 9 + [NAN], [0, NAN, 3])
    assert found["stage=missing"] == [0, 1, 0]
    assert "stage=other" not in found


def test_a_level_called_other_joins_the_rare_ones():
    found = encode([0] * 5 + [1] * 9 + [2], [0, 1, 2], levels=("I", "other", "III"))
    assert found == {"stage=I": [1, 0, 0], "stage=other": [0, 1, 1]}


@pytest.mark.parametrize(("n_missing", "columns"), [(1, ["age"]), (2, ["age", "age=missing"])])
def test_a_number_that_is_often_missing_has_an_indicator(n_missing, columns):
    ages = np.array([NAN] * n_missing + [50.0] * (20 - n_missing))[:, None]
    step = ClinicalEncoder().fit(ages, categories=[None])
    assert step.get_feature_names_out(["age"]).tolist() == columns
    np.testing.assert_array_equal(step.transform(ages)[:, 0], ages[:, 0])


def test_levels_are_known_by_their_names_not_by_their_positions():
    new_levels = ("0", "II", "I", "V")
    found = encode([0] * 5 + [1] * 9 + [2], [0, 1, 2, 3, NAN, 17, 0.5], new_levels=new_levels)
    assert found == {
        "stage=I": [0, 0, 1, 0, 0, 0, 0],
        "stage=II": [0, 1, 0, 0, 0, 0, 0],
        "stage=other": [1, 0, 0, 1, 0, 1, 1],
    }


def test_levels_that_only_other_samples_have_leave_no_trace(tmp_path):
    codes = np.array([[0.0]] * 5 + [[1.0]] * 9)
    saved = []
    for levels, shift in ((("I", "II"), 0), (("0", "I", "II", "secret"), 1)):
        step = ClinicalEncoder().fit(codes + shift, categories=[levels])
        with h5py.File(tmp_path / f"{shift}.h5", "w") as file:
            step.to_h5(file)
        saved.append((tmp_path / f"{shift}.h5").read_bytes())
    assert saved[0] == saved[1]


def test_a_covariate_that_changes_its_type_is_refused():
    step = ClinicalEncoder().fit(np.zeros((6, 1)), categories=[STAGES])
    with pytest.raises(ValueError, match="Covariate 1 held words among"):
        step.transform(np.zeros((2, 1)), categories=[None])
    with pytest.raises(ValueError, match="1 covariates, but categories for 2"):
        step.transform(np.zeros((2, 1)), categories=[STAGES, None])


def test_without_categories_all_covariates_are_numbers(values):
    step = ClinicalEncoder().fit(np.nan_to_num(values))
    np.testing.assert_array_equal(step.transform(values), values)


def test_pareto_scaling_divides_by_the_root_of_the_deviation_and_clips_in_deviations():
    X = np.random.default_rng(0).normal(size=(400, 3)) * [1, 100, 0.01] + [0, 7, 9]
    X[0] = 1e6
    step = FeatureScaler("pareto").fit(X)
    root = np.sqrt(X.std(axis=0))
    expected = (X - X.mean(axis=0)) / root
    np.testing.assert_allclose(step.transform(X)[1:], expected[1:], rtol=1e-9)
    np.testing.assert_allclose(step.transform(X)[0], 5 * root)


def test_values_that_are_not_scaled_are_clipped_outside_the_training_range_only():
    X = np.zeros((100, 2))
    X[0, 0] = 1
    X[:, 1] = np.linspace(-1, 1, 100)
    step = FeatureScaler("none").fit(X)
    np.testing.assert_array_equal(step.transform(X), X)
    np.testing.assert_allclose(step.transform([[3e38, -3e38]]), [[1, -5 * X[:, 1].std()]])


def test_steps_can_be_cloned_and_say_their_parameters():
    for step in (
        ClinicalEncoder(),
        FeatureFilter(0.2),
        VarianceSelector(3),
        FeatureScaler("robust"),
    ):
        assert clone(step).get_params() == step.get_params()
        assert "\n" not in repr(step)
