"""The step batch: who is corrected, by what, and who passes."""

import h5py
import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from omicsfusion.preprocess.batch.combat import ComBat
from omicsfusion.preprocess.batch.correction import MIN_ADAPT
from omicsfusion.preprocess.batch.covariates import encode, learn_encoding
from omicsfusion.preprocess.batch.linear_removal import LinearRemoval

NAN = np.nan
STEPS = [ComBat, LinearRemoval]
each_step = pytest.mark.parametrize("cls", STEPS)


@parametrize_with_checks([ComBat(), ComBat(shrink=False), LinearRemoval()])
def test_the_step_is_a_transformer_as_scikit_learn_has_them(estimator, check):
    check(estimator)


def cohort(sizes=(("a", 12), ("b", 9), ("c", 30)), n_features=8, seed=0, missing=0.0):
    """Samples of batches with shifts and scales of their own."""
    rng = np.random.default_rng(seed)
    batch = np.repeat(np.array([name for name, _ in sizes], dtype=object), [n for _, n in sizes])
    shift = {name: rng.normal(size=n_features) * 2 for name, _ in sizes}
    X = rng.normal(size=(len(batch), n_features)) + np.array([shift[name] for name in batch])
    X[rng.random(X.shape) < missing] = NAN
    return X, batch


def with_covariates(X, seed=0):
    rng = np.random.default_rng(seed)
    covariates = pd.DataFrame(
        {"age": rng.normal(60, 9, len(X)), "sex": rng.choice(["f", "m"], len(X))}
    )
    covariates.loc[3, "age"] = NAN
    covariates.loc[4, "sex"] = None
    return covariates


@each_step
def test_the_means_of_batches_are_brought_together(cls):
    X, batch = cohort(missing=0.1)
    out = cls().fit(X, batch=batch).transform(X, batch=batch)

    def gap(values):
        means = [np.nanmean(values[batch == name], axis=0) for name in "abc"]
        return np.ptp(means, axis=0).max()

    assert gap(X) > 2
    assert gap(out) < 0.3
    np.testing.assert_array_equal(np.isnan(out), np.isnan(X))


def test_scales_are_brought_together_by_combat_only():
    X, batch = cohort((("a", 200), ("b", 200)))
    X[batch == "b"] *= 5
    for step, ratio in ((ComBat(), 1), (LinearRemoval(), 5)):
        out = step.fit(X, batch=batch).transform(X, batch=batch)
        found = out[batch == "b"].std(axis=0) / out[batch == "a"].std(axis=0)
        np.testing.assert_allclose(found.mean(), ratio, rtol=0.1)


@each_step
def test_the_effect_of_a_protected_covariate_is_kept(cls):
    rng = np.random.default_rng(0)
    batch = np.repeat(np.array(["a", "b"], dtype=object), 300)
    age = rng.normal(50, 10, 600) + 15 * (batch == "b")
    X = 0.2 * age[:, None] + rng.normal(size=(600, 5)) + 3 * (batch == "b")[:, None]
    covariates = pd.DataFrame({"age": age})
    slopes = {}
    for protect in ((), ("age",)):
        step = cls(protect).fit(X, batch=batch, covariates=covariates)
        out = step.transform(X, batch=batch, covariates=covariates)
        slopes[protect] = np.polyfit(age, out.mean(axis=1), 1)[0]
    assert slopes["age",] == pytest.approx(0.2, abs=0.01)
    assert slopes[()] < 0.15


@each_step
def test_only_protected_covariates_are_looked_at(cls):
    X, batch = cohort()
    covariates = with_covariates(X)
    step = cls(["age"]).fit(X, batch=batch, covariates=covariates)
    other = covariates.assign(sex="x", more=1.0)
    again = cls(["age"]).fit(X, batch=batch, covariates=other)
    np.testing.assert_array_equal(
        step.transform(X, batch=batch, covariates=covariates),
        again.transform(X, batch=batch, covariates=other),
    )


