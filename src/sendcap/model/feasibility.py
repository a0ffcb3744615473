"""Memory and simulated time of a scenario, estimated before the simulation."""

import math
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np

from sendcap.errors import ScenarioError
from sendcap.model.kernel.fields import MESSAGE
from sendcap.model.kernel.person import PERSON
from sendcap.scenario import FOLLOWED_S, Scenario
from sendcap.scenario.constraints import queue_constraints
from sendcap.scenario.delivery import Delivery
from sendcap.scenario.provider import Provider
from sendcap.scenario.random_time import RandomTime
from sendcap.scenario.shared_constraints import shared_constraints
from sendcap.scenario.stages import upstream

_LIBRARIES: Final = 300 << 20
"""The interpreter and the libraries, measured: about 0.25 GiB."""
_WAITING_BYTES: Final = 3 * 4
"""A message that has not been tried: the place in its batch. Rings grow by doubling, and both are
there while one is copied."""
_TRIED_BYTES: Final = 2.5 * (MESSAGE.itemsize + 4 + 20 + 32)
"""One that backs off: its record, and the entries of what is due and what expires."""
_PERSON_BYTES: Final = PERSON.itemsize + 1 + 1 + 1 + 8
"""The record, the provider, and what Campaign knows: state, errors, and when the last one was."""
_ROSTER_BYTES: Final = 4 * 4
"""People targeted, those that are left, and their order, twice while it is made."""
_BATCH_BYTES: Final = 80
_DRAWS_BYTES: Final = 64 << 20
"""Draws in blocks and rows of what has happened, of all groups of queues."""
_STORED_BYTES: Final = 2 * (4 + 8)
"""Of a bin with events in a series: its number and the count, once while they are added up."""
_SERIES_BYTES: Final = 2_000
"""Of a series besides, measured: 1,000 while counted, 750 in the ledger, 300 for the index."""
_DELAY_STEPS: Final = 2_000
"""Steps of the scale of delays with messages, of many messages: those of 16 doublings."""
_READING_BYTES: Final = 400
"""Of each bin of the run: the counts, figures and lines of all messages together, measured."""
LONGEST_S: Final = 366 * 86400.0
"""Longest simulated time: beyond a year, a setting is mistaken."""


def memory_terms(scenario: Scenario, *, roughly: bool = False) -> dict[str, float]:
    """Return the approximate peak memory of a simulation in bytes, by the setting behind it.

    Rather too much than too little. The messages that wait are those that pile up at the
    providers while the relay hands over, as a fluid would. ``roughly`` it is more, and quick: each
    provider takes half as many.
    """
    relay = scenario.relay
    messages = sum(delivery.messages for delivery in scenario.deliveries)
    handed_over_s = relaying_s(scenario)
    relayed_per_s = messages / max(handed_over_s, 1e-9)
    waiting = backing_off = 0.0
    connections, answers, ceilings_per_s = 0, 0, dict[str, float]()
    loads = scenario.loads() if scenario.limits else {}
    shared = [
        (limit, shared_constraints(scenario, limit, limit.covered(loads)))
        for limit in scenario.limits
    ]
    for path, count in scenario.messages_on_paths().items():
        name, provider = path.provider, scenario.providers[path.provider]
        arrive_per_s = relayed_per_s * count / messages
        limits = list(queue_constraints(scenario, path, with_both=not roughly))
        for limit, constraints in shared:
            limits += constraints if limit.covers(path) else ()
        if count:
            per_s = min(each.lowest_per_s for each in limits) * (0.5 if roughly else 1.0)
            ceilings_per_s[name] = min(per_s, ceilings_per_s.get(name, math.inf))
            waiting += count * max(0.0, 1.0 - per_s / arrive_per_s)
        bounced = sum(fault.share for fault in provider.faults) + provider.transient
        if provider.tolerance is not None:
            tolerated_per_s = min(each.lowest_per_s for each in limits if each.name == "tolerance")
            bounced += max(0.0, 1.0 - tolerated_per_s / arrive_per_s)
        rules = scenario.acting_rules(name)
        if scenario.sends_back(name):
            bounced = 1.0  # all that wait may be sent back
        bounced += sum(each.share for each in provider.disturbances)
        if provider.accepts_connections is not None:
            bounced = 1.0
        backing_off += count * min(1.0, bounced)
        connections += provider.connections_per_ip * path.ips
        answers += sum(rule.after for rule in rules if not rule.in_a_row)
    alive = _alive_at_once(scenario, handed_over_s)
    held = alive * (waiting * _WAITING_BYTES + backing_off * _TRIED_BYTES)
    return {
        "fewer messages": held + _DRAWS_BYTES,
        "a smaller population.size": _population_bytes(scenario),
        "larger batches": messages / scenario.mean_batch * _BATCH_BYTES,
        "a longer time.bin, an earlier time.horizon, fewer providers or deliveries": sum(
            _series_bytes(scenario, delivery, handed_over_s, ceilings_per_s)
            for delivery in scenario.deliveries
        )
        + min(simulated_s(scenario), scenario.time.horizon or LONGEST_S)
        / scenario.time.bin
        * _READING_BYTES,
        "fewer connections or workers": (connections * 7 + answers + relay.workers * 2) * 8.0,
    }


