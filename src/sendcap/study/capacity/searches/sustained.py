"""The highest steady rate of messages without a backlog that grows for ever."""

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sendcap.charts.drawing import Drawable
from sendcap.errors import SendcapError
from sendcap.readings.bottleneck import called
from sendcap.scenario import Scenario
from sendcap.scenario.files import scenario_of
from sendcap.scenario.stages import Kind, Stage, stages
from sendcap.study.capacity.searches.acceptance import MOST_MESSAGES, resized, seeds_of
from sendcap.study.capacity.searches.search import (
    AT_A_TIME,
    AllLargeEnoughError,
    NoneSmallEnoughError,
    Trial,
    effort,
    imprecise,
    interval,
    largest_size,
)
from sendcap.study.capacity.searches.steady import MEASURED, lasting, most_at
from sendcap.study.capacity.searches.unsettled import Streams
from sendcap.study.capacity.searches.within import MOST_REPLICATIONS
from sendcap.study.replication.estimates import Estimate, require_confidence
from sendcap.study.replication.workers import Simulations, Workers
from sendcap.text.quantities import significant

_FROM: Final = 1.02
_GROWING: Final = 2
"""Replications that measure the growth of backlogs at the relay's own rate."""


@dataclass(frozen=True)
class Growth:
    """A stage that falls behind, and the growth of its backlog in messages per second."""

    kind: Kind
    name: str
    per_s: float


@dataclass(frozen=True)
class Sustained(Drawable):
    """The highest steady rate.

    Attributes
    ----------
    per_s
        Messages to deliver per second, all together: the mean over the replications with the
        confidence interval. Relay and ingress have computed ceilings; where one of them is the
        lowest, the interval has no length.
    kind, name
        The stage unstable above this rate, as in `sendcap.scenario.stages.Stage`.
    relay_per_s
        Messages per second handed over by a busy relay; infinite without a limit.
    growing
        Stages that fall behind at the relay's rate, the fastest growth first.
    warm_up_s, measured_s
        Simulated times of each stream.
    confidence
        Confidence level of the interval.
    simulations
        Number of simulations; ``per_s.n`` is the number of replications.
    precise
        Whether the interval is as narrow as requested; otherwise the replications ran out.
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

    def sentences(self) -> list[str]:
        """Return the answer in plain sentences."""
        stage, per_s = called(self.kind, self.name), self.per_s
        spent = effort(per_s.n, self.simulations)
        text = f"Steadily, at most {significant(per_s.mean)} messages/s can be delivered"
        text += f", {significant(per_s.mean * 3600)} per hour"
        if self.kind == "provider" or (self.kind == "limit" and per_s.low < per_s.high):
            between = interval(f"{per_s.low:.4g}", f"{per_s.high:.4g}", self.confidence)
            text += f" ({between}{spent}); with more, {stage} falls behind for good."
        else:
            text += f": {stage} carries no more, and no provider falls behind at that rate{spent}."
        return [text + self._at_the_relay() + imprecise(self.precise)]

    def _at_the_relay(self) -> str:
        """Return the consequences of the relay's own rate."""
        relay = significant(self.relay_per_s)
        if self.growing:
            first, *others = (
                (significant(growth.per_s, 3), called(growth.kind, growth.name))
                for growth in self.growing
            )
            behind = [f"{first[0]} messages/s at {first[1]}", *(f"{n} at {at}" for n, at in others)]
            return (
                f" As long as the relay has messages it hands over {relay}/s: meanwhile the "
                f"backlog grows by {', '.join(behind)}."
            )
        if self.relay_per_s == math.inf:
            return " The relay itself has no limit."
        return "" if self.kind == "relay" else f" The relay hands over {relay}/s at most."


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
    """Find the highest steady rate at which no stage's backlog grows for ever.

    Messages come evenly and without end, mixed as the deliveries are: bursts are used up, a
    schedule or a warm-up has reached the last step, and no provider is in an outage. The relay and
    the ingress have computed ceilings. A provider is simulated with retries: for the longest
    validity, until retries have reached their final number, and for ``measured`` messages after
    that. Of the arrivals in this time, messages neither accepted nor bounced hard have piled up or
    expired; the share that would have done so without any limit does not count. A provider with
    more than 0.2 % of the rest (with few messages 2/√n, because a queue's length varies by chance)
    is unstable. The rate at which that begins is lowered by the same share: a provider with a share
    ε too many arrivals leaves just that share unsettled.

    Parameters
    ----------
    measured
        Messages watched in each simulation.
    scenario, confidence, precision, replications, workers, progress
        As for `sendcap.largest_within`.

    Raises
    ------
    SendcapError
        If nothing limits the rate, or nothing reaches the MTA.
    """
    require_confidence(confidence)
    endless = lasting(scenario_of(scenario))
    seeds = seeds_of(endless, replications)
    # All batches of an endless stream are full.
    ceilings = stages(resized(endless, MOST_MESSAGES))
    relay_per_s = ceilings[0].delivery_per_s
    guess_per_s = _guess_per_s(ceilings)
    growing: list[Growth] = []
    with Workers.of(workers) as team:
        simulations = Simulations(team, progress)
        streams = Streams(endless, guess_per_s, measured, seeds, simulations)
        per_s, kind, name, precise = _unstable(streams, ceilings, confidence, precision)
        if per_s.high < relay_per_s < math.inf:
            growing = _growing(endless, ceilings, per_s.mean, measured, seeds, simulations)
    return Sustained(
        per_s=per_s,
        kind=kind,
        name=name,
        relay_per_s=relay_per_s,
        growing=tuple(growing),
        warm_up_s=streams.stream.warm_up_s,
        measured_s=streams.stream.measured_s,
        confidence=confidence,
        simulations=simulations.done,
        precise=precise,
    )


