"""The charts by name: what each shows, what it is drawn from and what it can be told.

The functions themselves are in the modules of this package. Their modules are imported when a chart
is drawn.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Source = Literal["run", "sending log", "stages", "convergence", "sweep"]
"""What a chart is drawn from: a run; a run and its sending log; the stages of a run, as
`sendcap.study.capacity.from_ledger` tells them; how its Delivered % converges, as
`sendcap.study.convergence.converge.convergence_of` does; or the results of a sweep."""
SOURCES: Final[tuple[Source, ...]] = get_args(Source)


class Chart(NamedTuple):
    """A chart that can be drawn of what has been saved.

    Attributes
    ----------
    name
        On the command line.
    about
        A line on what it shows.
    source
        What it is drawn from.
    module, function
        Where it is.
    """

    name: str
    about: str
    source: Source
    module: str
    function: str

    def load(self) -> Callable[..., Axes | list[Axes]]:
        """Import the function that draws it."""
        module = importlib.import_module(f"sendcap.charts.{self.module}")
        function: Callable[..., Axes | list[Axes]] = getattr(module, self.function)
        return function

    def takes(self, option: str) -> bool:
        """Tell whether the function has a parameter of that name."""
        return option in inspect.signature(self.load()).parameters

    def draw(self, *sources: Any, **options: Any) -> Axes | list[Axes]:
        """Draw it on a new figure; options of None are left out."""
        given = {name: value for name, value in options.items() if value is not None}
        return self.load()(*sources, **given)


_ALL: Final = (
    Chart(
        "delivered",
        "Delivered % and Bounces + errors % over time, a line for each mode",
        "run",
        "delivered",
        "delivered",
    ),
    Chart(
        "statuses",
        "sent, pending and failed messages over time, stacked, for each mode",
        "run",
        "statuses",
        "statuses",
    ),
    Chart(
        "funnel",
        "to deliver, relayed, accepted and final, for each provider",
        "run",
        "funnel",
        "funnel",
    ),
    Chart(
        "time-to-accept",
        "which share was accepted how soon, a line for each provider",
        "run",
        "time_to_accept",
        "time_to_accept",
    ),
    Chart(
        "backlog",
        "how many messages wait at each stage over time",
        "stages",
        "backlog",
        "backlog",
    ),
    Chart(
        "throughput",
        "what each stage carries over time, against its ceiling",
        "stages",
        "throughput",
        "throughput",
    ),
    Chart(
        "bounce-reasons",
        "how many messages bounced for each reason, by provider",
        "run",
        "reasons",
        "bounce_reasons",
    ),
    Chart(
        "retries",
        "what becomes of soft-bounced messages, and the retries per hour",
        "run",
        "retries",
        "retries",
    ),
    Chart(
        "attempts",
        "attempts per message; needs a run with --sending-log",
        "sending log",
        "attempts",
        "attempts",
    ),
    Chart(
        "converging",
        "when Delivered % is close to its end, and stays there",
        "convergence",
        "converging",
        "converging",
    ),
    Chart(
        "reading-error",
        "how far Delivered % is from the truth over time",
        "convergence",
        "reading_error",
        "reading_error",
    ),
    Chart(
        "remaining",
        "what the error of Delivered % consists of over time",
        "convergence",
        "remainder",
        "remainder",
    ),
    Chart(
        "settling",
        "when Delivered % of each provider is close to its end",
        "convergence",
        "settling",
        "settling",
    ),
    Chart(
        "sweep-line",
        "a measure along one parameter, a line for each value of another one",
        "sweep",
        "sweep_line",
        "sweep_line",
    ),
    Chart(
        "sweep-heat-map",
        "a measure over two parameters",
        "sweep",
        "sweep_heat_map",
        "sweep_heat_map",
    ),
    Chart(
        "tornado",
        "how far each parameter moves a measure",
        "sweep",
        "tornado",
        "tornado",
    ),
)
CHARTS: Final[dict[str, Chart]] = {chart.name: chart for chart in _ALL}
