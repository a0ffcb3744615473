"""The chart of a sensitivity: what decides each measure, the most important on top."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from sendcap.charts.figures import panels_for
from sendcap.charts.style import GREY, INK, figure_of, house_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sendcap.study.sensitivity import Sensitivity

_TOTAL: Final = "#a9cdf5"
_FIRST: Final = "#3f90da"
_MOST_PANELS: Final = 6
_COLUMNS: Final = 2
_PANEL_INCHES: Final = 4.8
_ROW_INCHES: Final = 0.34
_HEAD_INCHES: Final = 1.1
_HEIGHT: Final = 0.62


def sensitivity_chart(
    found: Sensitivity, title: str = "", ax: Axes | Sequence[Axes] | None = None
) -> list[Axes]:
    """Draw the indices of each measure, a panel each; those of six measures at most.

    Parameters
    ----------
    found
        The sensitivity.
    title
        The study's.
    ax
        Draw on these, a panel for each measure, or divide one pair of axes into panels. By default
        a new figure gets them, which is not attached to pyplot.

    Returns
    -------
    list of Axes
        The panels.
    """
    with house_style():
        panels = list(found.indices.groupby("measure", sort=False))[:_MOST_PANELS]
        axes = panels_for(
            ax, [1.0] * len(panels), lambda: _new_axes(len(panels), len(found.ranges), title)
        )
        for its, (name, indices) in zip(axes, panels, strict=False):
            _draw(its, str(name), indices)
        bars = [axes[0].patches[0], axes[0].patches[len(found.ranges)]]
        labels = ["with all interactions (total order)", "by itself (first order)"]
        if ax is None:
            figure_of(axes).legend(bars, labels, loc="outside lower left", ncols=2, frameon=False)
        else:
            axes[0].legend(bars, labels, loc="lower right", frameon=False)
        return axes


def _new_axes(count: int, ranges: int, title: str) -> list[Axes]:
    from matplotlib.figure import Figure

    columns = min(count, _COLUMNS)
    rows = math.ceil(count / columns)
    height = rows * (_HEAD_INCHES + _ROW_INCHES * ranges) + 0.7
    figure = Figure(figsize=(_PANEL_INCHES * columns + 1.2, height), layout="constrained")
    figure.suptitle(
        title or "What decides the measures", x=0.01, ha="left", fontweight="bold", fontsize=12
    )
    axes: list[Axes] = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for unused in axes[count:]:
        unused.remove()
    return axes[:count]


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
