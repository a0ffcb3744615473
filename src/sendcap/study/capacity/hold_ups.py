"""What holds each delivery up, and when the bottleneck moves: by the backlogs of a simulation.

A message that comes to a stage now waits for those before it: the backlog over the stage's ceiling.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sendcap.readings.bottleneck import called
from sendcap.readings.convergence import Floats
from sendcap.run import Run
from sendcap.scenario.stages import Stage
from sendcap.study.capacity.observed import Observed, ceiling_per_s
from sendcap.study.capacity.own_waits import Waits
from sendcap.text.clock import brief_moment
from sendcap.text.quantities import elapsed
from sendcap.text.quoting import first_few

_AT_ONCE_S: Final = 1.0
"""A shorter wait holds nothing up."""
_AT_ONCE_TIMES: Final = 1e4
"""What carries so many times the largest backlog within a bin might as well be without limits."""
_MOST_PERIODS: Final = 6
"""The longest wait of a programme moves again and again, which no sentence can tell."""
_MOST_TOLD: Final = 8
"""Of more deliveries half as many are told, those that wait the longest."""
_BRIEF: Final = 0.02
"""A share of the time with backlogs in which the bottleneck does not move."""


@dataclass(frozen=True)
class HoldUp:
    """A stage that holds messages up, the longest wait, and from when until when.

    ``delivery`` is the delivery whose messages they are, None for all of them.
    """

    delivery: str | None
    stage: Stage
    wait_s: float
    from_s: float
    until_s: float

    @property
    def name(self) -> str:
        """The stage in a sentence."""
        return called(self.stage.kind, self.stage.name)


def moves(stages: Sequence[Observed]) -> list[HoldUp]:
    """Return which stage holds messages up the longest, one period after the other."""
    waits_s = np.array([_waits_s(stage) for stage in stages])
    longest = np.where(waits_s.max(axis=0) > 0.0, waits_s.argmax(axis=0), -1)
    edges_s = stages[0].edges_s
    held_up = np.flatnonzero(longest >= 0)
    if not len(held_up):
        return []
    least = max(int(_BRIEF * len(held_up)), 1)
    found: list[HoldUp] = []
    for first, end in _runs(longest):
        number = int(longest[first])
        until_s = float(edges_s[end - 1])
        # At the start alone: within the first bin it was over.
        if number < 0 or end - first < least or until_s == 0.0:
            continue
        stage, wait_s = stages[number].stage, float(waits_s[number, first:end].max())
        from_s = float(edges_s[first])
        if found and found[-1].stage is stage:
            wait_s, from_s = max(wait_s, found[-1].wait_s), found.pop().from_s
        found.append(HoldUp(None, stage, wait_s, from_s, until_s))
    return found


def of_each(run: Run, stages: Sequence[Observed]) -> Iterator[HoldUp]:
    """Yield the stage that holds each delivery up the longest, for those that are held up."""
    scenario = run.as_sent
    loads = scenario.loads()
    all_waits = [Waits(run, stage, _waits_s(stage)) for stage in stages]
    for delivery in scenario.deliveries:
        paths = {path for path, name in loads if name == delivery.name}
        found: HoldUp | None = None
        for waits in all_waits:
            stage = waits.of.stage
            passes = not stage.paths or paths & set(stage.paths)
            if not passes or (stage.deliveries and delivery.name not in stage.deliveries):
                continue
            own = waits.of_delivery(delivery)
            wait_s = float(own.waits_s.max(initial=0.0))
            if wait_s >= _AT_ONCE_S and (found is None or wait_s > found.wait_s):
                from_s, until_s = float(own.came_s[0]), float(own.leave_s.max())
                if from_s == until_s:
                    # All of it was in the bin before this edge.
                    from_s = max(from_s - waits.of.bin_s, delivery.at)
                found = HoldUp(delivery.name, stage, wait_s, from_s, until_s)
        if found is not None:
            yield found


def sentences(run: Run, stages: Sequence[Observed]) -> Iterator[str]:
    """Yield when the bottleneck moves, and what holds each of several deliveries up."""
    names = [delivery.name for delivery in run.as_sent.deliveries]
    start = run.scenario.common_start
    periods = moves(stages)
    latest_s = max((each.until_s for each in periods), default=0.0)

    def moment(seconds: float) -> str:
        return brief_moment(seconds, start, latest_s)

    if 1 < len(periods) <= _MOST_PERIODS:
        texts = [f"{each.name} until {moment(each.until_s)}" for each in periods]
        yield f"The longest wait moves: it is at {', then at '.join(texts)}."
    if len(names) < 2:
        return
    found = sorted(of_each(run, stages), key=lambda each: -each.wait_s)
    told = found if len(found) <= _MOST_TOLD else found[: _MOST_TOLD // 2]
    for each in told:
        yield (
            f"{each.delivery}: {each.name} holds it up, by up to {elapsed(each.wait_s)}, from "
            f"{moment(each.from_s)} to {moment(each.until_s)}."
        )
    if len(told) < len(found):
        yield f"{len(found) - len(told)} other deliveries are held up for a shorter time."
    held_up = {each.delivery for each in found}
    free = [name for name in names if name not in held_up]
    if free:
        yield f"Nothing holds up {first_few(free)}."


def _waits_s(stage: Observed) -> Floats:
    """Return how long a message that comes at each edge waits; 0 without a noticeable backlog."""
    per_s = stage.stage.per_s
    if not 0.0 < per_s < math.inf:
        return np.zeros(len(stage.backlog))
    # In an outage messages do not wait: they are tried, and bounce.
    ceiling = ceiling_per_s(stage.stage, stage.edges_s[:-1] + 0.5 * stage.bin_s, but=["outage"])
    if len(ceiling) and ceiling.min() < ceiling.max():
        # The mean would give too short a wait while the rate is low, and too long a one later.
        at_once = _AT_ONCE_TIMES * stage.peak_backlog / stage.bin_s
        waits_s = _until_gone_s(stage, np.minimum(ceiling, at_once))
    else:
        waits_s = stage.backlog / per_s
    if stage.stage.kind == "relay":
        # Its ceiling is that of a mean batch: of large ones it hands over more.
        waits_s = np.minimum(waits_s, _until_gone_s(stage, stage.throughput_per_s))
    return np.where(waits_s >= max(_AT_ONCE_S, stage.noticeable / per_s), waits_s, 0.0)


def _until_gone_s(stage: Observed, leave_per_s: Floats) -> Floats:
    """Return how long it takes, from each edge, until as many have left as wait there.

    Those who leave are given per second of each bin; after the last one nobody waits any longer.
    """
    left = np.concatenate(([0.0], np.cumsum(leave_per_s) * stage.bin_s))
    wanted = left + stage.backlog
    # Half a message less: sums of rates are not exact.
    after = np.clip(np.searchsorted(left, wanted - 0.5), 1, len(left) - 1)
    lacking, leave = wanted - left[after - 1], left[after] - left[after - 1]
    part = np.clip(np.divide(lacking, leave, out=np.ones_like(leave), where=leave > 0.0), 0.0, 1.0)
    waits_s: Floats = (after - 1 + part) * stage.bin_s - stage.edges_s
    return np.maximum(waits_s, 0.0)


def _runs(values: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield begin and end of each run of equal values."""
    edges = np.flatnonzero(np.diff(values)) + 1
    yield from zip([0, *edges.tolist()], [*edges.tolist(), len(values)], strict=True)
