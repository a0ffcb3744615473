"""Replications of a scenario: the same delivery again and again, with other draws.

Each replication is simulated and recorded at common moments; the ledger is dropped. So any number
of replications takes little memory, and medians and quantile bands remain possible.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from sendcap.errors import SendcapError, SendcapWarning
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS, MODES, Mode, one_of
from sendcap.scenario import Engagement, Scenario
from sendcap.scenario.durations import as_seconds
from sendcap.scenario.files import scenario_of
from sendcap.study.replication.estimates import MOST, Sequential, require_confidence, require_count
from sendcap.study.replication.recording import (
    ACCEPTED_TIMES,
    ENGAGEMENT_KPIS,
    KPIS,
    Kpi,
    Per,
    Plan,
    Quantity,
    reading_moments_s,
    recorded,
)
from sendcap.study.replication.replications import Records, Replications
from sendcap.study.replication.workers import Simulations, Workers, replications
from sendcap.text.shares import parse_points

DEFAULT_REPLICATIONS: Final = 20
DEFAULT_KPIS: Final = ("delivered_pct", "bounces_errors_pct")

Precision = float | str | Mapping[str, float | str]
"""A half width: of every recorded percentage, in points, or of each named KPI."""


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
    depends on the arguments alone, not on the number or the speed of worker processes.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file or the name of a preset.
    n
        Number of replications (default: 20).
    precision
        Instead of ``n``: replications are added until the half width of every KPI's t interval is
        at most this (see `estimates.Sequential`). Points, such as 0.02 or ``"0.02pt"``, for all of
        ``kpis``; or a mapping from the decisive KPIs, which may be times as well:
        ``{"delivered_pct": "0.02pt", "accepted_99_pct_s": "2m"}``.
    kpis
        Percentages of the dashboard to record (default: Delivered % and Bounces + errors %). Opens
        and clicks are simulated only for their rates.
    modes
        Reporting modes (default: the scenario's).
    per
        ``"delivery"``, ``"provider"`` or both: record each of them as well.
    workers
        Worker processes (default: one per CPU); results do not depend on it.
    confidence
        Confidence level of intervals and bands.
    most
        Largest number of replications with ``precision``; a warning tells if it was not enough.
    progress
        Called with the number of replications so far.

    Raises
    ------
    SendcapError
        If both ``n`` and ``precision`` are set, an argument is invalid, or the precision is out of
        reach.
    """
    scenario = scenario_of(scenario)
    plan = Plan(
        modes=modes_of(scenario, modes),
        denominator=scenario.reporting.denominator,
        moments_s=reading_moments_s(scenario),
        kpis=tuple(one_of("KPI", kpi, KPIS) for kpi in dict.fromkeys(kpis or DEFAULT_KPIS)),
        curves_per=tuple(per),
        numbers_per=tuple(per),
    )
    return follow(plan, scenario, n, precision, workers, confidence, most, progress)


def modes_of(scenario: Scenario, modes: Sequence[Mode] | None) -> tuple[Mode, ...]:
    """Return the requested reporting modes, the scenario's by default."""
    requested = scenario.reporting.modes if modes is None else modes
    if not requested:
        raise SendcapError(f"mode: give one at least, of {', '.join(MODES)}")
    return tuple(one_of("mode", mode, MODES) for mode in dict.fromkeys(requested))


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
    """Replicate a scenario as `replicate` does, with records by a plan."""
    count, rule = stopping_rule(plan, n, precision, confidence, most)
    simulated = without_engagement(scenario, plan.kpis)
    records, done = Records(), False
    with Workers.of(workers) as team:
        for record in replications(
            partial(recorded, plan), simulated, range(count), Simulations(team, progress)
        ):
            records.add(record)
            done = rule is not None and rule.enough(records.of(rule.half_widths))
            if done:
                break
        if team is not workers:
            # Simulations ahead of the decision to stop are not needed.
            team.abandon()
    precise = rule is None or rule.precise(records.of(rule.half_widths))
    if rule is not None and not precise:
        warnings.warn(rule.shortfall(records.of(rule.half_widths)), SendcapWarning, stacklevel=3)
    return records.replications(scenario, plan.moments_s, confidence, precise=precise)


def without_engagement(scenario: Scenario, kpis: Sequence[str]) -> Scenario:
    """Return a scenario without opens and clicks unless a KPI is about them.

    Opens and clicks have draws of their own; all other results stay the same.
    """
    if any(kpi in ENGAGEMENT_KPIS for kpi in kpis):
        return scenario
    return scenario.model_copy(update={"engagement": Engagement()})


def stopping_rule(
    plan: Plan, n: int | None, precision: Precision | None, confidence: float, most: int
) -> tuple[int, Sequential[Quantity] | None]:
    """Return the largest number of replications, and the rule by which to stop sooner."""
    require_confidence(confidence)
    if n is not None and precision is not None:
        raise SendcapError("give a number of replications or a precision, not both")
    if precision is None:
        return require_count(DEFAULT_REPLICATIONS if n is None else n), None
    if not isinstance(precision, Mapping):
        precision = dict.fromkeys(plan.kpis, parse_points(precision, "precision"))
    rule = Sequential(dict(_half_widths(plan, precision)), confidence, most)
    return rule.most, rule


def _half_widths(
    plan: Plan, precision: Mapping[str, float | str]
) -> Iterator[tuple[Quantity, float]]:
    for name, wanted in precision.items():
        one_of("KPI in precision", name, (*plan.kpis, *ACCEPTED_TIMES))
        about = Quantity("", ALL_DELIVERIES, ALL_PROVIDERS, name)
        if name in ACCEPTED_TIMES:
            yield about, as_seconds(wanted, f"precision of {name}")
        else:
            points = parse_points(wanted, f"precision of {name}")
            yield from ((about._replace(mode=mode), points) for mode in plan.modes)