def test_a_covariate_that_is_not_there_cannot_be_protected():
    X, batch = cohort()
    with pytest.raises(ValueError, match=r"grade cannot be protected .* are age, sex"):
        ComBat(["grade"]).fit(X, batch=batch, covariates=with_covariates(X))
    with pytest.raises(ValueError, match="the covariates are none"):
        ComBat(["age"]).fit(X, batch=batch)


def test_a_covariate_that_only_differs_between_batches_is_left_to_the_batches():
    X, batch = cohort()
    covariates = pd.DataFrame({"site": np.where(batch == "a", 1.0, 2.0)})
    step = LinearRemoval(["site"]).fit(X, batch=batch, covariates=covariates)
    assert "site not kept: constant within every batch" in step.did_
    np.testing.assert_array_equal(step.coefficients_, 0)
    np.testing.assert_array_equal(step.effect_, LinearRemoval().fit(X, batch=batch).effect_)


def test_covariates_are_encoded_by_what_training_samples_showed():
    train = pd.DataFrame({"age": [40.0, 60, NAN], "sex": ["f", "m", None]})
    rules = learn_encoding(train, ["sex", "age"])
    new = pd.DataFrame({"age": [60.0, NAN, 3e38, -np.inf], "sex": ["m", NAN, "other", "f"]})
    expected = [[0, 1, 1], [0, 0, 0], [0, 0, 1], [1, 0, 0]]
    np.testing.assert_array_equal(encode(rules, new, 4), expected)
    np.testing.assert_array_equal(encode(rules, None, 2), np.zeros((2, 3)))


@each_step
def test_a_feature_is_learnt_from_its_known_values_alone(cls):
    X, batch = cohort()
    X[::3, 2] = NAN
    there = ~np.isnan(X[:, 2])
    whole = cls().fit(X, batch=batch)
    alone = cls().fit(X[there], batch=batch[there])
    assert whole.centre_[2] == pytest.approx(alone.centre_[2], rel=1e-12)
    if cls is ComBat:
        assert whole.scale_[2] == pytest.approx(alone.scale_[2], rel=1e-12)
    else:
        np.testing.assert_allclose(whole.effect_[2], alone.effect_[2], rtol=1e-12)


@each_step
def test_a_feature_that_is_not_known_in_a_batch_passes_there(cls):
    X, batch = cohort()
    train = X.copy()
    train[batch == "b", 1] = NAN
    train[:, 5] = NAN
    out = cls().fit(train, batch=batch).transform(X, batch=batch)
    np.testing.assert_allclose(out[batch == "b", 1], X[batch == "b", 1], rtol=1e-14)
    np.testing.assert_array_equal(out[:, 5], X[:, 5])


@each_step
def test_a_feature_that_is_constant_within_a_batch_loses_its_shift_only(cls):
    X, batch = cohort()
    X[batch == "b", 0] = 0.1
    X[:, 1] = np.where(batch == "a", 0.1, 0.3)
    out = cls().fit(X, batch=batch).transform(X, batch=batch)
    assert np.ptp(out[batch == "b", 0]) == 0
    assert abs(out[batch == "b", 0].mean() - out[batch == "c", 0].mean()) < 0.6
    assert np.ptp(out[:, 1]) < 1e-14
    if cls is ComBat:
        assert ComBat().fit(X, batch=batch).delta_[0, 1] == 1


SMALL = (("a", 12), ("b", 9), ("s1", 3), ("s2", 2), ("s3", 1))


@each_step
def test_small_batches_are_pooled(cls):
    X, batch = cohort(SMALL)
    step = cls().fit(X, batch=batch)
    assert step.batches_ == ["a", "b", "pool of 3 small batches"]
    assert step.pooled_ == ["s1", "s2", "s3"]
    assert "2 batches of 21 samples, 3 small ones of 6 pooled" in step.did_
    as_one = np.where([name.startswith("s") for name in batch], "z", batch)
    expected = cls().fit(X, batch=as_one).transform(X, batch=as_one)
    np.testing.assert_array_equal(step.transform(X, batch=batch), expected)
    assert not any(step.flags(batch))


