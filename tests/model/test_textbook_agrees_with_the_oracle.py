"""The textbook model counts what the oracle counts, where nothing is drawn or falls together.

SimPy goes through what happens at one moment in the order in which it was foreseen, so the textbook
model does not say who goes first of those that become ready, or expire, together.
"""

from __future__ import annotations

import pytest
from agreed import ORACLE, TEXTBOOK, Remembered, digest_of
from oracle import Oracle
from oracle_queue import Message
from oracle_reports import Counts, counts_of
from oracle_scenarios import scenario_of

from sendcap import textbook
from sendcap.scenario import Scenario

RATES_MEET = {25}
"""In this one a message comes to a rate at the very moment at which that has room again."""


class Watched(Oracle):
    """Notes when messages become ready, and when they expire."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self.moments: list[tuple[str, float]] = []

    def put(self, message: Message) -> None:
        self.moments.append(("ready", self.now))
        super().put(message)

    def expire(self, message: Message) -> None:
        self.moments.append(("expired", self.now))
        super().expire(message)

    def is_one_by_one(self) -> bool:
        return len(set(self.moments)) == len(self.moments)


def happened(counts: Counts) -> Counts:
    return {key: bins for key, bins in counts.items() if key[-1] == "happened"}


@pytest.mark.parametrize(
    ("kind", "scenarios"), [("orders", 120), ("operators", 60), ("runners", 90)]
)
def test_the_textbook_model_counts_what_the_oracle_counts(
    kind: str, scenarios: int, remembered: Remembered
) -> None:
    numbers = sorted(set(range(scenarios)) - RATES_MEET)
    each = {number: scenario_of(number, ties=False, **{kind: True}) for number in numbers}
    if remembered(ORACLE, digest_of(TEXTBOOK), each):
        return
    compared = 0
    for number, scenario in each.items():
        oracle = Watched(scenario)
        expected = oracle.run()
        if oracle.is_one_by_one():
            found = counts_of(textbook.simulate_ledger(scenario))
            assert happened(found) == happened(expected), f"scenario {number}"
            compared += 1
    assert compared > scenarios / 3
