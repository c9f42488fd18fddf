"""Proportional odds against statsmodels."""

import numpy as np
import pytest
from statsmodels.miscmodels.ordinal_model import OrderedModel

from omicsfusion.models.heads.ordinal import SMALLEST_GAP, ordered_log_probabilities


def steps_of(cuts: np.ndarray) -> np.ndarray:
    """Return the steps that make these cut-points."""
    return np.concatenate([cuts[:1], np.log(np.expm1(np.diff(cuts) - SMALLEST_GAP))])


@pytest.mark.parametrize("seed", range(3))
def test_the_log_likelihood_is_that_of_statsmodels_at_the_same_parameters(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(60, 2))
    truth = rng.integers(4, size=60)
    slopes, cuts = rng.normal(size=2), np.sort(rng.normal(size=3))
    model = OrderedModel(truth, x, distr="logit")
    # statsmodels keeps the cut-points as the first of them and the logs of the distances.
    expected = model.loglike(np.concatenate([slopes, cuts[:1], np.log(np.diff(cuts))]))
    log_p = np.asarray(ordered_log_probabilities((x @ slopes)[None], steps_of(cuts)[None]))[0]
    assert log_p[np.arange(60), truth].sum() == pytest.approx(expected, rel=1e-9)


def test_at_the_maximum_of_statsmodels_the_probabilities_agree():
    rng = np.random.default_rng(9)
    x = rng.normal(size=(200, 2))
    truth = np.digitize(x[:, 0] + rng.logistic(size=200), [-1, 0.5])
    model = OrderedModel(truth, x, distr="logit")
    fitted = model.fit(method="bfgs", disp=False)
    cuts = model.transform_threshold_params(fitted.params)[1:-1]
    log_p = ordered_log_probabilities((x @ fitted.params[:2])[None], steps_of(cuts)[None])
    np.testing.assert_allclose(np.exp(log_p)[0], fitted.predict(x), rtol=1e-8)
