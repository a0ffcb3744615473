"""Memory and simulated time of a scenario, estimated before the simulation."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from sendcap.errors import ScenarioError
from sendcap.ledger import EVENTS
from sendcap.model.messages import TRIED
from sendcap.scenario import Scenario
from sendcap.scenario.constraints import provider_constraints
from sendcap.scenario.stages import upstream

_LIBRARIES: Final = 300 << 20
"""The interpreter and the libraries, measured: about 0.25 GiB."""
_NEW_BYTES: Final = 8 + 4 + 2
_BATCH_BYTES: Final = 8 + 2 + 8 + 8 + 8
_FOLLOWED_S: Final = 14.0 * 86400.0
"""Opens are followed for 14 days, and reports come in sooner."""
LONGEST_S: Final = 366 * 86400.0
"""Longest simulated time: beyond a year, a setting is mistaken."""


def memory_terms(scenario: Scenario) -> dict[str, float]:
    """Return the approximate peak memory of a simulation in bytes, by the setting behind it.

    Rather too much than too little. The messages that wait are those that pile up at the
    providers while the relay hands over, as a fluid would.
    """
    relay = scenario.relay
    messages = sum(delivery.messages for delivery in scenario.deliveries)
    relayed_per_s = messages / max(relaying_s(scenario), 1e-9)
    counts: dict[str, int] = {}
    for delivery in scenario.deliveries:
        for name, count in delivery.counts().items():
            counts[name] = counts.get(name, 0) + count
    waiting = backing_off = 0.0
    series = connections = 0
    for name, count in counts.items():
        provider = scenario.providers[name]
        arrive_per_s = relayed_per_s * count / messages
        if count:
            limits = provider_constraints(scenario, name)
            ceiling_per_s = min(limit.lowest_per_s for limit in limits)
            waiting += count * max(0.0, 1.0 - ceiling_per_s / arrive_per_s)
        bounced = sum(fault.share for fault in provider.faults) + provider.transient
        if provider.tolerance is not None:
            tolerated_per_s = provider.tolerance.per_s * scenario.mta.ips
            bounced += max(0.0, 1.0 - tolerated_per_s / arrive_per_s)
        backing_off += count * min(1.0, bounced)
        reasons = len(provider.hard) + len(provider.faults)
        series += 2 * (len(EVENTS) + 3 * reasons) * len(scenario.deliveries)
        connections += provider.connections_per_ip * scenario.mta.ips
    bins = min(scenario.time.horizon or LONGEST_S, simulated_s(scenario)) / scenario.time.bin
    # Where the validity of all ends at one moment, all that wait are sorted at once.
    at_once = waiting * TRIED.itemsize * 2 if scenario.mta.clock_origin != "relayed" else 0.0
    return {
        "fewer messages": at_once
        + waiting * _NEW_BYTES
        + backing_off * TRIED.itemsize * 1.5
        + min(messages, 5_000_000) * 100,
        "a larger relay.batch": messages / relay.batch * _BATCH_BYTES,
        "a longer time.bin, an earlier time.horizon, fewer providers or deliveries": series
        * bins
        * 8.0,
        "fewer connections or workers": (connections * 7 + relay.workers * 2) * 8.0,
    }


def simulated_s(scenario: Scenario) -> float:
    """Return about how much time passes in a simulation, in seconds."""
    relayed_s = max(delivery.at + delivery.spread for delivery in scenario.deliveries) + relaying_s(
        scenario
    )
    last_s = relayed_s + max(delivery.honoured_validity for delivery in scenario.deliveries)
    if _followed(scenario):
        last_s += _FOLLOWED_S
    return max(last_s, _reporting_s(scenario))


def _followed(scenario: Scenario) -> bool:
    """Return whether anything comes after the attempts: reports that take their time, or opens."""
    feedback = scenario.feedback
    return (
        scenario.engagement.open_rate > 0.0
        or feedback.synchronous.mean_s > 0.0
        or any(provider.async_bounce for provider in scenario.providers.values())
    )


def relaying_s(scenario: Scenario) -> float:
    """Return about how long the relay and the ingress take, if nothing holds them back."""
    messages = sum(delivery.messages for delivery in scenario.deliveries)
    return messages / min(stage.per_s for stage in upstream(scenario))


def _reporting_s(scenario: Scenario) -> float:
    """Return how long Campaign takes to take in a report on every message."""
    rate = scenario.feedback.rate
    messages = sum(delivery.messages for delivery in scenario.deliveries)
    return 0.0 if rate is None else messages / rate.per_s


def available_bytes() -> int | None:
    """Return the memory available to this process, None where it is unknown."""
    try:
        limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (AttributeError, ValueError, OSError):
        return None
    with suppress(OSError, ValueError):  # no control group, or no limit in it
        limits.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(limits)


def require_feasible(scenario: Scenario) -> None:
    """Refuse a scenario that needs more memory than this machine has, or simulates years.

    The `ScenarioError` has the estimate and the setting that would reduce it.
    """
    horizon_s = scenario.time.horizon or float("inf")
    for keys, takes_s in (
        ("relay.rate, relay.batch_time, mta.ingress_rate", relaying_s(scenario)),
        ("feedback.rate", _reporting_s(scenario)),
    ):
        if min(takes_s, horizon_s) > LONGEST_S:
            raise ScenarioError(
                f"{keys}: at this rate {_messages(scenario)} take {takes_s / 86400:,.0f} days "
                f"(limit {LONGEST_S / 86400:.0f}); raise the rate or set time.horizon"
            )
    terms, available = memory_terms(scenario), available_bytes()
    needed = _LIBRARIES + sum(terms.values())
    if available is not None and needed > available:
        remedy = max(terms, key=lambda term: terms[term])
        raise ScenarioError(
            f"{_messages(scenario)} would need about {needed / 2**30:,.1f} GiB of memory, "
            f"this machine has {available / 2**30:.1f} GiB; to reduce it, use {remedy}"
        )


def _messages(scenario: Scenario) -> str:
    return f"{sum(delivery.messages for delivery in scenario.deliveries):,} messages"
