"""What others have measured with real MTAs."""

from __future__ import annotations

import pytest
from small_scenarios import scenario_of

from sendcap.model.engine import simulate_ledger


@pytest.mark.parametrize(
    ("feedback", "deferred_pct"),
    [("1/concurrency", 16.5), ("1/sqrt_concurrency", 24.5), ("1", 49.7)],
)
def test_postfix_defers_as_many_as_it_did_at_a_server_of_five_connections(
    feedback: str, deferred_pct: float
) -> None:
    """SCHEDULER_README: 2000 recipients, two a delivery, each takes the server a second.

    It answers 421 beyond five connections; Postfix begins with 5 and has a limit of 20. The times
    are not all the same, lest all deliveries end at one moment.
    """
    scenario = scenario_of(
        delivery={"messages": 1000},
        relay={"batch": 1000},
        mta={"retry": {"policy": "schedule", "delays": ["40h"]}},
        provider={
            "connections_per_ip": 20,
            "accepts_connections": 5,
            "messages_per_connection": 1,
            "transaction_time": {"dist": "gamma", "mean": "2s", "cv": 0.1},
            "connection_scaling": {
                "kind": "postfix",
                "positive": feedback,
                "negative": feedback,
                "variant": "readme",
            },
        },
    )
    deferred = simulate_ledger(scenario).total("soft_first", clock="happened")
    assert deferred / 10.0 == pytest.approx(deferred_pct, abs=0.5)
