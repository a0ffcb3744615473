"""The textbook model counts what the oracle counts, where nothing is drawn or falls together.

SimPy goes through what happens at one moment in the order in which it was foreseen, so the textbook
model does not say who goes first of those that become ready together.
"""

from __future__ import annotations

import pytest
from oracle import Oracle
from oracle_queue import Message
from oracle_reports import Counts, counts_of
from oracle_scenarios import scenario_of

from sendcap import textbook
from sendcap.scenario import Scenario


class Watched(Oracle):
    """Notes when messages become ready."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self.ready: list[float] = []

    def put(self, message: Message) -> None:
        self.ready.append(self.now)
        super().put(message)


def happened(counts: Counts) -> Counts:
    return {key: bins for key, bins in counts.items() if key[-1] == "happened"}


@pytest.mark.slow
def test_the_textbook_model_counts_what_the_oracle_counts() -> None:
    compared = 0
    for number in range(100):
        scenario = scenario_of(number, ties=False, orders=True)
        oracle = Watched(scenario)
        expected = oracle.run()
        if len(set(oracle.ready)) == len(oracle.ready):
            found = counts_of(textbook.simulate_ledger(scenario))
            assert happened(found) == happened(expected), f"scenario {number}"
            compared += 1
    assert compared > 40
