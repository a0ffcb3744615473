from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import RBFInterpolator
from scipy.stats import qmc

from sendcap.study.emulator import chosen, smoothers
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
    quadratic = (1.0 + points[:, :1] - 2.0 * points[:, :1] * points[:, 1:]) * np.ones(5)
    bent = np.abs(points[:, :1] - 0.1) * np.ones(5)
    noisy = quadratic + rng.normal(0.0, 0.1, quadratic.shape)
    curves = {"quadratic": quadratic, "bent": bent, "noisy": noisy}
    found = chosen(candidates, curves)
    at = np.array([[0.3, -0.4], [-0.7, 0.2]])
    for name, curve, within in (("quadratic", quadratic, 1e-6), ("bent", bent, 0.06)):
        truth = (
            1.0 + at[:, 0] - 2.0 * at[:, 0] * at[:, 1]
            if name == "quadratic"
            else np.abs(at[:, 0] - 0.1)
        )
        assert (found[name].weights(at) @ curve)[:, 0] == pytest.approx(truth, abs=within)
    # The noise is left as error, a little more of it since each is predicted by the others.
    left = found["noisy"].left_out(noisy).std()
    assert 0.09 < left < 0.125


def test_a_curve_that_does_not_vary_is_no_problem(points, candidates) -> None:
    found = chosen(candidates, {"flat": np.full((len(points), 3), 99.0)})
    assert found["flat"].weights(points) @ np.full(len(points), 99.0) == pytest.approx(99.0)


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
