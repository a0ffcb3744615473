"""What to buy first: how much sooner a delivery is through with one unit more of each lever."""

from __future__ import annotations

import math
import os
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sendcap.errors import SendcapError
from sendcap.study.capacity.searches.acceptance import (
    Acceptance,
    bare,
    begins_s,
    takes_and_tries,
    with_edge_at,
)
from sendcap.study.capacity.searches.lever import Lever, available
from sendcap.study.capacity.searches.within import require_replications
from sendcap.study.replication.estimates import Estimate, estimate, require_confidence
from sendcap.study.replication.seeds import replication_seed
from sendcap.study.replication.workers import Simulations, Workers
from sendcap.text.shares import parse_share, percent_down

if TYPE_CHECKING:
    import pandas as pd

    from sendcap.scenario import Scenario
    from sendcap.scenario.stages import Stage

_MOST_UNITS: Final = 1_000


@dataclass(frozen=True)
class Gain:
    """What one unit of a lever gains.

    Attributes
    ----------
    lever
        What one unit is.
    change
        From which value to which.
    gain_s
        Seconds by which the share is accepted sooner: the mean of the differences between
        replications with the same draws, with its confidence interval.
    helps_until
        With so many units another stage is the bottleneck, and more of them help no more; 0 where
        the lever leaves the bottleneck as it is, None where that stays the bottleneck.
    then
        That other stage.
    """

    lever: str
    change: str
    gain_s: Estimate
    helps_until: int | None
    then: Stage | None


@dataclass(frozen=True)
class Levers:
    """The levers of a scenario, what gains most first.

    Attributes
    ----------
    share
        Of the deliverable messages; the times are until so many are accepted.
    takes_s
        How long it takes as it is, from the first delivery's start.
    bottleneck
        The stage that holds it up; None where every stage keeps up with what becomes ready.
    gains
        One for each lever.
    confidence
        Of the intervals.
    simulations
        How many were used.
    """

    share: float
    takes_s: Estimate
    bottleneck: Stage | None
    gains: tuple[Gain, ...]
    confidence: float
    simulations: int

    def frame(self) -> pd.DataFrame:
        """Return a row for each lever, what gains most first.

        Returns
        -------
        DataFrame
            ``lever``, ``change``, ``gain_s`` with ``low_s`` and ``high_s``, ``gain_pct`` of the
            time that it takes, ``helps_until`` (units; NA if for ever) and ``then``, the stage
            that is the bottleneck from there on.
        """
        import pandas as pd

        rows = [
            {
                "lever": its.lever,
                "change": its.change,
                "gain_s": its.gain_s.mean,
                "low_s": its.gain_s.low,
                "high_s": its.gain_s.high,
                "gain_pct": 100.0 * its.gain_s.mean / self.takes_s.mean,
                "helps_until": pd.NA if its.helps_until is None else its.helps_until,
                "then": "" if its.then is None else its.then.name,
            }
            for its in self.gains
        ]
        return pd.DataFrame(rows).astype({"helps_until": "Int64"})


def levers(
    scenario: Scenario | str | os.PathLike[str],
    *,
    share: float | str = 0.99,
    replications: int = 3,
    confidence: float = 0.95,
    workers: int | Workers | None = None,
    progress: Callable[[int], None] | None = None,
) -> Levers:
    """Tell how much sooner a delivery is through with one unit more of each lever.

    Each lever is simulated with the same draws as the scenario itself (common random numbers), so
    small gains can be told from none with few replications. How many units help is worked out in
    closed form: until another stage has the lowest ceiling for the load that it must carry.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file or the name of a preset.
    share
        The delivery is through when this share of the messages is accepted that can be, such as
        0.99 or ``"99%"``.
    replications
        How many, 2 or more.
    confidence
        Of the intervals.
    workers
        Processes; as many as there are processors by default. They change nothing but the speed.
    progress
        Called with the number of simulations so far.

    Raises
    ------
    SendcapError
        If the share is never accepted, or what is asked makes no sense.
    """
    from sendcap.scenario.files import scenario_of
    from sendcap.scenario.stages import bottleneck, stages
    from sendcap.study.capacity.sentences import holding_up

    scenario = scenario_of(scenario)
    share = parse_share(share)
    require_replications(replications)
    require_confidence(confidence)
    until_s = begins_s(scenario) + max(bottleneck(stages(scenario)).needs_s, scenario.time.bin)
    its = with_edge_at(bare(scenario), until_s)
    found = available(its)
    seeds = [replication_seed(scenario.seed, number) for number in range(replications)]
    cases = [its, *(lever.pulled(its, 1) for lever in found)]
    with Workers.of(workers) as team:
        simulations = Simulations(team, progress)
        asked = (Acceptance(case.with_seed(seed), share) for case in cases for seed in seeds)
        found_s, tries = zip(*simulations.map(takes_and_tries, asked), strict=True)
    # As often as in the scenario's own simulation, as `sendcap limits` counts it.
    times_s, attempts = list(found_s), tries[0]
    if math.inf in times_s:
        raise SendcapError(
            f"{percent_down(share)} of the deliverable messages are never accepted, because too "
            f"many expire before their turn comes; ask for a smaller share"
        )
    by_case_s = [times_s[at : at + replications] for at in range(0, len(times_s), replications)]
    base_s, with_lever_s = by_case_s[0], by_case_s[1:]
    gains = []
    for lever, pulled_s in zip(found, with_lever_s, strict=True):
        gain_s = [before_s - after_s for before_s, after_s in zip(base_s, pulled_s, strict=True)]
        until, then = helps_until(lever, its, attempts)
        gains.append(Gain(lever.name, lever.change, estimate(gain_s, confidence), until, then))
    return Levers(
        share=share,
        takes_s=estimate(base_s, confidence),
        bottleneck=holding_up(its, stages(its, attempts)),
        gains=tuple(sorted(gains, key=lambda gain: -gain.gain_s.mean)),
        confidence=confidence,
        simulations=simulations.done,
    )


def helps_until(
    lever: Lever, scenario: Scenario, attempts: Mapping[str, float]
) -> tuple[int | None, Stage | None]:
    """Return how many units it takes until the bottleneck moves, and to which stage.

    Returns
    -------
    tuple
        0 and None where a unit does not shorten the time that the bottleneck needs, or there is
        none; None and None where the bottleneck stays where it is, however many there are.
    """
    from sendcap.scenario.stages import bottleneck, stages
    from sendcap.study.capacity.sentences import holding_up

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
