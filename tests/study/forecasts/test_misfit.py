from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sendcap.study.forecasts.misfit import LARGE, Discrepancy
from sendcap.study.forecasts.reference import Compared, Summaries

TIMES_S = np.array([60.0, 120.0, 180.0])
COMPARED = (
    Compared("without-efs", "delivered_pct", TIMES_S),
    Compared("efs", "delivered_pct", TIMES_S),
)


def simulated(places: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two curves: the first sinks with the first value, the second climbs with the second."""
    lost, late = places.T
    falls = 100.0 - np.outer(lost, [1.0, 2.0, 3.0])
    climbs = 50.0 + np.outer(1.0 - late, [10.0, 20.0, 30.0])
    return np.column_stack([falls, climbs]) + rng.normal(0.0, 0.01, (len(places), 6))


@pytest.fixture(scope="module")
def discrepancy() -> Discrepancy:
    rng = np.random.default_rng(3)
    places = rng.random((64, 2))
    return Discrepancy(Summaries(COMPARED, simulated(places, rng), np.full(6, 0.01)), places)


def test_readings_that_the_model_gives_have_hardly_any_misfit(discrepancy) -> None:
    rng = np.random.default_rng(4)
    new = simulated(rng.random((50, 2)), rng)
    assert max(discrepancy.misfit(row).largest for row in new) < 0.1


def test_only_the_curve_that_is_not_like_the_model_has_a_misfit(discrepancy) -> None:
    rng = np.random.default_rng(4)
    (row,) = simulated(np.array([[0.5, 0.5]]), rng)
    row[4] -= 25.0
    misfit = discrepancy.misfit(row)
    falls, climbs = misfit.sizes
    assert falls < 0.1
    assert climbs > LARGE
    assert (misfit.mode, misfit.column, misfit.time_s) == ("efs", "delivered_pct", 120.0)
    assert misfit.observed_pct == row[4] < misfit.low_pct
    assert misfit.nearest_pct == pytest.approx(60.0, abs=5.0)
    # The value that moves this reading: more of it is less.
    assert np.argmax(np.abs(misfit.related)) == 1
    assert misfit.related[1] < -0.99


def test_no_other_sizes_are_likelier(discrepancy) -> None:
    rng = np.random.default_rng(4)
    (row,) = simulated(np.array([[0.5, 0.5]]), rng)
    row[[1, 4]] -= 1.0, 25.0
    sizes = discrepancy.misfit(row).sizes
    assert sizes.min() > 0.1

    def unlikeliness(sizes: np.ndarray) -> float:
        spread = discrepancy._covariance + np.diag(np.repeat(sizes, 3) ** 2)
        likelihood = stats.multivariate_normal.logpdf(discrepancy.point(row), cov=spread)
        return sizes.sum() - likelihood

    for change in (0.98, 1.02):
        for curve in (0, 1):
            others = np.where(np.arange(2) == curve, change * sizes, sizes)
            assert unlikeliness(others) > unlikeliness(sizes)


def test_errors_as_large_as_the_misfit_are_added_to_the_simulations(discrepancy) -> None:
    rng = np.random.default_rng(4)
    (row,) = simulated(np.array([[0.5, 0.5]]), rng)
    row[4] -= 25.0
    misfit = discrepancy.misfit(row)
    apart = discrepancy.disturbed(misfit, rng) - discrepancy.points
    assert apart[:, 3:].std() == pytest.approx(misfit.sizes[1], rel=0.2)
    assert np.abs(apart[:, :3]).max() < 0.5


def test_a_single_reading_far_off_is_a_misfit_and_one_within_is_none() -> None:
    rng = np.random.default_rng(3)
    places = rng.random((64, 1))
    single = (Compared("efs", "delivered_pct", TIMES_S[:1]),)
    judged = Discrepancy(Summaries(single, 90.0 + 2.0 * places, np.full(1, 0.1)), places)
    assert judged.misfit(np.array([91.5])).largest < 0.1
    far = judged.misfit(np.array([80.0]))
    assert far.largest > LARGE
    assert far.nearest_pct > 85.0
