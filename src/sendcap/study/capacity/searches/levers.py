"""The time saved by one more unit of each lever: more addresses, connections, rates, workers.

A unit is one more or 10 % more, in whole numbers. Its true step, in percent, is told, and levers
are compared by what equal steps of 10 % save.
"""

import math
import os
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from sendcap.charts.drawing import Drawable
from sendcap.errors import SendcapError
from sendcap.model.engine import simulate_ledger
from sendcap.readings.bottleneck import called, holding_up
from sendcap.scenario import Scenario
from sendcap.scenario.files import scenario_of
from sendcap.scenario.section import is_number
from sendcap.scenario.stages import Stage, bottleneck, stages
from sendcap.study.capacity.limits import LEVERS
from sendcap.study.capacity.searches.acceptance import (
    bare,
    begins_s,
    never_accepted,
    seeds_of,
    takes_and_tries,
    with_edge_at,
)
from sendcap.study.capacity.searches.lever import Lever, available
from sendcap.study.replication.estimates import Estimate, estimate, require_confidence
from sendcap.study.replication.workers import Simulations, Workers
from sendcap.text.quantities import elapsed
from sendcap.text.quoting import shown, visible
from sendcap.text.shares import parse_share, share_text

_MOST_UNITS: Final = 1_000


@dataclass(frozen=True)
class Gain:
    """The gain of one unit of a lever."""

    lever: str  # name of one unit
    change: str  # old and new values
    gain_s: Estimate  # seconds saved until the share is accepted, with the same draws
    # Units at which another stage becomes the bottleneck, and more of them help no more; 0 for a
    # lever without effect on the bottleneck, None where the bottleneck stays.
    helps_until: int | None
    then: Stage | None  # that other stage
    # Percent by which one unit raises the setting: at the provider that holds up, or on average.
    step_pct: float = 10.0
    cost: float | None = None  # of one unit, where costs are given

    @property
    def per_10_pct_s(self) -> Estimate:
        """Seconds saved for 10 % more: equal steps of all levers."""
        return self.gain_s.scaled(10.0 / self.step_pct)

    @property
    def per_cost_s(self) -> float:
        """Seconds saved for each unit of money; NaN without a cost, infinite for nothing."""
        if self.cost is None:
            return math.nan
        return self.gain_s.mean / self.cost if self.cost else math.inf


@dataclass(frozen=True)
class Levers(Drawable, tables={"Levers": "frame"}):
    """The levers of a scenario, the largest gain for 10 % more first.

    With costs the largest gain for the money comes first.

    Attributes
    ----------
    share
        Share of the deliverable messages until whose acceptance the times count.
    takes_s
        Time without any lever, from the first delivery's start.
    bottleneck
        The stage that holds the deliveries up; None where every stage keeps up.
    gains
        A gain for each lever.
    confidence
        Confidence level of the intervals.
    simulations
        Number of simulations.
    """

    share: float
    takes_s: Estimate
    bottleneck: Stage | None
    gains: tuple[Gain, ...]
    confidence: float
    simulations: int

    def frame(self) -> pd.DataFrame:
        """Return a row for each lever, the best first.

        Columns lever, change, step_pct, gain_s with low_s and high_s, gain_pct of the time without
        any lever, per_10_pct_s, cost and per_cost_s (NaN without costs), helps_until (units; NA if
        for ever) and then, the bottleneck from there on.
        """
        rows = [
            {
                "lever": gain.lever,
                "change": gain.change,
                "step_pct": gain.step_pct,
                "gain_s": gain.gain_s.mean,
                "low_s": gain.gain_s.low,
                "high_s": gain.gain_s.high,
                "gain_pct": 100.0 * gain.gain_s.mean / self.takes_s.mean,
                "per_10_pct_s": gain.per_10_pct_s.mean,
                "cost": math.nan if gain.cost is None else gain.cost,
                "per_cost_s": gain.per_cost_s,
                "helps_until": pd.NA if gain.helps_until is None else gain.helps_until,
                "then": "" if gain.then is None else gain.then.name,
            }
            for gain in self.gains
        ]
        return pd.DataFrame(rows).astype({"helps_until": "Int64"})

    def sentences(self) -> list[str]:
        """Return the answer in plain sentences."""
        slowest = self.bottleneck
        name = "nothing" if slowest is None else called(slowest.kind, slowest.name)
        time = elapsed(self.takes_s.mean)
        text = (
            f"As it is, {share_text(self.share)} of the messages that can be delivered are "
            f"accepted after {time}; {name} holds them up."
        )
        if not self.gains or self.gains[0].gain_s.mean <= 0.0:
            return [text]
        best = next((gain for gain in self.gains if gain.gain_s.low > 0.0), None)
        if best is None:
            return [f"{text} No lever saves time that is certain: the intervals hold 0."]
        saves = f"{elapsed(best.per_10_pct_s.mean)} for each 10 %"
        if best.cost:
            saves += f", and {elapsed(best.per_cost_s)} for each unit of money"
        text += f" Most comes of {best.lever}: it saves {saves}"
        if best.then is not None:
            then = called(best.then.kind, best.then.name)
            text += f", up to {best.helps_until} of them; then {then} holds up"
        return [f"{text}."]

    def write(self, folder: Path, title: str) -> None:
        """Write the table and the chart into a directory that exists."""
        self._write(folder, {LEVERS: self.frame()}, title=title)


