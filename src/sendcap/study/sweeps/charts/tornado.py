"""The tornado of a sweep: how far each parameter moves a measure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes

from sendcap.charts.axes import name_rows, write_at
from sendcap.charts.figures import Heading, left_of_rows, panels_on
from sendcap.charts.style import BLUE, INK, house_style
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
    quantity,
    value_label,
)
from sendcap.text.measures import measure_text
from sendcap.text.quantities import compact, elapsed

_BARS: Final = 12
_AS_IT_IS: Final = "as it is"
"""The value of a parameter at a point that does not name it."""
_MOST_VALUES: Final = 10
"""With more of them, the parameter's lowest and highest fifths stand for its values."""


@house_style()
def tornado(
    results: pd.DataFrame,
    measure: str | None = None,
    parameters: Sequence[str] | None = None,
    ax: Axes | None = None,
    *,
    title: str = "",
) -> Axes:
    """Draw how far each parameter moves a measure, the one that moves it most on top.

    A bar reaches from the lowest to the highest of the means at the parameter's values. Where the
    points change one parameter at a time, the others are at their usual value; else the mean is
    over all that they are.

    Parameters
    ----------
    results, measure, ax, title
        As for `sweep_line`.
    parameters
        Those to draw (default: all that vary).
    """
    table = _filled(done(results))
    measure = measure_of(table, measure)
    names = [parameter_of(table, name) for name in parameters or parameters_of(table)]
    if not names:
        raise SendcapError("no parameter varies in these results, so there is nothing to draw")
    usual = _usual(table)
    bars = {name: _bar(table, measure, name, usual) for name in names}
    order = sorted(bars, key=lambda name: bars[name].max() - bars[name].min())[-_BARS:]
    middle = float(_at_usual(table, usual)[measure].mean())
    words = f"{about_the_measure(measure)}How far each parameter moves it, from the lowest to the "
    words += f"highest mean. Line: {'where all are as usual' if usual else 'the mean of all runs'}."
    labels = [long_label(name) for name in order]
    (axes,) = panels_on(
        ax,
        Heading(title, in_words(measure), words),
        [0.3 + 0.46 * len(order)],
        left_in=left_of_rows(labels),
        right_in=0.5,
        above_in=0.15,
        below_in=0.55,
    )
    for row, name in enumerate(order):
        _draw_bar(axes, row, bars[name], measure)
    ends = [end for name in order for end in (bars[name].min(), bars[name].max())]
    low, high = min([middle, *ends]), max([middle, *ends])
    room = 0.22 * (high - low) or 1.0
    axes.set_xlim(low - room, high + room)
    axes.axvline(middle, color=INK, linewidth=0.9)
    axes.set_ylim(-0.6, len(order) - 0.4)
    name_rows(axes, labels)
    axes.locator_params(axis="x", nbins=6)
    measure_axis(axes.xaxis, measure)
    axes.set_xlabel(in_words(measure), loc="left")
    return axes


def _draw_bar(axes: Axes, row: int, means: pd.Series[float], measure: str) -> None:
    (low, least), *_, (high, most) = [*means.sort_values().items()] * 2
    axes.barh(row, most - least, left=least, height=0.5, color=BLUE)
    for value, mean, side, sign in ((low, least, "right", -1.0), (high, most, "left", 1.0)):
        text = f"{value_label(value)}\n{measure_text(measure, mean, compact)}"
        write_at(axes, (mean, row), text, (5.0 * sign, 0.0), fontsize=7.5, ha=side)


def _filled(table: pd.DataFrame) -> pd.DataFrame:
    """Return results in which a parameter that a point leaves alone has a value, too."""
    table = table.copy()
    for name in parameters_of(table):
        if table[name].isna().any():
            table[name] = table[name].astype(object).where(table[name].notna(), _AS_IT_IS)
    return table


def _usual(table: pd.DataFrame) -> dict[str, Any]:
    """Return the usual value of each parameter if points change one of them at a time, else {}."""
    names = parameters_of(table)
    usual = {name: table[name].mode(dropna=False).iloc[0] for name in names}
    changed = sum((table[name] != value).astype(int) for name, value in usual.items())
    return usual if len(names) > 1 and bool((changed <= 1).all()) else {}


def _at_usual(table: pd.DataFrame, usual: dict[str, Any], but: str = "") -> pd.DataFrame:
    for name, value in usual.items():
        if name != but:
            table = table[table[name] == value]
    return table


def _bar(table: pd.DataFrame, measure: str, name: str, usual: dict[str, Any]) -> pd.Series[float]:
    means: pd.Series[float] = _at_usual(table, usual, name).groupby(name)[measure].mean()
    sizes = [quantity(value) for value in table[name]]
    if len(means) > _MOST_VALUES and None not in sizes:
        # Of a design no value comes twice: its lowest and its highest fifth stand for the ends.
        fifths = pd.qcut(pd.Series(sizes, index=table.index, dtype=float), 5)
        means = table.groupby(fifths, observed=True)[measure].mean()
        is_duration = any(isinstance(value, str) for value in table[name])
        write = elapsed if is_duration else "{:.3g}".format
        # Of the lowest fifth the end is a little below the least value.
        least = 0.0 if is_duration else -math.inf
        texts = [f"{write(max(each.left, least))} to {write(each.right)}" for each in means.index]
        means.index = pd.Index(texts)
    return means.dropna()
