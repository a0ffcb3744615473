"""A steady stream of messages to the providers, and whether they keep up with it.

The deliveries become streams that go on at the same rate, with relay and ingress out of the way.
The relay and the ingress are first in, first out without retries: their ceilings in closed form
are exact, and need no simulation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sendcap.study.capacity.searches.acceptance import bare, resized

if TYPE_CHECKING:
    from sendcap.ledger import Event
    from sendcap.scenario import Delivery, Provider, Scenario

MEASURED: Final = 1_500_000
"""Messages whose arrival is watched in a simulation, by default."""
_MOST: Final = 30_000_000
"""Messages in a simulation at most; beyond it, both the warm-up and what follows are shorter."""
_LONGEST_S: Final = 14 * 86_400.0
"""A delivery can be spread over no longer time."""
_BINS: Final = 1_000
_BURST: Final = 0.001
"""A burst counts with so much of the measured messages at most."""


def lasting(scenario: Scenario) -> Scenario:
    """Return a scenario with the limits that hold in the long run, from the start.

    Of a schedule or a warm-up the last step holds; there are no outages, and the spool is
    unlimited: it would only move a backlog from the MTA to the relay. The validity counts from the
    hand-over; a stream has no other beginning.
    """
    its = bare(scenario)
    return its.model_copy(
        update={
            "mta": its.mta.model_copy(update={"spool": None, "clock_origin": "relayed"}),
            "providers": {name: _lasting(provider) for name, provider in its.providers.items()},
        }
    )


def _lasting(provider: Provider) -> Provider:
    from sendcap.scenario import Schedule, WarmUp

    its = provider.rate.schedule() if isinstance(provider.rate, WarmUp) else provider.rate
    rate = its.steps[-1].rate if isinstance(its, Schedule) else its
    return provider.model_copy(update={"rate": rate, "outages": ()})


def equal_parts(scenario: Scenario) -> int:
    """Return into how many equal parts a scenario can be cut: its source addresses, or 1.

    All limits are for each source address, and with as many fewer messages one of them is as
    stable as all. Not so where a limit belongs to the queue as a whole: a pause between attempts,
    or how many throttled answers suspend it.
    """
    from sendcap.scenario import Gap

    for name in {provider for _, provider in scenario.to_deliver()}:
        if isinstance(scenario.providers[name].rate, Gap) or scenario.suspend_of(name) is not None:
            return 1
    return scenario.mta.ips


def _with_burst(provider: Provider, ips: int, own_ips: int, most: int) -> Provider:
    """Return a provider with the burst of so many source addresses, shared by fewer of them.

    A burst makes up for moments in which all connections are busy. Used up only once, a large one
    would count for more than it can in the long run; so it is cut to ``most`` messages.
    """
    from sendcap.scenario import Rate

    def steady(rate: Any) -> Any:
        if not isinstance(rate, Rate):
            return rate
        return replace(rate, burst=max(min(rate.burst_or_limit * ips, most) // own_ips, 1))

    limits = {"rate": steady(provider.rate), "tolerance": steady(provider.tolerance)}
    return provider.model_copy(update=limits)


@dataclass(frozen=True)
class Stream:
    """A steady stream through one of several equal parts of a system.

    Attributes
    ----------
    scenario
        That part, with limits that last.
    parts
        How many there are.
    warm_up_s
        Time until retries are as many as they will be: the longest validity.
    measured_s
        Time after that.
    """

    scenario: Scenario
    parts: int
    warm_up_s: float
    measured_s: float

    @classmethod
    def of(cls, scenario: Scenario, per_s: float, measured: int = MEASURED) -> Stream:
        """Plan simulations of a scenario at about a rate of messages to deliver.

        Parameters
        ----------
        scenario
            See `lasting`.
        per_s
            The rate, of the whole system.
        measured
            Messages whose arrival is watched.
        """
        from sendcap.scenario import Constant

        parts = equal_parts(scenario)
        per_s /= parts
        bin_s, warm_up_s, measured_s = _times_s(scenario, per_s, measured)
        relay = scenario.relay.model_copy(
            update={
                "workers": 1,
                # About a second's messages: smaller ones only take longer.
                "batch": min(max(round(per_s), 1), 256),
                "batch_time": Constant(value="0s"),
                "rate": None,
            }
        )
        end_s = warm_up_s + measured_s
        ips, own_ips = scenario.mta.ips, scenario.mta.ips // parts
        most = round(_BURST * measured)
        part = scenario.model_copy(
            update={
                "time": scenario.time.model_copy(update={"bin": bin_s, "horizon": end_s}),
                "deliveries": _streams(scenario, end_s),
                "relay": relay,
                "mta": scenario.mta.model_copy(update={"ips": own_ips, "ingress_rate": None}),
                "providers": {
                    name: _with_burst(its, ips, own_ips, most)
                    for name, its in scenario.providers.items()
                },
            }
        )
        return cls(part, parts, warm_up_s, measured_s)

    def size(self, per_s: float) -> int:
        """Return the messages in a stream of this rate, of the whole system."""
        return max(round(per_s / self.parts * (self.warm_up_s + self.measured_s)), 1)

    def per_s(self, size: float) -> float:
        """Return the rate of the whole system if there are so many messages in the stream."""
        return size * self.parts / (self.warm_up_s + self.measured_s)

    def allowances(self, per_s: float, epsilon: float) -> dict[str, float]:
        """Return for each provider the unsettled share from which on it counts as unstable.

        A queue's length varies by chance, by about the square root of what comes in the time.
        """
        counts = resized(self.scenario, self.size(per_s)).to_deliver()
        total = sum(counts.values())
        comes = self.size(per_s) * self.measured_s / (self.warm_up_s + self.measured_s)
        shares = dict.fromkeys(self.scenario.providers, 0.0)
        for (_, name), count in counts.items():
            shares[name] += count / total
        return {
            name: max(epsilon, 2.0 / math.sqrt(max(share * comes, 16.0)))
            for name, share in shares.items()
            if share
        }

    def asked(self, size: int, seed: int, *, unhindered: bool = False) -> StreamAsked:
        """Return what is to be simulated; on request with nothing that holds a message up."""
        its = resized(self.scenario, size).with_seed(seed)
        return StreamAsked(_unhindered(its) if unhindered else its, self.warm_up_s)


def _streams(scenario: Scenario, end_s: float) -> tuple[Delivery, ...]:
    """Return the deliveries as streams; those of the same validity are one.

    A stream of many deliveries in turn takes far longer to simulate, and comes to the same.
    """
    streams = []
    for validity_s in {its.honoured_validity: None for its in scenario.deliveries}:
        same = [its for its in scenario.deliveries if its.honoured_validity == validity_s]
        total = sum(its.messages for its in same)
        audience: dict[str, float] = {}
        for its in same:
            for name, share in its.audience.items():
                audience[name] = audience.get(name, 0.0) + share * its.messages / total
        changes = {
            "messages": total,
            "audience": audience,
            "at": 0.0,
            "spread": end_s,
        }
        streams.append(same[0].model_copy(update=changes))
    return tuple(streams)


def _times_s(scenario: Scenario, per_s: float, measured: int) -> tuple[float, float, float]:
    """Return the length of a bin, of the warm-up and of what follows, both in whole bins."""
    from sendcap.scenario import FixedWindow

    validity_s = max(its.honoured_validity for its in scenario.deliveries)
    measured_s = min(measured / per_s, _LONGEST_S - validity_s)
    warm_up_s = validity_s if _retries(scenario) else 0.1 * measured_s
    shorter = min(_MOST / (per_s * (warm_up_s + measured_s)), 1.0)
    bin_s = shorter * (warm_up_s + measured_s) / _BINS
    throttles = [its.rate for its in scenario.providers.values()]
    windows_s = [its.window for its in throttles if isinstance(its, FixedWindow)]
    if windows_s:
        # What is let through is even over whole windows only.
        bin_s = max(windows_s) * math.ceil(bin_s / max(windows_s))
    in_bins = [bin_s * math.ceil(shorter * its_s / bin_s) for its_s in (warm_up_s, measured_s)]
    return bin_s, in_bins[0], in_bins[1]


def _retries(scenario: Scenario) -> bool:
    return any(
        its.transient or its.faults or its.tolerance is not None
        for its in scenario.providers.values()
    )


def _unhindered(scenario: Scenario) -> Scenario:
    from sendcap.scenario import Constant

    none: dict[str, Any] = {
        "connect_time": Constant(value="0s"),
        "transaction_time": Constant(value="0s"),
        "rate": None,
        "connection_scaling": "none",
        "tolerance": None,
        "suspend": None,
    }
    providers = {name: its.model_copy(update=none) for name, its in scenario.providers.items()}
    return scenario.model_copy(update={"providers": providers})


class StreamAsked(NamedTuple):
    """A simulation that is asked for."""

    scenario: Scenario
    warm_up_s: float


class Arrivals(NamedTuple):
    """How many messages came to a provider in a time, and how many more than became final."""

    arrived: int
    unsettled: int

    @property
    def unsettled_share(self) -> float:
        """The share of them that the system has more afterwards, or that expired."""
        return self.unsettled / max(self.arrived, 1)


def watched(asked: StreamAsked) -> dict[str, Arrivals]:
    """Simulate a stream, and return what came to each provider after the warm-up."""
    from sendcap.model.engine import simulate_ledger

    ledger = simulate_ledger(asked.scenario)
    first = round(asked.warm_up_s / ledger.bin_s)

    def count(event: Event, provider: str) -> int:
        return int(ledger.counts(event, clock="happened", provider=provider)[first:].sum())

    found = {}
    for name in ledger.providers:
        arrived = count("relayed", name)
        found[name] = Arrivals(arrived, arrived - count("accepted", name) - count("hard", name))
    return found
