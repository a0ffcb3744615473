"""The load on a run's stages: attempts carried, and attempts per message."""

import math
from typing import Final

import numpy as np

from sendcap.ledger import Counts, Event, Ledger
from sendcap.model.addresses import SUSPENDED, THROTTLED, TOO_MANY_CONNECTIONS, UNREACHABLE
from sendcap.readings.summary import accepted_at_s
from sendcap.scenario import BEFORE, Scenario
from sendcap.scenario.stages import Stage, stages

ACCEPTED_PCT: Final = 99
"""Retries count as load until this much of all finally accepted messages has been accepted."""


def refused(
    ledger: Ledger, scenario: Scenario, provider: str, delivery: str | None = None
) -> Counts:
    """Return the attempts that a provider throttled or refused, or that did not reach it, per bin.

    Messages that a suspended queue sends back count as well, and those of a backlog that have been
    tried before t = 0: they are soft bounces, too.

    A fault may have the same name as one of these reasons. So attempts count as unreachable only
    in the bins of an outage, or with disturbances, as throttled only with a tolerance, and as too
    many connections only where the provider accepts a number of them.
    """
    settings = scenario.providers[provider]

    def soft(reason: str) -> Counts:
        return ledger.counts(
            "soft", clock="happened", delivery=delivery, provider=provider, reason=reason
        )

    # Not added in place: expected counts need not be whole.
    counts = np.zeros(ledger.bins, np.int64)
    if scenario.backlog:
        counts = counts + soft(BEFORE)
    disturbances = settings.disturbances
    if settings.tolerance is not None or any(each.tolerance for each in disturbances):
        counts = counts + soft(THROTTLED)
    if settings.accepts_connections is not None:
        counts = counts + soft(TOO_MANY_CONNECTIONS)
    if scenario.sends_back(provider):
        counts = counts + soft(SUSPENDED)
    if any(each.unreachable for each in disturbances):
        counts = counts + soft(UNREACHABLE)
    elif settings.outages:
        within = np.zeros(ledger.bins, np.bool_)
        for outage in settings.outages:
            first = int(outage.at / ledger.bin_s)
            within[first : math.ceil((outage.at + outage.lasts) / ledger.bin_s)] = True
        counts = counts + np.where(within, soft(UNREACHABLE), 0)
    return counts


def carried(ledger: Ledger, scenario: Scenario, provider: str, pool: str | None = None) -> Counts:
    """Return the attempts answered and not `refused`, per bin; of a pool if there are several."""
    answered = np.zeros(ledger.bins, np.int64)
    for delivery in deliveries_of(scenario, pool):
        for event in ("accepted", "hard", "soft"):
            answered = answered + ledger.counts(
                event, clock="happened", delivery=delivery, provider=provider
            )
        answered = answered - refused(ledger, scenario, provider, delivery)
    return answered


def retried(ledger: Ledger, provider: str, delivery: str) -> Counts:
    """Return the retries of a delivery's messages that were answered, per bin."""

    def total(event: Event, reason: str | None = None) -> Counts:
        return ledger.counts(
            event, clock="happened", delivery=delivery, provider=provider, reason=reason
        )

    # Whoever is sent back has not been tried.
    sent_back = total("soft", SUSPENDED) - total("soft_first", SUSPENDED)
    failed = total("soft") - total("soft_first") - sent_back
    tried: Counts = total("recovered") + total("hard_after_soft") + failed
    return tried


def deliveries_of(scenario: Scenario, pool: str | None) -> tuple[str | None, ...]:
    """Return the deliveries of a pool, None for all where there is no other."""
    if pool is None or len(scenario.mta.pools) == 1:
        return (None,)
    return tuple(each.name for each in scenario.deliveries if scenario.pool_of(each) == pool)


def attempts_per_message(
    ledger: Ledger, scenario: Scenario, accepted_pct: int | None = ACCEPTED_PCT
) -> dict[str, float]:
    """Return the mean attempts per message, for each provider with messages.

    Only messages that were tried count, and no attempts that were `refused`: those are the effect
    of a limit, and no load. At least 1, because each message has to be carried once. Attempts
    count until ``accepted_pct`` of all finally accepted messages had been accepted; None counts
    all. Messages to full mailboxes are tried for days: a load on a steady stream, but none on a
    delivery that is long over.
    """
    attempts = {}
    for provider in ledger.providers:

        def total(event: Event, provider: str = provider) -> float:
            return ledger.total(event, clock="happened", provider=provider)

        # First attempts, by outcome.
        tried = total("accepted") - total("recovered") + total("soft_first")
        tried += total("hard") - total("hard_after_soft")
        until_s = None
        if accepted_pct is not None:
            until_s = accepted_at_s(ledger, accepted_pct, provider=provider)
        bins = ledger.bins if until_s is None else round(until_s / ledger.bin_s)
        load = float(carried(ledger, scenario, provider)[:bins].sum())
        attempts[provider] = max(load / tried, 1.0) if tried else 1.0
    return attempts


def loaded_stages(ledger: Ledger, scenario: Scenario) -> tuple[Stage, ...]:
    """Return the stages of a scenario, with attempts per message as in a simulation."""
    return stages(scenario, attempts_per_message(ledger, scenario))
