"""The chart of several runs: Delivered % of each over time, a panel for each mode."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.axes import Floats, percent_axis
from sendcap.charts.delivered import MAGNIFY_FROM_PCT
from sendcap.charts.figures import Heading, panels_on
from sendcap.charts.labels import EndLabel, label_ends
from sendcap.charts.style import MODE_LOOKS, PETROFF, SHADE, house_style
from sendcap.charts.ticks import Scale
from sendcap.charts.timeaxis import TimeAxis, limits_s
from sendcap.errors import SendcapError
from sendcap.readings.modes import Mode
from sendcap.text.quoting import shortened

if TYPE_CHECKING:
    from sendcap.run import Run


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
    time = TimeAxis(scenario, float(first_s.min()), float(last_s.max()), scale, None)
    heading = Heading(
        "", "Delivered %", "What the dashboard shows of each run. A grey panel is magnified."
    )
    panels = panels_on(ax, heading, [2.1] * len(lines))
    time.on(panels, "time since the start")
    for panel, mode in zip(panels, lines, strict=True):
        panel.set_title(f"Delivered %, {MODE_LOOKS[mode].label}")
        _draw(panel, runs, lines[mode], time)
    return panels


def _draw(
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
    if lowest >= MAGNIFY_FROM_PCT:
        room = 0.08 * max(highest - lowest, 0.01)
        panel.set_ylim(lowest - room, highest + room)
        panel.set_facecolor(SHADE)
    else:
        percent_axis(panel)
    label_ends(panel, ends)
