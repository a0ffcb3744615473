"""Intervals hold what they say, also of numbers that are skewed or one of few."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import sendcap
from sendcap.study.convergence.compare import difference_of
from sendcap.study.replication.estimates import (
    enough_for_a_median,
    estimate,
    held,
    median_interval,
    share_interval,
)
from sendcap.study.replication.replications import MOMENTS, is_moment, spread

REPEATS = 1500
# A settling time: nearly always one of two retries, now and then one much later.
SETTLING = (np.array([5280.0, 5340.0, 25_000.0, 80_000.0]), np.array([0.55, 0.3, 0.1, 0.05]))


def settling(rng: np.random.Generator, *shape: int) -> np.ndarray:
    values, shares = SETTLING
    return rng.choice(values, p=shares, size=shape)


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.9, 0.95, 0.99])
def test_there_is_an_interval_of_a_median_from_as_many_values_as_it_says(confidence) -> None:
    enough = enough_for_a_median(confidence)
    values = list(range(enough))
    assert median_interval(values, confidence) == (0, enough - 1)
    assert all(map(math.isnan, median_interval(values[1:], confidence)))


@pytest.mark.parametrize("confidence", [0.5, 0.875, 0.9, 0.95, 0.99])
def test_intervals_that_do_not_depend_on_a_distribution_are_those_of_scipy(confidence) -> None:
    for n in (*range(2, 24), 41, 59, 200, 1001):
        values = np.arange(n)
        low, high = stats.quantile_test(values, q=0.5, p=0.5).confidence_interval(confidence)
        expected = (math.nan, math.nan) if math.isnan(low) else (low, high)
        assert median_interval(values.tolist(), confidence) == pytest.approx(expected, nan_ok=True)
        for count in {0, 1, n // 3, n - 1, n}:
            exact = stats.binomtest(count, n).proportion_ci(confidence, "exact")
            assert share_interval(count, n, confidence) == pytest.approx(tuple(exact), abs=1e-10)


@pytest.mark.parametrize("n", [6, 10, 20])
@pytest.mark.parametrize("skewed", [False, True])
def test_the_interval_of_the_median_holds_whatever_the_distribution_is(n, skewed) -> None:
    rng = np.random.default_rng(n)
    draws = settling(rng, REPEATS, n) if skewed else rng.lognormal(0.0, 1.5, (REPEATS, n))
    median = 5280.0 if skewed else 1.0
    rows = [spread(row, 0.95, normal=False) for row in draws]
    held_in = np.mean([row["median_low"] <= median <= row["median_high"] for row in rows])
    assert held_in > 0.95 - 3.0 * math.sqrt(0.05 * 0.95 / REPEATS)
    # The t interval of the mean, which is not stated, does not.
    assert all(math.isnan(row["mean_low"]) for row in rows)
    mean = float(SETTLING[0] @ SETTLING[1]) if skewed else math.exp(1.5**2 / 2)
    before = [estimate(row.tolist()) for row in draws]
    assert np.mean([each.low <= mean <= each.high for each in before]) < 0.93


@pytest.mark.parametrize("n", [3, 5, 10, 20, 60])
def test_one_more_lies_in_the_band_as_often_as_it_says(n) -> None:
    rng = np.random.default_rng(n)
    draws = rng.lognormal(0.0, 1.5, (REPEATS, n + 1))
    rows = [spread(row[:-1], 0.95) for row in draws]
    share = np.mean(
        [row["low"] <= more <= row["high"] for row, more in zip(rows, draws[:, -1], strict=True)]
    )
    promised = held(n, 0.95)
    assert abs(share - promised) < 3.5 * math.sqrt(promised * (1.0 - promised) / REPEATS)


def test_few_moments_have_no_interval_of_the_mean(converged) -> None:
    runs: sendcap.Replications = converged.replications
    rows = runs.table()
    moments = rows["name"].map(is_moment)
    assert rows[moments]["mean_low"].isna().all()
    assert set(rows[moments]["name"]) <= MOMENTS
    assert rows[~moments & (rows["n"] > 1)]["mean_low"].notna().all()
    # Six replications are just enough for the median's.
    assert rows[rows["n"] == 6]["median_low"].notna().all()
    estimated = runs.estimate("settling_s", "efs", at=1.0)
    assert (estimated.low, estimated.high) == (-math.inf, math.inf)
    assert runs.between == "the smallest to the largest"


def test_a_difference_is_the_means_where_pairs_differ_and_the_medians_where_few_do() -> None:
    apart = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0])
    estimated = estimate(apart.tolist())
    assert difference_of(apart, 0.95, "delivered_pct") == (
        estimated.mean,
        estimated.low,
        estimated.high,
    )
    assert difference_of(apart, 0.95, "settling_s") == (4.0, 1.0, 8.0)
    # A t interval of six zeros and a one claims that the mean is within 0.5 of 0.14.
    few = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    assert difference_of(few, 0.95, "delivered_pct") == (0.0, 0.0, 1.0)
    middle, low, high = difference_of(few[-3:], 0.95, "delivered_pct")
    assert middle == 0.0
    assert math.isnan(low)
    assert math.isnan(high)
    assert difference_of(np.zeros(3), 0.95, "settling_s") == (0.0, 0.0, 0.0)
