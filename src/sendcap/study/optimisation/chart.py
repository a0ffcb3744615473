"""The chart of a trade-off: what each cost buys, the target, and the cheapest that meets it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from sendcap.charts.drawing import Chart
from sendcap.charts.style import INK, house_style
from sendcap.study.optimisation.optimum import Optimum, Tried
from sendcap.study.optimisation.sentences import cost_text, settings_text
from sendcap.study.sweeps.charts.sweep_results import in_words, measure_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FRONT: Final = "#3f90da"
_ANSWER: Final = "#bd1f01"
_TRIED: Final = "#b9bec6"
_FACTOR: Final = 12.0
"""Between the largest value and the least, from which on the scale is logarithmic."""
_LETTERS: Final = 48
"""Of a line of the legend."""


CHARTS: Final = {
    "Tried": (
        Chart(
            "front",
            "the measure against the cost of each trial, and the best trade-offs",
            "sendcap.study.optimisation.chart:front_chart",
        ),
    ),
}
"""The charts of each result."""


def front_chart(found: Tried, title: str = "", ax: Axes | None = None) -> Axes:
    """Draw the measure of each trial over its cost, and the front of those that none outdoes.

    Parameters
    ----------
    found
        The trials; of an `Optimum` the answer is marked.
    title
        The study's.
    ax
        Draw on these; by default on those of a new figure, which is not attached to pyplot.

    Returns
    -------
    Axes
        Those on which it is drawn.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, NullLocator

    target, column = found.target, found.target.column
    trials = found.trials[found.trials[column].notna()]
    with house_style():
        axes = ax or Figure(figsize=(8.4, 4.8), layout="constrained").subplots()
        value = trials[column]
        axes.plot(trials["cost"], value, "o", color=_TRIED, markersize=4, label="tried")
        front = found.front()
        axes.step(
            front["cost"],
            front[column],
            "o-",
            where="post",
            color=_FRONT,
            markersize=5,
            linewidth=1.6,
            label="no other is cheaper and better",
        )
        if value.min() > 0.0 and value.max() > _FACTOR * value.min():
            axes.set_yscale("log")
            axes.yaxis.set_minor_locator(NullLocator())
        axes.axhline(
            target.limit,
            color=INK,
            linewidth=0.9,
            linestyle=(0, (4, 3)),
            zorder=1,
            label=f"target: {target}",
        )
        refuted = found.trials[found.trials["met"] == "no"]
        if len(refuted):
            axes.plot(
                refuted["cost"],
                refuted[column],
                "x",
                color=INK,
                markersize=8,
                label="put to the test, and not sure to meet it",
            )
        if isinstance(found, Optimum):
            _mark(axes, found)
        axes.set_title(title or "What each cost buys")
        axes.set_xlabel("cost", loc="left")
        axes.set_ylabel(in_words(column), loc="top")
        measure_axis(axes.yaxis, column)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda its, _: f"{its:,.6g}"))
        axes.legend(loc="best", frameon=False)
        return axes


def _mark(axes: Axes, found: Optimum) -> None:
    """Mark the answer, with the mean and the bound of its test."""
    mean, bound = found.estimate.mean, found.bound
    axes.plot([found.cost, found.cost], [mean, bound], color=_ANSWER, linewidth=1.4)
    text = f"cheapest that meets it: {cost_text(found.cost)}, with {settings_text(found.settings)}"
    axes.plot(
        [found.cost],
        [mean],
        "D",
        color=_ANSWER,
        markersize=8,
        label="\n".join(textwrap.wrap(text, _LETTERS)),
    )
