"""How often the interval covers the expectation when its own width decided when to stop."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest

import sendcap
from sendcap.errors import SendcapError
from sendcap.scenario import from_dict
from sendcap.study.replication.estimates import (
    LEAST,
    Sequential,
    estimate,
    half_width,
    median_interval,
)

REPETITIONS = 1000


def standard_error(probability: float, count: int = REPETITIONS) -> float:
    return math.sqrt(probability * (1.0 - probability) / count)


def stopped(draw: Callable[[], float], rule: Sequential[str]) -> list[float]:
    values: list[float] = []
    while True:
        values.append(draw())
        if rule.enough({"x": values}):
            return values


def coverage(draw: Callable[[], float], mean: float, rule: Sequential[str]) -> float:
    covered = 0
    for _ in range(REPETITIONS):
        estimated = estimate(stopped(draw, rule), rule.confidence)
        covered += estimated.low <= mean <= estimated.high
    return covered / REPETITIONS


@pytest.mark.parametrize("confidence", [0.9, 0.95])
@pytest.mark.parametrize("wanted", [0.6, 0.3])
def test_with_normal_replications_the_interval_covers_about_as_often_as_it_says(
    wanted, confidence
) -> None:
    """Stopping when the variance looks small costs about one percent of coverage."""
    generator = np.random.default_rng(3)
    rule = Sequential({"x": wanted}, confidence, most=1000)
    found = coverage(lambda: float(generator.normal(5.0)), 5.0, rule)
    error = standard_error(confidence)
    assert confidence - 0.015 - 3 * error <= found <= confidence + 3 * error


def test_with_skewed_replications_it_covers_less_often() -> None:
    """The t interval's own weakness, and stopping adds to it; measured: 89 to 92 % of 95 %."""
    generator = np.random.default_rng(4)
    mean = math.exp(0.5**2 / 2)
    wanted = 0.3 * mean * math.sqrt(math.expm1(0.5**2))
    rule = Sequential({"x": wanted}, most=1000)
    found = coverage(lambda: float(generator.lognormal(0.0, 0.5)), mean, rule)
    assert 0.87 <= found <= 0.95


def test_with_simulated_deliveries_it_keeps_its_promise() -> None:
    """Every tenth address is bounced and every tenth message returned: 81 % is delivered."""
    scenario = from_dict(
        {
            "time": {"bin": "1h"},
            "deliveries": [
                {"name": "d", "messages": 300, "validity": "1h", "audience": {"p": 1.0}}
            ],
            "relay": {"batch_time": "1s"},
            "providers": {
                "p": {
                    "connect_time": "0s",
                    "transaction_time": "100ms",
                    "hard": [{"reason": "user unknown", "share": 0.1}],
                    "async_bounce": 0.1,
                }
            },
        }
    )
    repetitions, covered, counts, means = 100, 0, [], []
    for seed in range(repetitions):
        replicated = sendcap.replicate(
            scenario.with_seed(seed),
            precision={"delivered_pct": "1.35pt"},
            modes=["efs"],
            workers=1,
        )
        interval = replicated.estimate("delivered_pct", "efs")
        assert replicated.precise
        assert interval.half_width <= 1.35
        covered += interval.low <= 81.0 <= interval.high
        counts.append(replicated.n)
        means.append(interval.mean)
    # Intervals hide a bias of less than an error, the mean of a hundred of them does not.
    of_one = 100.0 * math.sqrt(0.81 * 0.19 / 300)
    assert np.mean(means) == pytest.approx(81.0, abs=4.0 * of_one / math.sqrt(sum(counts)))
    assert 0.95 - 0.015 - 3 * standard_error(0.95, repetitions) <= covered / repetitions
    # Some stop at once and some do not: the procedure had a say.
    assert min(counts) == LEAST
    assert max(counts) > 1.5 * LEAST


def test_it_stops_at_the_first_replication_at_which_the_interval_is_narrow_enough() -> None:
    generator = np.random.default_rng(5)
    values = stopped(lambda: float(generator.normal()), Sequential({"x": 0.4}))
    widths = [estimate(values[:n]).half_width for n in range(LEAST, len(values) + 1)]
    assert len(widths) > 5
    assert widths[-1] <= 0.4 < min(widths[:-1])


