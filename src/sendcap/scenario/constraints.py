"""The limits of each stage of a delivery, in closed form: attempts per second, in the long run.

They follow from the scenario alone. The feasibility check estimates queues with them, the fluid
model (`sendcap.fluid`) turns them into clocks, and `sendcap.scenario.stages` into ceilings.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Self

from sendcap.scenario.hand_over import Attempt, Limit, Takes, connect_s, together
from sendcap.scenario.pools import Queue
from sendcap.scenario.provider import Provider
from sendcap.scenario.rates import Rate
from sendcap.scenario.scenario import Scenario
from sendcap.scenario.suspend import Suspend
from sendcap.scenario.suspended import Sending, sending_at_first, suspended, suspended_by_share
from sendcap.scenario.throttle import FixedWindow, Gap, Schedule, ScheduledRate, Throttle, WarmUp

CONNECTIONS: Final = ("connections", "reconnect cycling")
"""Names of the limit by connections."""
CONNECTION_RATE: Final = "connection rate"
CONNECTIONS_AND_RATE: Final = "connections and rate"
"""Name of the limit where connections and a rate nearly match, and wait for each other."""
ACCEPTED: Final = "accepted connections"


class Pace(NamedTuple):
    """A rate from a moment on; 0 lets nothing through."""

    from_s: float
    per_s: float
    burst: float = 0.0  # attempts at once after a pause


@dataclass(frozen=True)
class Constraint:
    """One limit of a stage, in attempts (at the relay and the ingress: messages) per second."""

    name: str  # "connections", "rate", …
    paces: tuple[Pace, ...]  # in order of time, the first from 0 on
    window_s: float | None = None  # of fixed windows, each of which grants a whole burst
    throttle: Throttle | None = None  # of a provider, which the limit is

    @classmethod
    def constant(cls, name: str, per_s: float, burst: float = 0.0) -> Self:
        """Return a constant limit."""
        return cls(name, (Pace(0.0, per_s, burst),))

    def times(self, queues: float) -> Self:
        """Return the limit of so many queues together, each of which has this one."""
        paces = (Pace(at_s, queues * per_s, queues * burst) for at_s, per_s, burst in self.paces)
        return replace(self, paces=tuple(paces))

    @property
    def per_s(self) -> float:
        """Attempts per second in the long run, at the last pace."""
        return self.paces[-1].per_s

    @property
    def lowest_per_s(self) -> float:
        """Attempts per second at the slowest pace."""
        return min(pace.per_s for pace in self.paces)

    @property
    def varies(self) -> bool:
        """Whether the limit changes with time."""
        return len(self.paces) > 1


def together_constraints(
    name: str, rate: Constraint, servers: int, takes: Takes, sizes: tuple[int, ...] = (1,)
) -> Iterable[Constraint]:
    """Yield what servers and a rate let through together, where that is less than either."""
    limits = [Limit(*pace[1:]) for pace in rate.paces]
    limited = tuple(limit for limit in limits if 0.0 < limit.per_s < math.inf)
    if both := together(servers, takes, sizes, limited):
        paces = zip(rate.paces, limits, strict=True)
        yield Constraint(name, tuple(Pace(pace.from_s, *both.get(own, own)) for pace, own in paces))


def ingress_constraints(scenario: Scenario) -> tuple[Constraint, ...]:
    """Return the limits of the MTA's ingress: a rate."""
    rate = scenario.mta.ingress_rate
    return () if rate is None else (Constraint.constant("rate", rate.per_s),)


def queue_constraints(
    scenario: Scenario, path: Queue, *, with_both: bool = True
) -> tuple[Constraint, ...]:
    """Return the limits of a queue that never runs empty, without outages and shared limits.

    Where each source address has a queue of its own, those of all of them together.

    The connections come first: ``connections_per_ip × ips`` of them, each with a transaction time
    per attempt and a connect time every ``messages_per_connection`` attempts. The limit is named
    *reconnect cycling* where connecting takes more than half of the time. KumoMTA's connection
    scaling makes no difference here: a long queue gets all connections. A connection rate opens so
    many, each for ``messages_per_connection`` attempts (KumoMTA, ``compute_constraints``).
    ``with_both`` adds what connections and a rate let through together, which takes the longest
    to work out, and is at least half of the less of them.
    """
    provider, ips = scenario.providers[path.provider], path.ips
    if scenario.mta.queues == "per-ip" and ips > 1:
        of_one = queue_constraints(scenario, path._replace(ips=1), with_both=with_both)
        return tuple(constraint.times(ips) for constraint in of_one)
    limits = [*_connections(provider, ips), *_throttles(provider, ips)]
    servers, takes = provider.connections_per_ip * ips, Attempt.of(provider)
    for limit in limits[1:]:
        if with_both and isinstance(limit.throttle, Rate | Schedule | WarmUp):
            limits += together_constraints(CONNECTIONS_AND_RATE, limit, servers, takes)
    if provider.tolerance is not None:
        limits.append(rate_constraint("tolerance", provider.tolerance, ips))
        limits += [limit for _, limit in suspensions(scenario, path)][:1]
    return tuple(limits)


