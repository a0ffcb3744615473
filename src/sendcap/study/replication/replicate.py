"""Replications of a scenario: the same delivery again and again, with other draws.

Each replication is simulated and recorded at common moments; the ledger is dropped. So any number
of replications takes little memory, and medians and quantile bands remain possible.
"""

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from sendcap.errors import SendcapError, SendcapWarning
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS, Mode, modes_of, one_of
from sendcap.scenario import Scenario
from sendcap.scenario.durations import as_seconds
from sendcap.scenario.files import scenario_of
from sendcap.study.replication.estimates import MOST, Sequential, require_confidence, require_count
from sendcap.study.replication.measures import measures_of
from sendcap.study.replication.recording import (
    DASHBOARD,
    MTA_TIMES,
    Per,
    Plan,
    Quantity,
    Record,
    reading_moments_s,
    recorded,
)
from sendcap.study.replication.replications import Replications, gathered, is_moment
from sendcap.study.replication.workers import Simulations, Workers, each_replication
from sendcap.text.shares import parse_points

DEFAULT_REPLICATIONS: Final = 20

Precision = float | str | Mapping[str, float | str]
"""A half width: of every recorded percentage, in points, or of each named measure."""


def replicate(
    scenario: Scenario | str | os.PathLike[str],
    replications: int | None = None,
    *,
    measures: Any = DASHBOARD,
    precision: Precision | None = None,
    modes: Sequence[Mode] | None = None,
    per: Sequence[Per] = (),
    workers: int | Workers | None = None,
    confidence: float = 0.95,
    most: int = MOST,
    progress: Callable[[int], None] | None = None,
) -> Replications:
    """Simulate a scenario many times, each time with other draws.

    Replication 0 is the plain run; `sendcap.study.replication.replication_seed` gives the seeds of
    the others.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file or the name of a preset.
    replications
        Number of replications (default: 20).
    measures
        Names of measures and functions of a `Run`, as for `sendcap.sweep` (default: Delivered % and
        Bounces + errors %). A percentage of the dashboard is recorded per mode, and as a curve.
    precision
        Instead of ``replications``: they are added until half of every interval is at most this
        (see `estimates.Sequential`). Points, such as 0.02 or ``"0.02pt"``, for all percentages
        among ``measures``; or a mapping from the decisive measures:
        ``{"delivered_pct": "0.02pt", "accepted_99_pct_s": "2m", "peak_backlog": 500}``.
    modes
        Reporting modes (default: the scenario's).
    per
        ``"delivery"``, ``"provider"`` or both: record each of them as well.
    workers
        Worker processes (default: one per CPU); results do not depend on it.
    confidence
        Confidence level of intervals and bands.
    most
        Largest number of replications with ``precision``; a warning says if it was not enough.
    progress
        Called with the number of replications so far.

    Raises
    ------
    SendcapError
        If an argument is invalid, or the precision is out of reach.
    """
    scenario = scenario_of(scenario)
    plan = Plan(
        modes=modes_of(scenario, modes),
        denominator=scenario.reporting.denominator,
        moments_s=reading_moments_s(scenario),
        measures=measures_of(measures),
        curves_per=tuple(per),
        numbers_per=tuple(per),
    )
    return follow(plan, scenario, replications, precision, workers, confidence, most, progress)


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
    records: list[Record] = []
    with Workers.of(workers) as team:
        for record in each_replication(
            partial(recorded, plan), scenario, range(count), Simulations(team, progress)
        ):
            records.append(record)
            if rule is None:
                continue
            if len(records) == 1:
                _require_recorded(rule, record)
            if rule.enough(_values(rule, records)):
                break
        if team is not workers:
            # Simulations ahead of the decision to stop are not needed.
            team.abandon()
    precise = rule is None or rule.precise(_values(rule, records))
    if rule is not None and not precise:
        warnings.warn(rule.shortfall(_values(rule, records)), SendcapWarning, stacklevel=3)
    return gathered(records, scenario, plan.moments_s, confidence, precise=precise)


def _values(rule: Sequential, records: Sequence[Record]) -> dict[Quantity, list[float]]:
    return {
        quantity: [record.numbers[quantity] for record in records] for quantity in rule.half_widths
    }


def _require_recorded(rule: Sequential, record: Record) -> None:
    """Refuse a precision of a quantity without numbers."""
    for quantity in rule.half_widths:
        if quantity not in record.numbers:
            known = ", ".join(name for name in map(str, record.numbers) if "." in name)
            raise SendcapError(f"precision: unknown quantity {quantity}; there are {known}")


def stopping_rule(
    plan: Plan, n: int | None, precision: Precision | None, confidence: float, most: int
) -> tuple[int, Sequential | None]:
    """Return the largest number of replications, and the rule by which to stop sooner."""
    require_confidence(confidence)
    if n is not None and precision is not None:
        raise SendcapError("give a number of replications or a precision, not both")
    if precision is None:
        return require_count(DEFAULT_REPLICATIONS if n is None else n), None
    if not isinstance(precision, Mapping):
        points = parse_points(precision, "precision")
        precision = {measure.name: points for measure in plan.measures if measure.unit == "%"}
        if not precision:
            raise SendcapError("precision: no measure is a percentage; name a measure's precision")
    wanted = dict(_half_widths(plan, precision))
    of_median = frozenset(quantity for quantity in wanted if is_moment(quantity.name))
    rule = Sequential(wanted, confidence, most, of_median)
    return rule.most, rule


def _half_widths(
    plan: Plan, precision: Mapping[str, float | str]
) -> Iterator[tuple[Quantity, float]]:
    units = {measure.name: measure.unit for measure in plan.measures}
    units |= dict.fromkeys(MTA_TIMES, "s")
    curves = {measure.name for measure in plan.measures if measure.curve}
    for name, wanted in precision.items():
        # One of several values has a name such as settling_s.efs.1pt.
        unit = units[one_of("measure in precision", name.split(".")[0], tuple(units))]
        about = Quantity("", ALL_DELIVERIES, ALL_PROVIDERS, name)
        where = f"precision of {name}"
        if unit == "s":
            width = as_seconds(wanted, where)
        elif unit == "%":
            width = parse_points(wanted, where)
        else:
            width = _number(wanted, where)
        if name in curves:
            yield from ((about._replace(mode=mode), width) for mode in plan.modes)
        else:
            yield about, width


def _number(wanted: float | str, where: str) -> float:
    try:
        return float(wanted)
    except ValueError:
        raise SendcapError(f"{where}: must be a number, not {wanted!r}") from None
