"""The chart of a sweep along one parameter: runs that differ in another one are never pooled."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sendcap.charts.figures import Heading, panels_on
from sendcap.charts.labels import EndLabel, label_ends
from sendcap.charts.style import BLUE, PETROFF, house_style
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
from sendcap.text.quantities import compact, listed

_MOST_LINES: Final = 10
_MOST_PANELS: Final = 6
_WIDE: Final = 8.0
"""Numbers that differ by this factor stand on a logarithmic axis."""


class _Panel(NamedTuple):
    title: str
    rows: pd.DataFrame


@house_style()
def sweep_line(
    results: pd.DataFrame,
    measure: str | None = None,
    over: str | None = None,
    by: str | None = None,
    ax: Axes | Sequence[Axes] | None = None,
    *,
    title: str = "",
) -> list[Axes]:
    """Draw a measure along a parameter, a line for each value of another one.

    What else varies has a panel for each of its values. A point is the mean of its replications,
    and a band reaches from the lowest of them to the highest. Points that have no others in line,
    as those of a design, or too many of them for panels, are dots, one for each.

    Parameters
    ----------
    results
        Of `sendcap.sweep`, or read from a sweep's ``results.csv``.
    measure
        A column with numbers (default: the first).
    over
        The parameter on the axis, a path of the scenario (default: the one with most values).
    by
        The parameter with a line for each of its values (default: of the others the one with most
        values for which there is room).
    ax, title
        See `sendcap.charts`.
    """
    table = done(results)
    measure = measure_of(table, measure)
    over = parameter_of(table, over)
    by = _by(table, over) if by is None else parameter_of(table, by, but=over)
    _require_room(table, by)
    apart = [path for path in parameters_of(table) if path not in (over, by)]
    panels = list(_panels(table, apart))
    in_lines = len(panels) <= _MOST_PANELS and _has_lines(panels, over, by)
    if not in_lines:
        panels, by = [_Panel("", table)], None
    words = _words(table, measure, over, by, apart, in_lines=in_lines)
    axes = panels_on(
        ax,
        Heading(title, in_words(measure), words),
        [3.5] if len(panels) == 1 else [1.9] * len(panels),
        left_in=1.0,
        above_in=0.3 if len(panels) > 1 else 0.15,
        below_in=0.55,
    )
    values = values_of(table, over)
    places = _places(values)
    ends = []
    for drawn, panel in zip(axes, panels, strict=False):
        if in_lines:
            ends.append(_draw(drawn, panel, measure, over, by, places))
        else:
            _dots(drawn, panel, measure, over, places)
    _finish(axes, measure, over, values, places)
    for drawn, labels in zip(axes, ends, strict=False):
        label_ends(drawn, labels)
    return axes


def _by(table: pd.DataFrame, over: str) -> str | None:
    """Return the parameter with most values for which there is room, a line for each."""
    others = {path: table[path].nunique() for path in parameters_of(table) if path != over}
    fitting = {path: count for path, count in others.items() if count <= _MOST_LINES}
    return max(fitting, key=fitting.__getitem__, default=None)


def _require_room(table: pd.DataFrame, by: str | None) -> None:
    count = 0 if by is None else table[by].nunique()
    if count > _MOST_LINES:
        raise SendcapError(
            f"by: {by} has {count} values, and a chart has room for {_MOST_LINES} lines"
        )


def _panels(table: pd.DataFrame, apart: Sequence[str]) -> list[_Panel]:
    """Return the runs with each combination of values of some parameters."""
    if not apart:
        return [_Panel("", table)]
    return [
        _Panel(
            ", ".join(
                f"{long_label(path)} {value_label(value)}"
                for path, value in zip(apart, values, strict=True)
            ),
            rows,
        )
        for values, rows in table.groupby(list(apart), sort=True, dropna=False)
    ]


def _has_lines(panels: Sequence[_Panel], over: str, by: str | None) -> bool:
    """Tell whether any two points differ in the parameter on the axis alone."""
    return any(
        len(set(line[over])) > 1
        for panel in panels
        for _, line in (panel.rows.groupby(by) if by else [("", panel.rows)])
    )


def _words(
    table: pd.DataFrame,
    measure: str,
    over: str,
    by: str | None,
    apart: Sequence[str],
    *,
    in_lines: bool,
) -> str:
    words = about_the_measure(measure)
    if not in_lines:
        others = [path for path in parameters_of(table) if path != over]
        also = f", in which {listed(others)} {'varies' if len(others) == 1 else 'vary'}, too"
        return f"{words}Each dot is a run{also if others else ''}."
    if by:
        words += f"A line for each value of {by}. "
    if apart:
        words += f"A panel for each value of {listed(apart)}. "
    if "replication" in table and len(set(table["replication"])) > 1:
        words += (
            "Each point is the mean of its replications; band: from the lowest of them to the "
            "highest."
        )
    return words.strip()


def _places(values: list[Any]) -> dict[Any, float]:
    """Return where each value is on the axis: numbers as they are, others side by side."""
    if all(isinstance(value, int | float) for value in values):
        return {value: value for value in values}
    return {value: index for index, value in enumerate(values)}


def _draw(
    axes: Axes,
    panel: _Panel,
    measure: str,
    over: str,
    by: str | None,
    places: dict[Any, float],
) -> list[EndLabel]:
    """Draw the lines of a panel, and return their labels."""
    axes.set_title(panel.title, loc="left")
    ends = []
    for colour, value in zip(PETROFF, values_of(panel.rows, by) if by else [""], strict=False):
        rows = panel.rows[panel.rows[by] == value] if by else panel.rows
        end = _draw_line(axes, rows.groupby(over, sort=True)[measure], places, colour)
        name = f"{value_label(value)}: " if by else ""
        ends.append(EndLabel(f"{name}{measure_text(measure, end, compact)}", end, colour))
    return ends


def _draw_line(axes: Axes, groups: Any, places: dict[Any, float], colour: str) -> float:
    """Draw a line with the band of its replications, and return its end."""
    spread = groups.agg(["min", "mean", "max"])
    spread = spread.loc[[value for value in places if value in spread.index]]
    x = np.array([places[value] for value in spread.index], dtype=float)
    axes.fill_between(x, spread["min"], spread["max"], color=colour, alpha=0.2, linewidth=0)
    axes.plot(x, spread["mean"], "o-", color=colour, markersize=4.5, linewidth=1.8)
    return float(spread["mean"].iloc[-1])


def _dots(axes: Axes, panel: _Panel, measure: str, over: str, places: dict[Any, float]) -> None:
    """Draw each run by itself."""
    rows = panel.rows.dropna(subset=[over])
    x = [places[value] for value in rows[over]]
    axes.plot(x, rows[measure], "o", color=BLUE, markersize=4.0, alpha=0.6)


def _finish(
    axes: Sequence[Axes],
    measure: str,
    over: str,
    values: list[Any],
    places: dict[Any, float],
) -> None:
    """Give all panels the same axes."""
    even = len(values) <= _MOST_LINES
    numeric = places == {value: value for value in values}
    low, high = (end(each.get_ylim()[n] for each in axes) for n, end in ((0, min), (1, max)))
    for drawn in axes:
        drawn.set_ylim(low, high)
        if even and numeric and min(values) > 0 and max(values) / min(values) >= _WIDE:
            drawn.set_xscale("log")
        if even or not numeric:
            drawn.set_xticks(list(places.values()), [value_label(value) for value in values])
            drawn.set_xticks([], minor=True)
        drawn.tick_params(labelbottom=drawn is axes[-1])
        # Of several panels the heading says what they show.
        drawn.set_ylabel(in_words(measure) if len(axes) == 1 else "")
        measure_axis(drawn.yaxis, measure)
    axes[-1].set_xlabel(over, loc="left")
