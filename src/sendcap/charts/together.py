"""The chart of several runs: Delivered % of each over time, a panel for each mode."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from sendcap.charts.figures import LEFT, headed_figure, panels_for
from sendcap.charts.labels import EndLabel, label_ends
from sendcap.charts.style import MODE_LOOKS, PETROFF, SHADE, house_style
from sendcap.charts.timeaxis import Scale, elapsed_axis, enough, last_change_s, scale_words
from sendcap.errors import SendcapError
from sendcap.readings.kpis import figures
from sendcap.text.quoting import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sendcap.readings.kpis import Percentages
    from sendcap.readings.modes import Mode
    from sendcap.run import Run

_PANEL_IN: Final = 2.1
_MAGNIFY_FROM_PCT: Final = 50.0


def delivered_together(
    runs: Mapping[str, Run],
    modes: Iterable[Mode] = ("without-efs", "efs"),
    ax: Axes | Sequence[Axes] | None = None,
    *,
    scale: Scale = "symlog",
) -> list[Axes]:
    """Draw Delivered % of several runs over time, a line for each, a panel for each mode.

    Parameters
    ----------
    runs
        Runs by what they are called, at most ten.
    modes
        A panel for each.
    ax
        Draw on these, a panel each, or divide one pair of axes into panels. By default a new figure
        gets them, which is not attached to pyplot.
    scale
        Of the time axis.

    Returns
    -------
    list of Axes
        The panels, from top to bottom.

    Raises
    ------
    SendcapError
        If there is no run, or more than ten, or no such mode.
    """
    if not 1 <= len(runs) <= len(PETROFF):
        raise SendcapError(f"{len(runs)} runs: a chart has room for 1 to {len(PETROFF)} lines")
    chosen = tuple(modes)
    lines = {
        mode: {
            name: figures(
                run.ledger, mode, denominator=run.scenario.reporting.denominator
            ).delivered_pct
            for name, run in runs.items()
        }
        for mode in chosen
    }
    with house_style():
        heights = [1.0] * len(chosen)
        panels = panels_for(ax, heights, lambda: _new_axes(len(chosen)))
        last_s = max(
            last_change_s(run, [lines[mode][name] for mode in chosen], ())
            for name, run in runs.items()
        )
        bin_s = min(run.ledger.bin_s for run in runs.values())
        for panel, mode in zip(panels, chosen, strict=True):
            elapsed_axis(panel, bin_s if scale == "log" else 0.0, last_s, scale)
            panel.tick_params(labelbottom=panel is panels[-1])
            _draw(panel, runs, lines[mode], scale)
            panel.set_title(f"Delivered %, {MODE_LOOKS[mode].label}")
        panels[-1].set_xlabel(f"time since the start{scale_words(scale, last_s)}", loc="left")
        return panels


def _draw(
    panel: Axes, runs: Mapping[str, Run], lines: Mapping[str, Percentages], scale: Scale
) -> None:
    import numpy as np

    first_s, last_s = panel.get_xlim()
    lowest, highest, ends = 100.0, 0.0, []
    for number, (name, run) in enumerate(runs.items()):
        shown = enough(run.ledger.edges_s, first_s, last_s, scale)
        pct = lines[name]
        time_s = np.append(run.ledger.edges_s[shown], last_s)
        colour = PETROFF[number]
        style = "-" if number % 2 == 0 else "--"
        drawn = np.append(pct[shown], pct[shown[-1]])
        panel.plot(time_s, drawn, style, color=colour, linewidth=2.0)
        told = pct[~np.isnan(pct)]
        if len(told):
            lowest, highest = min(lowest, float(told.min())), max(highest, float(told.max()))
            ends.append(EndLabel(f"{shortened(name)}  {told[-1]:.2f} %", float(told[-1]), colour))
    if lowest >= _MAGNIFY_FROM_PCT:
        room = 0.08 * max(highest - lowest, 0.01)
        panel.set_ylim(lowest - room, highest + room)
        panel.set_facecolor(SHADE)
    else:
        panel.set_ylim(0.0, 104.0)
        panel.set_yticks(range(0, 101, 20))
    label_ends(panel, ends)


def _new_axes(count: int) -> list[Axes]:
    told = "What the dashboard shows of each run. A grey panel is magnified."
    room = 0.65 + _PANEL_IN * count + 0.42 * (count - 1) + 0.25
    figure, top = headed_figure("", "Delivered %", told, room)
    height = figure.get_figheight()
    panels = []
    for number in range(count):
        upper = top - (0.3 + number * (_PANEL_IN + 0.42)) / height
        box = (LEFT, upper - _PANEL_IN / height, 0.66, _PANEL_IN / height)
        panels.append(figure.add_axes(box))
    return panels
