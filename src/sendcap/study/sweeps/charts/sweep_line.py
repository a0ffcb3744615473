"""The chart of a sweep along one parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sendcap.charts.labels import EndLabel, label_ends
from sendcap.charts.style import GREY, PETROFF, house_style
from sendcap.errors import SendcapError
from sendcap.study.sweeps.charts.sweep_results import (
    about_the_measure,
    done,
    in_words,
    measure_axis,
    measure_of,
    new_axes,
    parameter_of,
    value_label,
    values_of,
)
from sendcap.text.measures import measure_text
from sendcap.text.quantities import compact
from sendcap.text.quoting import shortened

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_MOST_LINES: Final = 10


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

    A line is the mean over all else that varies, replications included; the band reaches from the
    lowest to the highest.

    Parameters
    ----------
    results
        Of `sendcap.sweep`, or read from a sweep's ``results.csv``.
    measure
        A column with numbers; the first by default.
    over
        The parameter on the axis, a path of the scenario; the one with most values by default.
    by
        The parameter with a line for each of its values; none by default.
    ax
        Draw on these. By default a new figure gets them, which is not attached to pyplot.
    title
        The study's.

    Returns
    -------
    Axes
        Those on which it is drawn.

    Raises
    ------
    SendcapError
        If there is no such measure or parameter.
    """
    import numpy as np

    table = done(results)
    measure = measure_of(table, measure)
    over = parameter_of(table, over)
    groups: list[tuple[Any, pd.DataFrame]] = [("", table)]
    if by is not None:
        by = parameter_of(table, by)
        groups = list(table.groupby(by, sort=True))
    if len(groups) > _MOST_LINES:
        raise SendcapError(
            f"by: {by} has {len(groups)} values, and a chart has room for {_MOST_LINES} lines"
        )
    values = values_of(table, over)
    numeric = all(isinstance(value, int | float) for value in values)
    with house_style():
        told = about_the_measure(measure)
        told += f"Each point is the mean of all runs with that value of {over}"
        told += f", a line for each {by}." if by else "."
        told += " Band: from the lowest to the highest."
        axes = new_axes(title, in_words(measure), told, right=0.74) if ax is None else ax
        axes.set_ylabel(in_words(measure))
        axes.set_xlabel(over, loc="left")
        ends = []
        for number, (value, rows) in enumerate(groups):
            spread = rows.groupby(over, sort=True)[measure].agg(["min", "mean", "max"])
            spread = spread.loc[[its for its in values if its in spread.index]]
            x = np.array(
                [its if numeric else values.index(its) for its in spread.index], dtype=float
            )
            colour = PETROFF[number]
            axes.fill_between(x, spread["min"], spread["max"], color=colour, alpha=0.2, linewidth=0)
            axes.plot(x, spread["mean"], "o-", color=colour, markersize=4.5, linewidth=1.8)
            end = float(spread["mean"].iloc[-1])
            name = f"{value_label(value)}: " if by else ""
            ends.append(EndLabel(f"{name}{measure_text(measure, end, compact)}", end, colour))
        if numeric and min(values) > 0 and max(values) / min(values) >= 8:
            axes.set_xscale("log")
        if not numeric or len(values) <= _MOST_LINES:
            axes.set_xticks(
                values if numeric else range(len(values)), [value_label(value) for value in values]
            )
            axes.set_xticks([], minor=True)
        measure_axis(axes.yaxis, measure)
        label_ends(axes, ends)
        if by and ax is None:
            axes.set_title(f"lines: {shortened(by)}", loc="right", fontsize=8.5, color=GREY)
        return axes
