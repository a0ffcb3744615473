"""A steady stream of messages to the providers, to see whether they keep up.

The deliveries become streams at a constant rate, with relay and ingress out of the way. The relay
and the ingress are first in, first out without retries: their ceilings need no simulation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final

from sendcap.ledger import Event
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import (
    Constant,
    Delivery,
    FixedWindow,
    Provider,
    Rate,
    Scenario,
    Schedule,
    WarmUp,
)
from sendcap.study.capacity.searches.acceptance import UNLIMITED, at_providers, bare, resized

MEASURED: Final = 1_500_000
"""Messages watched in a simulation, by default."""
MOST: Final = 30_000_000
"""Largest number of messages in a simulation; beyond it, warm-up and measurement are shorter."""
_FEW: Final = 1_000_000
_FAR_ABOVE: Final = 3.0
_LONGEST_S: Final = 14 * 86_400.0
"""Longest spread of a delivery."""
_RATES: Final = ("rate", "connection_rate", "tolerance")
_BINS: Final = 1_000
_BURST: Final = 0.001
"""Largest burst, as a share of the measured messages."""


def lasting(scenario: Scenario) -> Scenario:
    """Return a scenario with the limits of the long run, from the start.

    A schedule or a warm-up is at the last step; outages are left out, and the spool is unlimited,
    since it would only move a backlog from the MTA to the relay. The validity counts from the
    hand-over; a stream has no other beginning. A list of people has an end: each message of a
    stream has an address of its own.
    """
    plain = bare(scenario.without_population)
    providers = {}
    for name, provider in plain.providers.items():
        limits = {each: _last(getattr(provider, each)) for each in _RATES}
        providers[name] = provider.model_copy(update={**limits, "outages": ()})
    mta = plain.mta.model_copy(update={"spool": None, "clock_origin": "relayed"})
    return plain.model_copy(update={"mta": mta, "providers": providers})


def _last(throttle: Any) -> Any:
    """Return the last step of a schedule or a warm-up, and another throttle as it is."""
    if isinstance(throttle, tuple):
        return tuple(map(_last, throttle))
    throttle = throttle.schedule() if isinstance(throttle, WarmUp) else throttle
    return throttle.steps[-1].rate if isinstance(throttle, Schedule) else throttle


def equal_parts(scenario: Scenario) -> int:
    """Return the number of equal parts of a scenario: the source addresses, or 1.

    All limits are for each source address, and one address with its part of the messages is as
    stable as all. Not so where pools differ or queues share something, where a number of throttled
    answers suspends the queue as a whole, or where a provider refuses connections: where it accepts
    many, chance has fewer refused.
    """
    mta = scenario.mta
    if mta.pools or scenario.limits or mta.queues == "per-ip" or mta.active is not None:
        return 1
    for name in {provider for _, provider in scenario.to_deliver()}:
        if scenario.acting_rules(name) or scenario.dead_site_of(name) is not None:
            return 1
        if scenario.providers[name].refuses_connections:
            return 1
    return scenario.mta.ips


def _with_burst(provider: Provider, ips: int, own_ips: int, most: int) -> Provider:
    """Return a provider with the burst of all source addresses, shared by fewer of them.

    A burst makes up for moments in which all connections are busy. A large one, used up only once,
    would count for more than in the long run; so it is cut to ``most`` messages.
    """

    def steady(rate: Any) -> Any:
        if isinstance(rate, tuple):
            return tuple(map(steady, rate))
        if not isinstance(rate, Rate):
            return rate
        return replace(rate, burst=max(min(rate.burst_or_limit * ips, most) // own_ips, 1))

    return provider.model_copy(update={name: steady(getattr(provider, name)) for name in _RATES})


def most_at(scenario: Scenario, times: float) -> int:
    """Return the largest number of messages at so many times the highest rate.

    Where connections are refused nearly all are tried again and again, and as many as otherwise
    take minutes. Far above the highest rate few tell the growth of a backlog to 0.1 %.
    """
    refused = any(provider.refuses_connections for provider in scenario.providers.values())
    return round(_FEW * max(10.0 / times, 1.0)) if refused and times > _FAR_ABOVE else MOST


@dataclass(frozen=True)
class Stream:
    """A steady stream through one of several equal parts of a system."""

    scenario: Scenario  # a part of the system, with the limits of the long run
    parts: int
    warm_up_s: float  # until retries have reached their final number: the longest validity
    measured_s: float  # after the warm-up

    @classmethod
    def of(
        cls, scenario: Scenario, per_s: float, measured: int = MEASURED, most: int = MOST
    ) -> Stream:
        """Plan simulations of a `lasting` scenario at about this rate of the whole system.

        With more than ``most`` messages they are shorter.
        """
        parts = equal_parts(scenario)
        per_s /= parts
        bin_s, warm_up_s, measured_s = _times_s(scenario, per_s, measured, most)
        relay = scenario.relay.model_copy(
            update={
                "workers": 1,
                # About a second's messages: smaller ones only take longer.
                "batch": min(max(round(per_s), 1), 256),
                "batch_time": Constant(value="0s"),
                "rate": None,
            }
        )
        if any(provider.refuses_connections for provider in scenario.providers.values()):
            relay = relay.model_copy(update={"batch": 1})  # of many at a time most are refused
        end_s = warm_up_s + measured_s
        ips, own_ips = scenario.mta.ips, scenario.mta.ips // parts
        burst = round(_BURST * measured)
        part = scenario.model_copy(
            update={
                "time": scenario.time.model_copy(update={"bin": bin_s, "horizon": end_s}),
                "deliveries": _streams(scenario, end_s),
                "relay": relay,
                "mta": scenario.mta.model_copy(update={"ips": own_ips, "ingress_rate": None}),
                "providers": {
                    name: _with_burst(provider, ips, own_ips, burst)
                    for name, provider in scenario.providers.items()
                },
            }
        )
        return cls(part, parts, warm_up_s, measured_s)

    def size(self, per_s: float) -> int:
        """Return the messages of a stream at this rate of the whole system."""
        return max(round(per_s / self.parts * (self.warm_up_s + self.measured_s)), 1)

    def per_s(self, size: float) -> float:
        """Return the rate of the whole system for a stream of this size."""
        return size * self.parts / (self.warm_up_s + self.measured_s)

    def allowances(self, per_s: float, epsilon: float) -> dict[str, float]:
        """Return the unsettled share of an unstable provider, for each provider.

        A queue's length varies by chance, by about the square root of the arrivals.
        """
        counts = resized(self.scenario, self.size(per_s)).to_deliver()
        total = sum(counts.values())
        arrivals = self.size(per_s) * self.measured_s / (self.warm_up_s + self.measured_s)
        shares = dict.fromkeys(self.scenario.providers, 0.0)
        for (_, name), count in counts.items():
            shares[name] += count / total
        return {
            name: max(epsilon, 2.0 / math.sqrt(max(share * arrivals, 16.0)))
            for name, share in shares.items()
            if share
        }

    def sized(self, size: int, seed: int, *, unhindered: bool = False) -> Scenario:
        """Return the scenario of a stream of this size, on request without any limit."""
        stream = resized(self.scenario, size).with_seed(seed)
        if unhindered:
            at_once = Constant(value="0s")
            times = {"connect_time": at_once, "transaction_time": at_once}
            stream = at_providers(stream, {**UNLIMITED, **times})
            mta = stream.mta.model_copy(update={"active": None})
            stream = stream.model_copy(update={"limits": (), "mta": mta})
        return stream


def _streams(scenario: Scenario, end_s: float) -> tuple[Delivery, ...]:
    """Return the deliveries as streams, those of the same validity, pool and limits as one.

    A stream of many deliveries in turn takes far longer to simulate, with the same result.
    """
    streams = []
    alike: dict[tuple[Any, ...], list[Delivery]] = {}
    for delivery in scenario.deliveries:
        covered = tuple(limit.covers_delivery(delivery.name) for limit in scenario.limits)
        key = scenario.honoured_validity(delivery), scenario.pool_of(delivery), covered
        alike.setdefault(key, []).append(delivery)
    for same in alike.values():
        total = sum(delivery.messages for delivery in same)
        audience: dict[str, float] = {}
        for delivery in same:
            for name, share in delivery.audience.items():
                audience[name] = audience.get(name, 0.0) + share * delivery.messages / total
        changes = {"messages": total, "audience": audience, "at": 0.0, "spread": end_s}
        streams.append(same[0].model_copy(update=changes))
    return tuple(streams)


def _times_s(
    scenario: Scenario, per_s: float, measured: int, most: int
) -> tuple[float, float, float]:
    """Return the lengths of a bin, of the warm-up and of the measurement, both in whole bins."""
    validity_s = max(map(scenario.honoured_validity, scenario.deliveries))
    measured_s = min(measured / per_s, max(_LONGEST_S - validity_s, 86_400.0))
    warm_up_s = validity_s if _retries(scenario) else 0.1 * measured_s
    shorter = min(most / (per_s * (warm_up_s + measured_s)), 1.0)
    bin_s = shorter * (warm_up_s + measured_s) / _BINS
    windows_s = [
        throttle.window
        for provider in scenario.providers.values()
        for throttle in provider.throttles
        if isinstance(throttle, FixedWindow)
    ]
    if windows_s:
        # The throughput is even over whole windows only.
        bin_s = max(windows_s) * math.ceil(bin_s / max(windows_s))
    warm_up_s, measured_s = (
        bin_s * math.ceil(shorter * time_s / bin_s) for time_s in (warm_up_s, measured_s)
    )
    return bin_s, warm_up_s, measured_s


def _retries(scenario: Scenario) -> bool:
    """Return whether any message may bounce softly, and be tried again."""
    return any(
        provider.transient
        or provider.faults
        or provider.tolerance is not None
        or provider.refuses_connections
        or provider.disturbances
        for provider in scenario.providers.values()
    )


def unsettled_shares(warm_up_s: float, scenario: Scenario) -> dict[str, float]:
    """Simulate a stream, and return the share of unsettled arrivals at each provider.

    Of the messages that arrived after the warm-up, those by which fewer became final meanwhile:
    they piled up or expired.
    """
    ledger = simulate_ledger(scenario)
    first = round(warm_up_s / ledger.bin_s)

    def count(event: Event, provider: str) -> int:
        return int(ledger.counts(event, clock="happened", provider=provider)[first:].sum())

    shares = {}
    for name in ledger.providers:
        arrived = count("relayed", name)
        unsettled = arrived - count("accepted", name) - count("hard", name)
        shares[name] = unsettled / max(arrived, 1)
    return shares
