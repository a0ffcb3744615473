"""The highest steady rate of messages at which no backlog grows without end."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sendcap.errors import SendcapError
from sendcap.study.capacity.searches.acceptance import MOST_MESSAGES, resized
from sendcap.study.capacity.searches.search import (
    AT_A_TIME,
    AllLargeEnoughError,
    Asked,
    NoneSmallEnoughError,
    largest_size,
)
from sendcap.study.capacity.searches.steady import MEASURED, Arrivals, Stream, lasting, watched
from sendcap.study.capacity.searches.within import MOST_REPLICATIONS, require_replications
from sendcap.study.replication.estimates import Estimate, require_confidence
from sendcap.study.replication.seeds import replication_seed
from sendcap.study.replication.workers import Simulations, Workers

if TYPE_CHECKING:
    from sendcap.scenario import Scenario
    from sendcap.scenario.stages import Kind, Stage

EPSILON: Final = 0.002
"""A provider at which this share of what arrives is left unsettled counts as unstable."""
_FROM: Final = 1.02
_LEAST: Final = 1e-9
_LOOKED_AT: Final = 2
"""Replications that tell how fast backlogs grow at the relay's own rate."""


@dataclass(frozen=True)
class Growth:
    """A stage that does not keep up, and how many messages more it is behind each second."""

    kind: Kind
    name: str
    per_s: float


@dataclass(frozen=True)
class Sustained:
    """The highest steady rate.

    Attributes
    ----------
    per_s
        Messages to deliver per second, all together: the mean over the replications with its
        confidence interval. Relay and ingress have ceilings without chance: where one of them is
        the lowest, the interval has no length.
    kind, name
        What is unstable above it, as in `sendcap.scenario.stages.Stage`.
    relay_per_s
        What the relay hands over per second as long as it has messages; infinite without a limit.
    growing
        The stages that do not keep up with that, the one that falls behind the fastest first.
    warm_up_s, measured_s
        What was simulated of each stream.
    confidence
        Of the interval.
    simulations
        How many were used; ``per_s.n`` is the number of replications.
    precise
        Whether the interval is as narrow as asked; otherwise there were enough replications.
    """

    per_s: Estimate
    kind: Kind
    name: str
    relay_per_s: float
    growing: tuple[Growth, ...]
    warm_up_s: float
    measured_s: float
    confidence: float
    simulations: int
    precise: bool


def sustained(
    scenario: Scenario | str | os.PathLike[str],
    *,
    confidence: float = 0.95,
    precision: float = 0.002,
    replications: int = MOST_REPLICATIONS,
    measured: int = MEASURED,
    workers: int | Workers | None = None,
    progress: Callable[[int], None] | None = None,
) -> Sustained:
    """Find the highest steady rate at which no stage's backlog grows without end.

    Messages come evenly, mixed as the deliveries are, for ever: bursts are used up, a schedule or
    a warm-up has reached its last step, no provider is in an outage. The relay and the ingress
    have exact ceilings. A provider is simulated, with its retries: for the longest validity, so
    that there are as many as there will be, and for ``measured`` messages after that. What comes
    in this time is held against what is accepted or bounced hard. The rest has piled up or has
    expired; so much of it as would have without any limit does not count. A provider with more
    than 0.2 % of the rest (with few messages 2/√n, for a queue's length varies by chance) is
    unstable. The rate at which that begins is lowered by the same share: a provider that gets a
    share ε more than it can take leaves just that unsettled.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file or the name of a preset.
    confidence
        Of the interval.
    precision
        Replications are added until half the interval is at most this much of the mean.
    replications
        How many at most.
    measured
        Messages whose arrival is watched in each simulation.
    workers
        Processes; as many as there are processors by default. They change nothing but the speed.
    progress
        Called with the number of simulations so far.

    Raises
    ------
    SendcapError
        If nothing limits the rate.
    """
    from sendcap.scenario.files import scenario_of
    from sendcap.scenario.stages import stages

    require_confidence(confidence)
    require_replications(replications)
    its = lasting(scenario_of(scenario))
    # Of an endless stream every batch is whole.
    ceilings = stages(resized(its, MOST_MESSAGES))
    fixed = [stage for stage in ceilings if stage.kind != "provider"]
    lowest = min(fixed, key=lambda stage: stage.delivery_per_s)
    guess_per_s = min(
        lowest.delivery_per_s,
        # A little too much, where the search has a straight line to follow.
        _FROM * min(_unthrottled_per_s(its) for its in ceilings if its.kind == "provider"),
    )
    if guess_per_s == math.inf:
        raise _unlimited()
    seeds = [replication_seed(its.seed, number) for number in range(replications)]
    with Workers.of(workers) as team:
        simulations = Simulations(team, progress)
        stream = Stream.of(its, guess_per_s, measured)
        found = _provider(
            _Streams(stream, guess_per_s, seeds, simulations),
            stream,
            guess_per_s,
            lowest.delivery_per_s,
            replications,
            confidence,
            precision,
        )
        per_s, kind, name, precise = found or (
            _exactly(lowest.delivery_per_s),
            lowest.kind,
            lowest.name,
            True,
        )
        relay_per_s = next(its.delivery_per_s for its in fixed if its.kind == "relay")
        growing: list[Growth] = []
        if per_s.high < relay_per_s < math.inf:
            growing = _growing(its, ceilings, measured, seeds[:_LOOKED_AT], simulations)
    return Sustained(
        per_s=per_s,
        kind=kind,
        name=name,
        relay_per_s=relay_per_s,
        growing=tuple(growing),
        warm_up_s=stream.warm_up_s,
        measured_s=stream.measured_s,
        confidence=confidence,
        simulations=simulations.done,
        precise=precise,
    )


