"""How often messages are tried, as a simulation's ledger tells it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from sendcap.model.addresses import THROTTLED, UNREACHABLE
from sendcap.readings.summary import accepted_at_s

if TYPE_CHECKING:
    from sendcap.ledger import Counts, Event, Ledger
    from sendcap.scenario import Scenario


def refused(ledger: Ledger, scenario: Scenario, provider: str) -> Counts:
    """Return the attempts that a provider throttled or could not be reached for, per bin.

    A fault may have the same name as one of these reasons. So attempts count as unreachable in
    the bins of an outage only, and as throttled only where there is a tolerance.

    Returns
    -------
    ndarray of int64, shape (bins,)
        By the time at which they finished.
    """
    its = scenario.providers[provider]
    # Not added in place: expected counts need not be whole.
    counts = np.zeros(ledger.bins, np.int64)
    if its.tolerance is not None:
        counts = counts + ledger.counts(
            "soft", clock="happened", provider=provider, reason=THROTTLED
        )
    if its.outages:
        within = np.zeros(ledger.bins, np.bool_)
        for outage in its.outages:
            first = int(outage.at / ledger.bin_s)
            within[first : math.ceil((outage.at + outage.lasts) / ledger.bin_s)] = True
        soft = ledger.counts("soft", clock="happened", provider=provider, reason=UNREACHABLE)
        counts = counts + np.where(within, soft, 0)
    return counts


def carried(ledger: Ledger, scenario: Scenario, provider: str) -> Counts:
    """Return the attempts that were answered and not `refused`, per bin, shape (bins,)."""
    answered = np.zeros(ledger.bins, np.int64)
    for event in ("accepted", "hard", "soft"):
        answered = answered + ledger.counts(event, clock="happened", provider=provider)
    return answered - refused(ledger, scenario, provider)


def attempts_per_message(
    ledger: Ledger, scenario: Scenario, accepted_pct: int | None = None
) -> dict[str, float]:
    """Return how often a message was tried on average, for each provider with messages.

    Of the messages that were tried at all, and without the attempts that were `refused`: those
    come of a limit, and are no load. At least 1: each message has to be carried once.

    Parameters
    ----------
    accepted_pct
        Count the attempts until that much of all that was ever accepted had been accepted; by
        default all of them. Messages to full mailboxes are tried for days: those attempts are
        load to a steady stream, and none to a delivery that is long over.
    """

    def total(event: Event) -> float:
        return ledger.total(event, clock="happened", provider=provider)

    times = {}
    for provider in ledger.providers:
        # The first attempts, by how they ended.
        tried = total("accepted") - total("recovered") + total("soft_first")
        tried += total("hard") - total("hard_after_soft")
        attempts = carried(ledger, scenario, provider)
        until_s = None
        if accepted_pct is not None:
            until_s = accepted_at_s(ledger, accepted_pct, provider=provider)
        bins = ledger.bins if until_s is None else round(until_s / ledger.bin_s)
        times[provider] = max(float(attempts[:bins].sum()) / tried, 1.0) if tried else 1.0
    return times
