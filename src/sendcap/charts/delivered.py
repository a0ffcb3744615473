"""The charts of Delivered % over time: of a run, a line per mode, and of several runs together.

Without EFS, Delivered % starts at 100 and sinks by a few percent; with EFS it climbs to the same
few percent from 0. On one axis from 0 to 100 the sinking could not be read, so a panel between
the two shows the top of Delivered % magnified.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.axes import Floats, percent_axis
from sendcap.charts.figures import Heading
from sendcap.charts.labels import EndLabel, label_ends
from sendcap.charts.marks import draw_marks, run_marks
from sendcap.charts.providers import delivery_of
from sendcap.charts.style import MODE_LOOKS, PETROFF, SHADE, house_style
from sendcap.charts.ticks import Scale
from sendcap.charts.timeaxis import Moment, Start, TimeAxis, limits_s, time_axis
from sendcap.errors import SendcapError
from sendcap.readings.modes import ALL_DELIVERIES, Mode, modes_of
from sendcap.text.quantities import counted
from sendcap.text.quoting import shortened

if TYPE_CHECKING:
    from sendcap.run import Run

Lines = dict[Mode, Floats]

_MAGNIFY_FROM_PCT: Final = 50.0
"""Delivered % is magnified if all of it, but for climbs, lies above this."""
_CLIMB_PT: Final = 1.0
"""Where all lines climb from 0, about a third of so many points of it are magnified."""


@house_style()
def delivered(
    run: Run,
    modes: Sequence[Mode] | None = None,
    delivery: str = ALL_DELIVERIES,
    ax: Axes | Sequence[Axes] | None = None,
    *,
    scale: Scale | None = None,
    start: Start = None,
    since: Moment = None,
    until: Moment = None,
) -> list[Axes]:
    """Draw Delivered % and Bounces + errors % over time, a line for each mode.

    A panel between the two magnifies Delivered % if there is something to magnify. Given axes are
    for all three panels, or for two without the magnified one. For the options see
    `sendcap.charts`.
    """
    names = modes_of(run.scenario, modes)
    denominator = run.scenario.reporting.denominator
    figures = {mode: run.readings.figures(mode, delivery, denominator) for mode in names}
    marks = run_marks(run, delivery)
    # Opens and clicks go on long after the last status has changed; they are not in this chart.
    # Expected counts need not be whole, and fade away.
    counts = [np.rint(c) for f in figures.values() for c in (f.sent, f.failed, f.relayed)]
    limits = limits_s(run, counts, marks)
    time = time_axis(run.scenario, limits, scale, start, since, until, by_the_clock=True)
    shares = {mode: figures[mode].delivered_pct for mode in names}
    failures = {mode: figures[mode].bounces_errors_pct for mode in names}
    magnified = _magnified_range(shares)
    panels = time.panels(
        ax,
        _heading(run, delivery),
        [1.6, 1.6] if magnified is None else [1.95, 1.55, 1.55],
        right_in=1.85,
    )
    percent_axis(panels[0])
    panels[0].set_title("Delivered %")
    _draw_lines(panels[0], run, shares)
    if len(panels) > 2:
        panels[1].set_ylim(*(magnified or (0.0, 104.0)))
        panels[1].set_title("Delivered %, magnified")
        panels[1].set_facecolor(SHADE)
        _draw_lines(panels[1], run, shares)
    highest = max((float(np.nanmax(pct, initial=0.0)) for pct in failures.values()), default=0.0)
    panels[-1].set_ylim(0, 1.12 * highest if highest > 0 else 1.0)
    panels[-1].set_title("Bounces + errors %")
    _draw_lines(panels[-1], run, failures)
    draw_marks(panels, marks)
    return panels


def _heading(run: Run, delivery: str) -> Heading:
    title = run.scenario.title
    messages = run.ledger.messages(delivery=delivery_of(run.ledger, delivery))
    words = f"{counted(messages, 'message')} to deliver"
    count = len(run.ledger.written)
    if delivery != ALL_DELIVERIES:
        words = f"{delivery}: {words}"
    elif count > 1:
        words += f" in {count} deliveries"
    return Heading(title, "" if title else "delivered messages", words)


def _magnified_range(shares: Lines) -> tuple[float, float] | None:
    """Return the range of Delivered % to magnify, or ``None`` if that would show no more."""
    shown = []
    for values in shares.values():
        values = values[~np.isnan(values)]
        if len(values):
            lowest = float(values.min())
            # Of a line that climbs from 0 only the end is in the range.
            shown += [lowest if lowest >= _MAGNIFY_FROM_PCT else float(values[-1])]
            shown += [float(values.max())]
    if not shown or min(shown) < _MAGNIFY_FROM_PCT or max(shown) - min(shown) < 1e-9:
        return None
    span = max(shown) - min(shown)
    if all(np.nanmin(values) < _MAGNIFY_FROM_PCT for values in shares.values()):
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


@house_style()
def delivered_together(
    runs: Mapping[str, Run],
    modes: Iterable[Mode] = ("without-efs", "efs"),
    ax: Axes | Sequence[Axes] | None = None,
    *,
    scale: Scale = "symlog",
) -> list[Axes]:
    """Draw Delivered % of one to ten runs, by name, over time: a panel for each mode."""
    if not 1 <= len(runs) <= len(PETROFF):
        raise SendcapError(f"{len(runs)} runs: a chart has room for 1 to {len(PETROFF)} lines")
    lines = {
        mode: {
            name: run.readings.figures(
                mode, denominator=run.scenario.reporting.denominator
            ).delivered_pct
            for name, run in runs.items()
        }
        for mode in modes
    }
    limits = [limits_s(run, [each[name] for each in lines.values()]) for name, run in runs.items()]
    first_s, last_s = np.array(limits).T
    scenario = next(iter(runs.values())).scenario
    time = time_axis(scenario, (float(first_s.min()), float(last_s.max())), scale)
    heading = Heading(
        "", "Delivered %", "What the dashboard shows of each run. A grey panel is magnified."
    )
    panels = time.panels(ax, heading, [2.1] * len(lines), words="time since the start")
    for panel, mode in zip(panels, lines, strict=True):
        panel.set_title(f"Delivered %, {MODE_LOOKS[mode].label}")
        _draw_runs(panel, runs, lines[mode], time)
    return panels


def _draw_runs(
    panel: Axes, runs: Mapping[str, Run], lines: Mapping[str, Floats], time: TimeAxis
) -> None:
    lowest, highest, ends = 100.0, 0.0, []
    for number, (name, run) in enumerate(runs.items()):
        times_s, shown = time.held(run.ledger.edges_s)
        colour, pct = PETROFF[number], lines[name]
        style = "--" if number % 2 else "-"
        panel.plot(times_s, pct[shown], style, color=colour, linewidth=2.0)
        known = pct[~np.isnan(pct)]
        if len(known):
            lowest, highest = min(lowest, float(known.min())), max(highest, float(known.max()))
            end = float(known[-1])
            ends.append(EndLabel(f"{shortened(name)}  {end:.2f} %", end, colour))
    if lowest >= _MAGNIFY_FROM_PCT:
        room = 0.08 * max(highest - lowest, 0.01)
        panel.set_ylim(lowest - room, highest + room)
        panel.set_facecolor(SHADE)
    else:
        percent_axis(panel)
    label_ends(panel, ends)
