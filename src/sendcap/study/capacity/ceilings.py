"""Ceilings: the most that each stage of a delivery can carry, in closed form.

A stage is the relay, the MTA's ingress or a provider's queue. Each has constraints, of which the
slowest binds. Divided by the stage's share of the messages and by its attempts per message, a
stage's ceiling says how fast the whole delivery can be at most; the stage that needs the longest
for its load holds the delivery up. Nothing is simulated here, and nothing is random.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from sendcap.scenario import Scenario
from sendcap.scenario.constraints import (
    Constraint,
    Pace,
    ingress_constraints,
    outage_constraints,
    provider_constraints,
    relay_constraints,
)
from sendcap.study.capacity.carrying import Carried, carried

__all__ = ["Constraint", "Pace", "Stage", "bottleneck", "stages"]

Kind = Literal["relay", "ingress", "provider"]


@dataclass(frozen=True)
class Stage:
    """A part of the way of a delivery that every message, or a share of them, goes through.

    Attributes
    ----------
    kind
        What it is; a provider may have any name.
    name
        ``"relay"``, ``"ingress"`` or the provider's name.
    share
        Share of all messages to deliver that it must carry.
    messages
        The same as a number of messages.
    constraints
        What limits it; outages are among them.
    attempts_per_message
        How often a message is tried, on average: retries are load as well.
    from_s
        When its first messages can come.
    servers
        How many messages (at the relay: batches) it can work on at a time.
    """

    kind: Kind
    name: str
    share: float
    messages: float
    constraints: tuple[Constraint, ...]
    attempts_per_message: float = 1.0
    from_s: float = 0.0
    servers: int = 1

    @property
    def attempts(self) -> float:
        """Attempts that it must carry: its load."""
        return self.messages * self.attempts_per_message

    @cached_property
    def _carried(self) -> Carried:
        return carried(self.constraints, self.attempts, self.from_s)

    @property
    def needs_s(self) -> float:
        """Seconds that it takes at least to carry its load, were it never idle."""
        return self._carried.at_s - self.from_s

    def carried_by_s(self, attempts: float, from_s: float | None = None) -> float:
        """Return when it has carried so many attempts, if it begins at ``from_s`` and never idles.

        A schedule or a warm-up counts step by step, each no faster than the other constraints; in
        an outage nothing is carried. A throttle's burst, and a fixed window's whole limit, go as
        fast as the other constraints let them. Chance is left out: connect and transaction times
        count with their means.

        Parameters
        ----------
        attempts
            The load.
        from_s
            The stage's own ``from_s`` by default, which is when its first delivery starts.

        Returns
        -------
        float
            Seconds from t = 0; for a stage with a constant ceiling, without a burst and from 0,
            ``attempts / per_s``.
        """
        return carried(self.constraints, attempts, self.from_s if from_s is None else from_s).at_s

    @property
    def binding(self) -> Constraint | None:
        """The constraint that is the slowest; None if nothing limits the stage.

        Where constraints change with time it is the one that was the slowest for the longest time
        while the stage carried its load.
        """
        limiting = [its for its in self.constraints if its.lowest_per_s < math.inf]
        if any(its.varies for its in limiting) and self.needs_s > 0.0:
            return max(limiting, key=lambda its: self._carried.limited_s[its.name])
        return min(limiting, key=lambda its: its.per_s, default=None)

    @property
    def per_s(self) -> float:
        """Its ceiling in attempts per second.

        In the long run; where constraints change with time, the mean while it carries its load.
        """
        if any(its.varies for its in self.constraints) and self.needs_s > 0.0:
            return self.attempts / self.needs_s
        return min((its.per_s for its in self.constraints), default=math.inf)

    @property
    def delivery_per_s(self) -> float:
        """The ceiling that follows for the whole delivery, in messages per second."""
        load = self.share * self.attempts_per_message
        return self.per_s / load if load > 0.0 else math.inf


def stages(
    scenario: Scenario, attempts_per_message: Mapping[str, float] | None = None
) -> tuple[Stage, ...]:
    """Return the stages of a scenario: the relay, the ingress if it has a rate, the providers.

    Parameters
    ----------
    scenario
        What is to be delivered, and how. Its providers are those that have messages.
    attempts_per_message
        How often a message to a provider is tried, on average; 1 where none is given, which
        counts first attempts only. Throttled and unreachable attempts do not belong here: they
        come of a limit, and are no load.
    """
    times = attempts_per_message or {}
    total = sum(its.messages for its in scenario.deliveries)
    arriving = 1.0 - scenario.relay.error_rate
    first_s = min(its.at for its in scenario.deliveries)
    found = [
        Stage(
            "relay",
            "relay",
            1.0,
            total,
            relay_constraints(scenario),
            from_s=first_s,
            servers=scenario.relay.workers,
        )
    ]
    if scenario.mta.ingress_rate is not None:
        limits = ingress_constraints(scenario)
        found.append(
            Stage("ingress", "ingress", arriving, total * arriving, limits, from_s=first_s)
        )
    counts = scenario.to_deliver()
    for name in scenario.providers:
        count = sum(its for (_, provider), its in counts.items() if provider == name)
        if count:
            found.append(
                Stage(
                    "provider",
                    name,
                    arriving * count / total,
                    arriving * count,
                    (*provider_constraints(scenario, name), *outage_constraints(scenario, name)),
                    times.get(name, 1.0),
                    min(its.at for its in scenario.deliveries if counts.get((its.name, name))),
                    scenario.providers[name].connections_per_ip * scenario.mta.ips,
                )
            )
    return tuple(found)


def bottleneck(stages: Sequence[Stage]) -> Stage:
    """Return the stage that would need the longest to carry its load; of equals the first.

    With constant limits that is the one with the lowest ceiling for the whole delivery. In a
    tandem of stages that all work at the same time, the delivery takes about as long as this one.
    """
    return max(stages, key=lambda stage: stage.needs_s)
