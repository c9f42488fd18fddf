import h5py
import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from omicsfusion.preprocess.annotations import Annotations
from omicsfusion.preprocess.applying import fitted
from omicsfusion.preprocess.select.associations import associations, checked_outcome
from omicsfusion.preprocess.select.clumping import ClumpingSelector
from omicsfusion.preprocess.select.laplacian import LaplacianSelector
from omicsfusion.preprocess.select.names import ListSelector
from omicsfusion.preprocess.select.spread import AllFeatures, MadSelector, VarianceSelector
from omicsfusion.preprocess.select.stability import StabilitySelector, halves
from omicsfusion.preprocess.select.univariate import UnivariateSelector

NAN = np.nan
N, P = 60, 12
NAMES = tuple(f"g{number:02d}" for number in range(P))
SUPERVISED = [
    UnivariateSelector(max_features=5, min_features=1),
    UnivariateSelector(max_features=5, min_features=1, ranks=True),
    StabilitySelector(max_features=5, min_features=1, n_subsamples=6, n_chosen=3),
    StabilitySelector(max_features=5, min_features=1, n_subsamples=6, n_chosen=3, base="lasso"),
]
STEPS = [
    AllFeatures(),
    VarianceSelector(5),
    MadSelector(5),
    LaplacianSelector(5),
    ClumpingSelector(0.5, 5),
    ListSelector([], 5),
    *SUPERVISED,
]


