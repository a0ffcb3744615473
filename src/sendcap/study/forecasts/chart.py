"""The chart of a forecast: the readings so far, the fan of what may come, and the end."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.axes import Floats, magnify
from sendcap.charts.figures import Heading
from sendcap.charts.labels import WHITE, EndLabel, label_ends
from sendcap.charts.marks import draw_marks, scenario_marks
from sendcap.charts.style import GREY, INK, MODE_LOOKS, house_style
from sendcap.charts.ticks import Scale
from sendcap.charts.timeaxis import Start, time_axis
from sendcap.readings.modes import ALL_DELIVERIES, Mode
from sendcap.study.forecasts.outlook import Forecast
from sendcap.study.forecasts.sentences import decimals
from sendcap.study.replication.estimates import holding
from sendcap.text.quantities import elapsed
from sendcap.text.shares import share_text

_INNER: Final = 0.5
"""Share of the simulations in the darker part of the fan."""
_FEW: Final = 60
"""So many readings are drawn as dots; more of them as a line."""
_MOST_ROOM: Final = 12.0
"""Room for the last reading, as a multiple of the interval at the end."""


@house_style()
def forecast(
    result: Forecast,
    ax: Axes | Sequence[Axes] | None = None,
    *,
    scale: Scale | None = None,
    start: Start = None,
) -> list[Axes]:
    """Draw the readings and what may come of Delivered %, a panel for each mode.

    For the options see `sendcap.charts`.
    """
    scenario = result.uncertain.scenario
    shown = [(each, mode, _readings(each, mode)) for each in result.possible for mode in each.modes]
    firsts_s = [readings.time_s[0] for _, _, readings in shown if len(readings.time_s)]
    last_s = float(result.moments_s[result.later][-1])
    time = time_axis(scenario, (float(min([result.at_s, *firsts_s])), last_s), scale, start)
    panels = time.panels(
        ax,
        Heading(scenario.title, "where will Delivered % end?", _words(result)),
        [2.8] * len(shown),
        right_in=2.55,
    )
    for panel, (each, mode, readings) in zip(panels, shown, strict=True):
        _panel(panel, each, readings, mode)
    draw_marks(panels, scenario_marks(scenario, result.delivery))
    return panels


class _Readings(NamedTuple):
    """The readings of Delivered % that can be drawn."""

    time_s: Floats
    pct: Floats


def _readings(result: Forecast, mode: Mode) -> _Readings:
    readings = result.readings[mode]
    pct = readings.percent.get("delivered_pct", np.full(len(readings.time_s), np.nan))
    known = ~np.isnan(pct) & (readings.time_s > 0.0)
    return _Readings(readings.time_s[known], pct[known])


def _words(result: Forecast) -> str:
    which = "" if result.delivery == ALL_DELIVERIES else f" of {result.delivery}"
    shares = f"{share_text(_INNER)} and {share_text(result.confidence)}"
    words = (
        f"Forecast{which} after {elapsed(result.at_s)}, from {result.simulations} simulations.\n"
        f"Black: the readings. Line: the median; fan: {shares} of what may come. Bar: the end.\n"
        "A magnified panel leaves out readings that are far from the end."
    )
    if len(result.possible) > 1:
        words += "\nThe readings fit none of these modes: do not trust it."
    elif not result.reachable:
        words += "\nNo values in the ranges explain these readings: do not trust it."
    return words


def _panel(panel: Axes, result: Forecast, readings: _Readings, mode: Mode) -> None:
    colour = MODE_LOOKS[mode].colour
    time_s, curves = result.moments_s[result.later], result.curves[mode][:, result.later]
    if len(readings.time_s) and readings.time_s[-1] == result.at_s:
        # From the last reading on, which is known.
        time_s = np.concatenate([[result.at_s], time_s])
        curves = np.column_stack([np.full(len(curves), readings.pct[-1]), curves])
    low, median, high = holding(curves, result.confidence)
    inner_low, _, inner_high = holding(curves, _INNER)
    limits = _limits(readings.pct, low, high)
    title = f"Delivered %, {MODE_LOOKS[mode].label}"
    magnify(panel, *limits, title, [readings.pct, median])
    panel.fill_between(time_s, low, high, color=colour, alpha=0.18, linewidth=0)
    panel.fill_between(time_s, inner_low, inner_high, color=colour, alpha=0.22, linewidth=0)
    panel.plot(time_s, median, color=colour, linewidth=1.8)
    style: dict[str, Any] = {"linewidth": 1.8}
    if len(readings.time_s) <= _FEW:
        style = {"marker": "o", "markersize": 3.2, "linestyle": "none"}
    panel.plot(readings.time_s, readings.pct, color=INK, **style)
    panel.axvline(result.at_s, color=GREY, linewidth=0.8, linestyle=":")
    panel.annotate(
        f"now, {elapsed(result.at_s)}",
        xy=(result.at_s, 1.0),
        xycoords=panel.get_xaxis_transform(),
        xytext=(4, -4),
        textcoords="offset points",
        verticalalignment="top",
        fontsize=8.5,
        color=GREY,
        bbox=WHITE,
    )
    panel.plot(
        [panel.get_xlim()[1]] * 2,
        [low[-1], high[-1]],
        color=colour,
        linewidth=5,
        solid_capstyle="butt",  # it ends where the interval does
        clip_on=False,
    )
    digits = decimals(float(high[-1] - low[-1]))
    middle = EndLabel(f"ends at {median[-1]:.{digits}f} %", float(median[-1]), colour)
    ends = [EndLabel(f"{end[-1]:.{digits}f} %", float(end[-1]), GREY) for end in (high, low)]
    label_ends(panel, [ends[0], middle, ends[1]])


def _limits(pct: Floats, low: Floats, high: Floats) -> tuple[float, float]:
    """Return the limits of the y axis: the end, what may come until then, and the last reading.

    With EFS the curve climbs from 0; all of that would leave nothing of what may come.
    """
    bottom, top = float(low[-1]), float(high[-1])
    most = max(_MOST_ROOM * (top - bottom), 0.5)
    near = [bottom, top, float(np.nanmin(low)), float(np.nanmax(high)), *pct[-1:].tolist()]
    lowest = max(min(near), bottom - most)
    highest = min(max(near), top + most)
    margin = 0.1 * max(highest - lowest, 0.05)
    return lowest - margin, highest + margin
