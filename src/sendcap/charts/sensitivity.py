"""The chart of a sensitivity: what decides each measure, the most important on top."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from sendcap.charts.style import GREY, INK, house_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sendcap.study.sensitivity import Sensitivity

_TOTAL: Final = "#a9cdf5"
_FIRST: Final = "#3f90da"
_MOST_PANELS: Final = 6
_COLUMNS: Final = 2
_PANEL_INCHES: Final = 4.8
_ROW_INCHES: Final = 0.34
_HEAD_INCHES: Final = 1.1
_HEIGHT: Final = 0.62


def sensitivity_chart(found: Sensitivity, title: str = "") -> Figure:
    """Draw the indices of each measure, a panel each; those of six measures at most.

    Parameters
    ----------
    found
        The sensitivity.
    title
        The study's.

    Returns
    -------
    Figure
        The figure on which it is drawn, not attached to pyplot.
    """
    from matplotlib.figure import Figure

    with house_style():
        panels = list(found.indices.groupby("measure", sort=False))[:_MOST_PANELS]
        columns = min(len(panels), _COLUMNS)
        rows = math.ceil(len(panels) / columns)
        height = rows * (_HEAD_INCHES + _ROW_INCHES * len(found.ranges)) + 0.7
        figure = Figure(figsize=(_PANEL_INCHES * columns + 1.2, height), layout="constrained")
        figure.suptitle(
            title or "What decides the measures",
            x=0.01,
            ha="left",
            fontweight="bold",
            fontsize=12,
        )
        axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
        for its, (name, indices) in zip(axes, panels, strict=False):
            _draw(its, str(name), indices)
        for unused in axes[len(panels) :]:
            unused.remove()
        bars = [axes[0].patches[0], axes[0].patches[len(found.ranges)]]
        figure.legend(
            bars,
            ["with all interactions (total order)", "by itself (first order)"],
            loc="outside lower left",
            ncols=2,
            frameon=False,
        )
        return figure


def _draw(axes: Axes, name: str, indices: pd.DataFrame) -> None:
    """Draw a measure's indices, with their intervals."""
    rows = indices.sort_values("total_order", kind="stable")
    places = range(len(rows))
    for column, colour, height in (("total_order", _TOTAL, _HEIGHT), ("first_order", _FIRST, 0.28)):
        # Less than nothing, or more than all, is chance.
        low, high, middle = (
            rows[key].clip(0.0, 1.0).tolist() for key in (f"{column}_low", f"{column}_high", column)
        )
        axes.barh(places, middle, height=height, color=colour, linewidth=0)
        offset = height / 2.0 - 0.02 if column == "total_order" else 0.0
        lines: dict[str, Any] = {"color": INK if column == "first_order" else GREY}
        axes.hlines([place + offset for place in places], low, high, linewidth=1.0, **lines)
    axes.set_title(name)
    axes.set_xlim(0.0, 1.0)
    axes.set_xlabel("share of the variance", loc="left")
    axes.set_yticks(places, rows["path"].tolist())
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
