"""Delays from ready to accepted, message by message."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from delays_of_messages import hold
from oracle import Oracle
from scipy.optimize import brentq
from small_scenarios import EVERYTHING, scenario_of

from sendcap import textbook
from sendcap.errors import SendcapWarning
from sendcap.ledger import Delays, Ledger
from sendcap.ledger.delays import lowest_s
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import Scenario, from_dict

GREYLISTED = {"faults": [{"reason": "greylisted", "share": 1.0, "clears_after": "5s"}]}
RETRY_IN_10_S = {"retry": {"policy": "schedule", "delays": ["10s"]}}
BY_HAND: dict[str, tuple[Scenario, list[float]]] = {
    "the time at the relay counts": (
        scenario_of(relay={"batch_time": "7s"}, delivery={"messages": 3}),
        [8, 9, 10],
    ),
    "the time in the ingress counts": (
        scenario_of(delivery={"messages": 3}, mta={"ingress_rate": "1/2s"}),
        [3, 5, 7],
    ),
    "a batch of a stream is ready in its turn": (
        scenario_of(relay={"batch": 1}, delivery={"messages": 3, "spread": "30s"}),
        [1, 1, 1],
    ),
    "a delivery that starts later is ready then": (
        scenario_of(delivery={"messages": 2, "at": "1m"}),
        [1, 2],
    ),
    "a pause counts": (
        scenario_of(delivery={"messages": 2, "at": "1m", "pause": "1m", "resume": "2m"}),
        [61, 62],
    ),
    "the time to connect counts": (
        scenario_of(provider={"connect_time": "3s"}),
        [4],
    ),
    "retries count, and the time between": (
        # In the queue at 1 and 2 s; tried from 1 to 5 and 5 to 9 s, and from 15 and 19 s.
        scenario_of(
            delivery={"messages": 2},
            mta=RETRY_IN_10_S | {"ingress_rate": "1/s"},
            provider=GREYLISTED | {"transaction_time": "4s"},
        ),
        [19, 23],
    ),
    "a batch without any time has delays of 0": (
        scenario_of(delivery={"messages": 5}, provider={"transaction_time": "0s"}),
        [0, 0, 0, 0, 0],
    ),
    "what bounces or expires has none": (
        scenario_of(
            delivery={"messages": 4}, provider={"hard": [{"reason": "unknown", "share": 1.0}]}
        ),
        [],
    ),
}


EXPONENTIAL = {"dist": "exponential", "mean": "1s"}


@pytest.fixture(scope="module")
def d_m_1() -> Delays:
    """Delays where a message comes every 2.5 s, and one a second could be served."""
    delays = simulate_ledger(
        scenario_of(
            delivery={"messages": 400_000, "spread": "1000000s", "validity": "84h"},
            relay={"batch": 1, "workers": 1},
            provider={
                "messages_per_connection": "unlimited",
                "idle_timeout": "1h",
                "transaction_time": EXPONENTIAL,
            },
        )
    ).delays
    assert delays is not None
    return delays


def by_oracle(scenario: Scenario) -> list[float]:
    oracle = Oracle(scenario)
    oracle.run()
    return [delay_s for each in oracle.reports.delays_s.values() for delay_s in each]


@pytest.mark.parametrize("example", BY_HAND)
@pytest.mark.parametrize("simulate", [simulate_ledger, textbook.simulate_ledger])
def test_delays_are_those_worked_out_by_hand(
    example: str, simulate: Callable[[Scenario], Ledger]
) -> None:
    scenario, expected_s = BY_HAND[example]
    delays = simulate(scenario).delays
    assert delays is not None
    assert hold(delays.of(), expected_s)
    assert sorted(by_oracle(scenario)) == pytest.approx(expected_s)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.9, 0.95, 0.99])
def test_delays_of_a_d_m_1_queue_are_exponential(share: float, d_m_1: Delays) -> None:
    """A message is in the queue for an exponential time of 1 / μ(1 - σ).

    σ, the chance to find somebody there, is the solution of σ = exp(-μ(1 - σ) / λ).
    """
    busy = brentq(lambda sigma: sigma - np.exp(-2.5 * (1.0 - sigma)), 0.0, 0.9)
    codes, counts = d_m_1.of()
    step = codes[np.searchsorted(np.cumsum(counts), share * counts.sum())]
    quantile_s = 0.5 * (lowest_s(step) + lowest_s(step + 1))
    assert quantile_s == pytest.approx(-np.log1p(-share) / (1.0 - busy), rel=0.02)


@pytest.mark.parametrize("horizon", [None, "10m"])
def test_each_accepted_message_has_one_delay(horizon: str | None) -> None:
    sections = EVERYTHING | ({"time": {"horizon": horizon}} if horizon else {})
    if horizon:
        with pytest.warns(SendcapWarning, match="cuts off"):
            scenario = from_dict(sections)
    else:
        scenario = from_dict(sections)
    ledger = simulate_ledger(scenario)
    assert ledger.delays is not None
    for delivery, provider in ledger.to_deliver:
        accepted = ledger.total("accepted", clock="happened", delivery=delivery, provider=provider)
        assert ledger.delays.total(delivery, provider) == accepted
