"""Mean waits of the engine's stations against the formulas of queueing theory.

A 99.9 % confidence interval around the simulated mean must hold the formula's value, and must be
narrow, with one server ±2 % of it, so that such an error would be caught. No two cases share
arrivals: one run of bad luck would fail them all.

References: L. Kleinrock, "Queueing Systems" I (1975): M/M/c (Erlang C), M/G/1 and M/D/1
(Pollaczek-Khinchine), G/M/1 (the root σ of σ = A*(μ − μσ)).
"""

from __future__ import annotations

import math
from typing import Any

import pytest
from scipy import optimize, stats
from small_scenarios import scenario_of

from sendcap.model.engine import simulate_ledger
from sendcap.model.monitor import Monitor, Waits
from sendcap.scenario import Scenario

CUSTOMERS, RUNS = 100_000, 24
EXPONENTIAL = {"dist": "exponential", "mean": "1s"}


def erlang_c_wait(load: float, servers: int) -> float:
    terms = [load**k / math.factorial(k) for k in range(servers)]
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    return last / (sum(terms) + last) / (servers - load)


def pollaczek_khinchine(load: float, cv: float) -> float:
    return load * (1 + cv**2) / (2 * (1 - load))


def d_m_1_wait(load: float) -> float:
    sigma = optimize.brentq(lambda s: s - math.exp(-(1 - s) / load), 1e-9, 1 - 1e-6)
    return sigma / (1 - sigma)


def poisson(per_s: float) -> dict[str, Any]:
    """A relay that hands messages over one by one, after exponential times."""
    between = {"dist": "exponential", "mean": f"{1 / per_s}s"}
    return {"relay": {"batch": 1, "workers": 1, "batch_time": between}}


def evenly(per_s: float) -> dict[str, Any]:
    spread = {"messages": CUSTOMERS, "spread": f"{CUSTOMERS / per_s}s"}
    return {"relay": {"batch": 1}, "delivery": spread}


def served(service: Any, servers: int = 1) -> dict[str, Any]:
    """Connections that are made once, at no cost."""
    return {
        "provider": {
            "connections_per_ip": servers,
            "messages_per_connection": "unlimited",
            "idle_timeout": "1h",
            "transaction_time": service,
        }
    }


def scenario(sections: dict[str, Any], seed: int) -> Scenario:
    plain: dict[str, Any] = {"seed": seed, "time": {"bin": "1h"}}
    return scenario_of(**plain | {"delivery": {"messages": CUSTOMERS}} | sections)


def waits(scenario: Scenario) -> Waits:
    monitor = Monitor(scenario.time.bin)
    simulate_ledger(scenario, monitor=monitor)
    stage = monitor.queue("p") if scenario.mta.ingress_rate is None else monitor.ingress
    return stage.waits


# Servers take a second on average.
LOGNORMAL = {"dist": "lognormal", "mean": "1s", "cv": 0.8}
GAMMA = {"dist": "gamma", "mean": "1s", "cv": 0.5}
INGRESS = {"mta": {"ingress_rate": "1/s"}}
ONE, THREE, TEN = 0.02, 0.05, 0.1
"""Widths by servers: waits at many servers are rare and come in clusters. A server more or less
would change the wait by half and more."""
HALF, FEW, FEWER = ({"delivery": {"messages": CUSTOMERS // part}} for part in (2, 3, 4))
"""So many are enough for the width: half but where something else is said."""
CASES = {
    "M/M/1": (poisson(0.4) | served(EXPONENTIAL), erlang_c_wait(0.4, 1), ONE),
    "M/M/3": (poisson(2.0) | served(EXPONENTIAL, 3), erlang_c_wait(2.0, 3), THREE),
    "M/M/10": (poisson(7.0) | served(EXPONENTIAL, 10) | FEWER, erlang_c_wait(7.0, 10), TEN),
    "M/D/1": (poisson(0.6) | served("1s") | FEWER, pollaczek_khinchine(0.6, 0.0), ONE),
    "M/G/1, lognormal": (poisson(0.5) | served(LOGNORMAL), pollaczek_khinchine(0.5, 0.8), ONE),
    "M/G/1, gamma": (poisson(0.5) | served(GAMMA), pollaczek_khinchine(0.5, 0.5), ONE),
    "D/M/1": (evenly(0.6) | served(EXPONENTIAL), d_m_1_wait(0.6), ONE),
    "M/D/1, the ingress": (
        poisson(0.6) | served("0s") | INGRESS | FEW,
        pollaczek_khinchine(0.6, 0.0),
        ONE,
    ),
}


@pytest.mark.parametrize("queue", CASES)
def test_mean_wait_is_that_of_the_formula(queue: str) -> None:
    sections, expected_s, width = CASES[queue]
    sections = HALF | sections
    first = RUNS * list(CASES).index(queue)
    means = [waits(scenario(sections, first + run)).mean_s for run in range(RUNS)]
    interval = stats.ttest_1samp(means, expected_s).confidence_interval(0.999)
    assert interval.low <= expected_s <= interval.high
    assert (interval.high - interval.low) / 2 < width * expected_s


def test_waits_of_an_m_m_c_queue_are_exponential() -> None:
    """A message waits with the probability of Erlang's formula, then exponentially."""
    load, servers = 7.0, 10
    all_busy = erlang_c_wait(load, servers) * (servers - load)
    sections = CASES["M/M/10"][0] | {"delivery": {"messages": 400_000}}
    seen = waits(scenario(sections, 1))
    for share in (0.1, 0.01):
        expected_s = math.log(all_busy / share) / (servers - load)
        assert seen.quantile_s(1.0 - share) == pytest.approx(expected_s, rel=0.06)
