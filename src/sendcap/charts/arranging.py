"""Positions for the labels of vertical lines: where they hide the least of a chart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.text import Annotation
from matplotlib.transforms import BboxBase

from sendcap.charts.style import figure_of

LABEL_PT: Final = 8.5
"""Size of a label."""
PAD_PT: Final = 1.5
AWAY_PT: Final = 5.0
"""Between a line and the label."""
_DOT_PT: Final = 4.0
"""Around the middle of a dot, belonging to it."""
_ROWS: Final = 40
_Side = Literal["right", "left"]
"""Of a label, the one that the line is on."""


class Box(NamedTuple):
    """A rectangle in pixels."""

    x0: float
    y0: float
    x1: float
    y1: float

    @classmethod
    def of(cls, extent: BboxBase) -> Box:
        """Return the box of an extent of matplotlib's, whose ends are computed on each access."""
        return cls(extent.x0, extent.y0, extent.x1, extent.y1)

    def overlaps(self, other: Box) -> bool:
        """Tell whether the two have a common part."""
        across = self.x0 < other.x1 and other.x0 < self.x1
        return across and self.y0 < other.y1 and other.y0 < self.y1

    def within(self, other: Box) -> bool:
        """Tell whether all of this box is part of the other."""
        across = other.x0 <= self.x0 and self.x1 <= other.x1
        return across and other.y0 <= self.y0 and self.y1 <= other.y1


def boxes(axes: Axes) -> list[Box]:
    """Return the boxes of the dots and words on a pair of axes."""
    away = _DOT_PT * figure_of(axes).dpi / 72
    dots = []
    for line in axes.lines:
        points = np.asarray(line.get_xydata(), dtype=float)
        if len(points) == 1 and np.isfinite(points).all():
            x, y = axes.transData.transform(points[0])
            dots.append(Box(x - away, y - away, x + away, y + away))
    return dots + [Box.of(text.get_window_extent()) for text in axes.texts if text.get_text()]


def arrange(
    axes: Axes, labels: Sequence[Annotation], taken: Sequence[Box], *, at_top: bool
) -> None:
    """Move each label to where it hides least, of such positions the lowest, or the highest."""
    pixels = figure_of(axes).dpi / 72
    panel = Box.of(axes.get_window_extent())
    curves = list(_curves(axes))
    lines = [float(axes.transData.transform((label.xy[0], 0.0))[0]) for label in labels]
    placed: list[Box] = []
    for label, line in zip(labels, lines, strict=True):
        size = label.get_window_extent()
        positions = []
        for row, side in product(range(_ROWS), get_args(_Side)):
            up = AWAY_PT + 0.5 * LABEL_PT * row
            if at_top:
                up = (panel.y1 - panel.y0 - size.height) / pixels - up
            box = _box(line, panel.y0 + up * pixels, size.width, size.height, side, pixels)
            blocked = not box.within(panel) or any(map(box.overlaps, placed))
            hidden = (
                1000.0 * blocked
                + 10.0 * sum(_crosses(box, curve) for curve in curves)
                + 20.0 * sum(map(box.overlaps, taken))
                + sum(box.x0 < other < box.x1 for other in lines)
                + 0.01 * row
            )
            positions.append((hidden, box, side, up))
        _, box, side, up = min(positions, key=lambda position: position[0])
        placed.append(box)
        label.set_horizontalalignment(side)
        label.set_position((-AWAY_PT if side == "right" else AWAY_PT, up))


def _box(line: float, y: float, width: float, height: float, side: _Side, pixels: float) -> Box:
    """Return the box of a label at a line."""
    pad, away = PAD_PT * pixels, AWAY_PT * pixels
    x = line - away - width if side == "right" else line + away
    return Box(x - pad, y - pad, x + width + pad, y + height + pad)


def _curves(axes: Axes) -> Iterator[npt.NDArray[np.float64]]:
    """Yield the data's lines in pixels, as arrays of shape (2, points)."""
    low_s, high_s = axes.get_xlim()
    for line in axes.lines:
        points = np.asarray(line.get_xydata(), dtype=float)
        shown = (points[:, 0] >= low_s) & (points[:, 0] <= high_s) & ~np.isnan(points[:, 1])
        # Marks have two points, one above the other.
        if np.ptp(points[:, 0]) > 0 and shown.any():
            yield axes.transData.transform(points[shown]).T


def _crosses(box: Box, curve: npt.NDArray[np.float64]) -> bool:
    x, y = curve
    if box.x1 < x[0] or x[-1] < box.x0:
        return False
    ends = np.interp([box.x0, box.x1], x, y)
    inside = np.append(y[(box.x0 < x) & (x < box.x1)], ends)
    return bool(inside.min() < box.y1 and box.y0 < inside.max())
