"""Results that draw themselves: the charts of a result by name."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from sendcap.errors import SendcapError
from sendcap.text.displayed import Displayed

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


class Drawable(Displayed):
    """A result with charts.

    ``class Limits(Drawable, charts="sendcap.study.capacity.charts")`` names the module whose
    ``CHARTS`` lists them, the usual one first; it is imported when a chart is drawn, so that a
    simulation does not load matplotlib, and charts may be drawn by rooms above the result's.
    """

    __slots__ = ()
    _charts_module: ClassVar[str]

    def __init_subclass__(cls, charts: str = "", **options: Any) -> None:
        super().__init_subclass__(**options)
        if charts:
            cls._charts_module = charts

    @classmethod
    def charts(cls) -> tuple[Chart, ...]:
        """Return the charts of such a result, the usual one first."""
        listed: dict[str, tuple[Chart, ...]]
        listed = importlib.import_module(cls._charts_module).CHARTS
        return next(listed[each.__name__] for each in cls.__mro__ if each.__name__ in listed)

    def plot(
        self, name: str | None = None, ax: Axes | Sequence[Axes] | None = None, **options: Any
    ) -> Figure:
        """Draw a chart of this result.

        Parameters
        ----------
        name
            The chart's name; by default the first of `charts`.
        ax
            Draw on these axes. By default a new figure gets them, which is not attached to pyplot.
        **options
            Options of the chart, such as ``delivery`` or ``scale``; see `sendcap.charts`.

        Returns
        -------
        Figure
            The figure, which a notebook shows; ``figure.axes`` are the panels.

        Raises
        ------
        SendcapError
            If there is no chart of that name, or the chart has no such option.
        """
        chart = chart_called(name, self.charts(), type(self).__name__)
        return chart.draw(self, ax=ax, **options)

    def save_charts(self, folder: Path) -> None:
        """Write each chart of this result as PNG into a directory that exists, by its name."""
        save_png = pkgutil.resolve_name("sendcap.charts.style:save_png")
        for chart in self.charts():
            save_png(chart.draw(self), folder / f"{chart.name}.png")


def charts_in(package: str, about: Mapping[str, str]) -> tuple[Chart, ...]:
    """Return the charts of a package, each with a line on what it shows.

    A key is ``module.function``, or a single name of both.
    """
    charts = []
    for place, line in about.items():
        module, _, function = place.rpartition(".")
        name = function.removesuffix("_chart").replace("_", "-")
        charts.append(Chart(name, line, f"{package}.{module or function}:{function}"))
    return tuple(charts)


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
