"""The chart of a forecast: the readings so far, the fan of what may come, and the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sendcap.charts.drawing import Chart
from sendcap.charts.figures import panels_for, stacked_panels
from sendcap.charts.labels import EndLabel, label_ends
from sendcap.charts.style import GREY, INK, MODE_LOOKS, house_style
from sendcap.charts.timeaxis import Scale, Start
from sendcap.readings.modes import ALL_DELIVERIES
from sendcap.study.convergence.charts.bands import times_between
from sendcap.study.forecasts.sentences import decimals
from sendcap.text.quantities import elapsed
from sendcap.text.shares import share_text

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes

    from sendcap.readings.modes import Mode
    from sendcap.study.forecasts.outlook import Forecast

    Floats = npt.NDArray[np.float64]

_PANEL_IN: Final = 2.8
_ROOM_AFTER: Final = 1.15
_INNER: Final = 0.5
"""Share of what may come in the darker part of the fan."""
_FEW: Final = 60
"""So many readings are drawn as dots; more of them as a line."""
_MOST_ROOM: Final = 12.0
"""Room for the last reading, as a multiple of the interval at the end."""


CHARTS: Final = {
    "Forecast": (
        Chart(
            "forecast",
            "Delivered % as read so far, and what it may become",
            "sendcap.study.forecasts.chart:forecast",
        ),
    ),
}
"""The charts of each result."""


def forecast(
    its: Forecast,
    ax: Axes | Sequence[Axes] | None = None,
    *,
    scale: Scale | None = None,
    start: Start = None,
) -> list[Axes]:
    """Draw the readings and what may come of Delivered %, a panel for each mode.

    Parameters
    ----------
    ax
        Draw on these, a panel each, or divide one pair of axes into panels. By default a new figure
        gets them, which is not attached to pyplot.
    scale, start
        Of the time axis; see `sendcap.charts.delivered.delivered`.

    Returns
    -------
    list of Axes
        The panels, from top to bottom.
    """
    scenario = its.uncertain.scenario
    times = times_between(scenario, _limits_s(its), scale, start)
    with house_style():
        heights = [_PANEL_IN] * len(its.modes)
        panels = panels_for(
            ax,
            heights,
            lambda: stacked_panels(
                scenario.title or "Delivery",
                "where will Delivered % end?",
                _words(its),
                heights,
                right_in=2.6,
                below_in=times.room_in,
            )[1],
        )
        for panel, mode in zip(panels, its.modes, strict=True):
            times.of(panel)
            _panel(panel, its, mode)
        times.below(panels, its.delivery)
    return panels


def _limits_s(its: Forecast) -> tuple[float, float]:
    """Return when the first reading is, and the end of the axis."""
    firsts = [its.at_s]
    for mode in its.modes:
        shown, there = _readings(its, mode)
        firsts += its.readings[mode].time_s[there][:1].tolist() if len(shown) else []
    return min(firsts), _ROOM_AFTER * float(its.moments_s[its.later][-1])


def _readings(its: Forecast, mode: Mode) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return what has been read of Delivered %, and which of it can be drawn."""
    import numpy as np

    readings = its.readings[mode]
    shown = readings.percent.get("delivered_pct", np.full(len(readings.time_s), np.nan))
    return shown, ~np.isnan(shown) & (readings.time_s > 0.0)


def _words(its: Forecast) -> list[str]:
    which = "F" if its.delivery == ALL_DELIVERIES else f"{its.delivery}: f"
    shares = f"{share_text(_INNER)} and {share_text(its.confidence)}"
    words = [
        f"{which}orecast after {elapsed(its.at_s)}, from {its.simulations} simulations.",
        f"Black: the readings. Line: the median; fan: {shares} of what may come. Bar: the end.",
    ]
    if not its.reachable:
        words.append("No values in the ranges explain these readings: do not trust it.")
    return words


def _panel(panel: Axes, its: Forecast, mode: Mode) -> None:
    import numpy as np

    look, readings = MODE_LOOKS[mode], its.readings[mode]
    shown, there = _readings(its, mode)
    time_s, curves = its.moments_s[its.later], its.curves[mode][:, its.later]
    if shown[-1] == shown[-1] and readings.time_s[-1] == its.at_s:
        # From the last reading on, which is known.
        time_s = np.concatenate([[its.at_s], time_s])
        curves = np.column_stack([np.full(len(curves), shown[-1]), curves])
    outer = (1.0 - its.confidence) / 2.0
    levels = (outer, 0.5 - _INNER / 2, 0.5, 0.5 + _INNER / 2, 1.0 - outer)
    low, inner_low, median, inner_high, high = its.quantiles(curves, levels)
    last_s = panel.get_xlim()[1]
    panel.set_ylim(*_limits(shown[there], low, high))
    panel.set_title(f"Delivered %, {look.label}")
    panel.fill_between(time_s, low, high, color=look.colour, alpha=0.18, linewidth=0)
    panel.fill_between(time_s, inner_low, inner_high, color=look.colour, alpha=0.22, linewidth=0)
    panel.plot(time_s, median, color=look.colour, linewidth=1.8)
    dots = {"marker": "o", "markersize": 3.2, "linestyle": "none"}
    line = {"linewidth": 1.8}
    style = dots if there.sum() <= _FEW else line
    panel.plot(readings.time_s[there], shown[there], color=INK, **style)
    panel.axvline(its.at_s, color=GREY, linewidth=0.8, linestyle=":")
    panel.annotate(
        f"now, {elapsed(its.at_s)}",
        xy=(its.at_s, 1.0),
        xycoords=panel.get_xaxis_transform(),
        xytext=(4, -4),
        textcoords="offset points",
        verticalalignment="top",
        fontsize=8.5,
        color=GREY,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85},
    )
    panel.plot(
        [last_s] * 2,
        [low[-1], high[-1]],
        color=look.colour,
        linewidth=5,
        solid_capstyle="butt",  # it ends where the interval does
        clip_on=False,
    )
    places = decimals(float(high[-1] - low[-1]))
    ends = [
        EndLabel(f"{high[-1]:.{places}f} %", float(high[-1]), GREY),
        EndLabel(f"ends at {median[-1]:.{places}f} %", float(median[-1]), look.colour),
        EndLabel(f"{low[-1]:.{places}f} %", float(low[-1]), GREY),
    ]
    label_ends(panel, ends)


def _limits(
    shown: npt.NDArray[np.float64], low: npt.NDArray[np.float64], high: npt.NDArray[np.float64]
) -> tuple[float, float]:
    """Return the limits of the y axis: the end can be told, and the last reading be seen.

    With EFS the curve climbs from 0; all of that would leave nothing of what may come.
    """
    bottom, top = float(low[-1]), float(high[-1])
    most = max(_MOST_ROOM * (top - bottom), 0.5)
    near = [bottom, top, float(low[0]), float(high[0]), *shown[-1:].tolist()]
    lowest = max(min(near), bottom - most)
    highest = min(max(near), top + most)
    margin = 0.1 * max(highest - lowest, 0.05)
    return lowest - margin, highest + margin
