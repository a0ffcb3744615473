"""Charts as their figures, for tests of all that is on one."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure

from sendcap.charts.narrow import is_narrow
from sendcap.charts.style import figure_of

KEPT = 2
"""Figures of each chart."""


def on_a_figure(chart: Callable[..., Any]) -> Callable[..., Figure]:
    """The chart, returning the figure of its axes; ``__wrapped__`` draws anew.

    Tests look at a figure and change nothing on it: of the same source it is drawn once.
    """
    kept: dict[tuple[Any, ...], tuple[Any, Figure]] = {}

    @functools.wraps(chart)
    def drawn(*sources: Any, **options: Any) -> Figure:
        try:
            key = (*map(id, sources), json.dumps(options, sort_keys=True), is_narrow())
        except TypeError:  # axes to draw on
            return figure_of(chart(*sources, **options))
        if key not in kept or is_narrow():
            figure = figure_of(chart(*sources, **options))
            # The sources stay, so that nothing else gets their ids.
            kept[key] = (sources, figure)
            if len(kept) > KEPT:
                del kept[next(iter(kept))]
            return figure
        return kept[key][1]

    return drawn
