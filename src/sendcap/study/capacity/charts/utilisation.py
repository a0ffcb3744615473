"""The chart of the utilisation: how much of each stage is in use over time, a row for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sendcap.charts.figures import left_of_rows
from sendcap.charts.marks import draw_marks, outage_marks, start_marks
from sendcap.charts.style import GREY, GRID, house_style
from sendcap.charts.timeaxis import Start, room_below_in, start_of
from sendcap.study.capacity.charts.stages import colour, name, new_figure, time_axis, used_most

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sendcap.study.capacity.limits import Limits

_MOST: Final = 24
_HEIGHT: Final = 0.78
"""Of a row whose stage is all in use."""
_ABOVE: Final = 0.45
"""Rows' worth of room for the label of a mark."""


def utilisation(limits: Limits, ax: Axes | None = None, *, start: Start = None) -> Axes:
    """Draw which share of each stage is in use over time.

    That is the share of its workers or connections that are at work, or of what its rate lets
    through that goes, whichever is more.

    Parameters
    ----------
    ax
        Draw on these. By default a new figure gets them, which is not attached to pyplot.
    start
        Tell the time by the clock; see `sendcap.charts.delivered.delivered`.

    Returns
    -------
    Axes
        Those on which it is drawn.
    """
    import numpy as np

    began = start_of(start, limits.scenario)
    with house_style():
        chosen = used_most(limits, _MOST)
        names = [name(its) for its in reversed(chosen)]
        axes = _new_axes(limits, names, room_below_in(began)) if ax is None else ax
        last_s = time_axis(limits, axes, began=began)
        shown = limits.observed[0].edges_s[:-1] < last_s
        edges_s = limits.observed[0].edges_s[: int(shown.sum()) + 1]
        for row, its in enumerate(reversed(chosen)):
            its_colour = colour(its, limits)
            axes.hlines(
                [row + _HEIGHT], 0.0, last_s, color=GRID, linewidth=0.8, linestyle=":", zorder=0.5
            )
            axes.stairs(
                row + _HEIGHT * np.nan_to_num(its.utilisation[shown]),
                edges_s,
                baseline=row,
                fill=True,
                color=its_colour,
                alpha=0.85,
            )
            axes.hlines([row], 0.0, last_s, color=GREY, linewidth=0.8)
            axes.annotate(
                f"{100 * its.mean_utilisation:.0f} % in use",
                xy=(1.015, row + 0.5 * _HEIGHT),
                xycoords=("axes fraction", "data"),
                fontsize=8.5,
                color=its_colour,
                fontweight="bold",
                verticalalignment="center",
                annotation_clip=False,
            )
        marks = [*start_marks(limits.scenario), *outage_marks(limits.scenario)]
        labels = sum(1 for mark in marks if mark.label and 0.0 < mark.first_s <= last_s)
        axes.set_ylim(0, len(chosen) + _ABOVE * labels)
        axes.set_yticks(np.arange(len(chosen)) + 0.5 * _HEIGHT, names)
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        draw_marks([axes], sorted(marks, key=lambda mark: mark.first_s), at_top=True)
        return axes


def _new_axes(limits: Limits, names: Sequence[str], below: float) -> Axes:
    rows = len(names)
    told = (
        "How much of each stage is in use: of its workers or connections, or of what its rate lets "
        "through. A dotted line is 100 %; the figure on the right is the mean until 99 % of the "
        f"stage's messages had been carried. {limits.sentence}"
    )
    if len(limits.observed) > rows:
        told += f" Shown are the {rows} stages that are used the most."
    figure, top = new_figure(limits, "Utilisation", told, 0.2 + below + 0.42 * rows)
    height = figure.get_figheight()
    left = left_of_rows(names)
    return figure.add_axes((left, below / height, 0.88 - left, top - (below + 0.1) / height))
