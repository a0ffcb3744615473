"""Mean waits of the queue kernel against the formulas of queueing theory.

A 99 % confidence interval around the simulated mean must hold the formula's value, and must be
narrower than ±2 % of it, so that an error of 2 % would be caught.

References: L. Kleinrock, "Queueing Systems" I (1975): M/M/c (Erlang C), M/G/1 and M/D/1
(Pollaczek-Khinchine), G/M/1 (the root σ of σ = A*(μ − μσ)).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import optimize, stats

from sendcap.model.kernel.arrays import Connections, Done, Drawn, Throttle, Waiting
from sendcap.model.kernel.queue import WINDOW_DONE, serve
from sendcap.model.kernel.servers import pass_through
from sendcap.model.kernel.throttle import NO_THROTTLE

CUSTOMERS = 400_000
RUNS = 24
Sample = Callable[[np.random.Generator, int], np.ndarray]


def queue(servers: int) -> tuple[Connections, Throttle]:
    """A station that has no connection to make and no throttle."""
    return (
        Connections(
            free_at_s=np.full(servers, -math.inf),
            free=np.arange(servers),
            connected_at_s=np.zeros(servers),
            connected=np.zeros(servers, np.int64),
            sizes=np.array([servers, 0]),
            attempts_left=np.full(servers, 1 << 60),
            message_of=np.zeros(servers, np.int64),
            idle_timeout_s=math.inf,
            attempts_per_connection=1 << 60,
        ),
        Throttle(NO_THROTTLE, np.zeros(2), np.zeros((1, 4)), np.zeros(3)),
    )


def waiting(ready_s: np.ndarray) -> Waiting:
    none = np.zeros(0, np.int32)
    batch = np.zeros(len(ready_s), np.int32)
    return Waiting(none, ready_s, batch, math.inf, np.zeros(0), none, np.array([math.inf]))


def waits_s(ready_s: np.ndarray, service_s: np.ndarray, servers: int) -> np.ndarray:
    """Waits of customers at a station that has no connection to make and no throttle."""
    count = len(ready_s)
    message, expired = np.empty(count, np.int64), np.empty(count, np.int64)
    start_s, finish_s, connect_s = np.empty(count), np.empty(count), np.empty(1)
    status, _, _, attempts, expired_count, connects = serve(
        math.inf,
        waiting(ready_s),
        *queue(servers),
        Drawn(np.zeros(1), service_s),
        Done(message, start_s, finish_s, expired, connect_s),
    )
    assert (status, attempts, expired_count, connects) == (WINDOW_DONE, count, 0, 0)
    np.testing.assert_array_equal(message, np.arange(count))
    return start_s - ready_s


def exponential(mean_s: float) -> Sample:
    return lambda generator, count: generator.exponential(mean_s, count)


def constant(value_s: float) -> Sample:
    return lambda _, count: np.full(count, value_s)


def lognormal(mean_s: float, cv: float) -> Sample:
    variance = math.log1p(cv * cv)
    return lambda generator, count: generator.lognormal(
        math.log(mean_s) - variance / 2, math.sqrt(variance), count
    )


def erlang_c_wait(arrivals_per_s: float, mean_s: float, servers: int) -> float:
    load = arrivals_per_s * mean_s
    terms = [load**k / math.factorial(k) for k in range(servers)]
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    return last / (sum(terms) + last) * mean_s / (servers - load)


def pollaczek_khinchine(arrivals_per_s: float, mean_s: float, cv: float) -> float:
    load = arrivals_per_s * mean_s
    return arrivals_per_s * mean_s**2 * (1 + cv**2) / (2 * (1 - load))


def d_m_1_wait(interval_s: float, mean_s: float) -> float:
    def excess(sigma: float) -> float:
        return sigma - math.exp(-(1 - sigma) * interval_s / mean_s)

    sigma = optimize.brentq(excess, 1e-9, 1 - 1e-6)
    return sigma / (1 - sigma) * mean_s


CASES = {
    "M/M/1": (exponential(1 / 0.6), exponential(1.0), 1, erlang_c_wait(0.6, 1.0, 1)),
    "M/M/3": (exponential(1 / 2.1), exponential(1.0), 3, erlang_c_wait(2.1, 1.0, 3)),
    "M/M/10": (exponential(1 / 7.0), exponential(1.0), 10, erlang_c_wait(7.0, 1.0, 10)),
    "M/D/1": (exponential(1 / 0.7), constant(1.0), 1, pollaczek_khinchine(0.7, 1.0, 0.0)),
    "M/G/1": (exponential(1 / 0.5), lognormal(1.0, 0.8), 1, pollaczek_khinchine(0.5, 1.0, 0.8)),
    "D/M/1": (constant(1 / 0.7), exponential(1.0), 1, d_m_1_wait(1 / 0.7, 1.0)),
}


@pytest.mark.parametrize("queue", CASES)
def test_mean_wait_is_that_of_the_formula(queue: str) -> None:
    between, service, servers, expected_s = CASES[queue]
    means = []
    for run in range(RUNS):
        generator = np.random.default_rng([20261127, run])
        ready_s = np.cumsum(between(generator, CUSTOMERS))
        waits = waits_s(ready_s, service(generator, CUSTOMERS), servers)
        means.append(waits[CUSTOMERS // 20 :].mean())  # the queue starts empty
    interval = stats.ttest_1samp(means, expected_s).confidence_interval(0.99)
    assert interval.low <= expected_s <= interval.high
    assert (interval.high - interval.low) / 2 < 0.02 * expected_s


def test_ingress_is_an_m_d_1_queue() -> None:
    expected_s = pollaczek_khinchine(0.7, 1.0, 0.0)
    means = []
    for run in range(RUNS):
        ready_s = np.cumsum(np.random.default_rng([7, run]).exponential(1 / 0.7, CUSTOMERS))
        leaves_s = np.empty(CUSTOMERS)
        pass_through(ready_s, 1.0, np.array([-math.inf]), leaves_s)
        means.append((leaves_s - ready_s - 1.0)[CUSTOMERS // 20 :].mean())
    interval = stats.ttest_1samp(means, expected_s).confidence_interval(0.99)
    assert interval.low <= expected_s <= interval.high
    assert (interval.high - interval.low) / 2 < 0.02 * expected_s
