"""What holds each delivery up, and when the bottleneck moves: by the backlogs of a simulation.

A message that comes to a stage now waits for those before it: the backlog over the stage's ceiling.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sendcap.readings.bottleneck import called
from sendcap.readings.convergence import Floats
from sendcap.readings.load import ACCEPTED_PCT
from sendcap.readings.summary import accepted_at_s
from sendcap.run import Run
from sendcap.scenario.stages import Stage
from sendcap.study.capacity.observed import Observed
from sendcap.text.quantities import elapsed
from sendcap.text.quoting import first_few

_AT_ONCE_S: Final = 1.0
"""A shorter wait holds nothing up."""
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
        if number < 0 or end - first < least:
            continue
        stage = stages[number].stage
        wait_s, until_s = float(waits_s[number, first:end].max()), float(edges_s[end - 1])
        from_s = float(edges_s[first])
        if found and found[-1].stage is stage:
            wait_s, from_s = max(wait_s, found[-1].wait_s), found.pop().from_s
        found.append(HoldUp(None, stage, wait_s, from_s, until_s))
    return found


def of_each(run: Run, stages: Sequence[Observed]) -> Iterator[HoldUp]:
    """Yield the stage that holds each delivery up the longest, for those that are held up."""
    scenario, loads = run.as_sent, run.as_sent.loads()
    for delivery in scenario.deliveries:
        until_s = accepted_at_s(run.ledger, ACCEPTED_PCT, delivery=delivery.name)
        paths = {path for path, name in loads if name == delivery.name}
        found: HoldUp | None = None
        for stage in stages:
            own = stage.stage.deliveries
            passes = not stage.stage.paths or paths & set(stage.stage.paths)
            if not passes or (own and delivery.name not in own):
                continue
            waits_s = _waits_s(stage)
            meanwhile = stage.edges_s >= delivery.at
            meanwhile &= stage.edges_s <= (math.inf if until_s is None else until_s)
            held_up = np.flatnonzero(meanwhile & (waits_s > 0.0))
            if not len(held_up):
                continue
            wait_s = float(waits_s[held_up].max())
            if found is None or wait_s > found.wait_s:
                times_s = stage.edges_s[held_up[[0, -1]]].tolist()
                found = HoldUp(delivery.name, stage.stage, wait_s, *times_s)
        if found is not None:
            yield found


def sentences(run: Run, stages: Sequence[Observed]) -> Iterator[str]:
    """Yield when the bottleneck moves, and what holds each of several deliveries up."""
    periods = moves(stages)
    if len(periods) > 1:
        texts = [f"{_name(each.stage)} until {elapsed(each.until_s)}" for each in periods]
        yield f"The longest wait moves: it is at {', then at '.join(texts)}."
    names = [delivery.name for delivery in run.as_sent.deliveries]
    if len(names) < 2:
        return
    found = {each.delivery: each for each in of_each(run, stages)}
    for name in names:
        if name in found:
            each = found[name]
            yield (
                f"{name}: {_name(each.stage)} holds it up, by up to {elapsed(each.wait_s)}, from "
                f"{elapsed(each.from_s)} to {elapsed(each.until_s)}."
            )
    free = [name for name in names if name not in found]
    if free:
        yield f"Nothing holds up {first_few(free)}."


def _name(stage: Stage) -> str:
    return called(stage.kind, stage.name)


def _waits_s(stage: Observed) -> Floats:
    """Return how long a message that comes at each edge waits; 0 without a noticeable backlog."""
    per_s = stage.stage.per_s
    if not 0.0 < per_s < math.inf:
        return np.zeros(len(stage.backlog))
    waits_s = stage.backlog / per_s
    waits: Floats = np.where(waits_s >= max(_AT_ONCE_S, stage.noticeable / per_s), waits_s, 0.0)
    return waits


def _runs(values: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield begin and end of each run of equal values."""
    edges = np.flatnonzero(np.diff(values)) + 1
    yield from zip([0, *edges.tolist()], [*edges.tolist(), len(values)], strict=True)
