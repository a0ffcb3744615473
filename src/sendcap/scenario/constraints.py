"""What limits each part of a delivery, in closed form: attempts per second, in the long run.

These are facts about a scenario alone; nothing is simulated. The feasibility check estimates with
them how many messages pile up, and `sendcap.study.capacity.ceilings` where a delivery is held up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from sendcap.scenario.provider import Provider
from sendcap.scenario.rates import Rate
from sendcap.scenario.scenario import Scenario
from sendcap.scenario.schedule import Schedule, WarmUp
from sendcap.scenario.suspend import Suspend
from sendcap.scenario.throttle import FixedWindow, Gap

CONNECTIONS: Final = ("connections", "reconnect cycling")
"""What the limit by connections is called."""


class Pace(NamedTuple):
    """A limit that holds from a moment on; a pace of 0 lets nothing through."""

    from_s: float
    per_s: float
    burst: float = 0.0
    """Attempts that may go at once after a pause."""


@dataclass(frozen=True)
class Constraint:
    """One limit of a stage, in attempts (at the relay and the ingress: messages) per second.

    Attributes
    ----------
    name
        What limits: ``"connections"``, ``"rate"``, …
    paces
        The limit in order of time, the first from 0 on.
    window_s
        Length of the windows where the burst is what each of them brings, else None.
    """

    name: str
    paces: tuple[Pace, ...]
    window_s: float | None = None

    @classmethod
    def constant(cls, name: str, per_s: float, burst: float = 0.0) -> Constraint:
        """Return a limit that is always the same."""
        return cls(name, (Pace(0.0, per_s, burst),))

    @property
    def per_s(self) -> float:
        """Attempts per second in the long run: those of the last pace."""
        return self.paces[-1].per_s

    @property
    def lowest_per_s(self) -> float:
        """Attempts per second at the slowest pace."""
        return min(pace.per_s for pace in self.paces)

    @property
    def varies(self) -> bool:
        """Whether it changes with time."""
        return len(self.paces) > 1


def relay_constraints(scenario: Scenario) -> tuple[Constraint, ...]:
    """Return what limits the relay: its workers, and its rate if it has one.

    A worker hands over a batch per ``batch_time``; a delivery's last batch may be smaller than
    ``relay.batch``.
    """
    relay = scenario.relay
    messages = sum(its.messages for its in scenario.deliveries)
    batches = sum(-(-its.messages // relay.batch) for its in scenario.deliveries)
    workers_per_s = _over(relay.workers * messages / batches, relay.batch_time.mean_s)
    found = [Constraint.constant("workers", workers_per_s)]
    if relay.rate is not None:
        found.append(Constraint.constant("rate", relay.rate.per_s, relay.rate.burst_or_limit))
    return tuple(found)


def ingress_constraints(scenario: Scenario) -> tuple[Constraint, ...]:
    """Return what limits the MTA's ingress: its rate if it has one."""
    rate = scenario.mta.ingress_rate
    return () if rate is None else (Constraint.constant("rate", rate.per_s),)


def provider_constraints(scenario: Scenario, name: str) -> tuple[Constraint, ...]:
    """Return what limits a provider's queue while it never runs empty; outages are apart.

    The connections come first: ``connections_per_ip × ips`` of them, each of which takes a
    transaction time for an attempt and a connect time every ``messages_per_connection`` attempts.
    They are called *reconnect cycling* where connecting takes more than half of their time.
    KumoMTA's connection scaling makes no difference here: a queue that is long gets them all.
    """
    provider, ips = scenario.providers[name], scenario.mta.ips
    found = [_connections(provider, ips), *_throttle(provider, ips)]
    if provider.tolerance is not None:
        sends_per_s = min(its.per_s for its in found)
        its = provider.tolerance
        tolerance = Constraint.constant("tolerance", its.per_s * ips, its.burst_or_limit * ips)
        found.append(tolerance)
        rule = scenario.suspend_of(name)
        if rule is not None:
            answer_s = provider.transaction_time.mean_s
            found += _suspension(rule, tolerance, sends_per_s, answer_s, ips)
    return tuple(found)