def _alive_at_once(scenario: Scenario, handed_over_s: float) -> float:
    """Return the share of all messages that can be under way at a time.

    Those of a delivery are so from its start until the last one that is relayed expires.
    """
    changes = []
    for delivery in scenario.deliveries:
        last_s = delivery.latest_at + delivery.spread + handed_over_s
        last_s += scenario.honoured_validity(delivery)
        changes += [(delivery.at, delivery.messages), (last_s, -delivery.messages)]
    alive = np.cumsum([messages for _, messages in sorted(changes)])
    return float(alive.max()) / sum(delivery.messages for delivery in scenario.deliveries)


def _population_bytes(scenario: Scenario) -> float:
    """Return the memory of the people, and of those whom the largest delivery goes to."""
    population = scenario.population
    if population is None:
        return 0.0
    people = population.people_at(max(each.latest_at for each in scenario.deliveries))
    members = sum(each.drawn == "once" for each in population.segments.values())
    bits = 0.0 if population.fatigue is None else 1.0
    largest = max(delivery.messages for delivery in scenario.deliveries)
    return people * (_PERSON_BYTES + 4.0 * members + bits) + largest * _ROSTER_BYTES


def _series_bytes(
    scenario: Scenario,
    delivery: Delivery,
    handed_over_s: float,
    ceilings_per_s: Mapping[str, float],
) -> float:
    """Return the memory of a delivery's counts per time bin.

    A series, of an event and a reason at a provider, stores the bins with events: no more than
    there are events, and than there are bins from the delivery's start to the last event.
    """
    bin_s, horizon_s = scenario.time.bin, scenario.time.horizon or LONGEST_S
    relayed_s = delivery.spread + handed_over_s
    total = 0.0
    for name, count in delivery.counts().items():
        if not count:
            continue
        provider, opens = scenario.providers[name], scenario.engagement
        validity_s = scenario.honoured_validity(delivery)
        tried_s = relayed_s + validity_s
        if ceilings_per_s[name] * validity_s > count and not _may_be_away(provider):
            tried_s = relayed_s + _retried_s(scenario, delivery, name, count)
        retries = math.log2(2.0 + tried_s / scenario.retry_of(name).shortest_delay_s)
        opened_s = tried_s + _latest_s(opens.open_delay, count, FOLLOWED_S)
        returned_s = tried_s + _latest_s(scenario.feedback.asynchronous, count, FOLLOWED_S / 2)
        # The number of series of an event at both clocks, events expected of each, the last one.
        series = (
            (1, count, relayed_s),  # relayed
            (4, count, tried_s),  # attempted, accepted
            # soft, soft_first, recovered, expired
            *((8, count * share * retries, tried_s) for share in _soft(provider)),
            *((4, count * hard.share, relayed_s) for hard in provider.hard),
            (2, count * provider.async_bounce, returned_s),
            (2, count * max(scenario.open_rates), opened_s),  # opened, clicked
        )
        until_s = max(horizon_s - delivery.at, 0.0)
        for number, events, last_s in series:
            stored = min(events, min(last_s, until_s) / bin_s + 1.0)
            total += number * (stored * _STORED_BYTES + min(events, 1.0) * _SERIES_BYTES)
        total += min(count, _DELAY_STEPS) * _STORED_BYTES + _SERIES_BYTES
    return total


