"""Stacked areas, and the list beside them that names each layer and tells a few words about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from sendcap.charts.style import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TOP: Final = 0.97
_SIZE: Final = 8.5
_LINE: Final = 12.5
"""Points from one line to the next."""


class Named(NamedTuple):
    """What a list beside a chart names: a colour, what it stands for and a line on it."""

    colour: str
    label: str
    told: str = ""


def name_beside(axes: Axes, names: Sequence[Named], top: float = _TOP) -> None:
    """Write a list into the right margin, from the top down.

    The axes must have their final place on the figure.
    """
    from matplotlib.patches import Rectangle

    figure = axes.get_figure(root=True)
    if figure is None:
        raise ValueError("the axes are not on a figure")
    line = _LINE / (axes.get_window_extent().height * 72 / figure.dpi)
    box_width = 9.0 / (axes.get_window_extent().width * 72 / figure.dpi)
    place = top
    for name in names:
        axes.add_patch(
            Rectangle(
                (1.025, place - 0.75 * line),
                box_width,
                0.75 * line,
                transform=axes.transAxes,
                color=name.colour,
                clip_on=False,
                linewidth=0,
            )
        )
        rows = [(name.label, "bold")]
        rows += [(text, "normal") for text in name.told.split("\n") if text]
        for row, (text, weight) in enumerate(rows):
            axes.annotate(
                text,
                xy=(1.025, place - row * line),
                xycoords="axes fraction",
                xytext=(14.0, 0.0),
                textcoords="offset points",
                fontsize=_SIZE,
                fontweight=weight,
                color=GREY if row else None,
                verticalalignment="top",
                annotation_clip=False,
            )
        place -= (len(rows) + 0.5) * line
