"""The axis of time, readable from seconds to weeks: elapsed, or by the clock on the wall.

A delivery's first hour and its third day matter alike. So the axis is logarithmic, or it is linear
for the first minutes and logarithmic from there on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from sendcap.charts.figures import Heading, panels_on, width_in
from sendcap.charts.marks import Mark
from sendcap.charts.narrow import broken, is_narrow
from sendcap.charts.tick_labels import Axis, with_room
from sendcap.charts.ticks import (
    CLOSEST,
    LINEAR_DECADES,
    LINEAR_S,
    Scale,
    along,
)
from sendcap.errors import SendcapError
from sendcap.ledger import Counts
from sendcap.scenario import Scenario
from sendcap.scenario.clock import moment_s
from sendcap.scenario.start import of_our_time
from sendcap.text.clock import brief_moment
from sendcap.text.quantities import elapsed

if TYPE_CHECKING:
    from sendcap.run import Run


Start = datetime | str | None
"""The moment on the wall at t = 0; None is the scenario's for several deliveries, and else none."""

OF_THE_SCENARIO: Final = "scenario"
"""As a start: the scenario's own."""
ELAPSED: Final = "elapsed"
"""As a start: none, so that the time is elapsed."""

Moment = float | str | None
"""A moment in seconds or as text, such as ``"3h"`` or ``"Fri 17:00"``; None for the usual one."""

_ROOM_AFTER: Final = 1.3
"""A logarithmic axis ends at this multiple of the last change."""
_LINEAR_ROOM_AFTER: Final = 0.04
"""A linear one ends by this share of the length later."""

_LATE: Final = 0.05
"""Where nothing happens in this share of a linear axis, it begins later."""
_ROOM_BEFORE: Final = 0.02
_POINTS: Final = 700
"""As many points of a curve are enough for the widest page."""
_POINTS_NARROW: Final = 350
"""The same for a phone."""
_SCALE_WORDS: Final[dict[Scale, str]] = {
    "log": " (logarithmic axis)",
    "symlog": " (logarithmic after 15 minutes)",
    "linear": "",
}


