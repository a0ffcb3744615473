from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import RBFInterpolator
from scipy.stats import qmc

from sendcap.study.emulator import Emulated, best, smoothers
from sendcap.study.noise import correlation_of, scale_of


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    return 2.0 * qmc.Sobol(2, seed=1).random_base2(6) - 1.0


@pytest.fixture(scope="module")
def candidates(points):
    return smoothers(points)


def test_leaving_one_out_is_what_a_fit_without_it_would_give(points, candidates) -> None:
    values = np.sin(3 * points[:, :1]) + points[:, 1:] ** 2
    its = next(
        each
        for each in candidates
        if each.interpolator.kernel == "quintic" and each.interpolator.smoothing[0] == 0.1
    )
    errors = its.left_out(values)
    for place in (0, 17, 63):
        others = np.arange(len(points)) != place
        without = RBFInterpolator(
            points[others], values[others], kernel="quintic", degree=2, smoothing=0.1
        )
        expected = values[place] - without(points[place : place + 1])[0]
        assert errors[place] == pytest.approx(expected, rel=1e-6)


def test_what_is_smooth_is_followed_closely_and_noise_is_not(points, candidates) -> None:
    rng = np.random.default_rng(2)
    x, y = points[:, :1], points[:, 1:]
    quadratic = (1.0 + x - 2.0 * x * y) * np.ones(5)
    bent = np.abs(x - 0.1) * np.ones(5)
    noisy = quadratic + rng.normal(0.0, 0.1, quadratic.shape)
    at = np.array([[0.3, -0.4], [-0.7, 0.2]])
    means, _ = Emulated.of(best(candidates, quadratic), points, quadratic, 1e-6).at(at)
    assert means[:, 0] == pytest.approx([1.54, 0.58], abs=1e-6)
    means, _ = Emulated.of(best(candidates, bent), points, bent, 1e-6).at(at)
    assert means[:, 0] == pytest.approx([0.2, 0.8], abs=0.06)
    its = Emulated.of(best(candidates, noisy), points, noisy, 1e-6)
    # Of a single simulation the noise itself is left; a prediction's error is a little larger.
    assert its.scale.at(at) == pytest.approx(0.1, rel=0.2)
    assert (its.errors**2).mean() == pytest.approx(1.0, abs=0.1)
    assert 1.0 < (its.at(at)[1] / its.scale.at(at)).max() < 1.3


def test_predictions_are_off_by_as_much_as_they_say(points, candidates) -> None:
    rng = np.random.default_rng(6)
    truth = np.sin(2 * points[:, :1]) + points[:, 1:]
    noisy = truth + 0.1 * rng.standard_normal((len(points), 300))
    its = Emulated.of(best(candidates, noisy), points, noisy, 1e-6)
    # In the middle and at a corner, where a prediction rests on fewer simulations.
    at = np.array([[0.0, 0.1], [0.95, -0.95]])
    mean, deviation = its.at(at)
    new = (np.sin(2 * at[:, :1]) + at[:, 1:]) + 0.1 * rng.standard_normal((2, 300))
    assert ((new - mean) / deviation).std(axis=1) == pytest.approx(1.0, abs=0.12)
    assert deviation[1].mean() > 1.05 * deviation[0].mean()


def test_a_curve_that_does_not_vary_is_no_problem(points, candidates) -> None:
    flat = np.full((len(points), 3), 99.0)
    mean, deviation = Emulated.of(best(candidates, flat), points, flat, 0.003).at(points[:4])
    assert mean == pytest.approx(99.0)
    assert deviation == pytest.approx(0.003, rel=0.5)


def test_deviations_that_differ_over_the_ranges_are_found() -> None:
    rng = np.random.default_rng(3)
    points = rng.uniform(-1, 1, (256, 2))
    truth = np.exp(0.5 * (np.log(0.04) + 2.0 * points[:, 0]))
    its = scale_of(points, truth[:, None] * rng.standard_normal((256, 400)), 1e-6)
    at = np.array([[-0.9, 0.0], [0.0, 0.9], [0.9, 0.0]])
    expected = 0.2 * np.exp([-0.9, 0.0, 0.9])
    assert its.at(at).mean(axis=1) == pytest.approx(expected, rel=0.05)


def test_a_deviation_is_never_below_what_can_be_read() -> None:
    its = scale_of(np.linspace(-1, 1, 50)[:, None], np.zeros((50, 2)), 0.003)
    assert its.at(np.array([[-1.0], [1.0]])).min() == pytest.approx(0.003)


def test_correlation_is_kept_where_there_is_some_and_shrunk_where_there_is_none() -> None:
    rng = np.random.default_rng(4)
    common = rng.standard_normal((200, 1))
    related = 0.9 * common + np.sqrt(0.19) * rng.standard_normal((200, 6))
    assert correlation_of(related)[0, 1:] == pytest.approx(0.81, abs=0.08)
    unrelated = correlation_of(rng.standard_normal((40, 12)))
    raw = np.corrcoef(rng.standard_normal((40, 12)).T)
    off = ~np.eye(12, dtype=bool)
    assert np.abs(unrelated[off]).max() < 0.3 * np.abs(raw[off]).max()
    # More numbers than simulations: it can still be inverted.
    assert np.linalg.eigvalsh(correlation_of(rng.standard_normal((10, 30)))).min() > 0.0
