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
    tolerance = rate_constraint("tolerance", provider.tolerance, ips)
    own = (*_connections(provider, ips), *_throttles(provider, ips))
    sends_per_s = min(limit.per_s for limit in own)
    answer_s = provider.transaction_time.mean_s
    found: list[tuple[Suspend, Constraint]] = []
    for rule in scenario.acting_rules(path.provider):
        if "throttled" not in rule.counts:
            continue
        if rule.share is not None:
            limits = [*_suspension_by_share(rule, tolerance, sends_per_s, ips)]
        else:
            limits = [
                limit
                for sending in (_Sending(sends_per_s), _at_first(own, rule.lasts))
                for limit in _suspension(rule, tolerance, sending, answer_s, ips)
            ][:1]
        found += [(rule, limit) for limit in limits]
    return sorted(found, key=lambda each: each[1].per_s)


class _Sending(NamedTuple):
    """How a queue sends: a rate, and the attempts after which it is slower."""

    per_s: float
    first: float = math.inf  # with the whole bursts of the queue's own rates
    again: float = math.inf  # with what a pause has granted anew


def _at_first(own: Iterable[Constraint], pause_s: float) -> _Sending:
    """Return how a queue sends after a pause: as its connections let it, until a burst is over."""
    paces = [limit.paces[-1] for limit in own]
    per_s = min(pace.per_s for pace in paces if pace.burst == 0.0)

    slower = [pace for pace in paces if 0.0 < pace.per_s < per_s]

    def most(granted_s: float) -> float:
        granted = (min(pace.burst, pace.per_s * granted_s) for pace in slower)
        sent = (
            count / (1.0 - pace.per_s / per_s) for count, pace in zip(granted, slower, strict=True)
        )
        return min(sent, default=math.inf)

    return _Sending(per_s, most(math.inf), most(pause_s))


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


def _suspension_by_share(
    rule: Suspend, tolerance: Constraint, sends_per_s: float, ips: int
) -> Iterable[Constraint]:
    """Yield the same for a rule by share, in a fluid's cycle.

    A suspension begins at the end of a period. When it is over, the queue sends s attempts/s until
    the end of a period finds enough of them throttled: first of what is left of one, then of whole
    ones. The burst granted anew and t per second are let through. With ``slow_to`` each period
    is slower than the one before, until few are throttled; the tolerance says how many that are.
    """
    allowed, share = tolerance.paces[0], rule.share or 0.0
    excess_per_s = sends_per_s - allowed.per_s
    too_few = rule.within * sends_per_s < rule.of or excess_per_s < share * sends_per_s
    if rule.slow_to is not None or too_few or excess_per_s <= 0.0:
        return
    meanwhile_per_s = 0.0
    if isinstance(rule.rate, Rate):
        meanwhile_per_s = min(rule.rate.per_s * ips, sends_per_s, allowed.per_s)
    left = refill = min(allowed.burst, (allowed.per_s - meanwhile_per_s) * rule.lasts)
    sending_s = 0.0
    period_s = math.ceil(rule.lasts / rule.within) * rule.within - rule.lasts
    while True:
        if period_s > 0.0:  # in no time nothing is sent, however fast
            attempts = sends_per_s * period_s
            throttled = max(excess_per_s * period_s - left, 0.0)
            left = max(left - excess_per_s * period_s, 0.0)
            sending_s += period_s
            if attempts >= rule.of and throttled >= share * attempts:
                break
        period_s = rule.within * max(left // (excess_per_s * rule.within), 1.0)
    let_through = refill - left + allowed.per_s * sending_s + meanwhile_per_s * rule.lasts
    per_s = let_through / (sending_s + rule.lasts)
    burst = allowed.burst + (allowed.per_s - per_s) * rule.within
    yield Constraint.constant("suspension", per_s, burst)


def _suspension(
    rule: Suspend, tolerance: Constraint, sending: _Sending, answer_s: float, ips: int
) -> Iterable[Constraint]:
    """Yield the throughput of a queue that is suspended again and again, if it is at all.

    Between suspensions the queue sends s attempts/s, more than the provider's t, and each is
    answered after a transaction time. In a cycle, the burst granted anew is used up; then throttled
    answers come, s − t per second, until there are enough for the rule, τ after the first answer.
    The attempts under way are answered within another transaction time, and the last throttled one
    of them restarts the suspension. Then the queue pauses, or sends at the rule's own rate r. A
    cycle lets through the burst, t per second while answers come and, in the pause, the lesser of
    r and t per second.

    The rule looks back for ``within``. Where that is longer than a cycle, throttled answers of
    earlier cycles still count: the next suspension takes only as many as have dropped out
    meanwhile, but at least one.

    This is a fluid's cycle with constant transaction times. Random ones spread the answers, and let
    a little more through. Where s − t per second never make ``after`` answers within ``within``,
    the queue is not suspended, nor where it is slower before there are enough.
    """
    allowed = tolerance.paces[0]
    sends_per_s = sending.per_s
    excess_per_s = sends_per_s - allowed.per_s
    if not excess_per_s * rule.within >= rule.after:
        return
    if rule.in_a_row and excess_per_s < rule.after * allowed.per_s:
        return
    meanwhile_per_s = 0.0
    if isinstance(rule.rate, Rate):
        meanwhile_per_s = min(rule.rate.per_s * ips, sends_per_s, allowed.per_s)
    refill = min(allowed.burst, (allowed.per_s - meanwhile_per_s) * rule.lasts)
    # In whole attempts: the first of the burst needs no time, nor does the last throttled one.
    more = max(refill - 1.0, 0.0) - 1.0
    pause_s = rule.lasts + 2.0 * answer_s
    # A cycle needs as many answers as drop out in it, except those under way at the end.
    per_cycle_s = rule.after / rule.within
    answers = per_cycle_s * (more / excess_per_s + pause_s)
    if answer_s > 0.0:
        answers -= excess_per_s * answer_s
    dropping_out = 1.0 - per_cycle_s / excess_per_s
    answers = answers / dropping_out if dropping_out > 0.0 else math.inf
    sending_s = (more + min(max(answers, 1.0), rule.after)) / excess_per_s
    let_through = refill + allowed.per_s * (sending_s + answer_s) + meanwhile_per_s * rule.lasts
    per_s = let_through / (sending_s + pause_s)
    # Until the first suspension the whole burst and the tolerance's rate go through.
    first_s = (allowed.burst + rule.after) / excess_per_s
    if first_s * sends_per_s > sending.first or sending_s * sends_per_s > sending.again:
        return
    burst = allowed.burst + (allowed.per_s - per_s) * (first_s + answer_s)
    yield Constraint.constant("suspension", per_s, burst)
