"""Convolution with a delay, against draws; refusals; what is taken in one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from sendcap.fluid.refusals import Refusals
from sendcap.fluid.spans import Delay, Spans
from sendcap.scenario import Distribution, Provider, RandomTime

adapter: TypeAdapter[RandomTime] = TypeAdapter(Distribution)

DELAYS: dict[str, Any] = {
    "none": "0s",
    "constant": "95s",
    "short": {"dist": "exponential", "mean": "20s"},
    "long": {"dist": "lognormal", "mean": "30m", "cv": 1.5},
    "bounded": {"dist": "uniform", "low": "90s", "high": "10m"},
    "measured": {"dist": "empirical", "values": ["40s", "3m", "3m", "20m"]},
}


@pytest.mark.parametrize("table", DELAYS.values(), ids=DELAYS.keys())
def test_counts_are_delayed_as_draws_are(table: Any) -> None:
    delay = adapter.validate_python(table)
    rng = np.random.default_rng(3)
    size, bin_s = 200_000, 60.0
    draws_s = rng.uniform(0.0, 6000.0, size) + delay.sample(rng, size)
    spans = Spans(np.zeros(1), np.array([6000.0]), np.zeros(1))
    found = Delay(delay.cdf, delay.lowest_s, bin_s).counted(spans, np.array([[1.0]]))[0]
    drawn = np.bincount((draws_s / bin_s).astype(int), minlength=len(found)) / size
    found = np.pad(found, (0, max(len(drawn) - len(found), 0)))
    assert found.sum() == pytest.approx(1.0, rel=1e-9)
    # Three and a half standard errors of the draws.
    assert np.abs(np.cumsum(found) - np.cumsum(drawn)).max() < 0.004


def test_what_takes_too_long_is_left_out() -> None:
    delay = adapter.validate_python({"dist": "exponential", "mean": "1h"})
    found = Delay(delay.cdf, 0.0, 60.0, until_s=7200.0).later(np.array([[1000.0]]))
    assert found.sum() == pytest.approx(1000.0 * (1.0 - np.exp(-2.0)), abs=5.0)


def provider_of(**keys: Any) -> Provider:
    return Provider(connect_time="0s", transaction_time="1s", **keys)


def steady(per_s: float, lasts_s: float) -> tuple[Spans, np.ndarray]:
    """Attempts that finish evenly, in cohorts of ten seconds."""
    begins_s = np.arange(0.0, lasts_s, 10.0)
    spans = Spans(begins_s, begins_s + 10.0, np.zeros(len(begins_s)))
    return spans, np.full(len(begins_s), 10.0 * per_s)


def test_what_is_throttled_at_random_agrees_with_erlang_for_a_burst_of_one() -> None:
    for per_s in (0.5, 2.0, 8.0):
        refusals = Refusals(provider_of(tolerance="2/s,max_burst=1"), 1, 60.0)
        finish, tried = steady(per_s, 6000.0)
        refusals.learn(finish, tried)
        load = per_s / 2.0
        assert refusals.of(finish).throttled[300] == pytest.approx(load / (1.0 + load), abs=1e-3)


@pytest.mark.parametrize("per_s", [1.0, 1.9, 2.0, 2.1, 6.0])
def test_what_is_throttled_at_random_agrees_with_draws(per_s: float) -> None:
    burst, rng = 10, np.random.default_rng(8)
    refusals = Refusals(provider_of(tolerance=f"2/s,max_burst={burst}"), 1, 60.0)
    finish, tried = steady(per_s, 50_000.0)
    refusals.learn(finish, tried)
    finishes_s = np.cumsum(rng.exponential(1.0 / per_s, int(50_000 * per_s)))
    arrival_s, throttled = -np.inf, 0
    for finish_s in finishes_s.tolist():
        if finish_s < arrival_s - 0.5 * (burst - 1):
            throttled += 1
        else:
            arrival_s = max(arrival_s, finish_s) + 0.5
    mean = np.average(refusals.of(finish).throttled, weights=tried)
    # M/M/1/K is exact for a burst of 1 only.
    assert mean == pytest.approx(throttled / len(finishes_s), abs=0.015)


def test_refusals_by_step_and_by_cohort_are_the_same() -> None:
    outages = [{"at": "100s", "lasts": "250s"}, {"at": "900s", "lasts": "1m"}]
    refusals = Refusals(provider_of(outages=outages, tolerance="3/s"), 1, 60.0)
    finish, tried = steady(5.0, 2000.0)
    refusals.learn(finish, tried)
    found = refusals.of(finish)
    steps = refusals.in_steps(40)
    for name, shares in (("unreachable", found.unreachable), ("throttled", found.throttled)):
        assert (shares * tried).sum() == pytest.approx(
            steps[name][:34] @ np.append(np.full(33, 300.0), 100.0)
        )
    assert found.unreachable[12] == pytest.approx(1.0)
    # The first cohort of an outage that begins in the middle of it is refused late.
    cut = refusals.of(Spans(np.array([60.0]), np.array([180.0]), np.zeros(1)))
    assert cut.later_s[0] > 0.0
