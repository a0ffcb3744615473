"""Replications of a scenario: the same delivery again and again, with other draws.

Each replication is simulated, read on one grid of moments, and forgotten. So any number of them
takes little memory, and medians and quantile bands can still be formed.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from sendcap.errors import SendcapError, SendcapWarning
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS, MODES, Mode, one_of
from sendcap.study.replication.estimates import require_confidence
from sendcap.study.replication.moments import reading_moments_s
from sendcap.study.replication.recording import (
    ACCEPTED_TIMES,
    ENGAGEMENT_KPIS,
    KPIS,
    Folded,
    Kpi,
    Per,
    Plan,
    Quantity,
    simulated,
)
from sendcap.study.replication.replications import Kept, Replications
from sendcap.study.replication.seeds import Simulations, replication_seed
from sendcap.study.replication.sequential import MOST, Sequential
from sendcap.study.replication.workers import Workers
from sendcap.text.shares import parse_points

if TYPE_CHECKING:
    from sendcap.scenario import Scenario

DEFAULT_REPLICATIONS: Final = 20
DEFAULT_KPIS: Final = ("delivered_pct", "bounces_errors_pct")

Precision = float | str | Mapping[str, float | str]
"""A half width: of every percentage that is kept, in points, or of each KPI that it names."""


def replicate(
    scenario: Scenario | str | os.PathLike[str],
    n: int | None = None,
    *,
    precision: Precision | None = None,
    kpis: Sequence[Kpi] | None = None,
    modes: Sequence[Mode] | None = None,
    per: Sequence[Per] = (),
    workers: int | Workers | None = None,
    confidence: float = 0.95,
    most: int = MOST,
    progress: Callable[[int], None] | None = None,
) -> Replications:
    """Simulate a scenario many times, each time with other draws.

    Replication 0 is the plain run; `replication_seed` gives the seeds of the others. The result
    depends on the scenario and on what is asked alone: not on how many processes there are, nor
    on which of them is done first.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file or the name of a preset.
    n
        How many replications; 20 by default.
    precision
        Instead of ``n``: add replications until the t interval of every KPI is at most this much
        to each side of its mean (see `sequential`). Points, as 0.02 or ``"0.02pt"``,
        for all of ``kpis``; or a mapping from the KPIs that decide, which may be times as well:
        ``{"delivered_pct": "0.02pt", "accepted_99_pct_s": "2m"}``.
    kpis
        Percentages of the dashboard to keep, Delivered % and Bounces + errors % by default. Opens
        and clicks are simulated only if they are among them.
    modes
        Of reporting; the scenario's by default.
    per
        Keep all of it also for each ``"delivery"`` and each ``"provider"``.
    workers
        Processes; as many as there are processors by default. They change nothing but the speed.
    confidence
        Of intervals and bands.
    most
        Replications at most, if ``precision`` decides; then there is a warning.
    progress
        Called with the number of replications so far.

    Raises
    ------
    SendcapError
        If both ``n`` and ``precision`` are given, what is asked makes no sense, or the precision
        is out of reach.
    """
    from sendcap.run import scenario_of

    scenario = scenario_of(scenario)
    kept = tuple(one_of("KPI", kpi, KPIS) for kpi in dict.fromkeys(kpis or DEFAULT_KPIS))
    plan = Plan(
        modes=modes_of(scenario, modes),
        denominator=scenario.reporting.denominator,
        moments_s=reading_moments_s(scenario),
        kpis=kept,
        curves_per=tuple(per),
        numbers_per=tuple(per),
    )
    return follow(plan, scenario, n, precision, workers, confidence, most, progress)


def modes_of(scenario: Scenario, modes: Sequence[Mode] | None) -> tuple[Mode, ...]:
    """Return the modes that are asked for, the scenario's by default."""
    asked = scenario.reporting.modes if modes is None else modes
    if not asked:
        raise SendcapError(f"mode: give one at least, of {', '.join(MODES)}")
    return tuple(one_of("mode", mode, MODES) for mode in dict.fromkeys(asked))


def follow(
    plan: Plan,
    scenario: Scenario,
    n: int | None,
    precision: Precision | None,
    workers: int | Workers | None,
    confidence: float,
    most: int,
    progress: Callable[[int], None] | None,
) -> Replications:
    """Replicate a scenario as `replicate` does, and keep what a plan says."""
    count, rule = stopping_rule(plan, n, precision, confidence, most)
    bare = without_engagement(scenario, plan.kpis)
    kept, done = Kept(), False
    with Workers.of(workers) as team:
        for folded in folds(plan, bare, count, team, progress):
            kept.add(folded)
            done = rule is not None and rule.enough(kept.of(rule.half_widths))
            if done:
                break
        if team is not workers:
            # What is simulated ahead is not needed any more.
            team.abandon()
    precise = rule is None or rule.precise(kept.of(rule.half_widths))
    if rule is not None and not precise:
        warnings.warn(rule.shortfall(kept.of(rule.half_widths)), SendcapWarning, stacklevel=3)
    return kept.replications(scenario, plan.moments_s, confidence, precise=precise)


def folds(
    plan: Plan,
    scenario: Scenario,
    count: int,
    team: Workers,
    progress: Callable[[int], None] | None,
) -> Iterator[Folded]:
    """Yield what is kept of the first replications of a scenario, in order."""
    seeds = (replication_seed(scenario.seed, number) for number in range(count))
    return Simulations(team, progress).map(
        partial(simulated, plan), (scenario.with_seed(seed) for seed in seeds)
    )


def without_engagement(scenario: Scenario, kpis: Sequence[str]) -> Scenario:
    """Return a scenario without opens and clicks, if none of the KPIs is about them.

    They have draws of their own, so all else stays as it is.
    """
    from sendcap.scenario import Engagement

    if any(kpi in ENGAGEMENT_KPIS for kpi in kpis):
        return scenario
    return scenario.model_copy(update={"engagement": Engagement()})


def stopping_rule(
    plan: Plan, n: int | None, precision: Precision | None, confidence: float, most: int
) -> tuple[int, Sequential[Quantity] | None]:
    """Return the replications at most, and the rule by which to stop sooner."""
    require_confidence(confidence)
    if n is not None and precision is not None:
        raise SendcapError("give a number of replications or a precision, not both")
    if precision is None:
        return require_count(DEFAULT_REPLICATIONS if n is None else n), None
    if not isinstance(precision, Mapping):
        precision = dict.fromkeys(plan.kpis, parse_points(precision, "precision"))
    rule = Sequential(dict(_half_widths(plan, precision)), confidence, most)
    return rule.most, rule


def require_count(n: int) -> int:
    """Refuse a number of replications that is none."""
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise SendcapError(f"replications: must be a whole number from 1, not {n!r}")
    return n


def _half_widths(
    plan: Plan, precision: Mapping[str, float | str]
) -> Iterator[tuple[Quantity, float]]:
    from sendcap.run import seconds

    for name, wanted in precision.items():
        one_of("KPI in precision", name, (*plan.kpis, *ACCEPTED_TIMES))
        about = Quantity("", ALL_DELIVERIES, ALL_PROVIDERS, name)
        if name in ACCEPTED_TIMES:
            yield about, seconds(wanted, f"precision of {name}")
        else:
            points = parse_points(wanted, f"precision of {name}")
            yield from ((about._replace(mode=mode), points) for mode in plan.modes)
