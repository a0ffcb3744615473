"""The chart of a sweep over two parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sendcap.charts.style import INK, house_style
from sendcap.errors import SendcapError
from sendcap.study.sweeps.charts.sweep_results import (
    about_the_measure,
    done,
    in_words,
    measure_of,
    new_axes,
    parameter_of,
    value_label,
    values_of,
)
from sendcap.text.measures import measure_text
from sendcap.text.quantities import compact

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_MOST_CELLS: Final = 24
"""A heat map has as many rows and columns at most."""
_PALE, _DARK = "#eef4fb", "#0b3d78"


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
        The parameters across and up; by default the two with most values.

    Returns
    -------
    Axes
        Those on which it is drawn.

    Raises
    ------
    SendcapError
        If there is no such measure or parameter, or only one that varies.
    """
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap

    table = done(results)
    measure = measure_of(table, measure)
    over = parameter_of(table, over, but=by)
    by = parameter_of(table, by, but=over)
    columns, rows = values_of(table, over), values_of(table, by)
    if max(len(columns), len(rows)) > _MOST_CELLS:
        raise SendcapError(
            f"{over}, {by}: {len(columns)} by {len(rows)} values are too many for a heat map, "
            f"which has room for {_MOST_CELLS}; it is for a grid and not for a design"
        )
    pairs = table[[by, over]].drop_duplicates()
    if len(pairs) > 1 and not (pairs[by].duplicated().any() or pairs[over].duplicated().any()):
        raise SendcapError(
            f"{over}, {by}: no two points have a value in common, so there are no rows and "
            "columns; it is for a grid and not for a design, which the chart tornado is for"
        )
    means = table.groupby([by, over])[measure].mean()
    cells = np.array([[means.get((row, column), np.nan) for column in columns] for row in rows])
    low, high = float(np.nanmin(cells)), float(np.nanmax(cells))
    shade = (cells - low) / (high - low) if high > low else 0.0 * cells
    with house_style():
        told = about_the_measure(measure)
        told += f"The mean of all runs with these values of {over} and {by}. Darker is more."
        axes = ax
        if axes is None:
            axes = new_axes(
                title,
                in_words(measure),
                told,
                0.97,
                1.0 + 0.42 * len(rows),
                [value_label(r) for r in rows],
            )
        shades = LinearSegmentedColormap.from_list("more", [_PALE, _DARK])
        axes.pcolormesh(shade, cmap=shades, vmin=0.0, vmax=1.0, edgecolors="white", linewidth=2.0)
        for row, column in np.argwhere(~np.isnan(cells)):
            axes.text(
                column + 0.5,
                row + 0.5,
                measure_text(measure, float(cells[row, column]), compact),
                color="white" if shade[row, column] > 0.55 else INK,
                fontsize=8.5 if len(columns) <= 10 else 6.5,
                horizontalalignment="center",
                verticalalignment="center",
            )
        axes.set_xticks(np.arange(len(columns)) + 0.5, [value_label(value) for value in columns])
        axes.set_yticks(np.arange(len(rows)) + 0.5, [value_label(value) for value in rows])
        axes.set_xlabel(over, loc="left")
        axes.set_ylabel(by)
        axes.grid(visible=False)
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        return axes