def _guess_per_s(ceilings: Sequence[Stage]) -> float:
    """Return about the highest rate of a scenario, by the ceilings in closed form."""
    guess_per_s = math.inf
    for stage in ceilings:
        per_s = stage.delivery_per_s
        if stage.share == 0.0:
            raise SendcapError("relay.error_rate: no message reaches the MTA; give less than 1")
        if stage.kind == "provider":
            # Only a queue with a backlog is suspended again and again.
            limits = (limit.per_s for limit in stage.constraints if limit.name != "suspension")
            # A little too much, where the search has a straight line to follow.
            per_s = _FROM * min(limits, default=math.inf) / stage.share
        guess_per_s = min(guess_per_s, per_s)
    if guess_per_s == math.inf:
        raise _unlimited()
    return guess_per_s


def _unlimited() -> SendcapError:
    return SendcapError("nothing limits the rate: no connections, rate or worker takes any time")


def _unstable(
    streams: Streams, ceilings: Sequence[Stage], confidence: float, precision: float
) -> tuple[Estimate, Kind, str, bool]:
    """Return the rate at which a first stage becomes unstable, the stage, and whether exactly."""
    stream = streams.stream
    fixed = (stage for stage in ceilings if stage.kind != "provider")
    lowest = min(fixed, key=lambda stage: stage.delivery_per_s)
    most_per_s = lowest.delivery_per_s
    try:
        root = largest_size(
            streams.excess,
            streams.usual_size,
            most=MOST_MESSAGES if most_per_s == math.inf else stream.size(most_per_s),
            confidence=confidence,
            precision=precision,
            replications=len(streams.seeds),
        )
    except NoneSmallEnoughError:
        raise SendcapError("no rate is low enough for every provider to keep up with it") from None
    except AllLargeEnoughError:
        if most_per_s == math.inf:
            raise _unlimited() from None
        exact = Estimate(most_per_s, most_per_s, most_per_s, AT_A_TIME)
        return exact, lowest.kind, lowest.name, True
    # The unstable provider just above the root.
    above = (trial for trial, worst in streams.worst.items() if worst[0] > 0.0)
    trial = min(above, key=streams.worst.__getitem__)
    name = streams.worst[trial][1]
    per_s = root.size.scaled(stream.per_s(1) * (1.0 - streams.allowed[name]))
    limits = [
        stage
        for stage in ceilings
        if stage.kind == "limit" and any(path.provider == name for path in stage.paths)
    ]
    if limits and streams.keeps_up_without_limits(trial, name):
        limit = min(limits, key=lambda stage: stage.delivery_per_s)
        return per_s, "limit", limit.name, root.precise
    return per_s, "provider", name, root.precise


def _growing(
    scenario: Scenario,
    ceilings: Sequence[Stage],
    sustained_per_s: float,
    measured: int,
    seeds: Sequence[int],
    simulations: Simulations,
) -> list[Growth]:
    """Return the stages that fall behind a busy relay, the fastest growth first."""
    per_s = ceilings[0].delivery_per_s
    most = most_at(scenario, per_s / sustained_per_s)
    growing = []
    for ingress in (stage for stage in ceilings if stage.kind == "ingress"):
        arrive_per_s = per_s * ingress.share
        if arrive_per_s > ingress.per_s:
            growing.append(Growth("ingress", ingress.name, arrive_per_s - ingress.per_s))
            per_s = ingress.delivery_per_s
    seeds = seeds[:_GROWING]
    streams = Streams(scenario, per_s, measured, seeds, simulations, most)
    left = streams.left([Trial(number, streams.usual_size) for number in range(len(seeds))])
    # Of all queues to a provider: with pools there are several.
    loads = dict.fromkeys(streams.allowed, 0.0)
    for stage in (stage for stage in ceilings if stage.kind == "provider"):
        loads[stage.paths[0].provider] += stage.share
    for name, share in loads.items():
        behind = sum(shares[name] for shares in left) / len(left)
        if behind > streams.allowed[name]:
            growing.append(Growth("provider", name, behind * share * per_s))
    return sorted(growing, key=lambda growth: -growth.per_s)
