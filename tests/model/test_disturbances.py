"""Bad times that come at random."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_scenarios import scenario_of

from sendcap import textbook
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import Scenario, updated

EVERY = {"dist": "exponential", "mean": "7s"}
LASTS = {"dist": "gamma", "mean": "3s", "cv": 0.5}


def stream(seconds: int, **disturbance: Any) -> Scenario:
    """A message each second, tried once and at once."""
    return scenario_of(
        time={"bin": "1s"},
        delivery={"messages": seconds, "spread": f"{seconds}s", "validity": "1m"},
        relay={"batch": 1},
        mta={"retry": {"policy": "schedule", "delays": ["1h"]}},
        provider={
            "transaction_time": "0s",
            "idle_timeout": "1h",
            "disturbances": [{"every": EVERY, "lasts": LASTS} | disturbance],
        },
    )


def bad_seconds(scenario: Scenario) -> list[int]:
    ledger = simulate_ledger(scenario)
    return np.flatnonzero(ledger.counts("soft", clock="happened")).tolist()


@pytest.mark.parametrize(
    ("simulate", "seconds", "width"),
    [(simulate_ledger, 20_000, 0.08), (textbook.simulate_ledger, 1_000, 0.36)],
)
def test_the_share_of_disturbed_time_is_that_of_the_mean_lengths(
    simulate: Any, seconds: int, width: float
) -> None:
    """An alternating renewal process: 3 s of 10 s. The number of cycles varies with a deviation of
    sqrt(7² + 1.5²) / 10 of its root, about 2 % for 2,000 of them.
    """
    away = simulate(stream(seconds, unreachable=True)).total("soft", reason="unreachable")
    assert away / seconds == pytest.approx(0.3, rel=width)
    deferred = simulate(stream(seconds, transient=0.5)).total("soft", reason="transient")
    assert deferred / seconds == pytest.approx(0.15, rel=width)


def test_each_seed_has_its_own_and_a_change_elsewhere_leaves_them_alone() -> None:
    one = stream(500, unreachable=True)
    changed = updated(one, {"providers.p.connections_per_ip": 4, "providers.p.transient": 0.0001})
    assert bad_seconds(one) == bad_seconds(changed)
    assert bad_seconds(one) != bad_seconds(one.with_seed(2))


def test_the_largest_probability_holds_where_several_meet() -> None:
    certain = {"every": "1ms", "lasts": "1d"}
    scenario = scenario_of(
        delivery={"messages": 4000, "validity": "30m"},
        relay={"batch": 4000},
        mta={"retry": {"policy": "schedule", "delays": ["1h"]}},
        provider={
            "connections_per_ip": 4000,
            "transient": 0.3,
            "disturbances": [certain | {"transient": share} for share in (0.1, 0.6, 0.4)],
        },
    )
    assert simulate_ledger(scenario).total("soft") == pytest.approx(2400, abs=130)


def test_disturbances_end_with_the_run_however_short_they_are() -> None:
    scenario = scenario_of(
        delivery={"messages": 3, "at": "30d"},
        provider={"disturbances": [{"every": "0.5s", "lasts": "0.5s", "transient": 1.0}]},
    )
    ledger = simulate_ledger(scenario)
    assert ledger.total("relayed") == ledger.total("accepted") + ledger.total("expired") == 3
