"""The engine's ledger is the oracle's, count by count, over random scenarios without draws.

The oracle is a second model of the same rules, one message at a time, slow and simple. A scenario
is a function of its number, so that a failure can be repeated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import count, islice
from typing import Any

import pytest
from oracle import Oracle
from oracle_reports import Counts, counts_of
from oracle_scenarios import scenario_of
from test_small_examples_by_hand import BY_HAND

from sendcap.ledger import EVENTS
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import Scenario


class Watched(Oracle):
    """Notes what the engine of model 1 does otherwise, or has no rule for."""

    def __init__(self, scenario: Any) -> None:
        super().__init__(scenario)
        self.otherwise: set[str] = set()
        self.moments: Counter[tuple[str, float]] = Counter()

    def note_moment(self, what: str) -> None:
        moment = (what, round(self.now, 6))
        self.moments[moment] += 1
        if self.moments[moment] > 1:
            self.otherwise.add("ties")

    def expire(self, message: Any) -> None:
        scaling = self.scenario.providers[message.provider].connection_scaling
        if message.place in ("connecting", "line"):
            # It foresees that the message cannot start, and gives the connection to the next one.
            self.otherwise.add("an expired message held a connection")
        elif message.place == "waiting" and scaling != "none":
            # It counts an expired message until those before it have gone.
            self.otherwise.add("an expired message counted for the queue's length")
        if self.scenario.feedback.rate is not None:
            self.note_moment("expiry")
        super().expire(message)

    def put(self, message: Any, is_retry: bool) -> None:
        if is_retry:
            self.note_moment(message.provider)
        super().put(message, is_retry)

    def finish_attempt(self, queue: Any, message: Any) -> None:
        self.note_moment(queue.name)
        super().finish_attempt(queue, message)

    def establish(self, queue: Any, connection: Any) -> None:
        self.note_moment(queue.name)
        super().establish(queue, connection)


def differences(ours: Counts, theirs: Counts) -> list[tuple[str, ...]]:
    return [key for key in sorted(ours | theirs) if ours.get(key) != theirs.get(key)]


def comparable(first: int) -> Iterator[tuple[int, Scenario, Counts]]:
    """Yield scenarios from a number on that the engine of model 1 has rules for."""
    for number in count(first):
        scenario = scenario_of(number, ties=False, mended=False)
        oracle = Watched(scenario)
        counts = oracle.run()
        if not oracle.otherwise:
            yield number, scenario, counts


@pytest.mark.parametrize("first", range(0, 5000, 1000))
def test_the_engine_counts_what_the_oracle_counts(first: int) -> None:
    for number, scenario, expected in islice(comparable(first), 8):
        found = differences(counts_of(simulate_ledger(scenario)), expected)
        assert found == [], f"scenario {number}"


@pytest.mark.parametrize("example", BY_HAND)
def test_the_oracle_gives_what_is_worked_out_by_hand(example: str) -> None:
    scenario, event, expected = BY_HAND[example]
    times = [
        number * scenario.time.bin
        for (_, _, counted, _, clock), bins in Oracle(scenario).run().items()
        if (counted, clock) == (event, "happened")
        for number, events in bins.items()
        for _ in range(events)
    ]
    assert sorted(times) == pytest.approx(expected)


def test_scenarios_reach_every_event_and_lose_no_message() -> None:
    reached: set[str] = set()
    for number in range(40):
        scenario = scenario_of(number)
        totals: Counter[str] = Counter()
        for (_, _, event, _, clock), bins in Oracle(scenario).run().items():
            if clock == "happened":
                totals[event] += sum(bins.values())
        reached |= totals.keys()
        if scenario.time.horizon is None:
            messages = sum(delivery.messages for delivery in scenario.deliveries)
            assert totals["relayed"] + totals["relay_failed"] == messages
            assert totals["relayed"] == totals["accepted"] + totals["hard"] + totals["expired"]
    assert reached == set(EVENTS)