def outage_constraints(scenario: Scenario, name: str) -> tuple[Constraint, ...]:
    """Return the outages of a provider as a limit: nothing is carried while they last."""
    paces = [Pace(0.0, math.inf)]
    for outage in scenario.providers[name].outages:
        if outage.at == paces[-1].from_s:  # at the start, or right after another
            paces.pop()
        paces += [Pace(outage.at, 0.0), Pace(outage.at + outage.lasts, math.inf)]
    return (Constraint("outage", tuple(paces)),) if len(paces) > 1 else ()


def _over(count: float, seconds: float) -> float:
    return count / seconds if seconds > 0.0 else math.inf


def _connections(provider: Provider, ips: int) -> Constraint:
    transaction_s = provider.transaction_time.mean_s
    connect_s = 0.0
    if provider.messages_per_connection != "unlimited":
        connect_s = provider.connect_time.mean_s / provider.messages_per_connection
    return Constraint.constant(
        CONNECTIONS[connect_s > transaction_s],
        _over(provider.connections_per_ip * ips, transaction_s + connect_s),
    )


def _throttle(provider: Provider, ips: int) -> Iterable[Constraint]:
    its = provider.rate
    if isinstance(its, Rate):
        yield Constraint.constant("rate", its.per_s * ips, its.burst_or_limit * ips)
    elif isinstance(its, FixedWindow):
        limit = float(its.limit * ips)
        yield Constraint("rate", (Pace(0.0, limit / its.window, limit),), its.window)
    elif isinstance(its, Gap):
        # One attempt at a time, whatever the number of source addresses.
        yield Constraint.constant("gap", _over(1.0, provider.transaction_time.mean_s + its.pause))
    elif isinstance(its, WarmUp):
        yield Constraint("warm-up", _paces(its.schedule(), ips))
    elif isinstance(its, Schedule):
        yield Constraint("schedule", _paces(its, ips))


def _paces(schedule: Schedule, ips: int) -> tuple[Pace, ...]:
    return tuple(
        Pace(step.at, step.rate.per_s * ips, step.rate.burst_or_limit * ips)
        if isinstance(step.rate, Rate)
        else Pace(step.at, 0.0)
        for step in schedule.steps
    )


def _suspension(
    rule: Suspend, tolerance: Constraint, sends_per_s: float, answer_s: float, ips: int
) -> Iterable[Constraint]:
    """Yield what a queue gets through that is suspended again and again, if it is at all.

    While it is not suspended it sends s attempts/s, more than the t that the provider lets
    through, and each is answered after a transaction time. A cycle: the burst that the provider
    grants again is used up, then throttled answers come, s − t per second, until there are enough
    for the rule, τ after the first answer. The attempts under way are answered within another
    transaction time, and the last of them that is throttled lets the suspension last anew. Then
    the queue pauses, or sends at the rule's own rate r. Let through in a cycle are the burst, t
    per second while answers come and, in the pause, r or t per second, whichever is less.

    The rule looks back for ``within``. Where that is longer than a cycle, throttled answers of
    earlier cycles still count: those that have dropped out meanwhile are enough to start the next
    suspension, but at least one.

    This is a fluid's cycle with constant transaction times. Random ones spread the answers, and
    let a little more through. Where s − t per second never make ``after`` answers within
    ``within``, the queue is not suspended.
    """
    allowed = tolerance.paces[0]
    excess_per_s = sends_per_s - allowed.per_s
    if not excess_per_s * rule.within >= rule.after:
        return
    meanwhile_per_s = 0.0
    if isinstance(rule.rate, Rate):
        meanwhile_per_s = min(rule.rate.per_s * ips, sends_per_s, allowed.per_s)
    refill = min(allowed.burst, (allowed.per_s - meanwhile_per_s) * rule.lasts)
    # In whole attempts: the first of the burst needs no time, nor does the last throttled one.
    more = max(refill - 1.0, 0.0) - 1.0
    pause_s = rule.lasts + 2.0 * answer_s
    # Enough answers are those that drop out in a cycle, but for those under way at its end.
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
    first_s = (allowed.burst + rule.after) / excess_per_s + answer_s
    yield Constraint.constant(
        "suspension", per_s, allowed.burst + (allowed.per_s - per_s) * first_s
    )
