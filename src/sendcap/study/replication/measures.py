"""Measures: values taken of a run, by name.

A new measure is added to `MEASURES`. Then it can be asked for in replications, sweeps, sensitivity
studies, optimisation targets and study files.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, Final, cast

import numpy as np

from sendcap.errors import SendcapError
from sendcap.ledger import Event, Ledger
from sendcap.model.addresses import SUSPENDED, THROTTLED, TOO_MANY_CONNECTIONS
from sendcap.model.engine import simulate_ledger
from sendcap.model.monitor import Monitor
from sendcap.readings.convergence import TOLERANCES_PT, convergence
from sendcap.readings.delays import DELAY_FIGURES, DELAY_PCT, delay_figures
from sendcap.readings.summary import ACCEPTED_PCT
from sendcap.run import Run
from sendcap.scenario import Scenario
from sendcap.study.capacity.limits import Limits, limits_of
from sendcap.study.capacity.observed import Observed
from sendcap.text.quoting import did_you_mean, shown

Value = float | int | str | bool | None
_DELIVERABLE: Final[tuple[tuple[Event, str | None], ...]] = (
    ("accepted", None),
    ("expired_untried", None),
    ("expired", THROTTLED),
    ("expired", TOO_MANY_CONNECTIONS),
    ("expired", SUSPENDED),
)


@dataclass(frozen=True)
class Measure:
    """A value taken of a run, or several by name."""

    name: str  # of the column; of several values, their names follow after a dot
    of: Callable[[Any], Any]  # a function of a `Run`, or of `Limits` if needs_limits
    unit: str = ""  # "s", "%", "messages", …; empty for names and plain numbers
    meaning: str = ""
    needs_limits: bool = False  # the simulation has to watch the stages
    needs_engagement: bool = False  # opens and clicks have to be simulated
    # A percentage of the dashboard: a value per reporting mode; in replications a curve over time.
    curve: bool = False
    own: bool = False  # the user's function

    def columns(self, run: Run, limits: Limits | None = None) -> dict[str, Value]:
        """Return the values by column."""
        value = self.of(limits if self.needs_limits else run)
        if not isinstance(value, Mapping):
            return {self.name: _plain(self.name, value)}
        columns = {f"{self.name}.{name}": each for name, each in value.items()}
        return {name: _plain(name, each) for name, each in columns.items()}


def _plain(name: str, value: Any) -> Value:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise SendcapError(
        f"{name}: is a {type(value).__name__}; a measure returns a number, text, true or false, "
        f"None, or several of these by name"
    )


def simulated_for(scenario: Scenario, measures: Iterable[Measure]) -> tuple[Run, Limits | None]:
    """Simulate a scenario with no more than the measures need."""
    measures = tuple(measures)
    if not any(measure.needs_engagement for measure in measures):
        scenario = scenario.without_engagement
    if not any(measure.needs_limits for measure in measures):
        return Run(scenario, simulate_ledger(scenario)), None
    monitor = Monitor(scenario.time.bin, scenario.time.horizon or math.inf)
    run = Run(scenario, simulate_ledger(scenario, monitor=monitor))
    return run, limits_of(scenario, run, monitor)


def measured(scenario: Scenario, measures: Iterable[Measure]) -> dict[str, Value]:
    """Simulate a scenario and return the measures by column."""
    measures = tuple(measures)
    run, limits = simulated_for(scenario, measures)
    columns: dict[str, Value] = {}
    for measure in measures:
        columns |= measure.columns(run, limits)
    return columns


def measures_of(asked: Any) -> tuple[Measure, ...]:
    """Return the measures asked for.

    These are the name of one of `MEASURES`, a function of a `Run`, a mapping from names to
    functions, or a list of these.
    """
    measures = tuple(_each(asked))
    if not measures:
        raise SendcapError(f"measure: give one at least, of {', '.join(MEASURES)}")
    names = [measure.name for measure in measures]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise SendcapError(f"measure: {shown(twice)} appears twice")
    return measures


def _each(asked: Any) -> Iterable[Measure]:
    if isinstance(asked, Measure):
        yield asked
    elif isinstance(asked, str):
        if asked not in MEASURES:
            hint = did_you_mean(asked, MEASURES) or f"; there are {', '.join(MEASURES)}"
            raise SendcapError(f"measure: {shown(asked)} is unknown{hint}")
        yield MEASURES[asked]
    elif isinstance(asked, Mapping):
        for name, function in asked.items():
            yield _own(str(name), function)
    elif callable(asked):
        yield _own(_name_of(asked), asked)
    elif isinstance(asked, Iterable):
        for each in asked:
            yield from _each(each)
    else:
        raise SendcapError(f"measure: must be a name or a function of a run, not {shown(asked)}")


def _own(name: str, function: Any) -> Measure:
    if not callable(function):
        raise SendcapError(f"measure: {name}: must be a function of a run, not {shown(function)}")
    if name in RESERVED:
        raise SendcapError(f"measure: {shown(name)} is a name of sendcap's own; choose another")
    return Measure(name, function, needs_engagement=True, own=True)


def _name_of(function: Any) -> str:
    while isinstance(function, partial):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__))


# Measures of a run.


def deliverable(ledger: Ledger, delivery: str | None = None) -> float:
    """Return the number of messages that could be accepted, sooner or later.

    These are the accepted ones, and those that would be if their turn came in time: they expire
    untried, throttled, where no connection is accepted, or sent back by a suspended queue.
    """
    return sum(
        ledger.total(event, clock="happened", delivery=delivery, reason=reason)
        for event, reason in _DELIVERABLE
    )


def accepted_share_s(ledger: Ledger, share: float, delivery: str | None = None) -> float:
    """Return when a share of the `deliverable` messages was accepted, in seconds from t = 0.

    An estimate: within a bin messages are taken to be accepted evenly, so that a small change shows
    in the mean of many simulations. A run states the end of the bin; see
    `sendcap.readings.reached`. Infinite if it never happens: so a send that lets messages expire is
    not a quick one.
    """
    accepted = ledger.sparse("accepted", clock="happened", delivery=delivery)
    wanted = share * float(deliverable(ledger, delivery))
    if not 0.0 < wanted <= accepted.counts.sum():
        return math.inf
    bin_, before, after = accepted.reached(wanted)
    return ledger.bin_s * (bin_ + (wanted - before) / (after - before))


def _accepted_s(run: Run, share: float) -> float:
    time_s = accepted_share_s(run.ledger, share)
    return time_s if time_s < math.inf else math.nan


def _final(run: Run, name: str) -> dict[str, Value]:
    end_s = run.ledger.end_s
    return {
        mode: getattr(run.dashboard(end_s, mode, compute_stats=True), name)
        for mode in run.scenario.reporting.modes
    }


def _settling_s(run: Run) -> dict[str, Value]:
    return {
        f"{mode}.{tolerance:g}pt": time_s
        for mode in run.scenario.reporting.modes
        for tolerance, time_s in convergence(run, mode).settling_s.items()
    }


def _total(run: Run, event: Event) -> float:
    return run.ledger.total(event, clock="happened")


def _truth_pct(run: Run) -> float:
    accepted = _total(run, "accepted") - _total(run, "async_bounced")
    return 100.0 * _ratio(accepted, run.ledger.messages())


def _recovered_pct(run: Run) -> float:
    return 100.0 * _ratio(_total(run, "recovered"), _total(run, "soft_first"))


def _attempts_per_message(run: Run) -> float:
    return _ratio(_total(run, "attempted"), _total(run, "relayed"))


def _ratio(part: float, total: float) -> float:
    return part / total if total else math.nan


def _delay_s(run: Run, name: str) -> Value:
    delay_s = delay_figures(run.ledger)[name]
    return math.nan if delay_s is None else delay_s


# Measures of the limits of a run.


def _mta(limits: Limits) -> list[Observed]:
    """Return the stages behind the relay, where all messages wait from the start.

    Who waits for a limit over several queues waits in one of these.
    """
    return [each for each in limits.observed if each.stage.kind not in ("relay", "limit")]


def _peak_backlog(limits: Limits) -> int:
    return max(each.peak_backlog for each in _mta(limits))


def _peak_backlog_stage(limits: Limits) -> str | None:
    peak = max(_mta(limits), key=lambda each: each.peak_backlog)
    return peak.stage.name if peak.peak_backlog else None


def _longest_wait_s(limits: Limits) -> float:
    waits_s = [each.longest_wait_s for each in _mta(limits)]
    return max((wait_s for wait_s in waits_s if not math.isnan(wait_s)), default=0.0)


def _of_a_run() -> Iterable[Measure]:
    for pct in ACCEPTED_PCT:
        accepted = partial(_accepted_s, share=pct / 100.0)
        meaning = f"when {pct} % of the deliverable messages have been accepted, from t = 0"
        yield Measure(f"accepted_{pct}_pct_s", accepted, "s", meaning)
    meaning = "share of the messages to deliver that is accepted and not returned"
    yield Measure("truth_pct", _truth_pct, "%", meaning)
    for name, meaning, opens in (
        ("delivered_pct", "final Delivered %, for each of the scenario's modes", False),
        ("bounces_errors_pct", "final Bounces + errors %, for each mode", False),
        ("open_rate_pct", "final open rate, for each mode", True),
        ("click_through_pct", "final click-through rate, for each mode", True),
    ):
        final = partial(_final, name=name)
        yield Measure(name, final, "%", meaning, needs_engagement=opens, curve=True)
    tolerances = ", ".join(f"{tolerance:g}" for tolerance in TOLERANCES_PT)
    meaning = f"when Delivered % stays within {tolerances} points of its final value, for each mode"
    yield Measure("settling_s", _settling_s, "s", meaning)


def _of_delays() -> Iterable[Measure]:
    shares = [f"{pct} % of the delays from ready to accepted are no longer" for pct in DELAY_PCT]
    meanings = ("mean delay from ready to accepted", *shares, "longest delay")
    for name, meaning in zip(DELAY_FIGURES, meanings, strict=True):
        yield Measure(name, partial(_delay_s, name=name), "s", meaning)


def _of_limits() -> Iterable[Measure]:
    for name, of, unit, meaning in (
        ("bottleneck", attrgetter("bottleneck"), "", "the stage that holds the send up"),
        ("peak_backlog", _peak_backlog, "messages", "largest backlog at a stage of the MTA"),
        ("peak_backlog_stage", _peak_backlog_stage, "", "the stage with the largest backlog"),
        ("longest_wait_s", _longest_wait_s, "s", "longest wait of a message at a stage of the MTA"),
        ("drained_at_s", attrgetter("drained_at_s"), "s", "end of the last backlog, from t = 0"),
    ):
        yield Measure(name, of, unit, meaning, needs_limits=True)


def _of_counts() -> Iterable[Measure]:
    meaning = "attempts, divided by messages relayed"
    yield Measure("attempts_per_message", _attempts_per_message, "", meaning)
    meaning = "share of the soft-bounced messages accepted in the end"
    yield Measure("recovered_pct", _recovered_pct, "%", meaning)
    for event, meaning in (
        ("attempted", "attempts"),
        ("accepted", "messages accepted"),
        ("recovered", "messages accepted after a soft bounce"),
        ("hard", "hard bounces"),
        ("soft", "soft bounces, repeated ones included"),
        ("soft_first", "messages that ever bounced soft"),
        ("expired", "messages whose validity ended"),
        ("async_bounced", "messages accepted and returned later"),
        ("relay_failed", "messages that failed at the relay"),
        ("opened", "messages opened"),
        ("clicked", "messages clicked"),
    ):
        count = partial(_total, event=cast("Event", event))
        opens = event in ("opened", "clicked")
        yield Measure(event, count, "messages", f"number of {meaning}", needs_engagement=opens)


MEASURES: Final[Mapping[str, Measure]] = {
    measure.name: measure for measure in (*_of_a_run(), *_of_delays(), *_of_limits(), *_of_counts())
}
"""The measures by name."""

OF_A_RUN: Final = ("point", "replication", "seed", "error", "wall_s", "cpu_s")
"""Columns of the table of runs that are neither parameters nor measures."""
RESERVED: Final = (*OF_A_RUN, *MEASURES)
DEFAULT_MEASURES: Final = (*(f"accepted_{pct}_pct_s" for pct in ACCEPTED_PCT), "truth_pct")
