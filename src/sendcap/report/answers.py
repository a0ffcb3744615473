"""The numbers of a run that matter most to a planner."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

from sendcap.charts.figures import unbroken
from sendcap.readings.bottleneck import behind_s, how_far
from sendcap.readings.convergence import convergence
from sendcap.readings.delays import delay_figures
from sendcap.readings.modes import MODE_LABELS, Mode
from sendcap.readings.summary import totals
from sendcap.run import Run
from sendcap.study.calendar.calendar import Calendar, calendar_of
from sendcap.study.calendar.rows import HELD_UP_BY, notes_on, rows_of
from sendcap.study.capacity.limits import Limits, limits_from_ledger
from sendcap.text.clock import after, dated
from sendcap.text.quantities import NOTHING, counted, elapsed
from sendcap.text.shares import share_text

_LINE: Final = len("Fri 27 Nov 10:00")
_CLOSE_PT, _CLOSER_PT = TOLERANCES_PT = (0.5, 0.1)


class Fact(NamedTuple):
    """A number that matters, with a label and a note."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class Answers:
    """One run of a report."""

    name: str  # no other run has it
    run: Run
    sending_log: Path | None = None

    @cached_property
    def limits(self) -> Limits:
        """The limits of the run, as its ledger shows them."""
        return limits_from_ledger(self.run)

    @cached_property
    def totals(self) -> dict[str, Any]:
        """The totals at the MTA; see `sendcap.Run.summary`."""
        return totals(self.run.ledger)

    @property
    def modes(self) -> list[Mode]:
        """The modes side by side: without EFS and with it, and what else the scenario names."""
        return list(dict.fromkeys(("without-efs", "efs", *self.run.scenario.reporting.modes)))

    @cached_property
    def _settling_s(self) -> dict[Mode, dict[float, float]]:
        return {
            mode: dict(convergence(self.run, mode, tolerances_pt=TOLERANCES_PT).settling_s)
            for mode in self.modes
        }

    @property
    def truth(self) -> str:
        """The share of the messages to deliver that is accepted and not returned, in the end."""
        delivered = self.totals["accepted"] - self.totals["async_bounced"]
        return f"{100.0 * delivered / self.totals['to_deliver']:.2f} %"

    def facts(self) -> list[Fact]:
        """Return the numbers that matter most."""
        messages = counted(self.totals["to_deliver"], "message")
        facts = [self._accepted(), Fact("Delivered in the end", self.truth, f"of {messages}")]
        if self.totals["delay_p95_s"] is not None:
            note = f"for 95 %; {self.delay('p50')} for half, {self.delay('longest')} for the last"
            facts.insert(1, Fact("From ready to accepted", self.delay("p95"), note))
        facts += [self._reliable(mode) for mode in self.modes[:2]]
        slowest = self.limits.slowest
        if slowest is None:
            return [*facts, Fact("Held up by", "nothing", "every stage keeps up")]
        sent = self.run.as_sent
        note = how_far(sent, behind_s(sent, slowest), self.run.ledger)
        return [*facts, Fact("Held up by", slowest.name, note.removeprefix("is "))]

    def _accepted(self) -> Fact:
        """Return when nearly all is accepted; of several deliveries, how long each takes."""
        slots = [] if len(self.run.scenario.deliveries) == 1 else self.calendar.slots
        streams = any(each.spread for each in self.run.as_sent.deliveries)
        taken_s = {slot: slot.takes_s for slot in slots if slot.messages}
        if streams or not taken_s or math.inf in taken_s.values():
            note = f"{self._by_the_clock(99)}half after {self.accepted(50)}"
            return Fact("99 % of all that is ever accepted after", self.accepted(99), note)
        slowest = max(taken_s, key=taken_s.__getitem__)
        share = share_text(self.calendar.share)
        return Fact(
            f"{share} of each delivery accepted within",
            elapsed(taken_s[slowest]),
            f"{slowest.delivery} takes the longest; of all that can be accepted",
        )

    def _reliable(self, mode: Mode) -> Fact:
        """Return from when on Delivered % is close to its end."""
        moments = [self.settles(mode, tolerance_pt) for tolerance_pt in TOLERANCES_PT]
        start, when = self.run.scenario.common_start, "after"
        if start is not None:
            when = "from"
            moments = [
                NOTHING if math.isnan(at_s) else dated(after(start, round(at_s)))
                for at_s in map(self._settling_s[mode].__getitem__, TOLERANCES_PT)
            ]
        close, closer = moments
        return Fact(
            f"Delivered % reliable ({MODE_LABELS[mode]}) {when}",
            closer,
            f"then within {_CLOSER_PT:g} points of its end; within {_CLOSE_PT:g} {when} {close}",
        )

    def accepted(self, pct: int) -> str:
        """Return when a share of the finally accepted messages had been accepted."""
        return _time(self.totals[f"accepted_{pct}_pct_s"])

    def _by_the_clock(self, pct: int) -> str:
        """Return the same by the clock, which several deliveries go by, for the text before."""
        start, at_s = self.run.scenario.common_start, self.totals[f"accepted_{pct}_pct_s"]
        if start is None or at_s is None:
            return ""
        return f"at {dated(after(start, round(at_s)))}; "

    def delay(self, figure: str) -> str:
        """Return a figure of the delays from ready to accepted."""
        return _time(self.totals[f"delay_{figure}_s"])

    def delays(self) -> dict[str, list[str]]:
        """Return the figures of the delays by delivery, where there are several, and provider."""
        ledger = self.run.ledger
        if ledger.delays is None:
            return {}
        rows = {}
        if len(ledger.written) > 1:
            rows = {name: delay_figures(ledger, delivery=name) for name in ledger.written}
        for name in ledger.providers:
            label = f"{name} (provider)" if name in rows else name
            rows[label] = delay_figures(ledger, provider=name)
        rows["all"] = delay_figures(ledger)
        return {name: list(map(_time, figures.values())) for name, figures in rows.items()}

    @cached_property
    def calendar(self) -> Calendar:
        """The calendar of the deliveries."""
        return calendar_of(self.run, limits=self.limits)

    def deliveries(self) -> list[dict[str, str]]:
        """Return the rows of the calendar, where there are several deliveries."""
        if len(self.run.scenario.deliveries) == 1:
            return []
        rows = rows_of(self.calendar)
        planned = any(row.get("Planned", NOTHING) != NOTHING for row in rows)
        # What is sent at the same time the chart shows, and how many messages the settings.
        left_out = {"Beside", "Messages" if planned else "Planned"}
        return [
            # What holds a delivery up may be broken: otherwise the table is wider than a screen.
            {
                key: unbroken(row[key]) if key == HELD_UP_BY else _in_one_line(row[key])
                for key in row
                if key not in left_out
            }
            for row in rows
        ]

    def about_deliveries(self) -> list[str]:
        """Return what the columns of these rows mean."""
        rows = self.deliveries()
        return notes_on(self.calendar, list(rows[0])) if rows else []

    def settles(self, mode: Mode, tolerance_pt: float) -> str:
        """Return the time from which on Delivered % stays within a tolerance of its end."""
        return elapsed(self._settling_s[mode][tolerance_pt])


