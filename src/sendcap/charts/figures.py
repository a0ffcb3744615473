"""A figure with a title, a few words on how to read it, and panels one above the other."""

from __future__ import annotations

import bisect
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from sendcap.charts.style import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEADLINE_PT: Final = 13.0
LEFT: Final = 0.08
"""Where a chart begins, as a share of the figure's width."""
_WIDTH_IN: Final = 10.0
_LETTERS: Final = 124
"""Letters on a line of the words below a title."""
_LETTER: Final = 0.0076
"""About the width of a letter of a row's name, as a share of the figure's width."""
EDGE_IN: Final = 0.1
"""Between a headline and the edge of the figure, in inches."""
_GAP_IN: Final = 0.42
"""Between panels that share one place, in inches: room for a title."""
_LINE_IN: Final = 0.19
"""Height of a line of the words below the title, in inches."""


def headline(title: str, what: str, room_in: float) -> str:
    """Return a title and what is shown of it; the title is shortened until both have room.

    To be called in the house style.

    Parameters
    ----------
    title
        The scenario's; may be empty.
    what
        Never shortened; empty if the title says all.
    room_in
        As wide as the text may be, in inches.
    """
    text = " ".join(title.split())

    def shortened(letters: int) -> str:
        short = textwrap.shorten(text, letters, placeholder=" …" if letters > 2 else "")
        return f"{short}: {what}" if short and what else short

    def is_too_wide(letters: int) -> bool:
        return _width_in(shortened(letters)) > room_in

    # More letters are never narrower.
    letters = bisect.bisect(range(1, len(text) + 1), x=False, key=is_too_wide)
    return (letters and shortened(letters)) or f"{what[:1].upper()}{what[1:]}"


def _width_in(text: str) -> float:
    """Return the width of a headline in inches: the sum of its letters' advance widths."""
    from matplotlib.font_manager import FontProperties, findfont, get_font
    from matplotlib.ft2font import LoadFlags

    font = get_font(findfont(FontProperties(family="DejaVu Sans", weight="bold")))
    font.set_size(HEADLINE_PT, 72.0)
    glyphs = (
        font.load_glyph(font.get_char_index(ord(letter)), flags=LoadFlags.NO_HINTING)
        for letter in text
    )
    return sum(glyph.linearHoriAdvance for glyph in glyphs) / 65536.0 / 72.0


def stacked_panels(
    title: str,
    what: str,
    words: Sequence[str],
    heights_in: Sequence[float],
    *,
    width_in: float = 10.0,
    left_in: float = 0.75,
    right_in: float = 2.0,
    gap_in: float = 0.55,
    below_in: float = 0.55,
) -> tuple[Figure, list[Axes]]:
    """Return a new figure and its panels, from top to bottom.

    Parameters
    ----------
    title, what
        The scenario's title and what is shown of it; see `headline`.
    words
        Lines below the title.
    heights_in
        Of the panels, in inches. So are the margins; the right one holds labels, the one below
        those of the axis.
    """
    from matplotlib.figure import Figure

    top_in = 0.62 + _LINE_IN * len(words) + 0.3
    height_in = top_in + sum(heights_in) + gap_in * (len(heights_in) - 1) + below_in
    figure = Figure(figsize=(width_in, height_in))
    left = left_in / width_in
    panels = []
    at_in = height_in - top_in
    for panel_in in heights_in:
        at_in -= panel_in
        width = 1.0 - left - right_in / width_in
        panels.append(figure.add_axes((left, at_in / height_in, width, panel_in / height_in)))
        at_in -= gap_in
    figure.text(
        left,
        1.0 - 0.2 / height_in,
        headline(title, what, width_in - left_in - EDGE_IN),
        fontsize=HEADLINE_PT,
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


def side_by_side(ax: Axes, columns: int, gap: float = 0.08) -> list[Axes]:
    """Divide a pair of axes into panels from left to right.

    Parameters
    ----------
    gap
        Between two panels, as a share of the whole width.
    """
    ax.set_axis_off()
    width = (1.0 - gap * (columns - 1)) / columns
    return [ax.inset_axes((number * (width + gap), 0.0, width, 1.0)) for number in range(columns)]


def left_of_rows(names: Sequence[str]) -> float:
    """Return where axes begin whose rows have these names, as a share of the figure's width."""
    return max(LEFT + 0.065, 0.02 + _LETTER * max(map(len, names)))


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
    figure = Figure(figsize=(_WIDTH_IN, height + above))
    whole = figure.get_figheight()
    figure.text(
        LEFT,
        1 - 0.16 / whole,
        headline(title, f"{what[0].lower()}{what[1:]}", (1.0 - LEFT) * _WIDTH_IN - EDGE_IN),
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
