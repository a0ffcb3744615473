"""How far a stage falls behind: its backlog as a fluid, in the time that it takes to carry it."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from sendcap.scenario import Scenario
from sendcap.scenario.carrying import carried
from sendcap.scenario.relay_constraints import WORKERS
from sendcap.scenario.stages import Stage

Arrival = tuple[float, float, float]
"""Start, spread and attempts of a delivery."""


def behind_s(scenario: Scenario, stage: Stage) -> float:
    """Return the longest time that messages would wait at a stage if it were the only one.

    Messages come when they are ready, and the stage carries them at its ceiling.
    """
    if stage.needs_s == 0.0:
        return 0.0
    arrivals = sorted(_arrivals(scenario, stage))
    if len({at_s for at_s, *_ in arrivals}) == 1 and not any(each[1] for each in arrivals):
        return stage.needs_s
    if any(limit.varies for limit in stage.constraints):
        return _in_turn(stage, arrivals)
    return _together(stage.per_s, arrivals)


def _in_turn(stage: Stage, arrivals: Iterable[Arrival]) -> float:
    """Return the same where the ceiling changes: one delivery after the other, as a whole."""
    free_s = longest_s = 0.0
    for at_s, spread_s, attempts in arrivals:
        free_s = carried(stage.constraints, attempts, max(at_s, free_s)).at_s
        longest_s = max(longest_s, free_s - at_s - spread_s)
        free_s = max(free_s, at_s + spread_s)
    return longest_s


def _together(per_s: float, arrivals: Sequence[Arrival]) -> float:
    moments, at_once, rates = [], [], []
    for at_s, spread_s, attempts in arrivals:
        moments += [at_s, at_s + spread_s]
        at_once += [0.0, 0.0] if spread_s else [attempts, 0.0]
        rates += [attempts / spread_s, -attempts / spread_s] if spread_s else [0.0, 0.0]
    order = np.argsort(moments, kind="stable")
    times_s, jumps = np.array(moments)[order], np.array(at_once)[order]
    growing = np.cumsum(np.array(rates)[order]) - per_s
    backlog = highest = 0.0
    for jump, grows, lasts_s in zip(jumps, growing, np.diff(times_s, append=np.inf), strict=True):
        backlog += jump
        highest = max(highest, backlog)
        if lasts_s < np.inf:
            backlog = max(backlog + grows * lasts_s, 0.0)
            highest = max(highest, backlog)
    return float(highest / per_s)


def _arrivals(scenario: Scenario, stage: Stage) -> Iterator[Arrival]:
    """Yield start, spread and attempts of each delivery that passes a stage."""
    loads = scenario.loads()
    if stage.kind == "limit":
        limit = next(each for each in scenario.limits if each.name == stage.name)
        loads = limit.covered(loads)
    elif stage.paths:
        loads = {key: count for key, count in loads.items() if key[0] in stage.paths}
    counts: dict[str, int] = {}
    for (_, name), count in loads.items():
        counts[name] = counts.get(name, 0) + count
    if stage.kind == "relay" and stage.binding is not None and stage.binding.name == WORKERS:
        # A batch takes a worker as long whatever its size; the ceiling is that of a mean one.
        counts = {each.name: scenario.batches_of(each) for each in scenario.relayed}
    scale = stage.attempts / sum(counts.values())
    for delivery in scenario.deliveries:
        if delivery.name in counts:
            yield delivery.at, delivery.spread, scale * counts[delivery.name]
