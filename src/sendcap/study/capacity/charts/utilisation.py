"""The chart of the utilisation: how much of each stage is in use over time, a row for each."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.axes import name_rows, write_beside
from sendcap.charts.figures import Heading, left_of_rows, panels_on
from sendcap.charts.marks import draw_marks, stage_marks
from sendcap.charts.style import GREY, GRID, Look, house_style
from sendcap.charts.timeaxis import Start
from sendcap.study.capacity.charts.stages import (
    bars,
    colour,
    name,
    shown_are,
    stage_time,
    used_most,
)
from sendcap.study.capacity.limits import Limits

_MOST: Final = 24
_HEIGHT: Final = 0.78
"""Of a row whose stage is all in use."""
_NOT_AT_WORK: Final = " Connections that wait for a rate do not count."
"""For a limit by connections, which such ones hold."""
_ABOVE: Final = 0.45
"""Rows' worth of room for the label of a mark."""


@house_style()
def utilisation(limits: Limits, ax: Axes | None = None, *, start: Start = None) -> Axes:
    """Draw which share of each stage is in use over time.

    That is the share of its workers or connections that are at work, or of what its rate lets
    through that goes, whichever is more.

    For the options see `sendcap.charts`.
    """
    time = stage_time(limits, start)
    waiting = _NOT_AT_WORK if any(stage.stage.kind == "limit" for stage in limits.observed) else ""
    stages = used_most(limits, _MOST)[::-1]
    names = [name(stage) for stage in stages]
    words = (
        "How much of each stage is in use: of its workers or connections, or of what its rate lets "
        "through. A dotted line is 100 %; the figure on the right is the mean until 99 % of the "
        f"stage's messages had been carried.{waiting} {limits.sentence}"
        f"{shown_are(limits, len(stages))}"
    )
    (axes,) = panels_on(
        ax,
        Heading(limits.scenario.title, "utilisation", words),
        [0.1 + 0.42 * len(stages)],
        left_in=left_of_rows(names),
        right_in=1.2,
        above_in=0.1,
        below_in=time.below_in - 0.1,
    )
    time.on([axes])
    count = int((limits.observed[0].edges_s[:-1] < time.last_s).sum())
    edges_s = limits.observed[0].edges_s[: count + 1]
    for row, stage in enumerate(stages):
        look: Look = {"color": colour(stage, limits)}
        top = row + _HEIGHT
        axes.hlines([top], 0.0, time.last_s, color=GRID, linewidth=0.8, linestyle=":", zorder=0.5)
        used = row + _HEIGHT * np.nan_to_num(stage.utilisation[:count])
        bar_edges_s, used = bars(edges_s, used)
        axes.stairs(used, bar_edges_s, baseline=row, fill=True, alpha=0.85, **look)
        axes.hlines([row], 0.0, time.last_s, color=GREY, linewidth=0.8)
        mean = f"{100 * stage.mean_utilisation:.0f} % in use"
        write_beside(axes, row + 0.5 * _HEIGHT, mean, fontweight="bold", **look)
    marks = stage_marks(limits.scenario)
    labels = sum(1 for mark in marks if mark.label and 0.0 < mark.first_s <= time.last_s)
    axes.set_ylim(0, len(stages) + _ABOVE * labels)
    name_rows(axes, names, 0.5 * _HEIGHT)
    axes.spines["left"].set_visible(False)
    draw_marks([axes], marks, at_top=True)
    return axes
