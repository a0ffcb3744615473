"""Scenarios on which earlier models were wrong, with the right answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agreed import TEXTBOOK, Remembered

from sendcap import textbook
from sendcap.analysis import expected
from sendcap.errors import SendcapWarning
from sendcap.ledger import Ledger
from sendcap.model.engine import simulate_ledger
from sendcap.readings.kpis import Readings
from sendcap.scenario import Scenario, load, updated
from sendcap.scenario.stages import stages

CASES = Path(__file__).parents[3] / "shared" / "cases" / "model"

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here")


def case(name: str, **changes: Any) -> Scenario:
    return updated(load(CASES / f"{name}.toml"), changes)


def starts_s(ledger: Ledger) -> list[int]:
    """When each attempt has started, in bins of a second."""
    counts = ledger.counts("attempted", clock="happened")
    return np.repeat(np.arange(len(counts)), counts).tolist()


def test_what_happened_before_the_horizon_counts_without_its_report() -> None:
    with pytest.warns(SendcapWarning, match="cuts off results"):
        scenario = case("horizon-rate")
    ledger = simulate_ledger(scenario)
    assert ledger.total("accepted", clock="happened") == 1000
    assert ledger.total("attempted", clock="happened") == 1000
    assert ledger.total("accepted", clock="known") == 0


def test_a_spool_that_is_never_full_changes_nothing() -> None:
    scenario = case("spool-late")
    without = simulate_ledger(updated(scenario, {"mta.spool": "none"}))
    ledger = simulate_ledger(scenario)
    assert ledger.counts("accepted", clock="happened").tolist() == (
        without.counts("accepted", clock="happened").tolist()
    )
    assert len(ledger.counts("accepted", clock="happened")) * ledger.bin_s == pytest.approx(
        102.0, abs=1.0
    )


def test_a_step_of_a_schedule_holds_for_messages_that_wait() -> None:
    for simulate in (simulate_ledger, textbook.simulate_ledger):
        assert starts_s(simulate(case("schedule-step"))) == [0, 60, *[90] * 28]


def test_each_source_ip_has_its_own_gap() -> None:
    hours = {}
    for ips in (1, 4):
        counts = simulate_ledger(case("gap-ips", **{"mta.ips": ips})).counts("accepted")
        hours[ips] = int(np.flatnonzero(counts)[-1])
    assert hours[1] == pytest.approx(100, abs=2)
    assert hours[4] == pytest.approx(25, abs=2)


def test_retries_connections_and_a_slow_first_step_meet(remembered: Remembered) -> None:
    scenario = case("look-ahead")
    ledger = simulate_ledger(scenario)
    assert ledger.total("relayed") == ledger.total("expired") == 500
    # All fail, so it is the slow rate that decides: 47 a minute after a first one a minute.
    attempted = ledger.total("attempted")
    if not remembered(TEXTBOOK, scenario, attempted):
        expected = textbook.simulate_ledger(scenario).total("attempted")
        assert attempted == pytest.approx(expected, rel=0.01)


def test_workers_and_a_rate_that_nearly_match_are_slower_together() -> None:
    # Where one worker and a burst of one batch wait for each other: the mean of the longer time.
    relay = stages(case("sustained-relay"))[0]
    assert relay.per_s == pytest.approx(290, abs=3)
    scenario = case("relay-bias")
    ledgers = [simulate_ledger(scenario.with_seed(seed)) for seed in range(30)]
    simulated, worked_out = (
        np.mean([Readings(ledger).figures("efs").delivered_pct[-1] for ledger in each])
        for each in (ledgers, [expected(scenario).ledger])
    )
    assert worked_out == pytest.approx(simulated, abs=1.0)
    assert worked_out == pytest.approx(85.0, abs=1.0)
