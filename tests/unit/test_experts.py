"""Products of Gaussian experts, and the divergence from the standard normal."""

import numpy as np
import pytest

from omicsfusion.models.experts import (
    STANDARD_NORMAL,
    divergence_from_normal,
    product_of_experts,
)

MEAN = np.array([[[0.5, -3.0], [2.0, 1.0], [-1.0, 7.0]]], np.float32)
VARIANCE = np.array([[[0.2, 4.0], [1.5, 0.3], [0.7, 0.01]]], np.float32)


def there(*experts: int) -> np.ndarray:
    return np.isin(np.arange(3), experts).astype(np.float32)[None]


def normal_density(at: np.ndarray, mean: float, variance: float) -> np.ndarray:
    return np.exp(-0.5 * (at - mean) ** 2 / variance) / np.sqrt(2 * np.pi * variance)


@pytest.mark.parametrize("expert", range(3))
def test_the_product_of_one_expert_is_that_expert(expert):
    mean, variance = product_of_experts(MEAN, VARIANCE, there(expert))
    np.testing.assert_allclose(mean, MEAN[:, expert], rtol=1e-6)
    np.testing.assert_allclose(variance, VARIANCE[:, expert], rtol=1e-6)


def test_the_product_of_two_experts_weighs_their_means_by_their_precisions():
    mean, variance = product_of_experts(MEAN, VARIANCE, there(0, 1))
    one, other = VARIANCE[:, 0], VARIANCE[:, 1]
    np.testing.assert_allclose(variance, one * other / (one + other), rtol=1e-5)
    expected = (MEAN[:, 0] * other + MEAN[:, 1] * one) / (one + other)
    np.testing.assert_allclose(mean, expected, rtol=1e-5)


@pytest.mark.parametrize("prior", [None, STANDARD_NORMAL, (1.0, 0.5)])
def test_the_product_is_the_normalised_product_of_the_densities(prior):
    mean, variance = (
        np.asarray(part)[0] for part in product_of_experts(MEAN, VARIANCE, there(0, 2), prior)
    )
    at, step = np.linspace(-20, 20, 400_001, retstep=True)
    for column in range(2):
        product = np.prod(
            [normal_density(at, MEAN[0, e, column], VARIANCE[0, e, column]) for e in (0, 2)], axis=0
        )
        if prior:
            product = product * normal_density(at, *prior)
        product /= product.sum() * step
        expected = normal_density(at, mean[column], variance[column])
        assert np.abs(product - expected).max() < 1e-4 * expected.max()


def test_an_expert_who_is_not_there_takes_no_part_whatever_it_says():
    before = product_of_experts(MEAN, VARIANCE, there(0, 2), STANDARD_NORMAL)
    mean, variance = MEAN.copy(), VARIANCE.copy()
    mean[:, 1], variance[:, 1] = 1e30, 1e-30
    after = product_of_experts(mean, variance, there(0, 2), STANDARD_NORMAL)
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)


def test_without_experts_the_prior_is_left():
    mean, variance = product_of_experts(MEAN, VARIANCE, there(), (1.5, 4.0))
    np.testing.assert_array_equal(mean, [[1.5, 1.5]])
    np.testing.assert_array_equal(variance, [[4.0, 4.0]])


def test_the_divergence_agrees_with_its_integral_and_with_random_draws():
    mean, variance = np.array([0.7, -1.2, 0.1]), np.array([0.3, 2.0, 1.1])
    at, step = np.linspace(-20, 20, 200_001, retstep=True)
    integral = 0.0
    for m, v in zip(mean, variance, strict=True):
        density = normal_density(at, m, v)
        log_ratio = 0.5 * (at**2 - (at - m) ** 2 / v - np.log(v))
        integral += float(np.sum(density * log_ratio) * step)
    found = float(divergence_from_normal(mean.astype("f4"), variance.astype("f4")))
    assert found == pytest.approx(integral, rel=1e-5)
    draws = mean + np.sqrt(variance) * np.random.default_rng(0).normal(size=(200_000, 3))
    ratios = 0.5 * (draws**2 - (draws - mean) ** 2 / variance - np.log(variance)).sum(axis=1)
    standard_error = ratios.std() / np.sqrt(len(ratios))
    assert abs(found - ratios.mean()) < 4 * standard_error


def test_the_standard_normal_is_no_way_from_itself():
    assert float(divergence_from_normal(np.zeros(4, "f4"), np.ones(4, "f4"))) == 0.0