def planted(seed=0):
    """N samples x P features, the first three of which follow a hidden number; and that number."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=N)
    X = rng.normal(size=(N, P))
    X[:, :3] += 2 * hidden[:, None]
    return X, hidden


def outcome(task, hidden):
    """An outcome of the task that follows the hidden number."""
    if task == "classification":
        return np.where(hidden > 0, "case", "control")
    if task == "regression":
        return hidden
    event = np.arange(N) % 3 > 0
    return np.column_stack([np.exp(-hidden), event])


TASKS = ("classification", "regression", "survival")


@parametrize_with_checks(STEPS)
def test_scikit_learns_checks_pass(estimator, check):
    check(estimator)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: type(step).__name__)
def test_a_selection_reloads_from_hdf5(tmp_path, step):
    X, hidden = planted()
    step.fit(X, outcome("classification", hidden))
    with h5py.File(tmp_path / "step.h5", "w") as file:
        step.to_h5(file)
        reloaded = type(step).from_h5(file)
    assert reloaded.get_params() == step.get_params()
    assert (reloaded.did_, reloaded.dropped_) == (step.did_, step.dropped_)
    assert reloaded.transform(X).tobytes() == step.transform(X).tobytes()


@pytest.mark.parametrize("step", STEPS, ids=lambda step: type(step).__name__)
def test_what_was_left_out_is_counted_by_reason(step):
    X, hidden = planted()
    step.fit(X, outcome("classification", hidden))
    assert sum(step.dropped_.values()) == (~step.support_).sum()
    assert all(n > 0 for n in step.dropped_.values())
    assert step.did_
    assert step.get_feature_names_out(NAMES).tolist() == np.array(NAMES)[step.support_].tolist()


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("ranks", [False, True])
def test_a_univariate_selection_finds_what_was_planted(task, ranks):
    X, hidden = planted()
    step = UnivariateSelector(task, min_features=1, ranks=ranks, fdr=1e-4)
    step.fit(X, outcome(task, hidden))
    assert np.flatnonzero(step.support_).tolist() == [0, 1, 2]
    assert step.dropped_ == {"adjusted p above 0.0001": P - 3}


@pytest.mark.parametrize("task", TASKS)
def test_a_stability_selection_finds_what_was_planted(task):
    X, hidden = planted()
    step = StabilitySelector(task, n_chosen=3, n_subsamples=20, min_features=1)
    step.fit(X, outcome(task, hidden))
    assert np.flatnonzero(step.support_).tolist() == [0, 1, 2]


@pytest.mark.parametrize("task", TASKS)
def test_a_stable_lasso_needs_only_some_of_the_features_that_say_the_same(task):
    X, hidden = planted()
    step = StabilitySelector(task, n_chosen=3, base="lasso", min_features=0, threshold=0.8)
    kept = np.flatnonzero(step.fit(X, outcome(task, hidden)).support_)
    assert len(kept)
    assert set(kept) <= {0, 1, 2}


@pytest.mark.parametrize("task", TASKS)
def test_the_task_is_told_from_the_outcome(task):
    X, hidden = planted()
    y = outcome(task, hidden)
    assert checked_outcome(y, None, X)[0] == task
    np.testing.assert_array_equal(
        UnivariateSelector(min_features=1).fit(X, y).p_,
        UnivariateSelector(task, min_features=1).fit(X, y).p_,
    )


def test_whole_numbers_are_an_outcome_of_regression_when_asked():
    X, _ = planted()
    y = np.arange(N) % 7
    by_class, by_number = (
        UnivariateSelector(task).fit(X, y).p_ for task in ("classification", "regression")
    )
    assert (by_class != by_number).all()


@pytest.mark.parametrize("step", SUPERVISED, ids=lambda step: type(step).__name__)
def test_a_supervised_selection_without_an_outcome_is_refused(step):
    with pytest.raises(ValueError, match=r"requires y .* learns from the outcome"):
        step.fit(planted()[0])


def test_a_survival_outcome_without_events_column_is_refused():
    X, _ = planted()
    with pytest.raises(ValueError, match="two columns, time and event; y has 3"):
        UnivariateSelector("survival").fit(X, np.ones((N, 3)))


@pytest.mark.parametrize("task", TASKS)
def test_noise_leaves_the_least_number_of_features(task):
    X, _ = planted()
    rng = np.random.default_rng(9)
    step = UnivariateSelector(task, fdr=1e-6, min_features=4)
    step.fit(X, outcome(task, rng.normal(size=N)))
    assert step.support_.sum() == 4
    assert (step.p_[step.support_].max() <= step.p_[~step.support_]).all()
    assert "4 kept without it" in step.did_


def test_significant_features_beyond_the_limit_are_told():
    X, hidden = planted()
    step = UnivariateSelector(fdr=1e-4, max_features=2).fit(X, hidden)
    assert step.support_.sum() == 2
    assert step.dropped_["significant, but larger p"] == 1


@pytest.mark.parametrize("y", [["a"] * N, [*("a" for _ in range(N - 1)), "b"]])
def test_an_outcome_of_one_class_or_one_case_is_no_reason_to_fail(y):
    X, _ = planted()
    for step in SUPERVISED:
        assert step.fit(X, np.array(y)).support_.any()


def test_times_without_any_event_are_no_reason_to_fail():
    X, hidden = planted()
    y = np.column_stack([np.exp(hidden), np.zeros(N)])
    for step in SUPERVISED:
        assert step.fit(X, y).support_.any()


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("ranks", [False, True])
def test_a_missing_value_is_as_if_the_sample_were_not_there(task, ranks):
    X, hidden = planted()
    y = checked_outcome(outcome(task, hidden), task, X)[1]
    gaps = X.copy()
    gaps[5:20, 1] = NAN
    gaps[:, 2] = NAN
    gaps[:, 3] = 0.1
    statistic, p = associations(gaps, y, task, ranks)
    there = np.r_[:5, 20:N]
    expected = associations(X[there], y[there], task, ranks)
    assert (statistic[1], p[1]) == pytest.approx((expected[0][1], expected[1][1]), rel=1e-13)
    assert p[[2, 3]].tolist() == [1, 1]
    assert statistic[[2, 3]].tolist() == [0, 0]


@pytest.mark.parametrize("task", TASKS)
def test_the_tests_do_not_look_at_the_scale_of_a_feature(task):
    X, hidden = planted()
    y = checked_outcome(outcome(task, hidden), task, X)[1]
    for factor in (1e-30, 3e38):
        found = associations(X * factor, y, task)
        np.testing.assert_allclose(found, associations(X, y, task), rtol=1e-9)


def test_halves_hold_half_of_each_class_and_are_always_the_same():
    y = np.array([0] * 20 + [1] * 5)
    drawn = list(halves(y, "classification", 3))
    assert [(rows < 20).sum() for rows in drawn] == [10] * 3
    assert [(rows >= 20).sum() for rows in drawn] == [3] * 3
    assert len({rows.tobytes() for rows in drawn}) == 3
    again = list(halves(y, "classification", 3))
    assert [rows.tobytes() for rows in again] == [rows.tobytes() for rows in drawn]


def test_halves_draw_whole_patients_from_those_of_the_same_classes():
    y = np.array([0, 1, 0, 0, 0, 0, 1, 1, 1, 0, 1, 0])
    patients = np.array([*"aabbccddeefg"], dtype=object)
    both, healthy, ill = {"a", "e"}, {"b", "c", "g"}, {"d", "f"}
    for rows in halves(y, "classification", 20, patients):
        drawn = set(patients[rows])
        assert set(np.flatnonzero(np.isin(patients, list(drawn)))) == set(rows)
        assert [len(drawn & group) for group in (both, healthy, ill)] == [1, 2, 1]
    alone = halves(y, "classification", 3, np.arange(12)[::-1])
    for rows, same in zip(alone, halves(y, "classification", 3), strict=True):
        np.testing.assert_array_equal(rows, same)


def test_a_stability_selection_in_a_chain_is_told_the_patients():
    X, y = planted()
    y = outcome("classification", y)
    twice = np.repeat(np.arange(N // 2), 2).astype(str).astype(object)
    known = Annotations(NAMES, outcome=y, task="classification", patients=twice)
    told = fitted(StabilitySelector(n_chosen=6), X, np.array(NAMES), known)
    by_hand = StabilitySelector(n_chosen=6).fit(X, y, patients=twice)
    np.testing.assert_array_equal(told.frequency_, by_hand.frequency_)
    assert (told.frequency_ != StabilitySelector(n_chosen=6).fit(X, y).frequency_).any()


def test_a_stability_selection_bounds_what_is_kept_by_chance():
    rng = np.random.default_rng(4)
    kept = []
    for _ in range(20):
        X, y = rng.normal(size=(50, 200)), rng.normal(size=50)
        step = StabilitySelector(n_chosen=10, n_subsamples=30, threshold=0.75, min_features=0)
        kept.append(step.fit(X, y).support_.sum())
    assert np.mean(kept) <= 10**2 / (0.5 * 200)
    assert "at most 1 of them expected by chance" in step.did_


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"base": "forest"}, "base 'forest' is not one of univariate, lasso"),
        ({"threshold": 0.5}, "threshold is 0.5; it must be above 0.5"),
    ],
)
def test_a_stability_selection_refuses_what_it_cannot_do(options, message):
    with pytest.raises(ValueError, match=message):
        StabilitySelector(**options).fit(*planted())


def test_one_feature_of_each_clump_is_kept_the_most_variable():
    rng = np.random.default_rng(2)
    X = np.repeat(rng.normal(size=(N, 3)), 3, axis=1) + 0.05 * rng.normal(size=(N, 9))
    X *= [1, 3, 2, -2, 1, -3, 9, 8, 7]
    step = ClumpingSelector(0.9).fit(X)
    assert np.flatnonzero(step.support_).tolist() == [1, 5, 6]
    assert step.dropped_ == {"correlation above 0.9 with a kept feature": 6}


def test_a_sample_that_is_extreme_in_all_features_does_not_clump_them():
    X = np.random.default_rng(3).normal(size=(N, P))
    X[7] = 36_893
    assert np.corrcoef(X.T).min() > 0.99
    assert ClumpingSelector(0.9).fit(X).support_.all()


def test_rare_mutations_are_clumped_by_their_carriers():
    X = np.zeros((100, 3))
    X[:2, :2] = 1
    X[2:4, 2] = 1
    assert ClumpingSelector(0.9).fit(X).support_.tolist() == [True, False, True]


@pytest.mark.parametrize("limit", [1, 300, 700])
def test_clumping_in_blocks_keeps_what_a_plain_loop_keeps(limit):
    rng = np.random.default_rng(5)
    X = rng.normal(size=(30, 200))[:, rng.integers(200, size=900)] + 0.3 * rng.normal(
        size=(30, 900)
    )
    step = ClumpingSelector(0.8, max_features=limit).fit(X)
    whole = ClumpingSelector(0.8).fit(X)
    ranked = np.flatnonzero(whole.support_)
    assert step.support_.sum() == min(limit, whole.support_.sum())
    assert set(np.flatnonzero(step.support_)) <= set(ranked)
    assert ("smaller winsorised variance" in step.dropped_) == (limit < len(ranked))


def test_a_feature_that_follows_the_neighbourhoods_is_kept_before_noise():
    rng = np.random.default_rng(6)
    side = np.repeat([-1.0, 1.0], N // 2)
    X = rng.normal(size=(N, 8))
    X[:, :5] += 4 * side[:, None]
    step = LaplacianSelector(5).fit(X)
    assert np.flatnonzero(step.support_).tolist() == [0, 1, 2, 3, 4]


def test_twins_and_constant_features_have_laplacian_scores():
    X = np.repeat(np.random.default_rng(7).normal(size=(6, 4)), 2, axis=0)
    X[:, 3] = 0.1
    step = LaplacianSelector(n_neighbours=1).fit(X)
    assert step.scores_[:3].max() < 1e-12
    assert step.scores_[3] == np.inf


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_numbers_whose_squares_are_0_have_finite_laplacian_scores():
    X = np.random.default_rng(7).normal(size=(N, 3))
    X[:, 1] *= 1e-189
    step = LaplacianSelector(2).fit(X)
    assert step.support_.tolist() == [True, False, True]


def test_the_features_of_a_list_are_kept_and_its_other_names_told():
    X, _ = planted()
    step = ListSelector(["g03", "x", "g01", "g01"]).fit(X, features=NAMES)
    assert step.get_feature_names_out(NAMES).tolist() == ["g01", "g03"]
    assert step.absent_ == ["x"]
    assert step.dropped_ == {"not on the list": P - 2}
    assert step.did_ == "2 of 12 features: 1 of 3 names of the list are not there (x)"


def test_a_list_that_is_too_long_is_cut_by_variance():
    X, _ = planted()
    X *= np.arange(1, P + 1)
    step = ListSelector(["g03", "g01", "g08"], max_features=2).fit(X, features=NAMES)
    assert step.get_feature_names_out(NAMES).tolist() == ["g03", "g08"]
    assert step.dropped_["on the list, but smaller winsorised variance"] == 1


def test_a_list_without_names_of_the_columns_is_refused():
    with pytest.raises(ValueError, match=r"list of 1 features to keep .* pass features"):
        ListSelector(["g01"]).fit(planted()[0])


def test_the_median_absolute_deviation_looks_past_a_tail():
    rng = np.random.default_rng(8)
    X = rng.normal(size=(N, 3)) * [1, 2, 0.5]
    X[:20, 2] += 50
    assert MadSelector(1).fit(X).support_.tolist() == [False, True, False]
    assert VarianceSelector(1).fit(X).support_.tolist() == [False, False, True]
