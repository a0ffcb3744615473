"""The chart of a delivery: Delivered % and Bounces + errors % over time, a line per mode.

Without EFS, Delivered % starts at 100 and sinks by a few percent; with EFS it climbs to the same
few percent from 0. On one axis from 0 to 100 the sinking could not be read, so a panel between
the two shows the top of Delivered % magnified.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.axes import Floats, percent_axis
from sendcap.charts.figures import Heading, panels_on
from sendcap.charts.labels import EndLabel, label_ends
from sendcap.charts.marks import draw_marks, expiry_spans, run_marks
from sendcap.charts.providers import delivery_of
from sendcap.charts.style import MODE_LOOKS, SHADE, house_style
from sendcap.charts.ticks import Scale
from sendcap.charts.timeaxis import Start, room_after, time_axis
from sendcap.readings.kpis import Figures
from sendcap.readings.modes import ALL_DELIVERIES, MODES, Mode, one_of
from sendcap.text.quantities import counted

if TYPE_CHECKING:
    from sendcap.run import Run

Lines = dict[Mode, Floats]

MAGNIFY_FROM_PCT: Final = 50.0
"""Delivered % is magnified if all of it, but for climbs, lies above this."""
_CLIMB_PT: Final = 1.0
"""Where all lines climb from 0, about a third of so many points of it are magnified."""


@house_style()
def delivered(
    run: Run,
    modes: Iterable[Mode] | None = None,
    delivery: str = ALL_DELIVERIES,
    ax: Axes | Sequence[Axes] | None = None,
    *,
    scale: Scale | None = None,
    start: Start = None,
) -> list[Axes]:
    """Draw Delivered % and Bounces + errors % over time.

    Parameters
    ----------
    modes
        A line for each (default: the scenario's ``reporting.modes``).
    delivery
        A delivery's name, or ``"*"`` for all of them together.
    ax
        Draw on these: for Delivered % and Bounces + errors %, or for Delivered %, Delivered %
        magnified and Bounces + errors %, from top to bottom; or divide one pair of axes into
        panels. By default a new figure gets them, the magnified one if there is something to
        magnify.
    scale
        ``"log"``, ``"symlog"`` (linear for 15 minutes) or ``"linear"``. By default it suits the
        deliveries: linear where one of them starts late.
    start
        Label the time by the clock, from this moment on: a datetime, a text such as
        ``"2026-11-27T09:00"``, or ``"scenario"`` for the scenario's own start.

    Returns
    -------
    list of Axes
        The panels, from top to bottom.

    Raises
    ------
    SendcapError
        If there is no such mode, delivery or moment.
    """
    names = modes_of(run, modes)
    denominator = run.scenario.reporting.denominator
    figures = {mode: run.readings.figures(mode, delivery, denominator) for mode in names}
    time = time_axis(run.scenario, _limits_s(figures.values(), run, delivery), scale, start)
    shares = {mode: figures[mode].delivered_pct for mode in names}
    failures = {mode: figures[mode].bounces_errors_pct for mode in names}
    magnified = _magnified_range(shares)
    panels = panels_on(
        ax,
        _heading(run, delivery),
        [1.6, 1.6] if magnified is None else [1.95, 1.55, 1.55],
        right_in=1.85,
        below_in=time.below_in,
    )
    time.on(panels)
    top, bottom = panels[0], panels[-1]
    percent_axis(top)
    top.set_title("Delivered %")
    _draw_lines(top, run, shares)
    if len(panels) > 2:
        panels[1].set_ylim(*(magnified or (0.0, 104.0)))
        panels[1].set_title("Delivered %, magnified")
        panels[1].set_facecolor(SHADE)
        _draw_lines(panels[1], run, shares)
    highest = max((float(np.nanmax(pct, initial=0.0)) for pct in failures.values()), default=0.0)
    bottom.set_ylim(0, 1.12 * highest if highest > 0 else 1.0)
    bottom.set_title("Bounces + errors %")
    _draw_lines(bottom, run, failures)
    draw_marks(panels, run_marks(run, delivery))
    return panels


def modes_of(run: Run, modes: Iterable[Mode] | None) -> tuple[Mode, ...]:
    """Return the modes to draw, each once (default: the scenario's)."""
    chosen = run.scenario.reporting.modes if modes is None else modes
    return tuple(one_of("mode", mode, MODES) for mode in dict.fromkeys(chosen))


def _heading(run: Run, delivery: str) -> Heading:
    title = run.scenario.title
    messages = run.ledger.messages(delivery=delivery_of(run.ledger, delivery))
    words = f"{counted(messages, 'message')} to deliver"
    count = len(run.ledger.deliveries)
    if delivery != ALL_DELIVERIES:
        words = f"{delivery}: {words}"
    elif count > 1:
        words += f" in {count} deliveries"
    return Heading(title, "" if title else "delivered messages", words)


def _limits_s(figures: Iterable[Figures], run: Run, delivery: str) -> tuple[float, float]:
    """Return when there is first something to see and when the last of it has happened.

    Opens and clicks go on long after the last status has changed; they are not in this chart.
    """
    end_s = run.ledger.end_s
    first, last = end_s, 0.0
    for each in figures:
        # Expected counts need not be whole, and fade away.
        counts = np.rint([each.sent, each.failed, each.relayed])
        changes = np.flatnonzero(np.diff(counts).any(axis=0))
        if len(changes):
            first = min(first, float(each.time_s[changes[0] + 1]))
            last = max(last, float(each.time_s[changes[-1] + 1]))
    spans = expiry_spans(run, delivery)
    last = max([last, *(span.last_s for span in spans if span.last_s <= end_s)])
    first = min(first, last) or run.ledger.bin_s
    # The cliff at the end of validity is often the last change: leave some room behind it.
    return first, max(room_after(run.scenario) * last, 2 * first)


def _magnified_range(shares: Lines) -> tuple[float, float] | None:
    """Return the range of Delivered % to magnify, or ``None`` if that would show no more."""
    shown = []
    for values in shares.values():
        values = values[~np.isnan(values)]
        if len(values):
            lowest = float(values.min())
            # Of a line that climbs from 0 only the end is in the range.
            shown += [lowest if lowest >= MAGNIFY_FROM_PCT else float(values[-1])]
            shown += [float(values.max())]
    if not shown or min(shown) < MAGNIFY_FROM_PCT or max(shown) - min(shown) < 1e-9:
        return None
    span = max(shown) - min(shown)
    if all(np.nanmin(values) < MAGNIFY_FROM_PCT for values in shares.values()):
        # Of lines that all climb, the last of the climb, too.
        span = max(span, _CLIMB_PT)
    # More below, so that the end of a climb can be seen.
    return min(shown) - 0.35 * span, max(shown) + 0.06 * span


def _draw_lines(panel: Axes, run: Run, lines: Lines) -> None:
    ends = []
    time_s = run.ledger.edges_s
    # After the run nothing changes any more.
    held_s = np.append(time_s, max(time_s[-1], panel.get_xlim()[1]))
    for mode in sorted(lines, key=lambda name: -MODE_LOOKS[name].width):
        look, values = MODE_LOOKS[mode], lines[mode]
        panel.plot(held_s, np.append(values, values[-1]), **look.keywords())
        known = values[~np.isnan(values)]
        if len(known):
            end = float(known[-1])
            ends.append(EndLabel(f"{look.label}  {end:.2f} %", end, look.colour))
    label_ends(panel, ends)
