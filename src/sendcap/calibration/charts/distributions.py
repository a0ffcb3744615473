"""Panels of distributions: shares of values up to a time, of data and of a model."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes

from sendcap.calibration.attempts import Floats
from sendcap.charts.axes import say, without_frame
from sendcap.charts.style import Look
from sendcap.charts.timeaxis import elapsed_axis

DATA: Final = "#9aa0a6"
MOST_PROVIDERS: Final = 6
_CLOSEST: Final = 0.17
"""Least distance between ticks, as a share of the axis: a small panel has room for few."""


def empty(panel: Axes, text: str) -> None:
    """Write words in place of a panel."""
    panel.set_xticks([])
    panel.set_yticks([])
    without_frame(panel)
    say(panel, text)


def distribution_axes(panel: Axes, low_s: float, high_s: float) -> None:
    """Make the axes those of a distribution: shares up to a time, which is logarithmic."""
    elapsed_axis(panel, low_s, max(high_s, 1.5 * low_s), closest=_CLOSEST)
    panel.set_ylim(0.0, 1.02)
    panel.set_yticks([0.0, 0.5, 1.0], ["0", "50 %", "100 %"])


def steps(panel: Axes, at_s: Floats, upto: Floats, colour: str, width: float) -> None:
    """Draw the share of values up to each time, to the end of the axis."""
    first_s, end_s = panel.get_xlim()
    times_s = np.concatenate(([first_s], np.maximum(at_s, first_s), [max(end_s, at_s[-1])]))
    shares = np.concatenate(([0.0], upto, [upto[-1]]))
    look: Look = {"linewidth": width, "solid_capstyle": "butt"}
    panel.step(times_s, shares, where="post", color=colour, **look)
