"""Positions for the labels of vertical lines: where they hide the least of a chart."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final, Literal, get_args

import numpy as np
from matplotlib.axes import Axes
from matplotlib.path import Path
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox, BboxBase

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


def boxes(axes: Axes) -> list[BboxBase]:
    """Return the boxes of the dots and words on a pair of axes, in pixels."""
    away = _DOT_PT * figure_of(axes).dpi / 72
    dots: list[BboxBase] = []
    for line in axes.lines:
        points = np.asarray(line.get_xydata(), dtype=float)
        if len(points) == 1 and np.isfinite(points).all():
            middle = axes.transData.transform(points[0])
            dots.append(Bbox([middle - away, middle + away]))
    return dots + [text.get_window_extent() for text in axes.texts if text.get_text()]


def arrange(
    axes: Axes, labels: Sequence[Annotation], taken: Sequence[BboxBase], *, at_top: bool
) -> None:
    """Move each label to where it hides least, of such positions the lowest, or the highest."""
    pixels = figure_of(axes).dpi / 72
    panel = axes.get_window_extent()
    curves = list(_curves(axes))
    lines = np.array([axes.transData.transform((label.xy[0], 0.0))[0] for label in labels])
    placed: list[BboxBase] = []
    for label, line in zip(labels, lines, strict=True):
        size = label.get_window_extent()
        positions = []
        for row, side in product(range(_ROWS), get_args(_Side)):
            up = AWAY_PT + 0.5 * LABEL_PT * row
            if at_top:
                up = (panel.height - size.height) / pixels - up
            x = line + AWAY_PT * pixels if side == "left" else line - AWAY_PT * pixels - size.width
            box = Bbox.from_bounds(x, panel.y0 + up * pixels, size.width, size.height)
            box = box.padded(PAD_PT * pixels)
            x0, y0, x1, y1 = box.extents
            inside = panel.x0 <= x0 and x1 <= panel.x1 and panel.y0 <= y0 and y1 <= panel.y1
            hidden = (
                1000.0 * (not inside or box.count_overlaps(placed) > 0)
                + 10.0 * sum(curve.intersects_bbox(box, filled=False) for curve in curves)
                + 20.0 * box.count_overlaps(taken)
                + int(((x0 < lines) & (lines < x1)).sum())
                + 0.01 * row
            )
            positions.append((hidden, box, side, up))
        _, box, side, up = min(positions, key=lambda position: position[0])
        placed.append(box)
        label.set_horizontalalignment(side)
        label.set_position((-AWAY_PT if side == "right" else AWAY_PT, up))


def _curves(axes: Axes) -> Iterator[Path]:
    """Yield the data's lines in pixels."""
    low_s, high_s = axes.get_xlim()
    for line in axes.lines:
        points = np.asarray(line.get_xydata(), dtype=float)
        shown = (points[:, 0] >= low_s) & (points[:, 0] <= high_s) & ~np.isnan(points[:, 1])
        # Marks have two points, one above the other.
        if np.ptp(points[:, 0]) > 0 and shown.any():
            yield Path(axes.transData.transform(points[shown]))
