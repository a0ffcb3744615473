"""The calendar of a programme: when each delivery waits, is relayed, is accepted and settles."""

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

import pandas as pd

from sendcap.charts.drawing import Drawable
from sendcap.errors import SendcapError
from sendcap.files.directory import Contents
from sendcap.model.engine import Progress, simulate_ledger
from sendcap.run import Run
from sendcap.scenario import Scenario
from sendcap.scenario.clock import moment_s
from sendcap.scenario.files import SCENARIO, scenario_of
from sendcap.study.calendar.deadline import Verdict, in_question, verdicts
from sendcap.study.calendar.rows import deliveries_table
from sendcap.study.calendar.slots import Slot, slots_of
from sendcap.study.capacity.limits import Limits
from sendcap.study.replication.estimates import require_confidence, require_count
from sendcap.study.replication.replicate import DEFAULT_REPLICATIONS
from sendcap.study.replication.workers import Simulations, Workers
from sendcap.text.clock import after
from sendcap.text.tables import Table

_CALENDAR, _DEADLINE = "calendar.csv", "deadline.csv"
CALENDAR_OF_A_SCENARIO: Final = Contents(
    "what sendcap calendar has saved",
    frozenset({_CALENDAR, SCENARIO}),
    frozenset({SCENARIO, _CALENDAR, _DEADLINE, "calendar.png"}),
)


@dataclass(frozen=True)
class Calendar(Drawable):
    """A programme as a calendar.

    Attributes
    ----------
    scenario
        The scenario, seed included.
    share
        Share of a delivery's deliverable messages that counts as all.
    slots
        The times of each delivery, in the order of their starts.
    run
        The simulation that they are of, without opens and clicks.
    deadline_s
        The deadline in seconds from t = 0; None without one.
    verdicts
        For each delivery whose messages are ready before the deadline, whether it holds.
    """

    scenario: Scenario
    share: float
    slots: tuple[Slot, ...]
    run: Run = field(repr=False)
    deadline_s: float | None = None
    verdicts: tuple[Verdict, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return the times, a row for each delivery.

        Columns delivery, parent, messages, planned_s, asked_s, confirmed_s, gives_up_s, starts_s,
        relayed_s, stopped_s, accepted_50_pct_s, accepted_90_pct_s, accepted_s, settled_s (seconds
        from t = 0; infinite for what never comes), delivered_pct (in the end), held_up_by (the
        stage where its messages wait the longest, empty where none do), held_up_s (the longest wait
        there), beside (the deliveries that use the relay or a queue at the same time, with commas),
        and by the clock of ``start`` starts_clock_time and accepted_clock_time; None without one.
        """
        rows = [
            {
                **asdict(slot),
                "beside": ", ".join(slot.beside),
                "starts_clock_time": self._clock_time(slot.starts_s),
                "accepted_clock_time": self._clock_time(slot.accepted_s),
            }
            for slot in self.slots
        ]
        return pd.DataFrame(rows)

    def _tables(self) -> Iterator[Table]:
        yield deliveries_table(self)

    def _clock_time(self, seconds: float) -> str | None:
        if self.scenario.start is None or seconds == math.inf:
            return None
        moment = after(self.scenario.start, round(seconds))
        return moment.replace(tzinfo=None).isoformat(" ")

    @property
    def left_out(self) -> tuple[str, ...]:
        """Deliveries about which there is no verdict: they are not all ready by the deadline."""
        judged = {verdict.delivery for verdict in self.verdicts}
        names = [each.name for each in self.scenario.deliveries if each.name not in judged]
        return tuple(names) if self.verdicts else ()

    def deadlines(self) -> pd.DataFrame:
        """Return whether each delivery meets the deadline.

        Columns delivery, holds, replications (numbers), low and high (the interval of the
        probability), accepted_median_s, accepted_90_pct_s (over the replications, in seconds from
        t = 0), remedies (text), probability.
        """
        rows = [
            {
                **asdict(each),
                "probability": each.probability,
                "remedies": "; ".join(remedy.in_full for remedy in each.remedies),
            }
            for each in self.verdicts
        ]
        return pd.DataFrame(rows)

    def write(self, folder: Path) -> None:
        """Write the scenario, the tables and the chart into a directory that exists."""
        deadlines = {_DEADLINE: self.deadlines()} if self.verdicts else {}
        self._write(folder, {SCENARIO: self.scenario, _CALENDAR: self.table(), **deadlines})


def calendar(
    scenario: Scenario | str | os.PathLike[str],
    deadline: float | str | None = None,
    *,
    share: float = 0.99,
    replications: int = DEFAULT_REPLICATIONS,
    confidence: float = 0.95,
    workers: int | Workers | None = None,
    progress: Callable[[int], None] | None = None,
    seen: Callable[[Progress], None] | None = None,
) -> Calendar:
    """Return a programme as a calendar: when each delivery waits, is relayed, and is accepted.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file or the name of a preset.
    deadline
        Moment by which deliveries have to be accepted: seconds, a duration from t = 0, or with
        ``start`` by the clock, such as ``"Fri 12:00"``. The programme is then simulated
        many times; for each delivery that is late in some of them remedies are tried. Deliveries
        whose messages are not all ready by then are left out.
    share
        Share of a delivery's deliverable messages that has to be accepted.
    replications
        Number of simulations for the deadline.
    confidence
        Confidence level of the interval of a probability.
    workers
        Worker processes (default: one per CPU); results do not depend on it.
    progress
        Called with the number of simulations for the deadline so far.
    seen
        Called with the progress of the simulation of the calendar itself.

    Raises
    ------
    SendcapError
        If an argument is invalid, or the scenario is not valid.
    """
    scenario = scenario_of(scenario)
    if not 0.0 < share <= 1.0:
        raise SendcapError(f"share: must be above 0 and at most 1, such as 0.99, not {share!r}")
    require_confidence(confidence)
    require_count(replications)
    deadline_s = None if deadline is None else moment_s(deadline, scenario.start, "deadline")
    silent = scenario.without_engagement
    run = Run(silent, simulate_ledger(silent, progress=seen))
    found = replace(calendar_of(run, share), scenario=scenario)
    if deadline_s is None:
        return found
    if not in_question(scenario, deadline_s):
        raise SendcapError("deadline: no delivery is ready before it; give a later moment")
    with Workers.of(workers) as team:
        judged = verdicts(
            scenario, deadline_s, share, replications, confidence, Simulations(team, progress)
        )
        return replace(found, deadline_s=deadline_s, verdicts=tuple(judged))


def calendar_of(run: Run, share: float = 0.99, limits: Limits | None = None) -> Calendar:
    """Return the calendar of a run, whose limits may be known."""
    return Calendar(run.scenario, share, tuple(slots_of(run, share, limits)), run)
