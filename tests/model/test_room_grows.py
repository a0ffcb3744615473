"""Room for messages, runs, draws and counts that grows: nothing moves that stays."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np
import pytest
from small_scenarios import REACTING, scenario_of, shorter

from sendcap.errors import ScenarioError
from sendcap.model import first_group, queue_group
from sendcap.model.engine import simulate_ledger
from sendcap.model.records import larger_ring, longer, power_of_two
from sendcap.model.tally import Tally
from sendcap.scenario import Scenario, from_dict, load


def test_a_larger_ring_has_the_same_entries_under_the_same_numbers() -> None:
    rng = np.random.default_rng(1)
    ring, first, entries = np.zeros(1, np.int64), 0, deque[int]()
    for step in range(3000):
        if len(entries) == len(ring):
            more = int(rng.integers(1, 20))
            last = first + len(entries)
            ring = larger_ring(ring, first, last, more)
            assert len(ring) == power_of_two(len(ring)) >= len(entries) + more
        if rng.random() < 0.55:
            ring[(first + len(entries)) & (len(ring) - 1)] = step
            entries.append(step)
        elif entries:
            assert ring[first & (len(ring) - 1)] == entries.popleft()
            first += 1
    numbers = np.arange(first, first + len(entries))
    assert ring[numbers & (len(ring) - 1)].tolist() == list(entries)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 1023, 1024, 1025, 2**40, 2**40 + 1])
def test_the_power_of_two_is_the_least_that_is_enough(count: int) -> None:
    assert power_of_two(count) == 1 << max(count - 1, 0).bit_length()


def test_a_longer_array_begins_with_the_old_one() -> None:
    assert longer(np.array([3, 1, 2]), 5).tolist() == [3, 1, 2, 0, 0]


def everything() -> Scenario:
    return from_dict(shorter(REACTING))


def backing_off() -> Scenario:
    """Thousands of messages fail again and again, in thousands of batches, and expire."""
    retry = {"policy": "exponential", "first": "10s", "max": "40s", "jitter": 0.5}
    return scenario_of(
        delivery={"messages": 4000, "validity": "2m"},
        relay={"batch": 3},
        mta={"retry": retry, "ingress_rate": "2000/s"},
        provider={"connections_per_ip": 300, "transient": 0.9},
        feedback={"rate": "500/s"},  # so that reports are kept
    )


def with_a_spool() -> Scenario:
    return scenario_of(
        delivery={"messages": 4000, "validity": "5m"},
        relay={"batch": 50, "workers": 4, "batch_time": "1s"},
        mta={"spool": 1500, "ingress_rate": "2000/s"},
        provider={"connections_per_ip": 20, "transient": 0.5},
    )


@pytest.mark.parametrize("scenario", [everything, backing_off, with_a_spool])
@pytest.mark.parametrize(
    "room",
    [
        {"_FIRST_ROOM": 16},
        {"_FIRST_ROOM": 1 << 14},
        {"_ROWS": 8},
        {"FIRST_BLOCK": 1, "_LARGEST_BLOCK": 4},
        {"_DAYS": 4},
    ],
    ids=lambda room: ", ".join(f"{name} {size}" for name, size in room.items()),
)
def test_the_room_at_first_changes_no_ledger(
    scenario: Any, room: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = simulate_ledger(scenario())
    for name, size in room.items():
        monkeypatch.setattr(first_group, name, size)
        monkeypatch.setattr(queue_group, name, size, raising=False)
    assert simulate_ledger(scenario()) == expected


def test_what_happens_to_the_last_of_many_deliveries_and_providers_is_counted_for_them() -> None:
    """3,000 deliveries to 3,000 providers had no numbers of their own."""
    providers = [f"p{number}" for number in range(3000)]
    tally = Tally(60.0, math.inf, providers, ["", *(f"reason {number}" for number in range(19))])
    tally.add("happened", "soft", 2999, 2999, np.array([5.0, 65.0, 66.0]), "reason 18")
    deliveries = [f"d{number}" for number in range(3000)]
    ledger = tally.ledger(deliveries, {("d2999", "p2999"): 3})
    own = {"delivery": "d2999", "provider": "p2999", "reason": "reason 18", "clock": "happened"}
    assert ledger.counts("soft", **own).tolist() == [1, 2]


def test_more_pairs_than_there_are_numbers_are_refused(monkeypatch) -> None:
    monkeypatch.setattr("sendcap.model.engine.MOST_SERIES", 1)
    with pytest.raises(ScenarioError, match="1 deliveries to 5 providers are 5 pairs to count for"):
        simulate_ledger(load("quickstart"))