def _may_be_away(provider: Provider) -> bool:
    return bool(provider.outages) or any(each.unreachable for each in provider.disturbances)


def _soft(provider: Provider) -> list[float]:
    disturbed = [1.0 for each in provider.disturbances if each.tolerance or each.unreachable]
    throttled = [*disturbed, *([1.0] if provider.tolerance else [])]
    return [provider.transient, *(fault.share for fault in provider.faults), *throttled]


def _retried_s(scenario: Scenario, delivery: Delivery, name: str, count: int) -> float:
    """Return about how long bounced messages are retried, up to their validity."""
    provider = scenario.providers[name]
    last_s, validity_s = 0.0, scenario.honoured_validity(delivery)
    if provider.transient > 0.0:
        bounces = min(math.log(count + 1.0) / -math.log(min(provider.transient, 0.99)), 30.0)
        last_s = scenario.retry_of(name).shortest_delay_s * 2.0**bounces
    for fault in provider.faults:
        clears_s = 2.0 * _latest_s(fault.clears_after, count, validity_s)
        last_s = max(last_s, validity_s if fault.never * fault.share * count > 0.1 else clears_s)
    return min(last_s, validity_s)


def _latest_s(delay: RandomTime, count: int, most_s: float) -> float:
    """Return about the longest of so many delays, as of exponential ones."""
    return min(delay.mean_s * (1.0 + math.log(count)), most_s)


def simulated_s(scenario: Scenario) -> float:
    """Return about how much time passes in a simulation, in seconds."""
    relayed_s = max(each.latest_at + each.spread for each in scenario.deliveries)
    relayed_s += relaying_s(scenario)
    last_s = relayed_s + max(map(scenario.honoured_validity, scenario.deliveries))
    if _followed(scenario):
        last_s += FOLLOWED_S
    return max(last_s, _reporting_s(scenario))


def _followed(scenario: Scenario) -> bool:
    """Return whether anything comes after the attempts: reports that take their time, or opens."""
    feedback = scenario.feedback
    return (
        any(scenario.open_rates)
        or feedback.synchronous.mean_s > 0.0
        or any(provider.async_bounce for provider in scenario.providers.values())
    )


def relaying_s(scenario: Scenario) -> float:
    """Return about how long the relay and the ingress take, if nothing holds them back."""
    messages = sum(delivery.messages for delivery in scenario.relayed)
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
    available = available_bytes() or math.inf
    if _LIBRARIES + sum(memory_terms(scenario, roughly=True).values()) <= available:
        return
    terms = memory_terms(scenario)
    needed = _LIBRARIES + sum(terms.values())
    if needed > available:
        remedy = max(terms, key=lambda term: terms[term])
        raise ScenarioError(
            f"{_messages(scenario)} would need about {needed / 2**30:,.1f} GiB of memory, "
            f"this machine has {available / 2**30:.1f} GiB; to reduce it, use {remedy}"
        )


def _messages(scenario: Scenario) -> str:
    return f"{sum(delivery.messages for delivery in scenario.deliveries):,} messages"
