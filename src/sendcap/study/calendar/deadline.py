"""Whether deliveries meet a deadline: in how many simulations, and what would make them."""

import math
import warnings
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np

from sendcap.errors import ScenarioError, SendcapWarning
from sendcap.model.engine import simulate_ledger
from sendcap.run import Run
from sendcap.scenario import Delivery, Scenario, format_duration, updated
from sendcap.study.calendar.slots import accepted_s
from sendcap.study.capacity.searches.acceptance import bare
from sendcap.study.replication import replication_seed
from sendcap.study.replication.estimates import share_interval
from sendcap.study.replication.workers import Simulations, each_replication
from sendcap.text.quantities import elapsed, listed

_STEP_S: Final = 300.0
"""An earlier start is found to five minutes."""
_WAVES: Final = 4
Late = Callable[[Scenario], set[str]]
Holds = Callable[[Scenario], bool]


@dataclass(frozen=True)
class Remedy:
    """A change of the scenario with which a delivery holds."""

    sentence: str  # "it starts 1h 20m earlier"
    changes: Mapping[str, Any]  # by the paths of ``--set``
    at_the_cost_of: tuple[str, ...] = ()  # deliveries that held, and do not any more

    @property
    def in_full(self) -> str:
        """The sentence, with what it does to others."""
        if not self.at_the_cost_of:
            return self.sentence
        return f"{self.sentence} (but then {listed(self.at_the_cost_of)} would be late)"


def remedies(
    scenario: Scenario, name: str, late_s: float, left_s: float, late: Late
) -> list[Remedy]:
    """Return what makes a delivery hold, of what is tried.

    It is late by ``late_s``, and ``left_s`` is the time from its start to the deadline; ``late``
    simulates a scenario, and returns the deliveries that are late.
    """
    before = late(scenario)

    def holds(changed: Scenario) -> bool:
        return name not in late(changed)

    number = next(number for number, each in scenario.numbered() if each.name == name)
    found = []
    earlier = _earlier(scenario, number, late_s, holds)
    tried = [*([earlier] if earlier else []), *_others(scenario, number, left_s)]
    for remedy in tried:
        changed = _changed(scenario, remedy.changes)
        if changed is not None:
            still = late(changed)
            if name not in still:
                found.append(replace(remedy, at_the_cost_of=tuple(sorted(still - before))))
    return found


def _changed(scenario: Scenario, changes: Mapping[str, Any]) -> Scenario | None:
    """Return the changed scenario; None where its other settings do not allow the change."""
    try:
        with warnings.catch_warnings():
            # The user has seen those of the scenario itself.
            warnings.simplefilter("ignore", SendcapWarning)
            return updated(scenario, dict(changes))
    except ScenarioError:
        return None


