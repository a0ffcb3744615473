"""Back-pressure: the relay waits while the MTA holds as many messages as its spool takes."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from agreed import TEXTBOOK, Remembered
from small_scenarios import EVERYTHING, scenario_of

from sendcap import textbook
from sendcap.errors import ScenarioError, SendcapWarning
from sendcap.ledger import Ledger
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import Scenario, from_dict, updated

SPOOL = 500


def with_spool(spool: Any) -> Scenario:
    sections = copy.deepcopy(EVERYTHING)
    sections["mta"]["spool"] = spool
    # The share of messages that back off for days must leave room in the spool.
    sections["providers"]["fast"]["faults"] = []
    return from_dict(sections)


def held(ledger: Ledger) -> np.ndarray:
    """Messages in the MTA at each edge of the bins."""
    ends = ("accepted", "hard", "expired")
    gone = sum(ledger.cumulative(event, clock="happened") for event in ends)
    return ledger.cumulative("relayed", clock="happened") - gone


def half_relayed_s(ledger: Ledger) -> float:
    relayed = ledger.cumulative("relayed")
    return float(np.searchsorted(relayed, ledger.messages() / 2) * ledger.bin_s)


@pytest.mark.parametrize("simulate", [simulate_ledger, textbook.simulate_ledger])
def test_the_mta_never_holds_more_than_its_spool(simulate, remembered: Remembered) -> None:
    both = with_spool("none"), with_spool(SPOOL)
    if simulate is textbook.simulate_ledger and remembered(TEXTBOOK, both):
        return
    free, bounded = map(simulate, both)
    assert held(free).max() > 2 * SPOOL
    assert held(bounded).max() <= SPOOL
    assert half_relayed_s(bounded) > half_relayed_s(free)
    assert bounded.total("relayed") == bounded.total("accepted") + bounded.total(
        "hard"
    ) + bounded.total("expired")


def test_a_spool_that_is_never_full_changes_nothing() -> None:
    assert simulate_ledger(with_spool(9000)) == simulate_ledger(with_spool("none"))


def five_queues(spool: Any) -> Scenario:
    """Queues with rates of their own, served together where there is a spool."""
    names = "abcde"
    providers = {
        name: {
            "connect_time": "0s",
            "transaction_time": {"dist": "exponential", "mean": f"{seconds}s"},
            "connections_per_ip": 2,
            "rate": f"{8 - seconds}/{10 + seconds}s,max_burst=1",
            "transient": 0.3,
        }
        for seconds, name in enumerate(names, start=1)
    }
    delivery = {"name": "d", "messages": 300, "audience": dict.fromkeys(names, 0.2)}
    return from_dict(
        {
            "seed": 1,
            "time": {"bin": "1s"},
            "deliveries": [delivery],
            "relay": {"batch": 20, "batch_time": "1s"},
            "mta": {"spool": spool, "retry": {"policy": "exponential", "first": "10s"}},
            "providers": providers,
        }
    )


def test_queues_that_are_served_together_do_what_each_does_alone() -> None:
    """Five of them: the tournament that finds the next event has room for eight."""
    assert simulate_ledger(five_queues(9000)) == simulate_ledger(five_queues("none"))


def test_a_batch_may_be_larger_than_the_room_at_first() -> None:
    scenario = scenario_of(
        delivery={"messages": 4000},
        relay={"batch": 1000},
        mta={"spool": 2000, "ingress_rate": "100/s"},
        provider={"connections_per_ip": 300},
    )
    assert simulate_ledger(scenario).total("accepted") == 4000


def test_windows_change_nothing_where_the_spool_fills() -> None:
    ledger = simulate_ledger(with_spool(SPOOL))
    for window_s in (1.0, 60.0, 3600.0):
        assert simulate_ledger(with_spool(SPOOL), window_s=window_s) == ledger


def test_the_relay_is_as_late_as_in_the_textbook(remembered: Remembered) -> None:
    """Over 4 seeds, when half of the messages have been relayed."""
    with pytest.warns(SendcapWarning, match="cuts off"):
        # By then two thirds are: what comes later is not compared.
        scenarios = [updated(with_spool(SPOOL), {"time.horizon": "45m", "seed": 0})]
    scenarios += [scenarios[0].with_seed(seed) for seed in range(1, 4)]
    engine = np.mean([half_relayed_s(simulate_ledger(one)) for one in scenarios])
    if remembered(TEXTBOOK, scenarios, float(engine)):
        return
    reference = np.mean([half_relayed_s(textbook.simulate_ledger(one)) for one in scenarios])
    assert reference < 2400.0
    assert engine == pytest.approx(reference, rel=0.02)


@pytest.mark.parametrize("simulate", [simulate_ledger, textbook.simulate_ledger])
def test_room_is_used_at_the_moment_when_it_becomes_free(simulate) -> None:
    """Each batch waits for the one before to be accepted: 1 s to connect, once, and 2 s each."""
    scenario = scenario_of(
        time={"bin": "1s"},
        delivery={"messages": 3},
        relay={"batch": 1, "batch_time": "5s"},
        mta={"spool": 1},
        provider={"connect_time": "1s", "transaction_time": "2s"},
    )
    accepted = simulate(scenario).counts("accepted", clock="happened")
    assert np.flatnonzero(accepted).tolist() == [8, 15, 22]


@pytest.mark.parametrize("simulate", [simulate_ledger, textbook.simulate_ledger])
@pytest.mark.parametrize(
    ("provider", "ends_s"),
    [
        ({"hard": [{"reason": "user unknown", "share": 1.0}]}, [8, 15, 22]),
        ({"outages": [{"at": "0s", "lasts": "1h"}]}, [65, 130, 195]),
    ],
)
def test_every_end_makes_room(simulate, provider, ends_s) -> None:
    """Hard bounces, and messages that expire 60 s after they have been relayed."""
    scenario = scenario_of(
        time={"bin": "1s"},
        delivery={"messages": 3, "validity": "1m"},
        relay={"batch": 1, "batch_time": "5s"},
        mta={"spool": 1, "retry": {"policy": "exponential", "first": "10m"}},
        provider={"connect_time": "1s", "transaction_time": "2s", **provider},
    )
    ledger = simulate(scenario)
    ends = sum(ledger.counts(event, clock="happened") for event in ("hard", "expired"))
    assert np.flatnonzero(ends).tolist() == ends_s


def test_a_spool_smaller_than_a_batch_is_refused() -> None:
    with pytest.raises(ScenarioError, match=r"mta\.spool: 100 is less than"):
        scenario_of(mta={"spool": 100})
