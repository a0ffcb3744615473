"""A figure with a title, a few words on how to read it, and panels one above the other."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from sendcap.charts.style import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LONGEST_TITLE: Final = 100
_GAP_IN: Final = 0.42
"""Between panels that share one place, in inches: room for a title."""
_LINE_IN: Final = 0.19
"""Height of a line of the words below the title, in inches."""


def stacked_panels(
    title: str,
    words: Sequence[str],
    heights_in: Sequence[float],
    *,
    width_in: float = 10.0,
    left_in: float = 0.75,
    right_in: float = 2.0,
    gap_in: float = 0.55,
) -> tuple[Figure, list[Axes]]:
    """Return a new figure and its panels, from top to bottom.

    Parameters
    ----------
    words
        Lines below the title.
    heights_in
        Of the panels, in inches. So are the margins; the right one holds labels.
    """
    from matplotlib.figure import Figure

    top_in = 0.62 + _LINE_IN * len(words) + 0.3
    bottom_in = 0.55
    height_in = top_in + sum(heights_in) + gap_in * (len(heights_in) - 1) + bottom_in
    figure = Figure(figsize=(width_in, height_in))
    left = left_in / width_in
    panels = []
    below_in = height_in - top_in
    for panel_in in heights_in:
        below_in -= panel_in
        width = 1.0 - left - right_in / width_in
        panels.append(figure.add_axes((left, below_in / height_in, width, panel_in / height_in)))
        below_in -= gap_in
    figure.text(
        left,
        1.0 - 0.2 / height_in,
        textwrap.shorten(title, _LONGEST_TITLE, placeholder=" …"),
        fontsize=13,
        fontweight="bold",
        verticalalignment="top",
    )
    for number, line in enumerate(words):
        figure.text(
            left,
            1.0 - (0.5 + _LINE_IN * number) / height_in,
            line,
            color=GREY,
            verticalalignment="top",
        )
    return figure, panels


def panels_for(
    ax: Axes | Sequence[Axes] | None, heights: Sequence[float], new: Callable[[], list[Axes]]
) -> list[Axes]:
    """Return the panels to draw on, from top to bottom.

    Parameters
    ----------
    ax
        What the caller gave: a panel each; one pair of axes, which is divided into panels; or
        nothing, for a new figure.
    heights
        Of the panels, one to the other, where one pair of axes is divided.
    new
        Makes the panels of a new figure.
    """
    from matplotlib.axes import Axes

    if ax is None:
        return new()
    if not isinstance(ax, Axes):
        return list(ax)
    if len(heights) == 1:
        return [ax]
    figure = ax.get_figure(root=True)
    assert figure is not None
    gap = _GAP_IN * figure.dpi / ax.get_window_extent().height
    unit = (1.0 - gap * (len(heights) - 1)) / sum(heights)
    ax.set_axis_off()
    panels = []
    top = 1.0
    for height in heights:
        panels.append(ax.inset_axes((0.0, top - unit * height, 1.0, unit * height)))
        top -= unit * height + gap
    return panels
