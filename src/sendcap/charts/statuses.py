"""The chart of the log's statuses: how many messages are sent, pending and failed over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from sendcap.charts.figures import LEFT, headed_figure, panels_for
from sendcap.charts.layers import Named, name_beside
from sendcap.charts.marks import draw_marks, run_marks
from sendcap.charts.style import INK, MODE_LOOKS, house_style
from sendcap.charts.timeaxis import (
    Scale,
    Start,
    elapsed_axis,
    enough,
    last_change_s,
    room_below_in,
    scale_for,
    start_of,
    time_label,
)
from sendcap.readings.kpis import Figures, figures
from sendcap.readings.modes import ALL_DELIVERIES, MODES, Mode, one_of
from sendcap.text.quantities import elapsed

if TYPE_CHECKING:
    from datetime import datetime

    from matplotlib.axes import Axes

    from sendcap.ledger import Counts
    from sendcap.run import Run

_PANEL_IN: Final = 1.75
_COLOURS: Final = {
    "sent": "#3f90da",
    "pending": "#ffa90e",
    "not relayed yet": "#e3e6ea",
    "failed": "#bd1f01",
}
"""The layers from the bottom up. Failed hang from the top, where few of them can be seen."""


class _Layers(NamedTuple):
    """Messages in each status at each edge, as shares of all to deliver."""

    mode: Mode
    figures: Figures
    shares: dict[str, Counts]


def statuses(
    run: Run,
    modes: Iterable[Mode] | None = None,
    delivery: str = ALL_DELIVERIES,
    ax: Axes | Sequence[Axes] | None = None,
    *,
    scale: Scale | None = None,
    start: Start = None,
) -> list[Axes]:
    """Draw how many messages have each status in Campaign's log over time, stacked.

    Parameters
    ----------
    modes
        A panel for each; the scenario's ``reporting.modes`` by default.
    delivery
        A delivery's name, or ``"*"`` for all of them together.
    ax
        Draw on these, a panel each, or divide one pair of axes into panels. By default a new figure
        gets them, which is not attached to pyplot.
    scale, start
        Of the time axis; see `sendcap.charts.delivered.delivered`.

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
    began = start_of(start, run.scenario)
    layers = [_layers(run, mode, delivery) for mode in names]
    with house_style():
        heights = [1.0] * len(names)
        panels = panels_for(ax, heights, lambda: _new_axes(run, delivery, len(names), began))
        marks = run_marks(run, delivery)
        last_s = last_change_s(run, [its for each in layers for its in each.shares.values()], marks)
        its_scale = scale_for(scale, run.scenario, last_s, "symlog")
        for panel, each in zip(panels, layers, strict=True):
            first_s = run.ledger.bin_s if its_scale == "log" else 0.0
            elapsed_axis(panel, first_s, last_s, its_scale, began)
            panel.tick_params(labelbottom=panel is panels[-1])
            _draw(panel, each, its_scale)
        panels[-1].set_xlabel(time_label(run.scenario, its_scale, began, last_s), loc="left")
        draw_marks(panels, marks)
        return panels


def _layers(run: Run, mode: Mode, delivery: str) -> _Layers:
    its = figures(run.readings, mode, delivery)
    whole = its.to_deliver
    counts = {
        "sent": its.sent,
        "pending": its.pending,
        "not relayed yet": whole - its.sent - its.pending - its.failed,
        "failed": its.failed,
    }
    return _Layers(mode, its, {name: 100.0 * count / whole for name, count in counts.items()})


def _draw(panel: Axes, its: _Layers, scale: Scale) -> None:
    import numpy as np

    first_s, last_s = panel.get_xlim()
    shown = enough(its.figures.time_s, first_s, last_s, scale)
    # After the run nothing changes any more.
    time_s = np.append(its.figures.time_s[shown], last_s)
    below = np.zeros(len(time_s))
    for name, share in its.shares.items():
        above = below + np.append(share[shown], share[shown[-1]])
        panel.fill_between(time_s, below, above, color=_COLOURS[name], linewidth=0)
        below = above
    panel.set_ylim(0.0, 100.0)
    panel.set_yticks(range(0, 101, 25))
    panel.set_ylabel("% of the messages")
    panel.set_title(f"Statuses, {MODE_LOOKS[its.mode].label}")
    panel.grid(visible=False)
    panel.tick_params(axis="both", color=INK)
    name_beside(
        panel,
        [
            Named(_COLOURS[name], name, _told(name, share, its.figures))
            for name, share in reversed(its.shares.items())
            if share.max() > 0.0
        ],
        top=1.0,
    )


def _told(name: str, share: Counts, its: Figures) -> str:
    end = f"{share[-1]:.2f} % in the end" if share[-1] >= 0.005 else ""
    peak = int(share.argmax())
    if name == "sent" or share[peak] - share[-1] < 0.005:
        return end
    when = f"at {elapsed(float(its.time_s[peak]))}" if peak else "at the start"
    return f"at most {share[peak]:.3g} % {when}\n{end}"


def _new_axes(run: Run, delivery: str, count: int, began: datetime | None) -> list[Axes]:
    told = "What Campaign's log says of the messages to deliver: their statuses over time."
    if delivery != ALL_DELIVERIES:
        told = f"{delivery}: {told[0].lower()}{told[1:]}"
    room = 0.15 + room_below_in(began) + _PANEL_IN * count + 0.42 * (count - 1) + 0.25
    figure, top = headed_figure(run.scenario.title, "Sent, pending, failed", told, room)
    height = figure.get_figheight()
    panels = []
    for number in range(count):
        upper = top - (0.3 + number * (_PANEL_IN + 0.42)) / height
        box = (LEFT, upper - _PANEL_IN / height, 0.66, _PANEL_IN / height)
        panels.append(figure.add_axes(box))
    return panels