def _unthrottled_per_s(stage: Stage) -> float:
    """Return the delivery's ceiling at a provider as long as its queue is not suspended.

    It is suspended again and again only where it has a backlog.
    """
    limits = (its.per_s for its in stage.constraints if its.name != "suspension")
    return min(limits, default=math.inf) / stage.share


def _exactly(value: float) -> Estimate:
    return Estimate(value, value, value, AT_A_TIME)


def _unlimited() -> SendcapError:
    return SendcapError("nothing limits the rate: no connections, rate or worker takes any time")


class _Streams:
    """Simulations of streams, and what they tell of each provider.

    Without any limit some messages are unsettled too, those that expire for want of a working
    address. That share is known from another simulation with the same draws.
    """

    def __init__(
        self, stream: Stream, per_s: float, seeds: Sequence[int], simulations: Simulations
    ) -> None:
        self._stream = stream
        self._seeds = seeds
        self._simulations = simulations
        self._usual_size = stream.size(per_s)
        self._usual: dict[int, dict[str, Arrivals]] = {}
        self.allowed = stream.allowances(per_s, EPSILON)
        self.worst: dict[Asked, tuple[float, str]] = {}

    def excess(self, asked: Sequence[Asked]) -> list[float]:
        """Return by how much, relatively, too much arrives at the provider with the most."""
        for one, left in zip(asked, self.left(asked), strict=True):
            self.worst[one] = max(
                (math.log((1.0 - self.allowed[name]) / max(1.0 - share, _LEAST)), name)
                for name, share in left.items()
            )
        return [self.worst[one][0] for one in asked]

    def left(self, asked: Sequence[Asked]) -> list[dict[str, float]]:
        """Return for each simulation the share that each provider's limits leave unsettled."""
        numbers = list(dict.fromkeys(one.replication for one in asked))
        new = [number for number in numbers if number not in self._usual]
        streams = [
            self._stream.asked(self._usual_size, self._seeds[number], unhindered=True)
            for number in new
        ]
        streams += [self._stream.asked(one.size, self._seeds[one.replication]) for one in asked]
        found = list(self._simulations.map(watched, streams))
        self._usual.update(zip(new, found, strict=False))
        return [
            {
                name: its.unsettled_share - self._usual[one.replication][name].unsettled_share
                for name, its in arrivals.items()
            }
            for one, arrivals in zip(asked, found[len(new) :], strict=True)
        ]


def _provider(
    streams: _Streams,
    stream: Stream,
    guess_per_s: float,
    most_per_s: float,
    replications: int,
    confidence: float,
    precision: float,
) -> tuple[Estimate, Kind, str, bool] | None:
    """Return the rate at which a provider becomes unstable, and which; None if none does."""
    try:
        root = largest_size(
            streams.excess,
            stream.size(guess_per_s),
            most=MOST_MESSAGES if most_per_s == math.inf else stream.size(most_per_s),
            confidence=confidence,
            precision=precision,
            replications=replications,
        )
    except NoneSmallEnoughError:
        raise SendcapError("no rate is low enough for every provider to keep up with it") from None
    except AllLargeEnoughError:
        if most_per_s == math.inf:
            raise _unlimited() from None
        return None
    # Just above the root.
    name = min(its for its in streams.worst.values() if its[0] > 0.0)[1]
    per_s = root.size.scaled(stream.per_s(1) * (1.0 - streams.allowed[name]))
    return per_s, "provider", name, root.precise


def _growing(
    scenario: Scenario,
    ceilings: Sequence[Stage],
    measured: int,
    seeds: Sequence[int],
    simulations: Simulations,
) -> list[Growth]:
    """Return which stages do not keep up with what the relay hands over."""
    per_s = next(stage.delivery_per_s for stage in ceilings if stage.kind == "relay")
    found = []
    for ingress in (stage for stage in ceilings if stage.kind == "ingress"):
        arrive_per_s = per_s * ingress.share
        if arrive_per_s > ingress.per_s:
            found.append(Growth("ingress", ingress.name, arrive_per_s - ingress.per_s))
            per_s = ingress.delivery_per_s
    stream = Stream.of(scenario, per_s, measured)
    streams = _Streams(stream, per_s, seeds, simulations)
    size = stream.size(per_s)
    left = streams.left([Asked(number, size) for number in range(len(seeds))])
    for stage in (stage for stage in ceilings if stage.kind == "provider"):
        behind = sum(its[stage.name] for its in left) / len(left)
        if behind > streams.allowed[stage.name]:
            found.append(Growth("provider", stage.name, behind * stage.share * per_s))
    return sorted(found, key=lambda growth: -growth.per_s)
