"""The chart of a sweep over a grid of two parameters."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sendcap.charts.axes import cells
from sendcap.charts.figures import Heading, left_of_rows, panels_on
from sendcap.charts.style import house_style
from sendcap.errors import SendcapError
from sendcap.study.replication.measure_names import in_words
from sendcap.study.sweeps.charts.sweep_results import (
    about_the_measure,
    done,
    long_label,
    measure_of,
    parameter_of,
    value_label,
    values_of,
)
from sendcap.text.measures import measure_text
from sendcap.text.quantities import compact

_MOST_CELLS: Final = 24
"""A heat map has as many rows and columns at most."""


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
        As for `sendcap.study.sweeps.charts.sweep_line.sweep_line`.
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
