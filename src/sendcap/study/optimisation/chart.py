"""The chart of a trade-off: what each cost buys, the target, and the cheapest that meets it."""

import textwrap
from typing import Final

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator

from sendcap.charts.figures import Heading, panels_on
from sendcap.charts.style import BLUE, DASHES, INK, RED, Look, house_style
from sendcap.study.optimisation.optimum import Optimum, Tried, cost_text, settings_text
from sendcap.study.replication.measure_names import in_words
from sendcap.study.sweeps.charts.sweep_results import measure_axis

_TRIED: Final = "#b9bec6"
_FACTOR: Final = 12.0
"""Between the largest value and the least, from which on the scale is logarithmic."""
_LETTERS: Final = 48
"""Of a line of the legend."""


@house_style()
def front_chart(found: Tried, title: str = "", ax: Axes | None = None) -> Axes:
    """Draw the measure of each trial over its cost, and the front of those that none outdoes.

    Of an `Optimum` the answer is marked. For the options see `sendcap.charts`.
    """
    heading = Heading(title, "what each cost buys", "Each dot is a trial of the search.")
    (axes,) = panels_on(ax, heading, [3.7], left_in=1.0, right_in=0.4, above_in=0.15, below_in=0.5)
    target, column = found.target, found.target.column
    trials, front = found.trials[found.trials[column].notna()], found.front()
    value = trials[column]
    axes.plot(trials["cost"], value, "o", color=_TRIED, markersize=4, label="tried")
    axes.step(
        front["cost"],
        front[column],
        "o-",
        where="post",
        color=BLUE,
        markersize=5,
        linewidth=1.6,
        label="no other is cheaper and better",
    )
    if value.min() > 0.0 and value.max() > _FACTOR * value.min():
        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(NullLocator())
    look: Look = {"color": INK, "linewidth": 0.9, "linestyle": DASHES, "zorder": 1}
    axes.axhline(target.limit, label=f"target: {target}", **look)
    refuted = found.trials[found.trials["met"] == "no"]
    if len(refuted):
        label = "put to the test, and not sure to meet it"
        axes.plot(refuted["cost"], refuted[column], "x", color=INK, markersize=8, label=label)
    if isinstance(found, Optimum):
        mean, cost = found.estimate.mean, found.cost
        axes.plot([cost, cost], [mean, found.bound], color=RED, linewidth=1.4)
        text = f"cheapest that meets it: {cost_text(cost)}, with {settings_text(found.settings)}"
        label = "\n".join(textwrap.wrap(text, _LETTERS))
        axes.plot([cost], [mean], "D", color=RED, markersize=8, label=label)
    axes.set_xlabel("cost", loc="left")
    axes.set_ylabel(in_words(column), loc="top")
    measure_axis(axes.yaxis, column)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: f"{cost:,.6g}"))
    axes.legend(loc="best", frameon=False)
    return axes