@each_step
@pytest.mark.parametrize(("policy", "sizes"), [("pass", SMALL), ("pool", SMALL[:2] + SMALL[3:])])
def test_small_batches_pass_and_are_flagged(cls, policy, sizes):
    X, batch = cohort(sizes)
    step = cls(small_batch=policy).fit(X, batch=batch)
    small = batch == "s2"
    np.testing.assert_array_equal(step.transform(X, batch=batch)[small], X[small])
    assert set(step.flags(batch)[small]) == {"batch s2 has 2 training samples only"}
    assert "left as they are" in step.did_


@each_step
def test_samples_of_unknown_and_unnamed_batches_pass_and_are_flagged(cls):
    X, batch = cohort()
    step = cls().fit(X, batch=batch)
    new = np.array(["a", "new", "", None, NAN], dtype=object)
    out = step.transform(X[:5], batch=new)
    np.testing.assert_array_equal(out[1:], X[1:5])
    assert (out[0] != X[0]).all()
    unknown = "its batch is not known"
    assert step.flags(new).tolist() == [
        "",
        "batch new was not seen in training",
        unknown,
        unknown,
        unknown,
    ]
    np.testing.assert_array_equal(step.transform(X), X)


@each_step
def test_an_unknown_batch_is_refused_when_asked(cls):
    X, batch = cohort()
    step = cls(new_batch="refuse").fit(X, batch=batch)
    with pytest.raises(ValueError, match="batches new were not seen in training"):
        step.transform(X[:2], batch=np.array(["a", "new"], dtype=object))
    step.transform(X[:2], batch=np.array(["a", ""], dtype=object))


@each_step
@pytest.mark.parametrize(
    ("batch", "reason"),
    [
        (None, "no batches are named"),
        ([""] * 20, "no batches are named"),
        (["a"] * 20, "all training samples are in one batch (a)"),
        ([f"s{k // 2}" for k in range(4)] + [""] * 16, "no batch has 5 training samples"),
    ],
)
def test_where_there_is_nothing_to_correct_the_step_says_why(cls, batch, reason):
    X = np.random.default_rng(0).normal(size=(20, 4))
    batch = None if batch is None else np.array(batch, dtype=object)
    step = cls().fit(X, batch=batch)
    assert step.skipped_ == reason
    np.testing.assert_array_equal(step.transform(X, batch=batch), X)


@each_step
def test_a_batch_label_for_each_sample_is_needed(cls):
    X, batch = cohort()
    with pytest.raises(ValueError, match="51 samples, but batches of 50"):
        cls().fit(X, batch=batch[:-1])


@each_step
def test_unknown_policies_are_refused(cls):
    for policy in ("new_batch", "small_batch"):
        with pytest.raises(ValueError, match=f"{policy} is 'guess', but must be one of"):
            cls(**{policy: "guess"}).fit(*cohort()[:1])


@each_step
def test_a_new_batch_is_learnt_only_when_told_and_changes_no_other(cls):
    X, batch = cohort((("a", 40), ("b", 40), ("new", 60)))
    train, new = batch != "new", batch == "new"
    step = cls(new_batch="adapt").fit(X[train], batch=batch[train])
    before = step.transform(X, batch=batch)
    np.testing.assert_array_equal(before[new], X[new])
    assert step.flags(batch[new])[0] == "batch new was not seen in training"
    after = step.adapt(X[new], batch[new]).transform(X, batch=batch)
    np.testing.assert_array_equal(after[train], before[train])
    assert np.abs(after[new].mean(axis=0) - after[train].mean(axis=0)).max() < 0.2
    assert step.flags(batch[new])[0] == ""
    assert step.adapted_ == {"new": 60}
    assert "adapted to new (60)" in step.did_


