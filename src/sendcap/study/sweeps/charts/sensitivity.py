"""The chart of a sensitivity: what decides each measure, the most important on top."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from sendcap.charts.figures import panels_for
from sendcap.charts.style import GREY, INK, figure_of, house_style
from sendcap.study.sweeps.charts.sweep_results import in_words, measure_axis

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sendcap.study.sweeps.sensitivity.screening import Screening
    from sendcap.study.sweeps.sensitivity.sobol import Sensitivity

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
        axes = _panels(found.indices, title or "What decides the measures", _draw, ax)
        bars = [axes[0].patches[0], axes[0].patches[len(found.ranges)]]
        _explain(axes, ax, bars, ["with all interactions (total order)", "by itself (first order)"])
        return axes


def screening_chart(
    found: Screening, title: str = "", ax: Axes | Sequence[Axes] | None = None
) -> list[Axes]:
    """Draw the elementary effects on each measure, as `sensitivity_chart` does its indices."""
    with house_style():
        title = title or "Which parameters matter to the measures"
        axes = _panels(found.effects, title, _draw_effects, ax)
        labels = [
            "mean size of the effect of the whole range (mu*)",
            "spread: other parameters matter to it, or it is no straight line (sigma)",
        ]
        _explain(axes, ax, [axes[0].patches[0], axes[0].lines[0]], labels, columns=1)
        return axes


def _panels(
    table: pd.DataFrame,
    title: str,
    draw: Callable[[Axes, str, pd.DataFrame], None],
    ax: Axes | Sequence[Axes] | None,
) -> list[Axes]:
    """Draw a panel for each measure, and return them."""
    panels = list(table.groupby("measure", sort=False))[:_MOST_PANELS]
    parameters = table["path"].nunique()
    axes = panels_for(ax, [1.0] * len(panels), lambda: _new_axes(len(panels), parameters, title))
    for its, (name, measure) in zip(axes, panels, strict=False):
        draw(its, str(name), measure)
    return axes


def _explain(
    axes: Sequence[Axes],
    ax: Axes | Sequence[Axes] | None,
    marks: Sequence[Any],
    labels: Sequence[str],
    columns: int = 2,
) -> None:
    """Add the legend: below a new figure, else into the first panel."""
    if ax is None:
        figure_of(list(axes)).legend(
            marks, labels, loc="outside lower left", ncols=columns, frameon=False
        )
    else:
        axes[0].legend(marks, labels, loc="lower right", frameon=False)


def _new_axes(count: int, parameters: int, title: str) -> list[Axes]:
    from matplotlib.figure import Figure

    columns = min(count, _COLUMNS)
    rows = math.ceil(count / columns)
    height = rows * (_HEAD_INCHES + _ROW_INCHES * parameters) + 0.7
    figure = Figure(figsize=(_PANEL_INCHES * columns + 1.2, height), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=12)
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
    axes.set_xlim(0.0, 1.0)
    if not rows[["total_order_high", "first_order_high"]].to_numpy().any():
        _say_that_it_is_constant(axes)
    _finish(axes, name, "share of the variance", rows)


def _draw_effects(axes: Axes, name: str, effects: pd.DataFrame) -> None:
    """Draw the effects on a measure: bars with their intervals, and a diamond for the spread."""
    rows = effects.sort_values("mu_star", kind="stable")
    places = range(len(rows))
    stars, low, high, sigma = (
        rows[key].tolist() for key in ("mu_star", "mu_star_low", "mu_star_high", "sigma")
    )
    axes.barh(places, stars, height=_HEIGHT, color=_TOTAL, linewidth=0)
    axes.hlines(places, low, high, color=INK, linewidth=1.0)
    axes.plot(sigma, places, "D", color=_FIRST, markersize=5, clip_on=False)
    axes.set_xlim(left=0.0)
    if not any(high) and not any(sigma):
        axes.set_xlim(0.0, 1.0)
        _say_that_it_is_constant(axes)
    measure_axis(axes.xaxis, name)
    _finish(axes, name, f"change of {in_words(name)}", rows)


def _say_that_it_is_constant(axes: Axes) -> None:
    """Say why there are no bars."""
    axes.text(
        *(0.5, 0.5, "the same at all points"),
        transform=axes.transAxes,
        horizontalalignment="center",
        verticalalignment="center",
        color=GREY,
    )


def _finish(axes: Axes, name: str, label: str, rows: pd.DataFrame) -> None:
    axes.set_title(name)
    axes.set_xlabel(label, loc="left")
    axes.set_yticks(range(len(rows)), rows["path"].tolist())
    axes.tick_params(axis="y", length=0, pad=6)
    axes.grid(visible=False, axis="y")
