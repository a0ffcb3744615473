"""The time saved by one more unit of each lever: more addresses, connections, rates, workers."""

from __future__ import annotations

import math
import os
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from sendcap.charts.drawing import Drawable
from sendcap.errors import SendcapError
from sendcap.readings.bottleneck import called, holding_up
from sendcap.scenario import Scenario
from sendcap.scenario.files import scenario_of
from sendcap.scenario.stages import Stage, bottleneck, stages
from sendcap.study.capacity.searches.acceptance import (
    Acceptance,
    bare,
    begins_s,
    seeds_of,
    takes_and_tries,
    with_edge_at,
)
from sendcap.study.capacity.searches.lever import Lever, available
from sendcap.study.replication.estimates import Estimate, estimate, require_confidence
from sendcap.study.replication.workers import Simulations, Workers
from sendcap.text.quantities import elapsed
from sendcap.text.shares import parse_share, percent_down, share_text

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


@dataclass(frozen=True)
class Levers(Drawable, charts="sendcap.study.capacity.charts"):
    """The levers of a scenario, the largest gain first.

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
        """Return a row for each lever, the largest gain first.

        Returns
        -------
        DataFrame
            ``lever``, ``change``, ``gain_s`` with ``low_s`` and ``high_s``, ``gain_pct`` of the
            time without any lever, ``helps_until`` (units; NA if for ever) and ``then``, the
            bottleneck from there on.
        """
        rows = [
            {
                "lever": gain.lever,
                "change": gain.change,
                "gain_s": gain.gain_s.mean,
                "low_s": gain.gain_s.low,
                "high_s": gain.gain_s.high,
                "gain_pct": 100.0 * gain.gain_s.mean / self.takes_s.mean,
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
        return [
            f"As it is, {share_text(self.share)} are accepted after {time}; {name} holds them up."
        ]


def levers(
    scenario: Scenario | str | os.PathLike[str],
    *,
    share: float | str = 0.99,
    replications: int = 3,
    confidence: float = 0.95,
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
    until_s = begins_s(scenario) + max(bottleneck(stages(scenario)).needs_s, scenario.time.bin)
    base = with_edge_at(bare(scenario), until_s)
    pulled = available(base)
    cases = [base, *(lever.pulled(base, 1) for lever in pulled)]
    with Workers.of(workers) as team:
        simulations = Simulations(team, progress)
        tasks = (Acceptance(case.with_seed(seed), share) for case in cases for seed in seeds)
        times_s, tries = zip(*simulations.map(takes_and_tries, tasks), strict=True)
    if math.inf in times_s:
        raise SendcapError(
            f"{percent_down(share)} of the deliverable messages are never accepted, because too "
            f"many expire before their turn comes; ask for a smaller share"
        )
    base_s, *others_s = np.reshape(times_s, (len(cases), replications))
    # Attempts as in the scenario's own simulation, where `sendcap limits` counts them.
    attempts = tries[0]
    gains = []
    for lever, after_s in zip(pulled, others_s, strict=True):
        saved_s = estimate((base_s - after_s).tolist(), confidence)
        until = helps_until(lever, base, attempts)
        gains.append(Gain(lever.name, lever.change(base), saved_s, *until))
    gains.sort(key=lambda gain: -gain.gain_s.mean)
    takes_s = estimate(base_s.tolist(), confidence)
    slowest = holding_up(base, stages(base, attempts))
    return Levers(share, takes_s, slowest, tuple(gains), confidence, simulations.done)


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
