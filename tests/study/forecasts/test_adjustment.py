from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.interpolate import RBFInterpolator

from sendcap.study.forecasts.adjustment import Adjustment, Smoothed, Smoother, smoothers


@pytest.fixture(scope="module")
def points():
    return np.random.default_rng(3).normal(size=(40, 2))


@pytest.fixture(scope="module")
def candidates(points):
    return smoothers(points)


def fit_of(each: Smoother, points: np.ndarray, values: np.ndarray) -> RBFInterpolator:
    """The same fit by SciPy."""
    return RBFInterpolator(
        points, values, kernel="gaussian", epsilon=each.epsilon, smoothing=each.smoothing, degree=0
    )


@pytest.mark.parametrize("number", [0, 20, 35])
def test_a_number_is_predicted_as_scipy_does(points, candidates, number) -> None:
    values = np.column_stack([np.sin(points[:, 0]), points[:, 1] ** 2])
    new = np.array([0.2, -0.3])
    expected = fit_of(candidates[number], points, values)(new[None])[0]
    assert candidates[number].at(new, values) == pytest.approx(expected, rel=1e-6)


def test_what_is_left_out_is_what_a_fit_without_the_simulation_leaves(points, candidates) -> None:
    values = np.sin(points[:, :1]) + 0.1 * points[:, 1:] ** 2
    picked = candidates[20]
    for number in (0, 17):
        others = np.delete(np.arange(40), number)
        without = fit_of(picked, points[others], values[others])
        expected = values[number] - without(points[number : number + 1])[0]
        assert picked.left_out(values)[number] == pytest.approx(expected, rel=1e-6)


def test_each_number_is_predicted_by_the_smoother_that_predicts_it_best(points, candidates) -> None:
    values = np.column_stack([points[:, 0], np.sin(8.0 * points[:, 1])])
    smoothed = Smoothed(candidates, values)
    assert len(smoothed.chosen) == 2
    for candidate in candidates:
        squares = (candidate.left_out(values) ** 2).mean(axis=0)
        assert ((smoothed.left_out**2).mean(axis=0) <= squares + 1e-15).all()
    point = np.array([0.2, -0.3])
    assert smoothed.at(point)[0] == pytest.approx(0.2, abs=0.01)


def test_a_curve_that_is_flat_in_all_simulations_stays_flat(points, candidates) -> None:
    end = np.exp(points[:, :1])
    curves = np.hstack([np.sin(5.0 * points[:, 1:]), end, end, end])
    draws = Adjustment(candidates, curves, judged=np.arange(3)).draws(np.array([0.5, 0.5]))
    np.testing.assert_allclose(draws[:, 1:], draws[:, 1:2] + np.zeros((1, 3)), atol=1e-12)


def test_intervals_hold_a_new_number_as_often_as_they_say_and_are_wide_where_chance_is() -> None:
    rng = np.random.default_rng(5)

    def numbers(x):
        return np.sin(3.0 * x) + (0.05 + 0.5 * (x > 0.0)) * rng.normal(size=x.shape)

    x = rng.uniform(-1.0, 1.0, (64, 1))
    adjustment = Adjustment(smoothers(x), numbers(x))
    new = rng.uniform(-1.0, 1.0, (200, 1))
    ends = np.array([np.quantile(adjustment.draws(one)[:, 0], (0.05, 0.95)) for one in new])
    truth = numbers(new)[:, 0]
    held = (ends[:, 0] <= truth) & (truth <= ends[:, 1])
    # One table of 64 holds 90 % of the new ones within some 4 %.
    assert abs(held.mean() - 0.9) < 3.0 * np.sqrt(0.09 / 200 + 0.09 / 64)
    left, right = ((ends[new[:, 0] * sign > 0.2] @ [-1.0, 1.0]).mean() for sign in (-1, 1))
    assert right > 3.0 * left


def test_numbers_that_do_not_differ_are_known() -> None:
    x = np.linspace(-1.0, 1.0, 64)[:, None]
    draws = Adjustment(smoothers(x), np.full((64, 2), 99.5)).draws(np.array([0.1]))
    np.testing.assert_allclose(draws, 99.5, atol=1e-9)


def test_readings_that_say_nothing_leave_what_the_simulations_came_to() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(64, 1))
    draws = Adjustment(smoothers(rng.normal(size=(64, 2))), values).draws(np.zeros(2))
    assert stats.ks_2samp(draws[:, 0], values[:, 0]).pvalue > 0.1
