from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sendcap.study.tempering import posterior


@pytest.mark.parametrize("deviation", [0.3, 1e-4])
def test_a_normal_posterior_is_found_however_narrow(deviation) -> None:
    mean = np.array([0.2, -0.5])
    its = stats.multivariate_normal(mean, deviation**2 * np.array([[1.0, 0.8], [0.8, 1.0]]))
    draws = posterior(its.logpdf, 2, 4000, np.random.default_rng(1))
    apart = (draws - mean) / deviation
    if deviation < 0.1:  # else the cube cuts it
        assert apart.mean(axis=0) == pytest.approx(0.0, abs=0.08)
        assert apart.std(axis=0) == pytest.approx(1.0, rel=0.06)
        assert np.corrcoef(apart.T)[0, 1] == pytest.approx(0.8, abs=0.03)
    assert (np.abs(draws) <= 1.0).all()


def test_without_information_the_ranges_stay_as_they_are() -> None:
    draws = posterior(lambda points: np.zeros(len(points)), 3, 2048, np.random.default_rng(2))
    for values in draws.T:
        assert stats.kstest(values, stats.uniform(-1, 2).cdf).pvalue > 0.01


def test_a_posterior_that_is_cut_by_the_range_keeps_to_it() -> None:
    """Of exp(-x / s) from the low end on, the mean is s above it."""
    draws = posterior(lambda x: -(x[:, 0] + 1.0) / 0.01, 1, 4000, np.random.default_rng(3))
    assert draws.min() >= -1.0
    assert draws.mean() + 1.0 == pytest.approx(0.01, rel=0.08)


def test_two_separate_explanations_are_both_found() -> None:
    def log_likelihood(points):
        x = points[:, 0]
        return np.logaddexp(-0.5 * ((x - 0.6) / 0.02) ** 2, -0.5 * ((x + 0.6) / 0.02) ** 2)

    draws = posterior(log_likelihood, 1, 2000, np.random.default_rng(4))
    assert (draws > 0).mean() == pytest.approx(0.5, abs=0.12)
    assert np.abs(np.abs(draws) - 0.6).max() < 0.1


def test_the_same_generator_gives_the_same_draws() -> None:
    one, two = (
        posterior(lambda x: -np.abs(x).sum(axis=1), 2, 200, np.random.default_rng(5))
        for _ in range(2)
    )
    np.testing.assert_array_equal(one, two)
