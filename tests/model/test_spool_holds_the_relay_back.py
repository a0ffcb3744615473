"""Back-pressure: the relay waits while the MTA holds as many messages as its spool takes.

The relay learns of free room at the start of each window only, so here the window is not free: it
is `engine.BACK_PRESSURE_WINDOW_S`, and a batch may start as much too late.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from small_scenarios import EVERYTHING, scenario_of

from sendcap import textbook
from sendcap.errors import ScenarioError, SendcapWarning
from sendcap.ledger import Ledger
from sendcap.model.engine import BACK_PRESSURE_WINDOW_S, simulate_ledger
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
def test_the_mta_never_holds_more_than_its_spool(simulate) -> None:
    free, bounded = simulate(with_spool("none")), simulate(with_spool(SPOOL))
    assert held(free).max() > 2 * SPOOL
    assert held(bounded).max() <= SPOOL
    assert half_relayed_s(bounded) > half_relayed_s(free)
    assert bounded.total("relayed") == bounded.total("accepted") + bounded.total(
        "hard"
    ) + bounded.total("expired")


def test_a_spool_that_is_never_full_changes_nothing() -> None:
    assert simulate_ledger(with_spool(9000)) == simulate_ledger(with_spool("none"))


def test_the_relay_is_as_late_as_in_the_textbook_but_for_a_window_each_time() -> None:
    """Over 4 seeds, when half of the messages have been relayed."""
    with pytest.warns(SendcapWarning, match="cuts off"):
        # By then two thirds are: what comes later is not compared.
        scenarios = [updated(with_spool(SPOOL), {"time.horizon": "45m", "seed": 0})]
    scenarios += [scenarios[0].with_seed(seed) for seed in range(1, 4)]
    engine = np.mean([half_relayed_s(simulate_ledger(one)) for one in scenarios])
    fine = np.mean([half_relayed_s(simulate_ledger(one, window_s=2.0)) for one in scenarios])
    reference = np.mean([half_relayed_s(textbook.simulate_ledger(one)) for one in scenarios])
    assert reference < 2400.0
    assert fine == pytest.approx(reference, rel=0.02)
    # Each time the spool is full, the relay starts again up to a window too late.
    assert reference * 0.98 <= engine <= reference * 1.1 + BACK_PRESSURE_WINDOW_S


def test_a_spool_smaller_than_a_batch_is_refused() -> None:
    with pytest.raises(ScenarioError, match=r"mta\.spool: 100 is less than"):
        scenario_of(mta={"spool": 100})
