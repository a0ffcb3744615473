"""The chart of a sweep along one parameter."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sendcap.charts.figures import Heading, panels_on
from sendcap.charts.labels import EndLabel, label_ends
from sendcap.charts.style import GREY, PETROFF, house_style
from sendcap.errors import SendcapError
from sendcap.study.replication.measure_names import in_words
from sendcap.study.sweeps.charts.sweep_results import (
    about_the_measure,
    done,
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
        end = _draw(axes, rows.groupby(over, sort=True)[measure], x, colour)
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


def _draw(axes: Axes, groups: Any, places: dict[Any, float], colour: str) -> float:
    """Draw a line with its band, and return its end."""
    spread = groups.agg(["min", "mean", "max"])
    spread = spread.loc[[value for value in places if value in spread.index]]
    x = np.array([places[value] for value in spread.index], dtype=float)
    axes.fill_between(x, spread["min"], spread["max"], color=colour, alpha=0.2, linewidth=0)
    axes.plot(x, spread["mean"], "o-", color=colour, markersize=4.5, linewidth=1.8)
    return float(spread["mean"].iloc[-1])
