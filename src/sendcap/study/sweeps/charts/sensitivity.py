"""The chart of a sensitivity: what decides each measure, the most important on top."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sendcap.charts.axes import name_rows, say
from sendcap.charts.figures import LEFT_IN, WIDTH_IN, Heading, left_of_rows, panels_on
from sendcap.charts.style import BLUE, GREY, INK, figure_of, house_style
from sendcap.study.replication.measure_names import in_words
from sendcap.study.sweeps.charts.sweep_results import long_label, measure_axis
from sendcap.study.sweeps.sensitivity.screening import Screening
from sendcap.study.sweeps.sensitivity.sobol import Sensitivity
from sendcap.text.quantities import capital

_PALE: Final = "#a9cdf5"
_MOST_PANELS: Final = 6
_COLUMNS: Final = 2
_ROW_IN: Final = 0.34
_HEIGHT: Final = 0.62
_CONSTANT: Final = "the same at all points"


@house_style()
def sensitivity_chart(
    found: Sensitivity, title: str = "", ax: Axes | Sequence[Axes] | None = None
) -> list[Axes]:
    """Draw the indices of each measure, a panel each; those of six measures at most.

    For the options see `sendcap.charts`.
    """
    axes = _panels(ax, Heading(title, "what decides the measures"), found.indices, _draw)
    bars = [axes[0].patches[0], axes[0].patches[len(found.ranges)]]
    _explain(axes, ax, bars, ["with all interactions (total order)", "by itself (first order)"])
    return axes


@house_style()
def screening_chart(
    found: Screening, title: str = "", ax: Axes | Sequence[Axes] | None = None
) -> list[Axes]:
    """Draw the elementary effects on each measure, as `sensitivity_chart` does its indices."""
    heading = Heading(title, "which parameters matter to the measures")
    axes = _panels(ax, heading, found.effects, _draw_effects)
    labels = [
        "mean size of the effect of the whole range (mu*)",
        "spread: other parameters matter to it, or it is no straight line (sigma)",
    ]
    _explain(axes, ax, [axes[0].patches[0], axes[0].lines[0]], labels)
    return axes


def _panels(
    ax: Axes | Sequence[Axes] | None,
    heading: Heading,
    table: pd.DataFrame,
    draw: Callable[[Axes, str, pd.DataFrame], None],
) -> list[Axes]:
    """Draw a panel for each measure, and return them."""
    measures = list(table.groupby("measure", sort=False))[:_MOST_PANELS]
    names = table["path"].unique().tolist()
    left_in = left_of_rows(list(map(long_label, names)))
    columns = min(_COLUMNS, len(measures)) if ax is None else 1
    rows = math.ceil(len(measures) / columns)
    panels = panels_on(
        ax,
        heading,
        [0.2 + _ROW_IN * len(names)] * rows,
        columns=[columns] * rows,
        most=len(measures),
        left_in=left_in,
        right_in=0.3,
        gap_in=0.85,
        across_in=left_in,
        below_in=1.1,
    )
    for panel, (name, measure) in zip(panels, measures, strict=False):
        draw(panel, str(name), measure)
    return panels


def _explain(
    panels: Sequence[Axes],
    ax: Axes | Sequence[Axes] | None,
    marks: Sequence[Any],
    labels: Sequence[str],
) -> None:
    """Add the legend: below a new figure, else into the first panel."""
    if ax is not None:
        panels[0].legend(marks, labels, loc="lower right", frameon=False)
        return
    place = (LEFT_IN / WIDTH_IN, 0.0)
    figure_of(panels).legend(
        marks, labels, loc="lower left", bbox_to_anchor=place, frameon=False, borderaxespad=0.3
    )


def _draw(axes: Axes, name: str, indices: pd.DataFrame) -> None:
    """Draw a measure's indices, with their intervals."""
    rows = indices.sort_values("total_order", kind="stable")
    for column, colour, height in (("total_order", _PALE, _HEIGHT), ("first_order", BLUE, 0.28)):
        # Less than nothing, or more than all, is chance.
        low, high, middle = (
            rows[key].clip(0.0, 1.0).tolist() for key in (f"{column}_low", f"{column}_high", column)
        )
        axes.barh(range(len(rows)), middle, height=height, color=colour, linewidth=0)
        is_total = column == "total_order"
        y = np.arange(len(rows)) + (height / 2.0 - 0.02 if is_total else 0.0)
        axes.hlines(y, low, high, linewidth=1.0, color=GREY if is_total else INK)
    axes.set_xlim(0.0, 1.0)
    if not rows[["total_order_high", "first_order_high"]].to_numpy().any():
        say(axes, _CONSTANT)
    _finish(axes, name, "share of the variance", rows)


def _draw_effects(axes: Axes, name: str, effects: pd.DataFrame) -> None:
    """Draw the effects on a measure: bars with their intervals, and a diamond for the spread."""
    rows = effects.sort_values("mu_star", kind="stable")
    y = range(len(rows))
    stars, low, high, sigma = (
        rows[key].tolist() for key in ("mu_star", "mu_star_low", "mu_star_high", "sigma")
    )
    axes.barh(y, stars, height=_HEIGHT, color=_PALE, linewidth=0)
    axes.hlines(y, low, high, color=INK, linewidth=1.0)
    axes.plot(sigma, y, "D", color=BLUE, markersize=5, clip_on=False)
    axes.set_xlim(left=0.0)
    if not any(high) and not any(sigma):
        axes.set_xlim(0.0, 1.0)
        say(axes, _CONSTANT)
    measure_axis(axes.xaxis, name)
    _finish(axes, name, f"change of {in_words(name)}", rows)


def _finish(axes: Axes, name: str, label: str, rows: pd.DataFrame) -> None:
    axes.set_title(capital(in_words(name)))
    axes.set_xlabel(label, loc="left")
    name_rows(axes, list(map(long_label, rows["path"])))
    axes.tick_params(axis="y", pad=6)
