"""The rows of a calendar in words: moments by the clock, where there is one."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from sendcap.readings.modes import MODE_LABELS
from sendcap.study.calendar.slots import MOST_ROWS, SETTLED_PT, Slot, settled
from sendcap.study.replication.measures import deliverable
from sendcap.text.clock import brief_moment
from sendcap.text.quantities import NOTHING, elapsed
from sendcap.text.shares import percentage, share_text
from sendcap.text.tables import Table

if TYPE_CHECKING:
    from sendcap.study.calendar.calendar import Calendar

HELD_UP_BY: Final = "Held up by"
"""Name of a column."""


def deliveries_table(calendar: Calendar, left_out: Collection[str] = ()) -> Table:
    """Return the times of each delivery as a table, without some of the columns."""
    rows = rows_of(calendar)
    columns = [name for name in rows[0] if name not in left_out]
    if all(row.get("Planned") == NOTHING for row in rows):
        columns.remove("Planned")
    cells = [[row[name] for name in columns] for row in rows]
    return Table("Deliveries", columns, cells, notes_on(calendar, columns))


def rows_of(calendar: Calendar) -> list[dict[str, str]]:
    """Return a row for each delivery, or with many for all repetitions and parts of one."""
    if len(calendar.slots) <= MOST_ROWS:
        return [_row(calendar, slot) for slot in calendar.slots]
    together: dict[str, list[Slot]] = {}
    for slot in calendar.slots:
        together.setdefault(slot.parent or slot.delivery, []).append(slot)
    return [_row_of_several(calendar, name, slots) for name, slots in together.items()]


def notes_on(calendar: Calendar, columns: Sequence[str]) -> list[str]:
    """Return what columns of these rows mean."""
    mode, longest = calendar.scenario.reporting.modes[0], longest_of(calendar)
    meanings = _of_acceptance(calendar) | {
        "Planned": "the time of the scenario, where a confirmation came later",
        "Settled": f"Delivered % {MODE_LABELS[mode]} stays within {SETTLED_PT:g} points of its "
        "final value",
        HELD_UP_BY: "where its messages wait the longest, and how long, by those that wait at the "
        "ends of bins",
        "Beside": "deliveries that use the relay or a queue at the same time",
        longest: "of its repetitions, from the start until so many are accepted",
        "Latest": "the longest time from the planned start to the confirmation",
    }
    return [f"{name}: {meanings[name]}." for name in columns if name in meanings]


def _of_acceptance(calendar: Calendar) -> dict[str, str]:
    """Return what the share of a column is of, where it is not of all that is ever accepted."""
    ledger = calendar.run.ledger
    if deliverable(ledger) <= ledger.total("accepted", clock="happened"):
        return {}
    meaning = "of the messages that could be, with those that expire before their turn"
    return {f"{share_text(calendar.share)} accepted": meaning}


def moments_of(calendar: Calendar, *times_s: float) -> list[str]:
    """Return moments by the clock, with the date where they are more than a week apart."""
    ends_s = [slot.settled_s for slot in calendar.slots if slot.settled_s < math.inf]
    start, within_s = calendar.scenario.start, max(ends_s, default=0.0)
    return [
        NOTHING
        if math.isnan(each)
        else "never"
        if each == math.inf
        else brief_moment(each, start, within_s)
        for each in times_s
    ]


def _row(calendar: Calendar, slot: Slot) -> dict[str, str]:
    times_s = {
        "Planned": math.nan if slot.planned_s == slot.starts_s else slot.planned_s,
        "Starts": slot.starts_s,
        "Relayed": slot.relayed_s,
        "50 % accepted": slot.accepted_50_pct_s,
        "90 % accepted": slot.accepted_90_pct_s,
        f"{share_text(calendar.share)} accepted": slot.accepted_s,
        "Settled": slot.settled_s,
    }
    moments = dict(zip(times_s, moments_of(calendar, *times_s.values()), strict=True))
    if not math.isnan(slot.stopped_s):
        moments["Relayed"] = "stopped"
    return {
        "Delivery": slot.delivery,
        "Messages": f"{slot.messages:,}",
        **moments,
        "Delivered %": percentage(slot.delivered_pct),
        HELD_UP_BY: _held_up_by(slot),
        "Beside": _beside(slot.beside),
    }


def _row_of_several(calendar: Calendar, name: str, slots: Sequence[Slot]) -> dict[str, str]:
    slowest = max(slots, key=lambda slot: slot.takes_s)
    latest = max(slots, key=lambda slot: slot.starts_s - slot.planned_s)
    # One that is never sent has nothing to settle.
    settled_s = [slot.settled_s for slot in slots if slot.settled_s < math.inf]
    first, last = moments_of(calendar, slots[0].starts_s, max(settled_s, default=math.inf))
    late_s = latest.starts_s - latest.planned_s
    return {
        "Delivery": name,
        "Sent": f"{len(slots):,}",
        "Messages": f"{sum(slot.messages for slot in slots):,}",
        "First": first,
        "Settled": last,
        longest_of(calendar): f"{_time(slowest.takes_s)} ({slowest.delivery})",
        "Latest": f"{_time(late_s)} ({latest.delivery})" if late_s > 0.0 else NOTHING,
        "Delivered %": percentage(settled(calendar.run, name)[1]),
        HELD_UP_BY: _held_up_by(max(slots, key=lambda slot: slot.held_up_s)),
    }


def _time(seconds: float) -> str:
    return "never" if seconds == math.inf else elapsed(seconds)


def longest_of(calendar: Calendar) -> str:
    """Return the name of the column of the slowest repetition."""
    return f"Longest to {share_text(calendar.share)}"


def _held_up_by(slot: Slot) -> str:
    return f"{slot.held_up_by}, {elapsed(slot.held_up_s)}" if slot.held_up_by else NOTHING


def _beside(names: Sequence[str]) -> str:
    """Return the first two names, and how many more there are."""
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return (", ".join(names[:2]) or NOTHING) + more
