"""The stages of a delivery and their ceilings, in closed form.

A stage is the relay, the MTA's ingress, a provider's queue or a limit over several of these. The
slowest of a stage's constraints is the ceiling. Divided by the stage's share of the messages and by
the attempts per message, it gives the ceiling of the whole delivery; the stage that needs the
longest for its load is the bottleneck. Nothing is simulated, and nothing is random.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from sendcap.scenario.carrying import Carried, carried
from sendcap.scenario.constraints import Constraint, Pace, ingress_constraints, queue_constraints
from sendcap.scenario.pools import Queue
from sendcap.scenario.scenario import Scenario
from sendcap.scenario.shared_constraints import relay_constraints, shared_constraints

Kind = Literal["relay", "ingress", "provider", "limit"]


@dataclass(frozen=True)
class Stage:
    """A stage of a delivery, and the load on it.

    Attributes
    ----------
    kind
        Kind of stage; a provider may have any name.
    name
        ``"relay"``, ``"ingress"``, the provider's name (with its pool, where there are pools) or
        the limit's.
    share
        Share of all messages to deliver that passes the stage.
    messages
        Number of these messages.
    constraints
        Limits of the stage, outages included.
    attempts_per_message
        Mean number of attempts per message: retries are load as well.
    from_s
        Earliest arrival of a message, in seconds from t = 0.
    servers
        Messages (at the relay: batches) that the stage can work on at a time.
    paths
        Queues that the stage is, or that a limit covers; none before the queues.
    deliveries
        Deliveries that a limit is for; none for all.
    """

    kind: Kind
    name: str
    share: float
    messages: float
    constraints: tuple[Constraint, ...]
    attempts_per_message: float = 1.0
    from_s: float = 0.0
    servers: int = 1
    paths: tuple[Queue, ...] = ()
    deliveries: tuple[str, ...] = ()

    @property
    def attempts(self) -> float:
        """The load, in attempts."""
        return self.messages * self.attempts_per_message

    @cached_property
    def _carried(self) -> Carried:
        return carried(self.constraints, self.attempts, self.from_s)

    @property
    def needs_s(self) -> float:
        """Least time in seconds to carry the load, without ever being idle."""
        return self._carried.at_s - self.from_s

    @property
    def _varies(self) -> bool:
        return any(limit.varies for limit in self.constraints) and self.needs_s > 0.0

    @property
    def binding(self) -> Constraint | None:
        """The slowest constraint, None for a stage without limits.

        Of constraints that change with time, the one that was the slowest for the longest time
        while the stage carried the load.
        """
        limiting = [limit for limit in self.constraints if limit.lowest_per_s < math.inf]
        if limiting and self._varies:
            return max(limiting, key=lambda limit: self._carried.limited_s[limit.name])
        return min(limiting, key=lambda limit: limit.per_s, default=None)

    @property
    def per_s(self) -> float:
        """The ceiling in attempts per second, in the long run.

        With constraints that change with time, the mean while the stage carries the load.
        """
        if self._varies:
            return self.attempts / self.needs_s
        return min((limit.per_s for limit in self.constraints), default=math.inf)

    @property
    def delivery_per_s(self) -> float:
        """The resulting ceiling of the whole delivery, in messages per second."""
        load = self.share * self.attempts_per_message
        return self.per_s / load if load > 0.0 else math.inf


def stages(
    scenario: Scenario, attempts_per_message: Mapping[str, float] | None = None
) -> tuple[Stage, ...]:
    """Return the stages: the relay, an ingress with a rate, queues with messages, shared limits.

    The mean attempts per message are those of each provider (default: 1, first attempts only).
    Throttled and unreachable attempts are the effect of a limit and no load: they do not count.
    """
    queues = _queues(scenario, attempts_per_message or {})
    return (*upstream(scenario), *queues, *_limits(scenario, queues))


def upstream(scenario: Scenario) -> tuple[Stage, ...]:
    """Return the stages before the providers: the relay, and an ingress with a rate."""
    total = sum(delivery.messages for delivery in scenario.relayed)
    arriving = 1.0 - scenario.relay.error_rate
    first_s = min((delivery.at for delivery in scenario.relayed), default=0.0)
    workers, limits = scenario.relay.workers, relay_constraints(scenario)
    relay = Stage("relay", "relay", 1.0, total, limits, from_s=first_s, servers=workers)
    if scenario.mta.ingress_rate is None:
        return (relay,)
    limits = ingress_constraints(scenario)
    return relay, Stage("ingress", "ingress", arriving, total * arriving, limits, from_s=first_s)


def _queues(scenario: Scenario, attempts_per_message: Mapping[str, float]) -> list[Stage]:
    total = sum(delivery.messages for delivery in scenario.deliveries)
    arriving = 1.0 - scenario.relay.error_rate
    first_s: dict[tuple[str, str | None], float] = {}
    for delivery in sorted(scenario.deliveries, key=lambda each: each.at):
        for name, count in delivery.counts().items():
            if count:
                first_s.setdefault((name, scenario.pool_of(delivery)), delivery.at)
    return [
        Stage(
            "provider",
            path.name,
            arriving * messages / total,
            arriving * messages,
            _constraints(scenario, path),
            attempts_per_message.get(path.provider, 1.0),
            first_s[path.provider, path.pool],
            scenario.providers[path.provider].connections_per_ip * path.ips,
            (path,),
        )
        for path, messages in scenario.messages_on_paths().items()
        if messages
    ]


def _constraints(scenario: Scenario, path: Queue) -> tuple[Constraint, ...]:
    """Return the limits of a queue, outages included."""
    limits = (
        *queue_constraints(scenario, path),
        *disturbance_constraints(scenario, path),
        *outage_constraints(scenario, path.provider),
    )
    # Of addresses that take messages in turn, those with few are idle when their own are sent.
    evenness = 1.0 if path.pool is None else scenario.mta.pools[path.pool].evenness
    return limits if evenness == 1.0 else tuple(limit.times(evenness) for limit in limits)


def _limits(scenario: Scenario, queues: Sequence[Stage]) -> Iterator[Stage]:
    total = sum(delivery.messages for delivery in scenario.deliveries)
    arriving = 1.0 - scenario.relay.error_rate
    at_s = {delivery.name: delivery.at for delivery in scenario.deliveries}
    of_path = {stage.paths[0]: stage for stage in queues}
    loads = scenario.loads()
    for limit in scenario.limits:
        covered = limit.covered(loads)
        messages = arriving * sum(covered.values())
        if messages == 0.0:
            continue
        # Of retries the first attempt is none.
        others = 1.0 if limit.attempts == "retries" else 0.0
        attempts = arriving * sum(
            count * (of_path[path].attempts_per_message - others)
            for (path, _), count in covered.items()
        )
        yield Stage(
            "limit",
            limit.name,
            messages / total,
            messages,
            shared_constraints(scenario, limit, covered),
            attempts / messages,
            min(at_s[name] for _, name in covered),
            limit.connections or 1,
            tuple(dict.fromkeys(path for path, _ in covered)),
            limit.deliveries,
        )


def bottleneck(stages: Sequence[Stage]) -> Stage:
    """Return the stage that needs the longest for its load; of equals the first.

    With constant limits that is the stage with the lowest ceiling for the whole delivery. In a
    tandem of stages that work at the same time, the delivery takes about as long as this stage.
    """
    return max(stages, key=lambda stage: stage.needs_s)


# The bad times of a provider as limits of its queues: outages and disturbances.


def disturbance_constraints(scenario: Scenario, path: Queue) -> tuple[Constraint, ...]:
    """Return what a provider's disturbances leave in the long run.

    Disturbed times and others alternate, so that the share of disturbed time is that of the mean
    lengths (renewal-reward theorem). The queue lets its ceiling through, or meanwhile what is
    tolerated. Of several disturbances the worst one counts.
    """
    provider = scenario.providers[path.provider]
    usual_per_s = min(limit.per_s for limit in queue_constraints(scenario, path))
    worst_per_s = usual_per_s
    for disturbance in provider.disturbances:
        meanwhile_per_s = 0.0 if disturbance.unreachable else math.inf
        if disturbance.tolerance is not None:
            meanwhile_per_s = disturbance.tolerance.per_s * path.ips
        lost_per_s = usual_per_s - min(meanwhile_per_s, usual_per_s)
        if lost_per_s > 0.0:
            worst_per_s = min(worst_per_s, usual_per_s - disturbance.share * lost_per_s)
    if worst_per_s == usual_per_s:
        return ()
    return (Constraint.constant("disturbances", worst_per_s),)


def outage_constraints(scenario: Scenario, name: str) -> tuple[Constraint, ...]:
    """Return the outages of a provider as a limit of 0 while they last."""
    paces = [Pace(0.0, math.inf)]
    for outage in scenario.providers[name].outages:
        if outage.at == paces[-1].from_s:  # at the start, or right after another
            paces.pop()
        paces += [Pace(outage.at, 0.0), Pace(outage.at + outage.lasts, math.inf)]
    return (Constraint("outage", tuple(paces)),) if len(paces) > 1 else ()
