"""What the charts of a delivery's stages share: figure, heading, colours, the axis of time."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sendcap.charts.figures import EDGE_IN, HEADLINE_PT, headline
from sendcap.charts.style import GREY
from sendcap.charts.timeaxis import elapsed_axis, time_label
from sendcap.text.quoting import shortened

if TYPE_CHECKING:
    from datetime import datetime

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sendcap.study.capacity.limits import Limits
    from sendcap.study.capacity.observed import Observed

LEFT: Final = 0.08
_WIDTH: Final = 10.0
_LETTERS: Final = 124
"""Of a heading's line."""
_ROOM_AFTER: Final = 1.05
"""The time axis ends at this multiple of when the last stage has drained."""
_CALM: Final = "#3f90da"
_ACCENT: Final = "#bd1f01"
_LETTER: Final = 0.0076
"""About how wide a letter of a row's name is, as a share of the figure's width."""


def colour(its: Observed, limits: Limits) -> str:
    """Return the colour of a stage: one for that which holds the deliveries up, one for others."""
    return _ACCENT if its.stage.name == limits.bottleneck else _CALM


def name(its: Observed) -> str:
    """Return what a stage is called in a chart."""
    return shortened(its.stage.name) if its.stage.kind == "provider" else f"the {its.stage.name}"


def used_most(limits: Limits, count: int) -> list[Observed]:
    """Return the stages that are used the most, in the order of a message's way.

    The one that holds the deliveries up is always among them.
    """
    by_use = sorted(
        limits.observed,
        key=lambda its: (its.stage.name != limits.bottleneck, -its.mean_utilisation),
    )
    return [its for its in limits.observed if its in by_use[:count]]


def left_of_rows(names: Sequence[str]) -> float:
    """Return where axes begin whose rows have these names, as a share of the figure's width."""
    return max(LEFT + 0.065, 0.02 + _LETTER * max(map(len, names)))


def new_figure(limits: Limits, what: str, told: str, height: float) -> tuple[Figure, float]:
    """Return a figure with a heading; see `headed_figure`."""
    return headed_figure(limits.scenario.title, what, told, height)


def headed_figure(title: str, what: str, told: str, height: float) -> tuple[Figure, float]:
    """Return a figure with a heading, and the top of the room below it, as shares of its height.

    Parameters
    ----------
    title
        The scenario's.
    what
        What the chart shows: the heading, with the title.
    told
        What to read in it, a sentence or two.
    height
        Inches below the heading.
    """
    from matplotlib.figure import Figure

    # A time is not broken at the end of a line.
    lines = textwrap.wrap(re.sub(r"(\d[dhm]) (\d)", "\\1\u00a0\\2", told), _LETTERS)
    above = 0.55 + 0.17 * len(lines)
    figure = Figure(figsize=(_WIDTH, height + above))
    whole = figure.get_figheight()
    figure.text(
        LEFT,
        1 - 0.16 / whole,
        headline(title, f"{what[0].lower()}{what[1:]}", (1.0 - LEFT) * _WIDTH - EDGE_IN),
        fontsize=HEADLINE_PT,
        fontweight="bold",
        verticalalignment="top",
    )
    figure.text(
        LEFT,
        1 - 0.45 / whole,
        "\n".join(lines),
        color=GREY,
        verticalalignment="top",
        linespacing=1.3,
    )
    return figure, 1 - above / whole


def time_axis(
    limits: Limits, panel: Axes, *, labelled: bool = True, began: datetime | None = None
) -> float:
    """Make the x axis one of time, until the last stage has drained; return its end.

    Parameters
    ----------
    began
        The moment on the wall at t = 0, where the time is told by the clock.
    """
    last_s = _ROOM_AFTER * max(limits.drained_at_s, limits.observed[0].bin_s)
    elapsed_axis(panel, 0.0, last_s, "linear", began)
    if labelled:
        panel.set_xlabel(time_label(limits.scenario, "linear", began), loc="left")
    return last_s
