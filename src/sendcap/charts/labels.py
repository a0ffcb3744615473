"""Direct labels: the names of lines at their ends, moved apart where they would overlap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE_HEIGHT: Final = 1.35
"""Least distance between labels, as a multiple of the font's size."""


class EndLabel(NamedTuple):
    """A label, where its line ends and its colour."""

    text: str
    y: float
    colour: str


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return places at least ``gap`` apart, in the same order and near the given ones.

    Places that collide become one block, centred on their mean; blocks that collide are merged.
    The result stays within ``low`` and ``high`` if it fits; otherwise the gaps shrink evenly.

    Examples
    --------
    >>> spread([5.0, 5.0, 20.0], gap=2.0, low=0.0, high=20.0)
    [4.0, 6.0, 20.0]
    """
    if len(places) > 1:
        gap = min(gap, (high - low) / (len(places) - 1))
    order = sorted(range(len(places)), key=lambda number: (places[number], number))
    blocks: list[tuple[float, list[int]]] = []
    for number in order:
        block = [number]
        lowest = _lowest(places, block, gap, low, high)
        while blocks and lowest < blocks[-1][0] + gap * len(blocks[-1][1]):
            block = [*blocks.pop()[1], *block]
            lowest = _lowest(places, block, gap, low, high)
        blocks.append((lowest, block))
    result = [0.0] * len(places)
    for lowest, block in blocks:
        for position, number in enumerate(block):
            result[number] = lowest + gap * position
    return result


def _lowest(
    places: Sequence[float], block: list[int], gap: float, low: float, high: float
) -> float:
    """Return where a block's lowest member belongs."""
    height = gap * (len(block) - 1)
    centre = sum(places[number] for number in block) / len(block)
    return max(low, min(centre - height / 2, high - height))


def label_ends(axes: Axes, labels: Sequence[EndLabel], size: float = 8.5) -> None:
    """Write labels in the right margin, each tied to its line's end by a thin leader.

    The axes must have their final limits and place on the figure. A line whose end has no value
    gets no label: there is nothing to tie it to.
    """
    labels = [label for label in labels if not math.isnan(label.y)]
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ValueError("the axes are not on a figure")
    box = axes.get_window_extent()
    points = 72 / figure.dpi
    right = axes.get_xlim()[1]
    ends = [float(axes.transData.transform((right, label.y))[1]) for label in labels]
    # A line that leaves the axes is labelled at the edge it leaves by.
    ends = [min(max(end, box.y0), box.y1) for end in ends]
    places = spread(ends, _LINE_HEIGHT * size / points, box.y0, box.y1)
    for label, end, place in zip(labels, ends, places, strict=True):
        axes.annotate(
            label.text,
            xy=(1.0, (end - box.y0) / box.height),
            xycoords="axes fraction",
            xytext=(14, (place - end) * points),
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
