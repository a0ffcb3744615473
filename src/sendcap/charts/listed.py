"""All charts, by the class of the result that they draw. To list them imports none."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sendcap.errors import SendcapError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Chart(NamedTuple):
    """A chart of a result."""

    name: str  # in `Drawable.plot` and ``sendcap plot``
    about: str  # a line on what the chart shows
    home: str  # ``"module:function"``, imported when the chart is drawn
    source: str = ""  # the same, of a function that makes of the result what the chart draws

    def load(self) -> Callable[..., Axes | list[Axes]]:
        """Import the function that draws the chart."""
        function: Callable[..., Axes | list[Axes]] = pkgutil.resolve_name(self.home)
        return function

    def takes(self, option: str) -> bool:
        """Tell whether the chart has an option."""
        return option in _parameters(self.load()) or option in self._of_the_source

    def draw(self, result: Any, **options: Any) -> Figure:
        """Draw the chart of a result; options of None are left out, unknown ones refused."""
        return self.prepared(result, **options)()

    def prepared(self, result: Any, **options: Any) -> Callable[[], Figure]:
        """Return a function that draws the chart, whose source is asked once; see `draw`.

        Without a source the result is what is drawn.
        """
        wanted = {option: value for option, value in options.items() if value is not None}
        for option in wanted:
            if not self.takes(option):
                raise SendcapError(f"{option}: not supported by chart {self.name}")
        function = self.load()
        if self.source:
            # Options such as the modes are those of what is drawn.
            own = self._of_the_source - _parameters(function)
            first = {option: wanted.pop(option) for option in own & wanted.keys()}
            result = pkgutil.resolve_name(self.source)(result, **first)

        def figure() -> Figure:
            axes = function(result, **wanted)
            drawn = (axes[0] if isinstance(axes, list) else axes).get_figure(root=True)
            assert drawn is not None
            return drawn

        return figure

    @property
    def _of_the_source(self) -> frozenset[str]:
        if not self.source:
            return frozenset()
        return _parameters(pkgutil.resolve_name(self.source))


def _parameters(function: Callable[..., Any]) -> frozenset[str]:
    return frozenset(inspect.signature(function).parameters)


def chart_called(name: str | None, charts: Sequence[Chart], whose: str) -> Chart:
    """Return the chart of that name; the first by default.

    Results of another kind may well have one, so the error says whose charts these are.
    """
    if name is None:
        return charts[0]
    for chart in charts:
        if chart.name == name:
            return chart
    names = ", ".join(chart.name for chart in charts)
    raise SendcapError(f"{whose} has no chart {name!r}; choose from: {names}")


def _charts(room: str, about: Mapping[str, str], source: str = "") -> tuple[Chart, ...]:
    """Return charts of a room, each with a line on what it shows, and what makes what they draw.

    A key is ``module.function``, or a single name of both.
    """
    charts = []
    for place, line in about.items():
        module, _, function = place.rpartition(".")
        name = function.removesuffix("_chart").replace("_", "-")
        home = f"sendcap.{room}.{module or function}:{function}"
        charts.append(Chart(name, line, home, source and f"sendcap.{source}"))
    return tuple(charts)


_OF_A_RUN: Final = {
    "delivered": "Delivered % and Bounces + errors % over time, a line for each mode",
    "over_time.statuses": "sent, pending and failed messages over time, stacked, for each mode",
    "funnel": "to deliver, relayed, accepted and final, for each provider",
    "durations.time_to_accept": "which share was accepted how soon, a line for each provider",
    "durations.delay": "which share took how long from ready to accepted, by provider",
    "bounce_reasons": "how many messages bounced for each reason, by provider",
    "over_time.retries": "what becomes of soft-bounced messages, and the retries per hour",
    "people": "the list over time, and whom deliveries went to; needs a [population]",
}
_OF_A_LOG: Final = {"attempts": "attempts per message; needs a run with --sending-log"}
_OF_STAGES: Final = {
    "waiting.backlog": "how many messages wait at each stage over time",
    "stages.throughput": "what each stage carries over time, against its ceiling",
}
_OF_WATCHED_STAGES: Final = {
    "stages.utilisation": "how much of each stage is in use over time",
    "waiting.queue_age": "how long the messages in the queues have waited, when there are most",
}
_OF_SLOTS: Final = {
    "chart.calendar": "when each delivery waits, is relayed, is accepted and settles"
}
_OF_CONVERGENCE: Final = {
    "reading.converging": "when Delivered % is close to its end, and stays there",
    "reading.reading_error": "how far Delivered % is from the truth over time",
    "remaining": "what the error of Delivered % consists of over time",
    "settling": "when Delivered % of each provider is close to its end",
}
_OF_RESULTS: Final = {
    "sweep_line": "a measure along one parameter, a line for each value of another one",
    "sweep_grid.sweep_heat_map": "a measure over two parameters",
    "tornado": "how far each parameter moves a measure",
}
_DIFFERENCE: Final = "Delivered % of A and B over time, and their difference"
_LEVERS: Final = "time saved by one more unit of each lever"
_LARGEST: Final = "the largest delivery within the time, beside the scenario's own"
_HIGHEST: Final = "the highest steady rate, and how fast each stage falls behind above it"
_SHARES: Final = "share of each measure's variance due to each parameter"
_EFFECTS: Final = "size of the effect of each parameter on each measure"
_FAN: Final = "Delivered % as read so far, and what it may become"
_LEFT: Final = "how many messages of a queue are left over time, and with what would help most"
_FRONT: Final = "the measure against the cost of each trial, and the best trade-offs"
_FITTED: Final = "times in the log and the fitted distributions, for each provider"
_SELF_CHECK: Final = "time to accept in the log and as simulated"

_CAPACITY, _CONVERGENCE = "study.capacity.charts", "study.convergence.charts"
_CALENDAR, _SWEEPS = "study.calendar", "study.sweeps.charts"

CHARTS: Final[Mapping[str, tuple[Chart, ...]]] = {
    "Run": (
        *_charts("charts", _OF_A_RUN),
        *_charts("charts", _OF_A_LOG, "charts.attempts:attempts_of"),
        # A ledger tells how much waits at each stage, not how much of it is in use.
        *_charts(_CAPACITY, _OF_STAGES, "study.capacity.limits:limits_from_ledger"),
        *_charts(_CALENDAR, _OF_SLOTS, "study.calendar.calendar:calendar_of"),
        *_charts(_CONVERGENCE, _OF_CONVERGENCE, "study.convergence.converge:convergence_of"),
    ),
    "DataFrame": _charts(_SWEEPS, _OF_RESULTS),
    "Limits": _charts(_CAPACITY, _OF_STAGES | _OF_WATCHED_STAGES),
    "Calendar": _charts(_CALENDAR, _OF_SLOTS),
    "ConvergenceStudy": _charts(_CONVERGENCE, _OF_CONVERGENCE),
    "Comparison": _charts(_CONVERGENCE, {"comparison": _DIFFERENCE}),
    "Levers": _charts(_CAPACITY, {"answers.levers_chart": _LEVERS}),
    "Capacity": _charts(_CAPACITY, {"answers.capacity": _LARGEST}),
    "Sustained": _charts(_CAPACITY, {"answers.sustained": _HIGHEST}),
    "Sensitivity": _charts(_SWEEPS, {"sensitivity.sensitivity_chart": _SHARES}),
    "Screening": _charts(_SWEEPS, {"sensitivity.screening_chart": _EFFECTS}),
    "Forecast": _charts("study.forecasts", {"chart.forecast": _FAN}),
    "Drain": _charts("study.drain", {"chart.left": _LEFT}),
    "Tried": _charts("study.optimisation", {"chart.front_chart": _FRONT}),
    "Calibration": _charts("calibration", {"charts.calibration_chart": _FITTED}),
    "Verification": _charts("calibration", {"charts.verification_chart": _SELF_CHECK}),
}
"""The charts of each result, the usual one first; those of a sweep draw its table."""
RUN_CHARTS: Final = CHARTS["Run"]
SWEEP_CHARTS: Final = CHARTS["DataFrame"]