def _in_one_line(cell: str) -> str:
    """Return a cell that is not broken: a moment, or a short name; after a date it may be."""
    if len(cell) > _LINE:
        return cell
    date, space, time = cell.rpartition(" ")
    whole = date.replace(" ", "\N{NO-BREAK SPACE}")
    return whole + (" " if whole != date else space and "\N{NO-BREAK SPACE}") + time


def _time(seconds: float | None) -> str:
    return NOTHING if seconds is None else elapsed(seconds)


def compared(runs: Sequence[Answers]) -> list[tuple[str, list[str]]]:
    """Return the rows of a table that has a column for each run."""
    rows = [
        ("Messages to deliver", [f"{each.totals['to_deliver']:,}" for each in runs]),
        ("Delivered in the end", [each.truth for each in runs]),
        ("50 % of all that is ever accepted after", [each.accepted(50) for each in runs]),
        ("99 % of all that is ever accepted after", [each.accepted(99) for each in runs]),
        ("95 % take, ready to accepted", [each.delay("p95") for each in runs]),
        ("Longest, ready to accepted", [each.delay("longest") for each in runs]),
        ("Held up by", [each.limits.bottleneck or "nothing" for each in runs]),
    ]
    rows += [
        (
            f"Within {tolerance:g} points {MODE_LABELS[mode]} after",
            [each.settles(mode, tolerance) for each in runs],
        )
        for mode in runs[0].modes[:2]
        for tolerance in TOLERANCES_PT
    ]
    events: Final = (("hard", "Bounced hard"), ("expired", "Expired"))
    return rows + [(label, [f"{each.totals[event]:,}" for each in runs]) for event, label in events]
