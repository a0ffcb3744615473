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
from sendcap.readings.delays import delay_quantile_s
from sendcap.readings.load import ACCEPTED_PCT
from sendcap.readings.summary import accepted_at_s
from sendcap.run import Run
from sendcap.scenario.stages import Stage
from sendcap.study.capacity.observed import Observed
from sendcap.text.clock import brief_moment
from sendcap.text.quantities import elapsed
from sendcap.text.quoting import first_few

_AT_ONCE_S: Final = 1.0
"""A shorter wait holds nothing up."""
_OF_AN_ATTEMPT_S: Final = 10.0
"""A shorter delay may be that of connecting and of the attempt itself."""
_NOT_RETRIED: Final = 0.9
"""Share of the accepted messages that hardly any retry delays."""
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
    waits = [_waits_s(stage) for stage in stages]
    for delivery in scenario.deliveries:
        until_s = accepted_at_s(run.ledger, ACCEPTED_PCT, delivery=delivery.name)
        paths = {path for path, name in loads if name == delivery.name}
        found: HoldUp | None = None
        for stage, waits_s in zip(stages, waits, strict=True):
            own = stage.stage.deliveries
            passes = not stage.stage.paths or paths & set(stage.stage.paths)
            if not passes or (own and delivery.name not in own):
                continue
            meanwhile = stage.edges_s >= delivery.at
            meanwhile &= stage.edges_s <= (math.inf if until_s is None else until_s)
            held_up = np.flatnonzero(meanwhile & (waits_s > 0.0))
            if not len(held_up):
                continue
            wait_s = min(float(waits_s[held_up].max()), _longest_s(run, stage.stage, delivery.name))
            if wait_s < _AT_ONCE_S:
                continue
            if found is None or wait_s > found.wait_s:
                times_s = stage.edges_s[held_up[[0, -1]]].tolist()
                found = HoldUp(delivery.name, stage.stage, wait_s, *times_s)
        if found is not None:
            yield found


def _longest_s(run: Run, stage: Stage, delivery: str) -> float:
    """Return how long the messages of a delivery waited at most, where some go before others.

    The backlog does not tell: who has a high priority passes those that wait. Delays do, but for
    the few messages that are tried again.
    """
    if run.scenario.mta.order == "fifo" or run.ledger.delays is None:
        return math.inf
    providers: set[str | None] = {path.provider for path in stage.paths} or {None}
    delays = [run.ledger.delays_of(delivery, provider) for provider in providers]
    delayed_s = [delay_quantile_s(each, _NOT_RETRIED) for each in delays if len(each.bins)]
    longest_s = max(delayed_s, default=0.0)
    return longest_s if longest_s >= _OF_AN_ATTEMPT_S else 0.0


def sentences(run: Run, stages: Sequence[Observed]) -> Iterator[str]:
    """Yield when the bottleneck moves, and what holds each of several deliveries up."""
    names = [delivery.name for delivery in run.as_sent.deliveries]
    # Of several deliveries nobody counts from the start of the simulation.
    start = run.scenario.start if len(names) > 1 else None

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
    waits_s = stage.backlog / per_s
    if stage.stage.kind == "relay":
        # Its ceiling is that of a mean batch: of large ones it hands over more.
        waits_s = np.minimum(waits_s, _until_handed_over_s(stage))
    waits: Floats = np.where(waits_s >= max(_AT_ONCE_S, stage.noticeable / per_s), waits_s, 0.0)
    return waits


def _until_handed_over_s(stage: Observed) -> Floats:
    """Return how long it takes, from each edge, until as many have left as wait there."""
    left = np.concatenate(([0.0], np.cumsum(stage.throughput_per_s) * stage.bin_s))
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