class TimeAxis(NamedTuple):
    """The axis of time of a chart's panels."""

    scenario: Scenario
    first_s: float  # the first change; a logarithmic axis begins here
    last_s: float
    scale: Scale
    began: datetime | None  # the moment on the wall at t = 0, where the time is by the clock
    begins_s: float = 0.0  # where the axis begins if it is not logarithmic

    @property
    def left_s(self) -> float:
        """Where the axis begins."""
        return self.first_s if self.scale == "log" else self.begins_s

    @property
    def below_in(self) -> float:
        """Room for the labels below the last panel, in inches."""
        return 0.6 if self.began is None else 0.76

    def panels(
        self,
        ax: Axes | Sequence[Axes] | None,
        heading: Heading,
        heights_in: Sequence[float],
        *,
        words: str | None = None,
        **margins: Any,
    ) -> list[Axes]:
        """Return panels over this time, one below the other; see `panels_on`."""
        panels = panels_on(ax, heading, heights_in, **({"below_in": self.below_in} | margins))
        self.on(panels, words)
        return panels

    def on(self, panels: Sequence[Axes], words: str | None = None) -> None:
        """Make the x axis of panels this one, with labels below the last panel only."""
        for panel in panels:
            elapsed_axis(panel, self.left_s, self.last_s, self.scale, self.began)
            panel.tick_params(labelbottom=panel is panels[-1])
        panels[-1].set_xlabel(broken(f"{words or self.words}{self._scale_words}"), loc="left")

    @property
    def words(self) -> str:
        """The origin of the times in words."""
        if self.began is not None:
            return f"time of day{_zone(self.began)}"
        start = self.scenario.start
        since = "" if start is None else f", {start:%Y-%m-%d %H:%M}{_zone(start)}"
        return f"time since the start{since}"

    @property
    def _scale_words(self) -> str:
        is_linear = self.scale == "symlog" and self.last_s <= LINEAR_S
        return "" if is_linear else _SCALE_WORDS[self.scale]

    def moment(self, seconds: float) -> str:
        """Return a moment as the labels have it: elapsed, or by the clock."""
        return brief_moment(seconds, self.began, self.last_s)

    def held(
        self, times_s: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Return the times of a curve to draw, and their indices.

        The curve is thinned to what can be told apart; the last value holds to the end of the axis,
        since nothing changes after a run.
        """
        shown = enough(times_s, self.left_s, self.last_s, self.scale)
        return np.append(times_s[shown], self.last_s), np.append(shown, shown[-1])


def time_axis(
    scenario: Scenario,
    limits_s: tuple[float, float],
    scale: Scale | None = None,
    start: Start = None,
    since: Moment = None,
    until: Moment = None,
    *,
    usual: Scale = "log",
    by_the_clock: bool = False,
) -> TimeAxis:
    """Return the axis of time of a chart, to a little after the last change of the limits.

    The scale suits the deliveries by default: `usual_scale`. ``since`` and ``until`` cut a time
    out. With ``by_the_clock`` several deliveries have a linear axis of the scenario's clock, if it
    has one.
    """
    if by_the_clock and start is None and scenario.common_start is not None:
        start, scale = OF_THE_SCENARIO, scale or "linear"
    began = start_of(start, scenario)
    first_s, changed_s = limits_s
    # What comes after a horizon was cut off: it is not known that nothing changes there.
    has_room = scenario.time.horizon is None
    if scale is None:
        ends_s = _end_s(first_s, changed_s, "log") if has_room else changed_s
        scale = usual_scale(scenario, ends_s, usual) if since is None else "linear"
    begins_s = 0.0
    if since is not None:
        begins_s = moment_s(since, scenario.start, "since")
        first_s = begins_s or first_s
    elif scale == "linear" and first_s > _LATE * changed_s:
        # What has changed at the end of a bin may have begun to at the start of it.
        room_s = scenario.time.bin + _ROOM_BEFORE * (changed_s - first_s)
        begins_s = max(first_s - room_s, 0.0)
    if until is not None:
        last_s = moment_s(until, scenario.start, "until")
    else:
        from_s = first_s if scale == "log" else begins_s
        last_s = _end_s(from_s, changed_s, scale) if has_room else changed_s
    if not max(begins_s, first_s if scale == "log" else 0.0) < last_s:
        raise SendcapError(_no_time(since, until, first_s))
    return TimeAxis(scenario, first_s, last_s, scale, began, begins_s)


def usual_scale(scenario: Scenario, last_s: float, usual: Scale) -> Scale:
    """Return the scale of an axis that ends at a moment: linear where a delivery starts late on it.

    Such as the last day's of a warm-up: its first hour would have no room on a logarithmic one.
    """
    latest = max(delivery.at + delivery.spread for delivery in scenario.deliveries)
    return "linear" if latest >= last_s / 3.0 else usual


def _end_s(first_s: float, last_s: float, scale: Scale) -> float:
    """Return where an axis from a moment ends, so that the value after the last change is seen."""
    if scale == "linear" or (scale == "symlog" and last_s <= LINEAR_S):
        return last_s + _LINEAR_ROOM_AFTER * max(last_s - first_s, 0.0)
    return max(_ROOM_AFTER * last_s, 2.0 * first_s)


def _no_time(since: Moment, until: Moment, first_s: float) -> str:
    """Return why there is nothing between two moments."""
    one, other = (
        elapsed(each) if isinstance(each, float) else repr(each) for each in (since, until)
    )
    if since is None:
        return f"until: {other} is not after the first change, {elapsed(first_s)}"
    if until is None:
        return f"since: {one} is after the last change; give an earlier moment"
    return f"since: {one} is not before until, {other}"


def _zone(moment: datetime) -> str:
    # A zone has two names a year, and an axis may be longer than the time of one.
    name = getattr(moment.tzinfo, "key", None) or f"{moment:%Z}"
    return f" {name}".rstrip()


def elapsed_axis(
    axes: Axes,
    first_s: float,
    last_s: float,
    scale: Scale = "log",
    start: datetime | None = None,
    closest: float = CLOSEST,
) -> None:
    """Make the x axis one of time, with these limits in seconds.

    The scale is ``"log"``, ``"linear"``, or ``"symlog"``: linear for 15 minutes and logarithmic
    after them. With a start, the moment on the wall at t = 0, the labels are by the clock.
    ``closest`` is the least distance between ticks, as a share of the axis.
    """
    if not last_s > first_s:
        last_s = 2 * first_s if first_s > 0 else 1.0
    if scale == "log" and not first_s > 0:
        raise ValueError(f"a logarithmic axis cannot start at {first_s:g} s")
    if scale == "symlog":
        # matplotlib stretches the linear part by a ninth.
        axes.set_xscale("symlog", linthresh=LINEAR_S, linscale=0.9 * LINEAR_DECADES)
    else:
        axes.set_xscale(scale)
    axes.set_xlim(first_s, last_s)
    chosen = with_room(Axis(width_in(axes), first_s, last_s, scale, start), closest)
    axes.set_xticks([tick.at_s for tick in chosen], [tick.label for tick in chosen])
    axes.set_xticks([], minor=True)
    for tick, label in zip(chosen, axes.get_xticklabels(), strict=True):
        label.set_horizontalalignment(tick.alignment)


def enough(
    times_s: npt.NDArray[np.float64],
    first_s: float,
    last_s: float,
    scale: Scale,
    most: int | None = None,
) -> npt.NDArray[np.int64]:
    """Return the indices of as many times as can be told apart on an axis, the ends among them."""
    most = most or (_POINTS_NARROW if is_narrow() else _POINTS)
    inside = np.flatnonzero((times_s >= first_s) & (times_s <= last_s))
    if len(inside) <= most:
        return inside
    positions = along(times_s[inside], scale)
    wanted = np.linspace(positions[0], positions[-1], most)
    chosen = np.unique(np.searchsorted(positions, wanted).clip(0, len(inside) - 1))
    thinned: npt.NDArray[np.int64] = inside[chosen]
    return thinned


def limits_s(
    run: Run, columns: Iterable[Counts], marks: Iterable[Mark] = ()
) -> tuple[float, float]:
    """Return the limits of a time axis: the first change, and the last one or a mark.

    The columns hold values at each edge of the run's ledger. Where nothing changes, the limits are
    the first start and the end of the run.
    """
    edges_s, end_s, bin_s = run.ledger.edges_s, run.ledger.end_s, run.ledger.bin_s
    changes = np.flatnonzero(np.any([np.diff(column) != 0 for column in columns], axis=0)) + 1
    starts_s = max(min(each.at for each in run.as_sent.deliveries), bin_s)
    first_s, last_s = edges_s[changes[[0, -1]]].tolist() if len(changes) else (starts_s, end_s)
    last_s = max([last_s, *(mark.last_s for mark in marks if mark.last_s <= end_s)])
    return first_s, max(last_s, first_s + bin_s)


def start_of(start: Start, scenario: Scenario) -> datetime | None:
    """Return the moment on the wall at t = 0; None where elapsed time is asked for."""
    if start in (None, ELAPSED):
        return None
    if start == OF_THE_SCENARIO:
        if scenario.start is None:
            raise SendcapError("start: the scenario has none; give one, such as 2026-11-27T09:00")
        return scenario.start
    try:
        moment = start if isinstance(start, datetime) else datetime.fromisoformat(str(start))
    except ValueError:
        raise SendcapError(
            f"start: {start!r} is not a moment; write it like 2026-11-27T09:00"
        ) from None
    try:
        return of_our_time(moment)
    except ValueError as problem:
        raise SendcapError(f"start: {problem}") from None
