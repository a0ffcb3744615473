"""The chart of a calendar: a row for each delivery, with what it goes through."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from matplotlib.axes import Axes

from sendcap.charts.axes import name_rows, write_at
from sendcap.charts.figures import Heading, cut_within, left_of_rows, panels_on
from sendcap.charts.labels import name_beside
from sendcap.charts.narrow import Named
from sendcap.charts.style import BLUE, DASHES, INK, ORANGE, SKY, STONE, Look, house_style
from sendcap.charts.timeaxis import TimeAxis
from sendcap.study.calendar.slots import MOST_ROWS
from sendcap.text.shares import share_text

if TYPE_CHECKING:
    from sendcap.study.calendar.calendar import Calendar
    from sendcap.study.calendar.slots import Slot

_LONGEST: Final = 40
"""Letters of a name."""


@house_style()
def calendar(result: Calendar, ax: Axes | None = None) -> Axes:
    """Draw what each delivery goes through, a row for each.

    For the options see `sendcap.charts`.
    """
    rows: dict[str, list[Slot]] = {}
    together = len(result.slots) > MOST_ROWS
    for slot in result.slots:
        rows.setdefault((together and slot.parent) or slot.delivery, []).append(slot)
    names = [cut_within(name, _LONGEST) for name in rows]
    words = (
        f"What each delivery goes through: at the MTA until {share_text(result.share)} of what can "
        "be accepted is, then retried and reported until Delivered % is settled, within 0.1 points."
    )
    (axes,) = panels_on(
        ax,
        Heading(result.scenario.title, "calendar", words),
        [0.3 + 0.34 * len(rows)],
        left_in=left_of_rows(names),
        right_in=2.1,
        above_in=0.12,
        below_in=0.76,
    )
    phases = {slot: _phases(slot) for slot in result.slots}
    ends_s = [begins_s + lasts_s for each in phases.values() for begins_s, lasts_s in each.values()]
    planned_s = [slot.planned_s for slot in result.slots]
    last_s = 1.02 * max(*ends_s, *planned_s, result.deadline_s or 0.0)
    start = result.scenario.start
    TimeAxis(result.scenario, 0.0, last_s, "linear", start).on([axes])
    axes.set_ylim(len(rows) - 0.4, -0.7)
    for number, slots in enumerate(rows.values()):
        for slot in slots:
            for label, (begins_s, lasts_s) in phases[slot].items():
                height = 0.16 if label == _RETRIED else 0.55
                look: Look = {"left": begins_s, "color": _COLOURS[label], "linewidth": 0}
                axes.barh([number], [lasts_s], height=height, **look)
        if len(slots) <= MOST_ROWS:
            planned_s = [slot.planned_s for slot in slots]
            axes.plot(planned_s, [number] * len(slots), "|", color=INK, markersize=11.0)
    if result.deadline_s is not None:
        axes.axvline(result.deadline_s, color=INK, linewidth=1.0, linestyle=DASHES)
        write_at(axes, (result.deadline_s, -0.55), "deadline", (4.0, 0.0), fontsize=8.0)
    name_rows(axes, names)
    used = {label for each in phases.values() for label in each}
    name_beside(axes, [Named(_COLOURS[label], label) for label in _COLOURS if label in used])
    return axes


_TO_BE_CONFIRMED: Final = "to be confirmed"
_RETRIED: Final = "retried, reported"
_COLOURS: Final = {
    _TO_BE_CONFIRMED: ORANGE,
    "relayed": BLUE,
    "at the MTA": SKY,
    _RETRIED: STONE,
}


def _phases(slot: Slot) -> dict[str, tuple[float, float]]:
    """Return where each phase begins, and how long it lasts."""
    # A part may start later than it is confirmed, or than the whole is given up.
    waits_until_s = min(slot.confirmed_s, slot.gives_up_s)
    spans, begins_s = {}, slot.planned_s
    relayed_s = min(slot.relayed_s, slot.stopped_s)
    # Where so many are never accepted, the others expire at the MTA.
    left_s = slot.settled_s if slot.accepted_s == math.inf else slot.accepted_s
    ends_s = [waits_until_s, relayed_s, left_s, slot.settled_s]
    for label, end_s in zip(_COLOURS, ends_s, strict=True):
        if begins_s < end_s < math.inf:
            spans[label] = (begins_s, end_s - begins_s)
            begins_s = end_s
        if label == _TO_BE_CONFIRMED:
            begins_s = slot.starts_s
    return spans
