"""The measures that sendcap knows by name, and what of them is asked for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from sendcap.errors import SendcapError
from sendcap.readings.summary import ACCEPTED_PCT
from sendcap.study.sweeps.measure import Measure, Value
from sendcap.text.quoting import did_you_mean, shown

if TYPE_CHECKING:
    from sendcap.ledger import Event
    from sendcap.run import Run
    from sendcap.scenario import Scenario
    from sendcap.study.capacity.limits import Limits
    from sendcap.study.capacity.observed import Observed

_TOLERANCES_PT: Final = (1.0, 0.5, 0.1)
_OPENS: Final = frozenset({"opened", "clicked", "open_rate_pct", "click_through_pct"})


def measured(scenario: Scenario, measures: Iterable[Measure]) -> dict[str, Value]:
    """Simulate a scenario and return what is kept of it, by column.

    Opens and clicks are left out where no measure is about them: they have draws of their own.
    """
    from sendcap.model.engine import simulate_ledger
    from sendcap.model.monitor import Monitor
    from sendcap.run import Run
    from sendcap.scenario import Engagement
    from sendcap.study.capacity.limits import limits_of

    measures = tuple(measures)
    simulated = scenario
    if not any(its.engagement for its in measures):
        simulated = scenario.model_copy(update={"engagement": Engagement()})
    monitor = None
    if any(its.limits for its in measures):
        monitor = Monitor(scenario.time.bin, scenario.time.horizon or math.inf)
    run = Run(simulated, simulate_ledger(simulated, monitor=monitor))
    limits = None if monitor is None else limits_of(simulated, run, monitor)
    columns: dict[str, Value] = {}
    for its in measures:
        seen = limits if its.limits and limits is not None else run
        columns |= its.columns(seen)
    return columns


def measures_of(measure: Any) -> tuple[Measure, ...]:
    """Return the measures that are asked for.

    Parameters
    ----------
    measure
        The name of one of `MEASURES`, a function of a `Run`, a mapping from names to functions,
        or a list of these.

    Raises
    ------
    SendcapError
        If there is no measure of that name, or two have the same.
    """
    found = tuple(_each(measure))
    if not found:
        raise SendcapError(f"measure: give one at least, of {', '.join(MEASURES)}")
    names = [its.name for its in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise SendcapError(f"measure: {shown(twice)} is there twice")
    return found


def _each(measure: Any) -> Iterable[Measure]:
    if isinstance(measure, Measure):
        yield measure
    elif isinstance(measure, str):
        yield named(measure)
    elif isinstance(measure, Mapping):
        for name, function in measure.items():
            yield _own(str(name), function)
    elif callable(measure):
        yield _own(_name_of(measure), measure)
    elif isinstance(measure, Iterable):
        for its in measure:
            yield from _each(its)
    else:
        raise SendcapError(f"measure: must be a name or a function of a run, not {shown(measure)}")


def named(name: str) -> Measure:
    """Return a measure by its name."""
    if name not in MEASURES:
        hint = did_you_mean(name, MEASURES) or f"; there are {', '.join(MEASURES)}"
        raise SendcapError(f"measure: {shown(name)} is unknown{hint}")
    return MEASURES[name]


def _own(name: str, function: Any) -> Measure:
    if not callable(function):
        raise SendcapError(f"measure: {name}: must be a function of a run, not {shown(function)}")
    if name in RESERVED:
        raise SendcapError(f"measure: {shown(name)} is a name of sendcap's own; choose another")
    return Measure(name, function, engagement=True, own=True)


def _name_of(function: Any) -> str:
    while isinstance(function, partial):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__))


# Measures of a run.


def _accepted_s(run: Run, share: float) -> float:
    from sendcap.study.capacity.searches.acceptance import accepted_share_s

    time_s = accepted_share_s(run.ledger, share)
    return time_s if time_s < math.inf else math.nan


def _final(run: Run, name: str) -> dict[str, Value]:
    end_s = run.ledger.end_s
    return {
        mode: getattr(run.dashboard(end_s, mode, compute_stats=True), name)
        for mode in run.scenario.reporting.modes
    }


def _settling_s(run: Run) -> dict[str, Value]:
    from sendcap.readings.convergence import settling_s

    found: dict[str, Value] = {}
    for mode in run.scenario.reporting.modes:
        reading = run.kpis(mode)
        time_s, pct = reading["time_s"].to_numpy(), reading["delivered_pct"].to_numpy()
        for tolerance in _TOLERANCES_PT:
            found[f"{mode}.{tolerance:g}pt"] = settling_s(time_s, pct, tolerance)
    return found


def _total(run: Run, event: Event) -> float:
    return run.ledger.total(event, clock="happened")


def _truth_pct(run: Run) -> float:
    accepted = _total(run, "accepted") - _total(run, "async_bounced")
    return 100.0 * _share(accepted, run.ledger.messages())


def _recovered_pct(run: Run) -> float:
    return 100.0 * _share(_total(run, "recovered"), _total(run, "soft_first"))


def _attempts_per_message(run: Run) -> float:
    return _share(_total(run, "attempted"), _total(run, "relayed"))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


# Measures of what limits a run.


def _bottleneck(limits: Limits) -> str | None:
    return limits.bottleneck


def _mta(limits: Limits) -> list[Observed]:
    """Return the stages behind the relay, where all messages wait from the start."""
    return [its for its in limits.observed if its.stage.kind != "relay"]


def _peak_backlog(limits: Limits) -> int:
    return max(its.peak_backlog for its in _mta(limits))


def _peak_backlog_stage(limits: Limits) -> str | None:
    peak = max(_mta(limits), key=lambda its: its.peak_backlog)
    return peak.stage.name if peak.peak_backlog else None


def _drained_at_s(limits: Limits) -> float:
    return limits.drained_at_s


def _longest_wait_s(limits: Limits) -> float:
    waits_s = [its.longest_wait_s for its in _mta(limits)]
    return max((wait_s for wait_s in waits_s if not math.isnan(wait_s)), default=0.0)


def _all_measures() -> Iterable[Measure]:
    for pct in ACCEPTED_PCT:
        yield Measure(
            f"accepted_{pct}_pct_s",
            partial(_accepted_s, share=pct / 100.0),
            f"when {pct} % of all that is ever accepted has been accepted, from t = 0",
        )
    yield Measure(
        "truth_pct", _truth_pct, "share of the messages to deliver that is accepted and stays so"
    )
    for name, about in (
        ("delivered_pct", "final Delivered %, for each of the scenario's modes"),
        ("bounces_errors_pct", "final Bounces + errors %, for each mode"),
        ("open_rate_pct", "final open rate, for each mode"),
        ("click_through_pct", "final click-through rate, for each mode"),
    ):
        yield Measure(name, partial(_final, name=name), about, engagement=name in _OPENS)
    tolerances = ", ".join(f"{tolerance:g}" for tolerance in _TOLERANCES_PT)
    yield Measure(
        "settling_s",
        _settling_s,
        f"when Delivered % stays within {tolerances} points of its final value, for each mode",
    )
    yield Measure("bottleneck", _bottleneck, "the stage that holds the send up", limits=True)
    yield Measure(
        "peak_backlog",
        _peak_backlog,
        "most messages that ever wait at a stage of the MTA",
        limits=True,
    )
    yield Measure("peak_backlog_stage", _peak_backlog_stage, "the stage where they do", limits=True)
    yield Measure(
        "longest_wait_s",
        _longest_wait_s,
        "longest wait of any message at a stage of the MTA",
        limits=True,
    )
    yield Measure("drained_at_s", _drained_at_s, "when the last backlog is gone", limits=True)
    yield Measure(
        "attempts_per_message", _attempts_per_message, "attempts, divided by messages relayed"
    )
    yield Measure(
        "recovered_pct", _recovered_pct, "share of the soft-bounced messages accepted in the end"
    )
    for event, about in (
        ("attempted", "attempts"),
        ("accepted", "messages accepted"),
        ("recovered", "messages accepted after a soft bounce"),
        ("hard", "hard bounces"),
        ("soft", "soft bounces, every one"),
        ("soft_first", "messages that ever bounced soft"),
        ("expired", "messages whose validity ended"),
        ("async_bounced", "messages accepted and returned later"),
        ("relay_failed", "messages that failed at the relay"),
        ("opened", "messages opened"),
        ("clicked", "messages clicked"),
    ):
        counted = partial(_total, event=cast("Event", event))
        yield Measure(event, counted, f"number of {about}", engagement=event in _OPENS)


MEASURES: Final[Mapping[str, Measure]] = {its.name: its for its in _all_measures()}
"""The measures that have a name."""

RESERVED: Final = ("point", "replication", "seed", "error", "wall_s", "cpu_s", *MEASURES)
DEFAULT_MEASURES: Final = (*(f"accepted_{pct}_pct_s" for pct in ACCEPTED_PCT), "truth_pct")
