"""The chart of the levers: how much sooner a delivery is through with one unit more of each."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from sendcap.charts.figures import headed_figure, left_of_rows
from sendcap.charts.style import GREY, INK, house_style
from sendcap.charts.timeaxis import elapsed_axis
from sendcap.readings.bottleneck import called
from sendcap.text.quantities import elapsed
from sendcap.text.quoting import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sendcap.study.capacity.searches.levers import Gain, Levers

_COLOUR: Final = "#3f90da"
_HEIGHT: Final = 0.5
"""Of a bar, in rows."""
_ROOM: Final = 1.03
_LONGEST_CHANGE: Final = 58
_NOTHING: Final = 0.001
"""A gain of less than this share of the time is none."""
_RIGHT: Final = 0.66
"""Where the axes end, as a share of the figure's width; the labels follow."""


def levers_chart(found: Levers, title: str = "", ax: Axes | None = None) -> Axes:
    """Draw what one unit of each lever gains, what gains most on top.

    Parameters
    ----------
    found
        The levers.
    title
        The scenario's.
    ax
        Draw on these. By default a new figure gets them, which is not attached to pyplot.

    Returns
    -------
    Axes
        Those on which it is drawn.
    """
    with house_style():
        rows = list(reversed(found.gains))
        axes = _new_axes(found, title) if ax is None else ax
        last_s = max([_ROOM * its.gain_s.high for its in rows] + [found.takes_s.mean / 1000.0])
        elapsed_axis(axes, 0.0, last_s, "linear")
        axes.set_xlabel("time saved", loc="left")
        for row, its in enumerate(rows):
            _draw(axes, row, its, found)
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_yticks(range(len(rows)), [its.lever for its in rows])
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        return axes


def _draw(axes: Axes, row: int, its: Gain, found: Levers) -> None:
    gain = its.gain_s
    colour = _COLOUR if gain.low > 0.0 else GREY
    # Less than nothing is chance, or rare: it is told in words.
    width_s, low_s, high_s = (max(value, 0.0) for value in (gain.mean, gain.low, gain.high))
    axes.barh([row], [width_s], height=_HEIGHT, color=colour, alpha=0.85, linewidth=0)
    axes.hlines([row], low_s, high_s, color=INK, linewidth=1.0)
    axes.vlines([low_s, high_s], row - 0.12, row + 0.12, color=INK, linewidth=1.0)
    change = textwrap.shorten(its.change, _LONGEST_CHANGE, placeholder=" …")
    lines = (
        (_gained(its, found), 0.27, colour, 9.0, "bold"),
        (until(its), 0.0, INK, 7.5, "normal"),
        (change, -0.25, GREY, 7.5, "normal"),
    )
    for text, above, its_colour, size, weight in lines:
        axes.annotate(
            text,
            xy=(1.015, row + above),
            xycoords=("axes fraction", "data"),
            color=its_colour,
            fontsize=size,
            fontweight=weight,
            verticalalignment="center",
            annotation_clip=False,
        )


def _gained(its: Gain, found: Levers) -> str:
    gain = its.gain_s
    if gain.low > 0.0:
        return f"{elapsed(gain.mean)} ({100.0 * gain.mean / found.takes_s.mean:.1f} %)"
    if gain.high < 0.0 and -gain.mean > _NOTHING * found.takes_s.mean:
        return f"costs {elapsed(-gain.mean)}"
    if gain.high < _NOTHING * found.takes_s.mean:
        return "nothing"
    return f"nothing that is certain, at most {elapsed(gain.high)}"


def until(its: Gain) -> str:
    """Write how far a lever helps.

    Examples
    --------
    >>> from sendcap.study.replication.estimates import Estimate
    >>> from sendcap.study.capacity.searches.levers import Gain
    >>> until(Gain("one more IP", "1 → 2", Estimate(5.0, 4.0, 6.0, 3), 0, None))
    'leaves the bottleneck as it is'
    """
    if its.helps_until is None:
        return "however many, the bottleneck stays where it is"
    if its.then is None:
        return "leaves the bottleneck as it is"
    then = shortened(called(its.then.kind, its.then.name))
    return f"up to {its.helps_until} of them, then {then} holds up"


def _new_axes(found: Levers, title: str) -> Axes:
    rows = len(found.gains)
    its = found.bottleneck
    holding = "nothing" if its is None else shortened(called(its.kind, its.name))
    told = (
        f"How much sooner {100.0 * found.share:g} % of the messages are accepted with one more of "
        f"each. As it is, they take {elapsed(found.takes_s.mean)}, and {holding} "
        f"holds them up. The black lines are {100.0 * found.confidence:g} % confidence intervals."
    )
    figure, top = headed_figure(title, "What to buy first", told, 0.75 + 0.55 * rows)
    height = figure.get_figheight()
    left = left_of_rows([its.lever for its in found.gains])
    return figure.add_axes((left, 0.5 / height, _RIGHT - left, top - 0.6 / height))
