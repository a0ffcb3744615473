"""Panels of distributions: shares of values up to a time, of data and of a model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from sendcap.charts.style import GREY
from sendcap.charts.timeaxis import elapsed_axis, tick_label

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Floats = npt.NDArray[np.float64]

DATA: Final = "#9aa0a6"
_ROOM: Final = 0.17
"""The least distance between ticks, as a share of the axis."""
_TICKS_S: Final = (
    *(1.0, 60.0, 3600.0, 86_400.0, 0.1, 600.0, 10.0, 21_600.0, 0.01, 604_800.0),
    *(0.5, 0.2, 300.0, 1800.0, 10_800.0, 43_200.0, 172_800.0, 30.0, 5.0, 2.0),
    *(0.05, 0.02, 120.0, 1200.0, 7200.0, 0.3, 0.4, 0.6, 0.8, 3.0, 900.0, 1500.0, 0.001),
)
"""Where ticks may be, the most telling first."""


def frame(figure: Figure, title: str, words: str) -> None:
    """Write the title above a figure, and how to read it below."""
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=13)
    figure.supxlabel(words, x=0.01, ha="left", fontsize=8.5, color=GREY)


def empty(panel: Axes, text: str) -> None:
    """Write words in place of a panel."""
    panel.set_xticks([])
    panel.set_yticks([])
    panel.grid(visible=False)
    for spine in panel.spines.values():
        spine.set_visible(False)
    panel.text(0.5, 0.5, text, transform=panel.transAxes, ha="center", va="center", color=GREY)


def small_axis(panel: Axes, low_s: float, high_s: float) -> None:
    """Make the x axis a logarithmic one of elapsed time; a small panel has room for few labels."""
    high_s = max(high_s, 1.5 * low_s)
    elapsed_axis(panel, low_s, high_s)
    room = _ROOM * math.log(high_s / low_s)
    kept: list[float] = []
    for tick in _TICKS_S:
        if low_s <= tick <= high_s and all(abs(math.log(tick / its)) >= room for its in kept):
            kept.append(tick)
    panel.set_xticks(kept, [tick_label(tick) for tick in kept])


def steps(
    panel: Axes,
    at_s: Floats,
    upto: Floats,
    end_s: float,
    colour: str,
    width: float,
    alpha: float = 1.0,
) -> None:
    """Draw the share of values up to each time, to the end of the axis."""
    import numpy as np

    first_s = panel.get_xlim()[0]
    times_s = np.concatenate(([first_s], np.maximum(at_s, first_s), [max(end_s, at_s[-1])]))
    shares = np.concatenate(([0.0], upto, [upto[-1]]))
    panel.step(
        times_s, shares, where="post", color=colour, linewidth=width, alpha=alpha,
        solid_capstyle="butt",
    )  # fmt: skip


def shares_axis(panel: Axes) -> None:
    """Make the y axis one of shares."""
    panel.set_ylim(0.0, 1.02)
    panel.set_yticks([0.0, 0.5, 1.0], ["0", "50 %", "100 %"])
