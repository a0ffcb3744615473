"""The chart of a delivery: Delivered % and Bounces + errors % over time, a line per mode.

Without EFS, Delivered % starts at 100 and sinks by a few percent; with EFS it climbs to the same
few percent from 0. On one axis from 0 to 100 the sinking could not be read, so a panel between
the two shows the top of Delivered % magnified.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from sendcap.charts.expiry import ExpirySpan, expiry_spans
from sendcap.charts.figures import EDGE_IN, HEADLINE_PT, headline, panels_for
from sendcap.charts.labels import EndLabel, label_ends
from sendcap.charts.marks import draw_marks, run_marks
from sendcap.charts.style import GREY, MODE_LOOKS, SHADE, house_style
from sendcap.charts.timeaxis import (
    Scale,
    Start,
    elapsed_axis,
    room_below_in,
    scale_for,
    start_of,
    time_label,
)
from sendcap.readings.kpis import Figures, figures
from sendcap.readings.modes import ALL_DELIVERIES, MODES, Mode, one_of
from sendcap.text.quantities import counted

if TYPE_CHECKING:
    from datetime import datetime

    from matplotlib.axes import Axes

    from sendcap.readings.kpis import Percentages
    from sendcap.run import Run

    Lines = dict[Mode, Percentages]

_MAGNIFY_FROM_PCT: Final = 50.0
"""Delivered % is magnified if all that is told about it lies above this."""
_CLIMB_PT: Final = 1.0
"""Where all lines climb from 0, about a third of so many points of it are magnified."""
_ROOM_AFTER: Final = 1.3
"""The time axis ends at this multiple of the last change."""


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
        A line for each; the scenario's ``reporting.modes`` by default.
    delivery
        A delivery's name, or ``"*"`` for all of them together.
    ax
        Draw on these: for Delivered % and Bounces + errors %, or for Delivered %, Delivered %
        magnified and Bounces + errors %, from top to bottom; or divide one pair of axes into
        panels. By default a new figure gets them, which is not attached to pyplot, the magnified
        one if there is something to magnify.
    scale, start
        Of the time axis; see `sendcap.charts.timeaxis.elapsed_axis`. By default the scale suits
        the deliveries: it is linear where one of them starts late. ``start`` may be the text of
        a moment, such as ``"2026-11-27T09:00"``, or ``"scenario"`` for the scenario's own.

    Returns
    -------
    list of Axes
        The panels, from top to bottom.

    Raises
    ------
    SendcapError
        If there is no such mode, delivery or moment.
    """
    names = tuple(
        one_of("mode", mode, MODES)
        for mode in dict.fromkeys(run.scenario.reporting.modes if modes is None else modes)
    )
    denominator = run.scenario.reporting.denominator
    readings = {mode: figures(run.readings, mode, delivery, denominator) for mode in names}
    spans = expiry_spans(run, delivery)
    began = start_of(start, run.scenario)
    with house_style():
        first_s, last_s = _limits_s(readings, spans, run)
        its_scale = scale_for(scale, run.scenario, last_s)
        shares = {mode: its.delivered_pct for mode, its in readings.items()}
        failures = {mode: its.bounces_errors_pct for mode, its in readings.items()}
        magnified = _magnified_range(shares)
        heights = [1.0, 1.0] if magnified is None else [1.25, 1.0, 1.0]
        axes = panels_for(ax, heights, lambda: _new_axes(run, delivery, heights, began))
        top, bottom = axes[0], axes[-1]
        time_s = run.ledger.edges_s
        for panel in axes:
            elapsed_axis(panel, first_s if its_scale == "log" else 0.0, last_s, its_scale, began)
            panel.tick_params(labelbottom=panel is bottom)

        top.set_ylim(0, 104)
        top.set_yticks(range(0, 101, 20))
        top.set_title("Delivered %")
        _draw_lines(top, time_s, shares)
        if len(axes) > 2:
            low, high = magnified or (0.0, 104.0)
            axes[1].set_ylim(low, high)
            axes[1].set_title("Delivered %, magnified")
            axes[1].set_facecolor(SHADE)
            _draw_lines(axes[1], time_s, shares)
        highest = max((_highest(values) for values in failures.values()), default=0.0)
        bottom.set_ylim(0, 1.12 * highest if highest > 0 else 1.0)
        bottom.set_title("Bounces + errors %")
        _draw_lines(bottom, time_s, failures)
        bottom.set_xlabel(time_label(run.scenario, its_scale, began, last_s), loc="left")
        draw_marks(axes, run_marks(run, delivery))
        return axes


