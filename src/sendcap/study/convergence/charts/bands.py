"""What charts of replications share: bands over time, and how they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sendcap.charts.marks import draw_marks, scenario_marks
from sendcap.charts.timeaxis import (
    Scale,
    Start,
    elapsed_axis,
    room_below_in,
    scale_for,
    start_of,
    time_label,
)
from sendcap.readings.modes import ALL_DELIVERIES
from sendcap.text.quantities import counted
from sendcap.text.shares import share_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from matplotlib.axes import Axes

    from sendcap.scenario import Scenario
    from sendcap.study.replication.replications import Band, Replications

_ROOM_AFTER: Final = 1.3
"""The time axis ends at this multiple of the last change."""


class Times(NamedTuple):
    """The axis of time of charts of replications.

    Attributes
    ----------
    scenario
        Of which the charts are.
    first_s, last_s
        When there is first something to see, and where the axis ends.
    scale
        Of the axis.
    began
        The moment on the wall at t = 0, where the time is told by the clock.
    """

    scenario: Scenario
    first_s: float
    last_s: float
    scale: Scale
    began: datetime | None

    def of(self, panel: Axes) -> None:
        """Make a panel's x axis this one."""
        first_s = self.first_s if self.scale == "log" else 0.0
        elapsed_axis(panel, first_s, self.last_s, self.scale, self.began)

    def below(self, panels: Sequence[Axes], delivery: str = ALL_DELIVERIES) -> None:
        """Write the times below the last panel only, and mark what happens when on all."""
        for panel in panels:
            panel.tick_params(labelbottom=panel is panels[-1])
        label = time_label(self.scenario, self.scale, self.began, self.last_s)
        panels[-1].set_xlabel(label, loc="left")
        draw_marks(panels, scenario_marks(self.scenario, delivery))

    @property
    def room_in(self) -> float:
        """Room below the last panel, in inches."""
        return 0.05 + room_below_in(self.began)


def times_of(
    studies: Sequence[Replications],
    scale: Scale | None = None,
    start: Start = None,
    delivery: str = ALL_DELIVERIES,
) -> Times:
    """Return the axis of time of a chart of replications, or of several of them together."""
    return times_between(studies[0].scenario, limits_s(studies, delivery), scale, start)


def times_between(
    scenario: Scenario, limits: tuple[float, float], scale: Scale | None, start: Start
) -> Times:
    """Return an axis of time with these limits."""
    its_scale = scale_for(scale, scenario, limits[1])
    return Times(scenario, *limits, its_scale, start_of(start, scenario))


def about_the_replications(its: Replications, delivery: str = ALL_DELIVERIES) -> str:
    """Return what was replicated, and how often."""
    which = [each for each in its.scenario.deliveries if delivery in (ALL_DELIVERIES, each.name)]
    count = sum(each.messages for each in which)
    name = "" if delivery == ALL_DELIVERIES else f"{delivery}: "
    times = "1 simulation" if its.n == 1 else f"{its.n} simulations with different draws"
    return f"{name}{counted(count, 'message')}, {times}."


def about_the_band(its: Replications) -> str:
    """Return what a line and a band are; nothing if there is no band."""
    if its.n == 1:
        return ""
    return f"Line: the median; band: the middle {share_text(its.confidence)} of them."


def limits_s(
    studies: Iterable[Replications], delivery: str = ALL_DELIVERIES
) -> tuple[float, float]:
    """Return the limits of a time axis: from the first change to a little after the last."""
    import numpy as np

    first, last, cut = float("inf"), 0.0, False
    for its in studies:
        cut |= its.scenario.time.horizon is not None
        for about, curves in its.curves.items():
            if about.name not in ("delivered_pct", "bounces_errors_pct"):
                continue
            if delivery not in (ALL_DELIVERIES, about.delivery):
                continue
            changes = np.flatnonzero((np.diff(np.nan_to_num(curves, nan=-1.0)) != 0.0).any(axis=0))
            if len(changes):
                first = min(first, float(its.moments_s[changes[0] + 1]))
                last = max(last, float(its.moments_s[changes[-1] + 1]))
    if not last:
        return 1.0, 2.0
    return first, max((1.0 if cut else _ROOM_AFTER) * last, 2 * first)


def draw_band(panel: Axes, band: Band, colour: str, **look: Any) -> None:
    """Draw the median of replications, and the band in which most of them are."""
    import numpy as np

    # After the last moment nothing changes any more.
    end_s = max(float(band.time_s[-1]), panel.get_xlim()[1])
    time_s = np.append(band.time_s, end_s)
    low, median, high = (np.append(its, its[-1]) for its in (band.low, band.median, band.high))
    panel.fill_between(time_s, low, high, color=colour, alpha=0.25, linewidth=0)
    panel.plot(time_s, median, **look)
