"""Orders, limits over deliveries and the active queue: formulas, and what must not change.

Reference: L. Kleinrock, "Queueing Systems" II (1976), 3.6: M/G/1, priorities without interruption.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from agreed import TEXTBOOK, Remembered
from small_scenarios import EVERYTHING, scenario_of

from sendcap import textbook
from sendcap.ledger import Event, Ledger
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import Scenario, from_dict

Simulate = Callable[[Scenario], Ledger]
MODELS = {"engine": simulate_ledger, "textbook": textbook.simulate_ledger}
both = pytest.mark.parametrize("simulate", MODELS.values(), ids=MODELS)


def mean_s(ledger: Ledger, event: Event, delivery: str) -> float:
    counts = ledger.counts(event, clock="happened", delivery=delivery)
    return float(counts @ ledger.edges_s[: len(counts)] / counts.sum())


def poisson(name: str, per_s: float, hours: float, **keys: Any) -> dict[str, Any]:
    """Messages that come at random, once each has been delayed at random for long."""
    length_s = hours * 3600.0
    spread = {"messages": round(per_s * length_s), "spread": f"{length_s}s"}
    return {"name": name, "audience": {"p": 1.0}} | spread | keys


def one_server(order: str, hours: float, service: Any) -> Scenario:
    """Two deliveries to one connection; the relay delays each message on its own."""
    return scenario_of(
        time={"bin": "1s"},
        deliveries=[
            poisson("low", 0.4, hours, priority="low"),
            poisson("high", 0.3, hours, priority="high"),
        ],
        relay={
            "batch": 1,
            "workers": 2000,
            "batch_time": {"dist": "exponential", "mean": f"{100.0 * hours**0.5}s"},
        },
        mta={"order": order},
        provider={
            "transaction_time": service,
            "messages_per_connection": "unlimited",
            "idle_timeout": "1d",
        },
    )


@pytest.mark.parametrize(
    ("simulate", "hours", "within"),
    [(simulate_ledger, 150.0, 0.05), (textbook.simulate_ledger, 5.0, 0.25)],
    ids=MODELS,
)
def test_mean_waits_of_two_priorities_are_those_of_the_formula(
    simulate: Simulate, hours: float, within: float, remembered: Remembered
) -> None:
    scenario = one_server("priority", hours, {"dist": "exponential", "mean": "1s"})
    if simulate is textbook.simulate_ledger and remembered(TEXTBOOK, scenario):
        return
    ledger = simulate(scenario)
    high, low = 0.3, 0.4
    residual_s = (high + low) * 1.0  # of the attempt under way
    for name, expected_s in (
        ("high", residual_s / (1.0 - high)),
        ("low", residual_s / ((1.0 - high) * (1.0 - high - low))),
    ):
        served_s = mean_s(ledger, "accepted", name) - mean_s(ledger, "relayed", name)
        assert served_s - 1.0 == pytest.approx(expected_s, rel=within), name


@pytest.mark.filterwarnings("ignore:.*changes nothing")
@both
def test_an_order_changes_who_is_accepted_and_not_how_many(simulate: Simulate) -> None:
    """A server that is never idle while someone waits has done the same at every moment."""
    orders = {
        order: simulate(one_server(order, 0.3, "1s")) for order in ("fifo", "priority", "fair")
    }
    fifo = orders.pop("fifo")
    for ledger in orders.values():
        for event in ("relayed", "accepted"):
            np.testing.assert_array_equal(
                ledger.counts(event, clock="happened"), fifo.counts(event, clock="happened")
            )
        assert ledger != fifo


def crowded(**sections: Any) -> Scenario:
    """The slow provider of the scenario with everything: one delivery to a single queue."""
    delivery = {"name": "a", "messages": 400, "validity": "5m", "audience": {"slow": 1.0}}
    plain = EVERYTHING | {"deliveries": [delivery]}
    plain["providers"] = {"slow": EVERYTHING["providers"]["slow"]}
    plain["mta"] = EVERYTHING["mta"] | sections.pop("mta", {})
    return from_dict(plain | sections)


@both
def test_an_active_queue_with_room_for_the_connections_changes_nothing_for_one_queue(
    simulate: Simulate,
) -> None:
    ledger = simulate(crowded())
    assert ledger.total("expired_untried") > 0
    assert simulate(crowded(mta={"active": 2})) == ledger
    assert simulate(crowded(mta={"active": 1})) != ledger


@both
def test_turns_of_a_single_delivery_change_nothing(simulate: Simulate) -> None:
    assert simulate(crowded(mta={"order": "fair"})) == simulate(crowded())


@both
def test_connections_of_all_deliveries_are_those_of_all_queues(simulate: Simulate) -> None:
    limit = {"name": "one", "connections": 1}
    everyone = simulate(crowded(limits=[limit]))
    assert everyone != simulate(crowded())
    assert simulate(crowded(limits=[limit | {"deliveries": ["a"]}])) == everyone


@both
def test_equal_weights_change_nothing(simulate: Simulate) -> None:
    pools = {"three": {"ips": 3}}
    mta = {"ips": 1, "queues": "per-ip", "pools": pools}
    plain = simulate(crowded(mta=mta))
    pools["three"] |= {"weights": [2, 2, 2]}
    assert simulate(crowded(mta=mta)) == plain
    pools["three"] |= {"weights": [3, 2, 1]}
    assert simulate(crowded(mta=mta)) != plain
