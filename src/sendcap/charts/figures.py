"""The one figure maker: a headline, words on how to read the chart, and panels below.

Measures are inches; a new figure is 10 inches wide, or narrow.
"""

import bisect
import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, Self

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import LoadFlags

from sendcap.charts import narrow
from sendcap.charts.style import GREY, figure_of
from sendcap.readings.modes import ALL_DELIVERIES

WIDTH_IN: Final = 10.0
LEFT_IN: Final = 0.8
"""Where headings begin, and panels without long names beside them."""
EDGE_IN: Final = 0.1
"""Between a headline and the edge of the figure."""
_HEADLINE_PT: Final = 13.0
_LETTERS: Final = 124
"""Letters on a line of the words below a headline."""
_FEWEST_LETTERS: Final = 5
"""Of a title that is cut, and the sign for that."""
_LINE_IN: Final = 0.17
_LETTER_IN: Final = 0.076
"""About the width of a letter of a row's name."""

Box = tuple[float, float, float, float]


class Heading(NamedTuple):
    """The headline of a figure and the words below it."""

    title: str  # the scenario's or the study's; shortened where it has no room
    what: str  # what the chart shows, without a capital
    words: str = ""  # how to read it; long lines are wrapped

    def of(self, delivery: str) -> Self:
        """Return the heading of one delivery's chart: the words begin with the name."""
        if delivery == ALL_DELIVERIES:
            return self
        return self._replace(words=f"{delivery}: {self.words[0].lower()}{self.words[1:]}")


def panels_on(
    ax: Axes | Sequence[Axes] | None,
    heading: Heading,
    heights_in: Sequence[float],
    *,
    columns: Sequence[int] = (),
    most: int | None = None,
    left_in: float = LEFT_IN,
    right_in: float = 2.6,
    above_in: float = 0.3,
    gap_in: float = 0.45,
    across_in: float = 0.9,
    below_in: float = 0.6,
) -> list[Axes]:
    """Return the panels to draw on, row by row; to be called in the house style.

    Axes that the caller gives are the panels; a single pair is divided where several panels are
    needed. A new figure gets a heading and rows of these heights, each of as many ``columns`` (one
    by default), ``most`` panels in all. The margins hold labels, ``above_in`` a panel's title;
    beside the panels of a narrow figure there are none.
    """
    divisions = tuple(columns) or (1,) * len(heights_in)
    gaps = (gap_in, across_in)
    if ax is None:
        whole_in = WIDTH_IN
        if narrow.is_narrow():
            whole_in, right_in = narrow.WIDTH_IN, narrow.RIGHT_IN
            left_in, below_in = min(left_in, narrow.LEFT_IN), below_in + narrow.LINE_IN
        width = whole_in - left_in - right_in
        height = sum(heights_in) + gap_in * (len(heights_in) - 1)
        figure = _headed(heading, whole_in, above_in + height + below_in)
        whole = figure.get_figheight()
        boxes = list(_boxes(heights_in, divisions, gaps, width, height))[:most]
        return [
            figure.add_axes(
                (
                    (left_in + x * width) / whole_in,
                    (below_in + y * height) / whole,
                    w * width / whole_in,
                    h * height / whole,
                )
            )
            for x, y, w, h in boxes
        ]
    if not isinstance(ax, Axes):
        return list(ax)
    if sum(divisions) == 1:
        return [ax]
    ax.set_axis_off()
    boxes = list(_boxes(heights_in, divisions, gaps, width_in(ax), height_in(ax)))[:most]
    return [ax.inset_axes(box) for box in boxes]


def _boxes(
    heights_in: Sequence[float],
    divisions: Sequence[int],
    gaps_in: tuple[float, float],
    width_in: float,
    height_in: float,
) -> Iterator[Box]:
    """Yield the boxes of panels, row by row, as shares of all their room."""
    gap_in, across_in = gaps_in
    unit = (height_in - gap_in * (len(heights_in) - 1)) / sum(heights_in)
    top_in = height_in
    for row_in, count in zip(heights_in, divisions, strict=True):
        top_in -= unit * row_in
        panel_in = (width_in - across_in * (count - 1)) / count
        for column in range(count):
            x = column * (panel_in + across_in) / width_in
            yield x, top_in / height_in, panel_in / width_in, unit * row_in / height_in
        top_in -= gap_in