def _limits_s(
    readings: dict[Mode, Figures], spans: list[ExpirySpan], run: Run
) -> tuple[float, float]:
    """Return when there is first something to see and when the last of it has happened.

    Opens and clicks go on long after the last status has changed; they are not in this chart.
    """
    import numpy as np

    end_s = run.ledger.end_s
    first, last = end_s, 0.0
    for its in readings.values():
        # Expected counts need not be whole, and fade away.
        counts = np.rint([its.sent, its.failed, its.relayed])
        changes = np.flatnonzero(np.diff(counts).any(axis=0))
        if len(changes):
            first = min(first, float(its.time_s[changes[0] + 1]))
            last = max(last, float(its.time_s[changes[-1] + 1]))
    last = max([last, *(span.last_s for span in spans if span.last_s <= end_s)])
    first = min(first, last) or run.ledger.bin_s
    # The cliff at the end of validity is often the last change: leave some room behind it, unless
    # what comes then was cut off.
    room = _ROOM_AFTER if run.scenario.time.horizon is None else 1.0
    return first, max(room * last, 2 * first)


def _magnified_range(shares: Lines) -> tuple[float, float] | None:
    """Return the range of Delivered % to magnify, or ``None`` if that would tell no more."""
    import numpy as np

    told = []
    for values in shares.values():
        values = values[~np.isnan(values)]
        if len(values):
            lowest = float(values.min())
            # Of a line that climbs from 0 only its end is in the range.
            told += [lowest if lowest >= _MAGNIFY_FROM_PCT else float(values[-1])]
            told += [float(values.max())]
    if not told or min(told) < _MAGNIFY_FROM_PCT or max(told) - min(told) < 1e-9:
        return None
    span = max(told) - min(told)
    if all(np.nanmin(values) < _MAGNIFY_FROM_PCT for values in shares.values()):
        # Of lines that all climb, the last of the climb, too.
        span = max(span, _CLIMB_PT)
    # More below, so that the end of a climb can be seen.
    return min(told) - 0.35 * span, max(told) + 0.06 * span


def _highest(values: Percentages) -> float:
    import numpy as np

    return 0.0 if np.isnan(values).all() else float(np.nanmax(values))


def _new_axes(
    run: Run, delivery: str, heights: Sequence[float], began: datetime | None
) -> list[Axes]:
    from matplotlib.figure import Figure

    below = room_below_in(began)
    figure = Figure(figsize=(10.0, 2.6 * len(heights) + below - room_below_in(None)))
    height = figure.get_figheight()
    # The right margin holds the labels, the top the title; the rest is set in inches as well, so
    # that two panels look like three.
    figure.subplots_adjust(
        left=0.06, right=0.815, top=1 - 0.95 / height, bottom=below / height, hspace=0.28
    )
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    panels = [figure.add_subplot(grid[row, 0]) for row in range(len(heights))]
    title = headline(run.scenario.title, "", 9.4 - EDGE_IN) or "Delivered messages"
    figure.text(
        0.06,
        1 - 0.2 / height,
        title,
        fontsize=HEADLINE_PT,
        fontweight="bold",
        verticalalignment="top",
    )
    which = None if delivery == ALL_DELIVERIES else delivery
    what = f"{counted(run.ledger.messages(delivery=which), 'message')} to deliver"
    if which is not None:
        what = f"{which}: {what}"
    elif len(run.ledger.deliveries) > 1:
        what += f" in {len(run.ledger.deliveries)} deliveries"
    figure.text(0.06, 1 - 0.48 / height, what, color=GREY, verticalalignment="top")
    return panels


def _draw_lines(panel: Axes, time_s: Percentages, lines: Lines) -> None:
    import numpy as np

    ends = []
    # After the run nothing changes any more.
    held_s = np.append(time_s, max(time_s[-1], panel.get_xlim()[1]))
    for mode in sorted(lines, key=lambda name: -MODE_LOOKS[name].width):
        look = MODE_LOOKS[mode]
        panel.plot(held_s, np.append(lines[mode], lines[mode][-1]), **look.keywords())
        told = lines[mode][~np.isnan(lines[mode])]
        if len(told):
            ends.append(EndLabel(f"{look.label}  {told[-1]:.2f} %", float(told[-1]), look.colour))
    label_ends(panel, ends)
