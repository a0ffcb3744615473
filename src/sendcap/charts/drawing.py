"""Results that draw themselves: the charts of a result by name."""

from __future__ import annotations

import io
import pkgutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sendcap.charts.listed import CHARTS, Chart, chart_called
from sendcap.files.figures import write_json
from sendcap.files.single import write_text
from sendcap.files.tables import write_csv
from sendcap.scenario import Scenario, dumps
from sendcap.text.displayed import Displayed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Drawable(Displayed):
    """A result with charts, which `sendcap.charts.listed.CHARTS` has by the name of its class."""

    __slots__ = ()

    @classmethod
    def charts(cls) -> tuple[Chart, ...]:
        """Return the charts of such a result, the usual one first."""
        return next(CHARTS[each.__name__] for each in cls.__mro__ if each.__name__ in CHARTS)

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

    def png(self, **options: Any) -> bytes:
        """Return the first of `charts` as the bytes of a PNG file."""
        content = io.BytesIO()
        pkgutil.resolve_name("sendcap.charts.style:save_png")(self.plot(**options), content)
        return content.getvalue()

    def save_charts(self, folder: Path, **options: Any) -> None:
        """Write each chart of this result as PNG into a directory that exists, by its name."""
        save_png = pkgutil.resolve_name("sendcap.charts.style:save_png")
        for chart in self.charts():
            save_png(chart.draw(self, **options), folder / f"{chart.name}.png")

    def _write(self, folder: Path, contents: Mapping[str, Any], **options: Any) -> None:
        """Write scenarios, tables and figures by file name, and the charts with their options."""
        for name, content in contents.items():
            if isinstance(content, Scenario):
                write_text(folder / name, dumps(content))
            elif isinstance(content, pd.DataFrame):
                write_csv(folder / name, content)
            else:
                write_json(folder / name, content)
        self.save_charts(folder, **options)