def levers(
    scenario: Scenario | str | os.PathLike[str],
    *,
    share: float | str = 0.99,
    replications: int = 3,
    confidence: float = 0.95,
    costs: Mapping[str, float] | None = None,
    workers: int | Workers | None = None,
    progress: Callable[[int], None] | None = None,
) -> Levers:
    """Estimate the time saved by one more unit of each lever.

    Each lever is simulated with the scenario's own draws (common random numbers), so few
    replications show small gains. The number of units that help follows in closed form: until
    another stage has the lowest ceiling for its load.

    Parameters
    ----------
    share
        Share of the deliverable messages whose acceptance ends the delivery, such as ``"99%"``.
    replications
        Number of replications, 2 or more.
    costs
        Costs of one more of a number, or of one more message per period of a rate, by setting:
        ``{"mta.ips": 40, "providers.connections_per_ip": 1}``, at all providers together. With
        them the levers are in the order of what they save for the money; the others come after.
    scenario, confidence, workers, progress
        As for `sendcap.largest_within`.

    Raises
    ------
    SendcapError
        If the share is never accepted, or an argument is invalid.
    """
    scenario = scenario_of(scenario)
    share = parse_share(share)
    seeds = seeds_of(scenario, replications)
    require_confidence(confidence)
    prices = _prices(costs or {}, scenario)
    until_s = begins_s(scenario) + max(bottleneck(stages(scenario)).needs_s, scenario.time.bin)
    base = with_edge_at(bare(scenario), until_s)
    pulled = available(base)
    cases = [base, *(lever.pulled(base, 1) for lever in pulled)]
    times_s, tries, done = _simulated(cases, share, seeds, workers, progress)
    base_s, *others_s = np.reshape(times_s, (len(cases), replications))
    # Attempts as in the scenario's own simulation, where `sendcap limits` counts them.
    attempts = tries[0]
    slowest = holding_up(base, stages(base, attempts))
    saved_s = [estimate((base_s - after_s).tolist(), confidence) for after_s in others_s]
    gain = partial(_gain, base, prices, attempts, slowest)
    gains = sorted(map(gain, pulled, saved_s), key=_best_first)
    takes_s = estimate(base_s.tolist(), confidence)
    return Levers(share, takes_s, slowest, tuple(gains), confidence, done)


def _gain(
    scenario: Scenario,
    prices: Mapping[str, float],
    attempts: Mapping[str, float],
    slowest: Stage | None,
    lever: Lever,
    saved_s: Estimate,
) -> Gain:
    """Return a lever's gain: how far it helps, its true step and its cost."""
    provider = slowest.paths[0].provider if slowest is not None and slowest.paths else None
    return Gain(
        lever.name,
        lever.change(scenario),
        saved_s,
        *helps_until(lever, scenario, attempts),
        lever.step_pct(scenario, provider),
        prices[lever.path] * lever.amount(scenario) if lever.path in prices else None,
    )


def _simulated(
    cases: Iterable[Scenario],
    share: float,
    seeds: Sequence[int],
    workers: int | Workers | None,
    progress: Callable[[int], None] | None,
) -> tuple[tuple[float, ...], tuple[Mapping[str, float], ...], int]:
    """Return times and attempts of each case with each seed, and the number of simulations."""
    with Workers.of(workers) as team:
        simulations = Simulations(team, progress)
        scenarios = [case.with_seed(seed) for case in cases for seed in seeds]
        simulated = simulations.map(partial(takes_and_tries, share), scenarios)
        times_s, tries = zip(*simulated, strict=True)
    if math.inf in times_s:
        missed = scenarios[times_s.index(math.inf)]
        raise never_accepted(simulate_ledger(missed), share)
    return times_s, tries, simulations.done


def _best_first(gain: Gain) -> tuple[bool, float, float]:
    saved_s = -gain.per_10_pct_s.mean
    return gain.cost is None, saved_s if gain.cost is None else -gain.per_cost_s, saved_s


def _prices(costs: Mapping[str, float], scenario: Scenario) -> dict[str, float]:
    """Return the costs by setting; refuse those of settings that are no levers here."""
    levers_of = {lever.path: lever for lever in available(scenario)}
    for path, cost in costs.items():
        if path not in levers_of:
            raise SendcapError(
                f"costs: {visible(path)}: no lever of this scenario; "
                f"its levers are {', '.join(levers_of)}"
            )
        if not is_number(cost) or cost < 0:
            raise SendcapError(f"costs: {path}: must be a number, 0 or more, not {shown(cost)}")
        if math.isnan(levers_of[path].amount(scenario)):
            raise SendcapError(
                f"costs: {path}: a schedule, a gap or a warm-up has no unit that costs; "
                "leave its cost out"
            )
    return dict(costs)


def helps_until(
    lever: Lever, scenario: Scenario, attempts: Mapping[str, float]
) -> tuple[int | None, Stage | None]:
    """Return the number of units until the bottleneck moves, and the new bottleneck.

    0 and None where a unit does not shorten the bottleneck's time, or without a bottleneck; None
    and None where the bottleneck stays, however many the units.
    """

    def at(units: int) -> Stage:
        return bottleneck(stages(lever.pulled(scenario, units), attempts))

    def same(stage: Stage) -> bool:
        return first is not None and (stage.kind, stage.name) == (first.kind, first.name)

    first = holding_up(scenario, stages(scenario, attempts))
    if first is None:
        return 0, None
    (pulled,) = filter(same, stages(lever.pulled(scenario, 1), attempts))
    if not pulled.needs_s < first.needs_s * (1.0 - 1e-9):
        return 0, None
    if same(at(_MOST_UNITS)):
        return None, None
    units = 1 + bisect_left(range(1, _MOST_UNITS + 1), True, key=lambda units: not same(at(units)))
    return units, at(units)