def test_no_fewer_than_ten_even_if_they_agree() -> None:
    assert len(stopped(lambda: 1.0, Sequential({"x": 0.1}))) == LEAST == 10


def test_every_kpi_has_to_be_narrow_enough() -> None:
    rule = Sequential({"x": 1.0, "y": 1.0}, most=1000)
    wide = np.random.default_rng(0).normal(0.0, 10.0, LEAST).tolist()
    assert rule.enough({"x": [0.0] * LEAST, "y": [0.0] * LEAST})
    assert not rule.enough({"x": [0.0] * LEAST, "y": wide})


def test_the_half_width_is_that_of_the_estimate() -> None:
    values = np.random.default_rng(0).normal(size=17).tolist()
    for confidence in (0.8, 0.99):
        expected = estimate(values, confidence).half_width
        assert half_width(values, confidence) == pytest.approx(expected, rel=1e-12)


def test_it_ends_with_the_most_that_there_may_be_and_says_what_was_reached() -> None:
    rule = Sequential({"x": 0.6}, most=11)
    values = stopped(itertools.cycle([-1.0, 1.0]).__next__, rule)
    assert len(values) == 11
    assert not rule.precise({"x": values})
    assert rule.shortfall({"x": values}).startswith(
        "precision: not reached by 11 replications: x is known to within ±0."
    )


def test_what_is_out_of_reach_is_told_after_ten() -> None:
    generator = np.random.default_rng(1)
    asked = []

    def draw() -> float:
        asked.append(1)
        return float(generator.normal())

    with pytest.raises(SendcapError, match=r"200 replications cannot narrow x to ±0.001"):
        stopped(draw, Sequential({"x": 0.001}))
    assert len(asked) == LEAST


def test_a_kpi_without_a_value_cannot_decide() -> None:
    with pytest.raises(SendcapError, match="x has no value"):
        stopped(lambda: math.nan, Sequential({"x": 1.0}))


@pytest.mark.parametrize("wanted", [0.0, -1.0, math.inf, math.nan])
def test_a_precision_must_be_above_zero(wanted) -> None:
    with pytest.raises(SendcapError, match="precision: must be above 0"):
        Sequential({"x": wanted})


@pytest.mark.parametrize("most", [9, 0, 1.5, True])
def test_there_may_be_no_fewer_than_the_least(most) -> None:
    with pytest.raises(SendcapError, match="most: must be a whole number from 10"):
        Sequential({"x": 1.0}, most=most)


@pytest.mark.parametrize("draw", ["lognormal", "whole"])
def test_a_median_is_covered_by_the_interval_that_decides(draw: str) -> None:
    """Measured: 92 % and 99 %."""
    generator = np.random.default_rng(3)
    draws = {
        "lognormal": (lambda: float(generator.lognormal(0.0, 0.5)), 0.2, 1.0),
        "whole": (lambda: float(generator.integers(0, 5)), 0.6, 2.0),
    }
    one, wanted, median = draws[draw]
    rule = Sequential({"x": wanted}, of_median=frozenset({"x"}))
    covered = 0
    for _ in range(REPETITIONS // 4):
        low, high = median_interval(stopped(one, rule))
        assert high - low <= 2.0 * wanted
        covered += low <= median <= high
    assert covered / (REPETITIONS // 4) >= 0.88


def test_a_settling_time_is_precise_by_the_interval_that_is_shown() -> None:
    scenario = from_dict(
        {
            "deliveries": [{"name": "d", "messages": 300, "audience": {"p": 1.0}}],
            "relay": {"batch_time": {"dist": "exponential", "mean": "10m"}, "batch": 30},
            "providers": {"p": {"connect_time": "0s", "transaction_time": "1s"}},
        }
    )
    replicated = sendcap.replicate(
        scenario,
        measures=["accepted_99_pct_s", "settling_s"],
        precision={"settling_s.efs.1pt": "20m"},
        modes=["efs"],
        workers=1,
    )
    (row,) = replicated.table(["settling_s.efs.1pt"]).itertuples()
    assert replicated.precise
    assert row.median_high - row.median_low <= 2400.0
