"""The chart of a sensitivity: what decides each measure, the most important on top."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from sendcap.charts.measures import axis_unit
from sendcap.charts.style import GREY, INK, house_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sendcap.study.screening import Screening
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
    with house_style():
        figure, axes = _panels(found.indices, title or "What decides the measures", _draw)
        bars = [axes.patches[0], axes.patches[len(found.ranges)]]
        labels = ["with all interactions (total order)", "by itself (first order)"]
        figure.legend(bars, labels, loc="outside lower left", ncols=2, frameon=False)
        return figure


def screening_chart(found: Screening, title: str = "") -> Figure:
    """Draw the elementary effects on each measure, as `sensitivity_chart` does its indices."""
    with house_style():
        title = title or "Which parameters matter to the measures"
        figure, axes = _panels(found.effects, title, _draw_effects)
        marks = [axes.patches[0], axes.lines[0]]
        labels = [
            "mean size of the effect of the whole range (mu*)",
            "spread: other parameters matter to it, or it is no straight line (sigma)",
        ]
        figure.legend(marks, labels, loc="outside lower left", ncols=1, frameon=False)
        return figure


def _panels(
    table: pd.DataFrame, title: str, draw: Callable[[Axes, str, pd.DataFrame], None]
) -> tuple[Figure, Axes]:
    """Return a figure with a panel for each measure, and the first of them."""
    from matplotlib.figure import Figure

    panels = list(table.groupby("measure", sort=False))[:_MOST_PANELS]
    columns = min(len(panels), _COLUMNS)
    rows = math.ceil(len(panels) / columns)
    parameters = table["path"].nunique()
    height = rows * (_HEAD_INCHES + _ROW_INCHES * parameters) + 0.7
    figure = Figure(figsize=(_PANEL_INCHES * columns + 1.2, height), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=12)
    axes: list[Axes] = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for its, (name, measure) in zip(axes, panels, strict=False):
        draw(its, str(name), measure)
    for unused in axes[len(panels) :]:
        unused.remove()
    return figure, axes[0]


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
    axes.set_xlim(0.0, 1.0)
    _finish(axes, name, "share of the variance", rows)


def _draw_effects(axes: Axes, name: str, effects: pd.DataFrame) -> None:
    """Draw the effects on a measure: bars with their intervals, and a diamond for the spread."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    rows = effects.sort_values("mu_star", kind="stable")
    scale, label = axis_unit(name, float(rows["mu_star"].max()))
    places = range(len(rows))
    stars, low, high, sigma = (
        (rows[key] / scale).tolist() for key in ("mu_star", "mu_star_low", "mu_star_high", "sigma")
    )
    axes.barh(places, stars, height=_HEIGHT, color=_TOTAL, linewidth=0)
    axes.hlines(places, low, high, color=INK, linewidth=1.0)
    axes.plot(sigma, places, "D", color=_FIRST, markersize=5, clip_on=False)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda its, _: f"{its:,.6g}"))
    axes.set_xlim(left=0.0)
    if not any(high) and not any(sigma):
        axes.set_xlim(0.0, 1.0)
    _finish(axes, name, f"change of {label}", rows)


def _finish(axes: Axes, name: str, label: str, rows: pd.DataFrame) -> None:
    axes.set_title(name)
    axes.set_xlabel(label, loc="left")
    axes.set_yticks(range(len(rows)), rows["path"].tolist())
    axes.tick_params(axis="y", length=0, pad=6)
    axes.grid(visible=False, axis="y")
