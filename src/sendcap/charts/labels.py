"""Words beside a chart: the names of lines at their ends, and lists of colours."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from sendcap.charts.figures import height_in, width_in
from sendcap.charts.narrow import Named, is_narrow, name_below
from sendcap.charts.style import GREY, figure_of

_LINE_HEIGHT: Final = 1.35
"""Least distance between labels, as a multiple of the font's size."""
_NAME_PT: Final = 8.5
_NAME_LINE_PT: Final = 12.5
"""From one line of a list to the next."""
_BESIDE_AXIS_IN: Final = 0.35
WHITE: Final = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85}
"""The box behind words that stand on data."""


class EndLabel(NamedTuple):
    """A label at the end of a line."""

    text: str
    y: float
    colour: str


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return positions at least ``gap`` apart, in the same order and near the given ones.

    Positions that collide become one block, centred on their mean; blocks that collide are merged.
    The result stays within ``low`` and ``high`` if it fits; otherwise the gaps shrink evenly.

    >>> spread([5.0, 5.0, 20.0], gap=2.0, low=0.0, high=20.0)
    [4.0, 6.0, 20.0]
    """
    if len(positions) > 1:
        gap = min(gap, (high - low) / (len(positions) - 1))

    def lowest(block: list[int]) -> float:
        """Return where a block's lowest member belongs."""
        height = gap * (len(block) - 1)
        centre = sum(positions[index] for index in block) / len(block)
        return max(low, min(centre - height / 2, high - height))

    blocks: list[list[int]] = []
    for index in sorted(range(len(positions)), key=lambda index: (positions[index], index)):
        block = [index]
        while blocks and lowest(block) < lowest(blocks[-1]) + gap * len(blocks[-1]):
            block = [*blocks.pop(), *block]
        blocks.append(block)
    result = [0.0] * len(positions)
    for block in blocks:
        for order, index in enumerate(block):
            result[index] = lowest(block) + gap * order
    return result


def label_ends(axes: Axes, labels: Sequence[EndLabel], size: float = _NAME_PT) -> None:
    """Write labels in the right margin, each tied to the line's end by a thin leader.

    Those of a narrow figure are its legend. The axes must have their final limits and position on
    the figure. A line whose end has no value gets no label: there is nothing to tie it to.
    """
    labels = [label for label in labels if not math.isnan(label.y)]
    if is_narrow():
        name_below(axes.get_title(loc="left"), [Named(each.colour, each.text) for each in labels])
        return
    box = axes.get_window_extent()
    points = 72 / figure_of(axes).dpi
    right = axes.get_xlim()[1]
    ends = [float(axes.transData.transform((right, label.y))[1]) for label in labels]
    # A line that leaves the axes is labelled at the edge it leaves by.
    ends = [min(max(end, box.y0), box.y1) for end in ends]
    positions = spread(ends, _LINE_HEIGHT * size / points, box.y0, box.y1)
    for label, end, position in zip(labels, ends, positions, strict=True):
        axes.annotate(
            label.text,
            xy=(1.0, (end - box.y0) / box.height),
            xycoords="axes fraction",
            xytext=(14, (position - end) * points),
            textcoords="offset points",
            color=label.colour,
            fontsize=size,
            fontweight="bold",
            verticalalignment="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": label.colour,
                "linewidth": 0.7,
                "shrinkA": 1.0,
                "shrinkB": 1.0,
                "relpos": (0.0, 0.5),
            },
        )


def names_in(names: int, lines: int = 1) -> float:
    """Return the height that a panel needs for a list beside it; it goes on beside the axis below.

    Each name has so many lines, in inches.
    """
    return names * (lines + 0.5) * _NAME_LINE_PT / 72 - _BESIDE_AXIS_IN


def name_beside(axes: Axes, names: Sequence[Named], top: float = 0.97, left: float = 1.025) -> None:
    """Write a list into the right margin, from the top down; that of a narrow figure is its legend.

    The axes must have their final position on the figure.
    """
    if is_narrow():
        name_below(axes.get_title(loc="left"), names)
        return
    line = _NAME_LINE_PT / (72 * height_in(axes))
    box_width = 9.0 / (72 * width_in(axes))
    position = top
    for name in names:
        axes.add_patch(
            Rectangle(
                (left, position - 0.75 * line),
                box_width,
                0.75 * line,
                transform=axes.transAxes,
                color=name.colour,
                clip_on=False,
                linewidth=0,
            )
        )
        rows = [(name.label, "bold"), *((text, "normal") for text in name.words.splitlines())]
        for row, (text, weight) in enumerate(rows):
            axes.annotate(
                text,
                xy=(left, position - row * line),
                xycoords="axes fraction",
                xytext=(14.0, 0.0),
                textcoords="offset points",
                fontsize=_NAME_PT,
                fontweight=weight,
                color=GREY if row else None,
                verticalalignment="top",
                annotation_clip=False,
            )
        position -= (len(rows) + 0.5) * line