def _earlier(scenario: Scenario, number: int, late_s: float, holds: Holds) -> Remedy | None:
    """Return the latest start that holds, by bisection; or how much earlier people are asked."""
    written = scenario.written()[number]
    if written.local_time is not None:
        return None
    confirm = written.confirm

    def remedy(earlier_s: float) -> Remedy:
        if confirm is not None:
            ahead = format_duration(confirm.ahead + earlier_s)
            changes = {f"deliveries[{number}].confirm.ahead": ahead}
            return Remedy(f"its confirmation is asked for {elapsed(earlier_s)} earlier", changes)
        at = format_duration(written.at - earlier_s)
        return Remedy(f"it starts {elapsed(earlier_s)} earlier", {f"deliveries[{number}].at": at})

    def holds_with(steps: int) -> bool:
        changed = _changed(scenario, remedy(steps * _STEP_S).changes)
        return changed is not None and holds(changed)

    most = int(written.at // _STEP_S)
    if most < 1:
        return None
    too_little, enough = 0, max(math.ceil(min(late_s / _STEP_S, most)), 1)
    while not holds_with(enough):
        if enough == most:
            return None
        too_little, enough = enough, min(2 * enough, most)
    between = range(too_little + 1, enough)
    enough = too_little + 1 + bisect_left(between, True, key=holds_with)
    return remedy(enough * _STEP_S)


def _others(scenario: Scenario, number: int, left_s: float) -> Iterator[Remedy]:
    written, mta = scenario.written()[number], scenario.mta
    place = f"deliveries[{number}]"
    others = [other for other in range(len(scenario.written())) if other != number]
    outranked = [other for other in others if scenario.written()[other].priority != "high"]
    if outranked and mta.order != "fair" and written.priority != "high":
        changes: dict[str, Any] = {"mta.order": "priority", f"{place}.priority": "high"}
        yield Remedy('it has priority = "high", with mta.order = "priority"', changes)
    if others and not mta.pools and mta.ips > 1:
        own = mta.ips // 2
        pools = {"own": {"ips": own}, "others": {"ips": mta.ips - own}}
        changes = {"mta.ips": 1, "mta.pools": pools, f"{place}.pool": "own"}
        changes |= {f"deliveries[{other}].pool": "others" for other in others}
        sentence = f"it has a pool of its own with {own} of the {mta.ips} source addresses"
        yield Remedy(sentence, changes)
    if written.confirm is not None:
        people = 2 * written.confirm.people
        yield Remedy(f"{people} people are asked", {f"{place}.confirm.people": people})
    if not (written.waves or written.cells or written.zones):
        every = 60.0 * (left_s / 2.0 / _WAVES // 60.0)
        if every > 0.0:
            waves = {"size": 1.0 / _WAVES, "every": format_duration(every)}
            sentence = f"it leaves in {_WAVES} waves, one every {elapsed(every)}"
            yield Remedy(sentence, {f"{place}.waves": waves})


@dataclass(frozen=True)
class Verdict:
    """Whether a delivery meets the deadline."""

    delivery: str
    holds: int  # number of replications in which it does
    replications: int
    low: float  # end of the interval of the probability (Clopper and Pearson)
    high: float
    accepted_median_s: float  # when the share was accepted in half of them, from t = 0
    accepted_90_pct_s: float
    remedies: tuple[Remedy, ...]  # of what has been tried; empty where it holds

    @property
    def probability(self) -> float:
        """Share of the replications in which it holds."""
        return self.holds / self.replications


def in_question(scenario: Scenario, deadline_s: float) -> list[Delivery]:
    """Return the deliveries whose messages are ready before a deadline."""
    return [each for each in scenario.deliveries if scenario.all_ready_s(each) < deadline_s]


def verdicts(
    scenario: Scenario,
    deadline_s: float,
    share: float,
    replications: int,
    confidence: float,
    simulations: Simulations,
) -> Iterator[Verdict]:
    """Yield the verdict on each delivery whose messages are ready before the deadline.

    A remedy has to make the slowest of the replications hold.
    """
    scenario = bare(scenario)
    names = [each.name for each in in_question(scenario, deadline_s)]
    accepted = partial(_accepted_s, share, tuple(names))
    times_s = np.array(list(each_replication(accepted, scenario, range(replications), simulations)))
    starts_s = {each.name: each.at for each in scenario.deliveries}
    for name, own_s in zip(names, times_s.T, strict=True):
        in_time = own_s <= deadline_s
        holds = int(in_time.sum())
        low, high = share_interval(holds, replications, confidence)
        found: list[Remedy] = []
        if holds < replications:
            slowest = scenario.with_seed(replication_seed(scenario.seed, int(own_s.argmax())))
            late_s, left_s = float(own_s.max()) - deadline_s, deadline_s - starts_s[name]
            late = partial(_late, share, deadline_s, simulations)
            found = remedies(slowest, name, late_s, left_s, late)
        yield Verdict(
            name,
            holds,
            replications,
            low,
            high,
            float(np.quantile(own_s, 0.5, method="inverted_cdf")),
            float(np.quantile(own_s, 0.9, method="inverted_cdf")),
            tuple(found),
        )


def _accepted_s(share: float, names: tuple[str, ...], scenario: Scenario) -> list[float]:
    """Simulate, and return when the share of each delivery was accepted."""
    run = Run(scenario, simulate_ledger(scenario))
    return [accepted_s(run, share, sent) for sent in run.as_sent.deliveries if sent.name in names]


def _late(
    share: float, deadline_s: float, simulations: Simulations, scenario: Scenario
) -> set[str]:
    """Simulate, and return the names of deliveries that are late, and those of their parents."""
    ready = in_question(scenario, deadline_s)
    names = tuple(each.name for each in ready)
    (times_s,) = simulations.map(partial(_accepted_s, share, names), [scenario])
    late = [each for each, time_s in zip(ready, times_s, strict=True) if time_s > deadline_s]
    return {name for each in late for name in (each.name, each.parent) if name}