def _headed(heading: Heading, width_in: float, room_in: float) -> Figure:
    """Return a figure with a heading above some room."""
    words = unbroken(heading.words).splitlines()
    left_in = narrow.LEFT_IN if narrow.is_narrow() else LEFT_IN
    letters = narrow.LETTERS if narrow.is_narrow() else _LETTERS
    lines = [line for each in words for line in textwrap.wrap(each, letters)]
    text = "\n".join(lines).replace("\u00a0", " ")
    figure = Figure(figsize=(width_in, room_in + 0.55 + _LINE_IN * len(lines)))
    # A canvas that stays keeps what it has measured; without it each word is measured anew.
    FigureCanvasAgg(figure)
    whole_in = figure.get_figheight()
    figure.text(
        left_in / width_in,
        1.0 - 0.16 / whole_in,
        headline(heading.title, heading.what, width_in - left_in - EDGE_IN),
        fontsize=_HEADLINE_PT,
        fontweight="bold",
        verticalalignment="top",
    )
    figure.text(
        left_in / width_in,
        1.0 - 0.45 / whole_in,
        text,
        color=GREY,
        verticalalignment="top",
        linespacing=1.3,
    )
    return figure


def unbroken(text: str) -> str:
    """Keep a time together, and a number and its percent sign, at the end of a line."""
    return re.sub(r"(?<=\d[dhm]) (?=\d)| (?=%)", "\u00a0", text)


def headline(title: str, what: str, room_in: float) -> str:
    """Return a title and what is shown of it; the title is shortened until both have room.

    To be called in the house style. What is shown is never shortened.
    """
    text = " ".join(title.split())

    def shortened(letters: int) -> str:
        short = cut(text, letters)
        return f"{short}: {what}" if short and what else short

    def is_too_wide(letters: int) -> bool:
        return text_in(shortened(letters), _HEADLINE_PT, "bold") > room_in

    letters = len(text)
    if is_too_wide(letters):
        # More letters are never narrower.
        letters = bisect.bisect(range(1, letters), x=False, key=is_too_wide)
    return (letters and shortened(letters)) or f"{what[:1].upper()}{what[1:]}"


def cut(text: str, letters: int) -> str:
    """Return the beginning of a text: whole words, or letters where those are less than half.

    Nothing is left where it would be no more than three letters.

    >>> cut("Autumn clearance", 16), cut("Autumn clearance", 12), cut("Autumnclearance", 12)
    ('Autumn clearance', 'Autumn …', 'Autumnclear…')
    """
    if len(text) <= letters:
        return text
    if letters < _FEWEST_LETTERS:
        return ""
    words = textwrap.shorten(text, letters, placeholder=" …")
    return words if len(words) > letters / 2 else f"{text[: letters - 1].rstrip()}…"


def cut_within(text: str, letters: int) -> str:
    """Return a text without what is too much before its end, which tells parts apart.

    >>> cut_within("Autumn clearance for all wave 2", 24)
    'Autumn … all wave 2'
    """
    end = text[-letters // 2 :] if len(text) > letters else ""
    end = end.partition(" ")[2] or end
    return f"{cut(text, letters - len(end) - 1)} {end}" if end else text


def text_in(text: str, size_pt: float, weight: str = "normal") -> float:
    """Return the width of a line of text: the sum of the letters' advance widths."""
    font = get_font(findfont(FontProperties(family="DejaVu Sans", weight=weight)))
    font.set_size(size_pt, 72.0)
    glyphs = (
        font.load_glyph(font.get_char_index(ord(letter)), flags=LoadFlags.NO_HINTING)
        for letter in text
    )
    return sum(glyph.linearHoriAdvance for glyph in glyphs) / 65536.0 / 72.0


def left_of_rows(names: Sequence[str]) -> float:
    """Return where panels begin whose rows have these names; in narrow figures they are above."""
    if narrow.is_narrow():
        return narrow.RIGHT_IN
    return max(LEFT_IN + 0.65, 0.2 + _LETTER_IN * max(map(len, names), default=0))


def rows_in(count: int, each_in: float) -> float:
    """Return the height of some rows, which is more where the names are above them."""
    return count * (each_in + (narrow.LINE_IN if narrow.is_narrow() else 0.0))


def width_in(axes: Axes) -> float:
    """Return the width of a pair of axes."""
    return float(axes.get_window_extent().width / figure_of(axes).dpi)


def height_in(axes: Axes) -> float:
    """Return the height of a pair of axes."""
    return float(axes.get_window_extent().height / figure_of(axes).dpi)
