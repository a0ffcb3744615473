"""Charts as their figures, for tests of all that is on one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure

from sendcap.charts.style import figure_of


def on_a_figure(chart: Callable[..., Any]) -> Callable[..., Figure]:
    """The chart, returning the figure of its axes."""

    @functools.wraps(chart)
    def drawn(*sources: Any, **options: Any) -> Figure:
        return figure_of(chart(*sources, **options))

    return drawn