def test_adapting_uses_the_frozen_centre_and_scale():
    X, batch = cohort((("a", 40), ("b", 40), ("new", 400)))
    train, new = batch != "new", batch == "new"
    step = ComBat(new_batch="adapt", shrink=False).fit(X[train], batch=batch[train])
    out = step.adapt(X[new], batch[new]).transform(X[new], batch=batch[new])
    np.testing.assert_allclose(out.mean(axis=0), step.centre_, rtol=1e-12)
    np.testing.assert_allclose(out.std(axis=0, ddof=1), step.scale_, rtol=1e-12)


@each_step
def test_one_training_batch_is_enough_to_adapt_to(cls):
    X, batch = cohort((("a", 40), ("new", 40)))
    old, new = batch == "a", batch == "new"
    step = cls(new_batch="adapt").fit(X[old], batch=batch[old])
    assert "all training samples are in one batch" in step.skipped_
    out = step.adapt(X[new], batch[new]).transform(X, batch=batch)
    assert step.skipped_ == ""
    np.testing.assert_array_equal(out[old], X[old])
    assert np.abs(out[new].mean(axis=0) - X[old].mean(axis=0)).max() < 0.2


@each_step
def test_a_batch_is_not_learnt_from_few_samples_or_without_leave(cls):
    X, batch = cohort()
    new = np.full(MIN_ADAPT - 1, "new", dtype=object)
    step = cls(new_batch="adapt").fit(X, batch=batch)
    with pytest.raises(ValueError, match=r"new \(19\): each needs 20"):
        step.adapt(X[:19], new)
    with pytest.raises(ValueError, match="Only a step with new_batch='adapt'"):
        cls().fit(X, batch=batch).adapt(X[:19], new)
    with pytest.raises(ValueError, match="No batch was fitted"):
        cls(new_batch="adapt").fit(X).adapt(X[:19], new)


@each_step
def test_a_saved_step_transforms_to_the_same_bits(cls, tmp_path):
    X, batch = cohort((*SMALL, ("new", 25)), missing=0.1)
    covariates = with_covariates(X)
    train, new = batch != "new", batch == "new"
    step = cls(["age", "sex"], new_batch="adapt").fit(
        X[train], batch=batch[train], covariates=covariates[train]
    )
    step.adapt(X[new], batch[new], covariates[new])
    with h5py.File(tmp_path / "step.h5", "w") as file:
        step.to_h5(file)
    with h5py.File(tmp_path / "step.h5") as file:
        again = cls.from_h5(file)
    np.testing.assert_array_equal(
        again.transform(X, batch=batch, covariates=covariates),
        step.transform(X, batch=batch, covariates=covariates),
    )
    assert again.flags(batch).tolist() == step.flags(batch).tolist()
    assert again.did_ == step.did_


@each_step
def test_a_step_that_saw_no_batches_is_saved_too(cls, tmp_path):
    X, _ = cohort()
    with h5py.File(tmp_path / "step.h5", "w") as file:
        cls().fit(X).to_h5(file)
    with h5py.File(tmp_path / "step.h5") as file:
        np.testing.assert_array_equal(cls.from_h5(file).transform(X), X)


def test_linear_removal_of_some_features_is_that_of_the_whole():
    X, batch = cohort(n_features=1500, missing=0.2)
    covariates = with_covariates(X)
    known = {"batch": batch, "covariates": covariates}
    whole = LinearRemoval(["age", "sex"]).fit(X, **known).transform(X, **known)
    for block in (slice(0, 1), slice(3, 700), slice(1000, 1500)):
        part = LinearRemoval(["age", "sex"]).fit(X[:, block], **known)
        np.testing.assert_array_equal(part.transform(X[:, block], **known), whole[:, block])


@each_step
def test_what_a_step_keeps_of_each_feature_is_as_long_as_there_are_features(cls):
    X, batch = cohort()
    step = cls().fit(X, batch=batch)
    assert set(step.feature_state) <= set(step.state)
    assert all(len(getattr(step, name)) == X.shape[1] for name in step.feature_state)
