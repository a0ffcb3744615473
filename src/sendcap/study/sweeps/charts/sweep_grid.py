"""The charts of a sweep over a grid: along one parameter, and over two."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sendcap.charts.axes import cells
from sendcap.charts.figures import Heading, left_of_rows, panels_on
from sendcap.charts.labels import EndLabel, label_ends
from sendcap.charts.style import GREY, PETROFF, house_style
from sendcap.errors import SendcapError
from sendcap.study.replication.measure_names import in_words
from sendcap.study.sweeps.charts.sweep_results import (
    about_the_measure,
    done,
    long_label,
    measure_axis,
    measure_of,
    parameter_of,
    parameters_of,
    value_label,
    values_of,
)
from sendcap.text.measures import measure_text
from sendcap.text.quantities import compact
from sendcap.text.quoting import shortened

_MOST_LINES: Final = 10

_MOST_CELLS: Final = 24
"""A heat map has as many rows and columns at most."""


@house_style()
def sweep_line(
    results: pd.DataFrame,
    measure: str | None = None,
    over: str | None = None,
    by: str | None = None,
    ax: Axes | None = None,
    *,
    title: str = "",
) -> Axes:
    """Draw a measure along a parameter, a line for each value of another one.

    A point is the mean over all else that varies, replications included; the band reaches from the
    lowest to the highest.

    Parameters
    ----------
    results
        Of `sendcap.sweep`, or read from a sweep's ``results.csv``.
    measure
        A column with numbers (default: the first).
    over
        The parameter on the axis, a path of the scenario (default: the one with most values).
    by
        The parameter with a line for each of its values (default: of two parameters the other
        one, if there is room for its lines).
    ax, title
        See `sendcap.charts`.
    """
    table = done(results)
    measure = measure_of(table, measure)
    over = parameter_of(table, over)
    by = _other(table, over) if by is None else parameter_of(table, by)
    lines = _lines(table, by)
    words = (
        f"{about_the_measure(measure)}Each point is the mean of all runs with that value of {over}"
        f"{f', a line for each {by}' if by else ''}. Band: from the lowest to the highest."
    )
    heading = Heading(title, in_words(measure), words)
    (axes,) = panels_on(ax, heading, [3.5], left_in=1.0, above_in=0.15, below_in=0.55)
    axes.set_ylabel(in_words(measure))
    axes.set_xlabel(over, loc="left")
    values = values_of(table, over)
    x = _places(values)
    ends = []
    for colour, (value, rows) in zip(PETROFF, lines, strict=False):
        end = _draw_line(axes, rows.groupby(over, sort=True)[measure], x, colour)
        name = f"{value_label(value)}: " if by else ""
        ends.append(EndLabel(f"{name}{measure_text(measure, end, compact)}", end, colour))
    numeric = x == {value: value for value in values}
    if numeric and min(values) > 0 and max(values) / min(values) >= 8:
        axes.set_xscale("log")
    if not numeric or len(values) <= _MOST_LINES:
        axes.set_xticks(list(x.values()), [value_label(value) for value in values])
        axes.set_xticks([], minor=True)
    measure_axis(axes.yaxis, measure)
    label_ends(axes, ends)
    if by and ax is None:
        axes.set_title(f"lines: {shortened(by)}", loc="right", fontsize=8.5, color=GREY)
    return axes


def _other(table: pd.DataFrame, over: str) -> str | None:
    """Return the other one of two parameters."""
    others = [path for path in parameters_of(table) if path != over]
    if len(others) == 1 and table[others[0]].nunique() <= _MOST_LINES:
        return others[0]
    return None


def _lines(table: pd.DataFrame, by: str | None) -> list[tuple[Any, pd.DataFrame]]:
    """Return the value of each line and its runs."""
    if by is None:
        return [("", table)]
    lines = list(table.groupby(by, sort=True))
    if len(lines) > _MOST_LINES:
        raise SendcapError(
            f"by: {by} has {len(lines)} values, and a chart has room for {_MOST_LINES} lines"
        )
    return lines


def _places(values: list[Any]) -> dict[Any, float]:
    """Return where each value is on the axis: numbers as they are, others side by side."""
    if all(isinstance(value, int | float) for value in values):
        return {value: value for value in values}
    return {value: index for index, value in enumerate(values)}


def _draw_line(axes: Axes, groups: Any, places: dict[Any, float], colour: str) -> float:
    """Draw a line with its band, and return its end."""
    spread = groups.agg(["min", "mean", "max"])
    spread = spread.loc[[value for value in places if value in spread.index]]
    x = np.array([places[value] for value in spread.index], dtype=float)
    axes.fill_between(x, spread["min"], spread["max"], color=colour, alpha=0.2, linewidth=0)
    axes.plot(x, spread["mean"], "o-", color=colour, markersize=4.5, linewidth=1.8)
    return float(spread["mean"].iloc[-1])


@house_style()
def sweep_heat_map(
    results: pd.DataFrame,
    measure: str | None = None,
    over: str | None = None,
    by: str | None = None,
    ax: Axes | None = None,
    *,
    title: str = "",
) -> Axes:
    """Draw a measure over two parameters, a cell for each pair of their values.

    Parameters
    ----------
    results, measure, ax, title
        As for `sweep_line`.
    over, by
        The parameters across and up (default: the two with most values).
    """
    table = done(results)
    measure = measure_of(table, measure)
    over = parameter_of(table, over, but=by)
    by = parameter_of(table, by, but=over)
    columns, rows = values_of(table, over), values_of(table, by)
    _require_a_grid(table, over, by, (len(columns), len(rows)))
    means = table.groupby([by, over])[measure].mean()
    grid = np.array([[means.get((row, column), np.nan) for column in columns] for row in rows])
    low, high = float(np.nanmin(grid)), float(np.nanmax(grid))
    words = f"{about_the_measure(measure)}The mean of all runs with these values of {over} and "
    words += f"{by}. Darker is more."
    names = [value_label(value) for value in rows]
    (axes,) = panels_on(
        ax,
        Heading(title, in_words(measure), words),
        [0.3 + 0.42 * len(rows)],
        left_in=left_of_rows(list(map(long_label, names))),
        right_in=0.3,
        above_in=0.15,
        below_in=0.55,
    )
    texts = [[measure_text(measure, float(cell), compact) for cell in row] for row in grid]
    shade = (grid - low) / (high - low) if high > low else 0.0 * grid
    cells(axes, shade, texts, size=8.5 if len(columns) <= 10 else 6.5)
    axes.set_xticks(np.arange(len(columns)) + 0.5, [value_label(value) for value in columns])
    axes.set_yticks(np.arange(len(rows)) + 0.5, names)
    axes.set_xlabel(over, loc="left")
    axes.set_ylabel(by)
    return axes


def _require_a_grid(table: pd.DataFrame, over: str, by: str, size: tuple[int, int]) -> None:
    if max(size) > _MOST_CELLS:
        raise SendcapError(
            f"{over}, {by}: {size[0]} by {size[1]} values are too many for a heat map, "
            f"which has room for {_MOST_CELLS}; it is for a grid and not for a design"
        )
    pairs = table[[by, over]].drop_duplicates()
    if len(pairs) > 1 and not (pairs[by].duplicated().any() or pairs[over].duplicated().any()):
        raise SendcapError(
            f"{over}, {by}: no two points have a value in common, so there are no rows and "
            "columns; it is for a grid and not for a design, which the chart tornado is for"
        )