def suspensions(scenario: Scenario, path: Queue) -> list[tuple[Suspend, Constraint]]:
    """Return the rules that suspend a queue again and again, with the throughput of each alone.

    The tightest comes first: together they let through no more.
    """
    provider, ips = scenario.providers[path.provider], path.ips
    if not isinstance(provider.tolerance, Rate):
        return []  # none, or one that changes
    rate = provider.tolerance
    tolerance = Limit(rate.per_s * ips, rate.burst_or_limit * ips)
    limits = (*_connections(provider, ips), *_throttles(provider, ips))
    own = [Limit(*limit.paces[-1][1:]) for limit in limits]
    sends_per_s = min(limit.per_s for limit in own)
    answer_s = provider.transaction_time.mean_s
    found: list[tuple[Suspend, Constraint]] = []
    for rule in scenario.acting_rules(path.provider):
        if "throttled" not in rule.counts:
            continue
        if rule.share is not None:
            cycles = [*suspended_by_share(rule, tolerance, sends_per_s, ips)]
        else:
            cycles = [
                cycle
                for sending in (Sending(sends_per_s), sending_at_first(own, rule.lasts))
                for cycle in suspended(rule, tolerance, sending, answer_s, ips)
            ][:1]
        found += [(rule, Constraint.constant("suspension", *cycle)) for cycle in cycles]
    return sorted(found, key=lambda each: each[1].per_s)


def rate_constraint(name: str, rate: ScheduledRate, ips: int) -> Constraint:
    """Return the limit of a rate, of all source addresses together."""
    if isinstance(rate, Schedule):
        return Constraint(name, _paces(rate, ips))
    return Constraint.constant(name, rate.per_s * ips, rate.burst_or_limit * ips)


def over(count: float, seconds: float) -> float:
    """Return a rate, infinite for no time."""
    return count / seconds if seconds > 0.0 else math.inf


def _connections(provider: Provider, ips: int) -> Iterable[Constraint]:
    transaction_s, connecting_s = provider.transaction_time.mean_s, connect_s(provider)
    yield Constraint.constant(
        CONNECTIONS[connecting_s > transaction_s],
        over(provider.connections_per_ip * ips, transaction_s + connecting_s),
    )
    accepted, each = provider.accepts_connections, provider.messages_per_connection
    if accepted is not None and provider.refuses_connections:
        # While one is made anew, another one takes the place.
        yield Constraint.constant(ACCEPTED, over(accepted * ips, transaction_s))
    if provider.connection_rate is not None and each != "unlimited":
        limit = rate_constraint(CONNECTION_RATE, provider.connection_rate, ips)
        paces = (Pace(pace.from_s, each * pace.per_s, each * pace.burst) for pace in limit.paces)
        yield replace(limit, paces=tuple(paces))


def _throttles(provider: Provider, ips: int) -> Iterable[Constraint]:
    """Yield a limit for each throttle; those of a list bear the names that edits give them."""
    for number, throttle in enumerate(provider.throttles):
        limit = replace(throttle_constraint(throttle, provider, ips), throttle=throttle)
        yield limit if throttle is provider.rate else replace(limit, name=f"rate[{number}]")


def throttle_constraint(throttle: Throttle, provider: Provider | None, ips: int) -> Constraint:
    """Return a throttle's limit; a gap's depends on the transactions of the provider."""
    match throttle:
        case Rate():
            return rate_constraint("rate", throttle, ips)
        case FixedWindow(limit=limit, window=window_s):
            burst = float(limit * ips)
            return Constraint("rate", (Pace(0.0, burst / window_s, burst),), window_s)
        case Gap(pause=pause_s):
            # Each source address makes one attempt at a time.
            assert provider is not None
            attempt_s = provider.transaction_time.mean_s + pause_s
            return Constraint.constant("gap", over(float(ips), attempt_s))
        case WarmUp():
            return Constraint("warm-up", _paces(throttle.schedule(), ips))
        case Schedule():
            return Constraint("schedule", _paces(throttle, ips))


def _paces(schedule: Schedule, ips: int) -> tuple[Pace, ...]:
    return tuple(
        Pace(step.at, step.rate.per_s * ips, step.rate.burst_or_limit * ips)
        if isinstance(step.rate, Rate)
        else Pace(step.at, 0.0)
        for step in schedule.steps
    )
