"""The ticks of an axis of time whose labels have room beside each other."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from matplotlib import rcParams
from matplotlib.font_manager import FontProperties

from sendcap.charts.figures import text_in
from sendcap.charts.narrow import is_narrow
from sendcap.charts.ticks import (
    MOST,
    Scale,
    along,
    even_ticks,
    tick_label,
    ticks,
    wall_labels,
    without_the_first_day,
)
from sendcap.scenario.start import since_midnight_s
from sendcap.text.clock import after

_CLOSEST_MINUTES: Final = 0.075
"""Least distance between ticks where most of the labels are in minutes."""
_CLOSEST_DAYS: Final = 0.085
"""The same where a day may stand below the time."""
_LABEL_IN: Final = 0.4
"""Width of most labels with a gap."""
_DAY_IN: Final = 0.78
"""Width of a label with a day, with a gap."""
_DAY_S: Final = 86_400.0
_AT_THE_EDGE: Final = 0.06
_GAP_IN: Final = 0.08
"""Between two labels: more than between two words."""
_FURTHER: Final = 1.06
"""Where labels touch, ticks are at least so much further apart."""


class Tick(NamedTuple):
    """A tick and its label."""

    at_s: float
    label: str
    alignment: Literal["left", "center", "right"] = "center"


class Axis(NamedTuple):
    """An axis of time that is to get ticks."""

    width_in: float
    first_s: float
    last_s: float
    scale: Scale
    start: datetime | None  # labels are by the clock where there is one

    def share(self, seconds: float) -> float:
        """Return where a moment lies, as a share of the axis."""
        first, last, at = along([self.first_s, self.last_s, seconds], self.scale).tolist()
        return float((at - first) / (last - first))


def with_room(axis: Axis, closest: float) -> list[Tick]:
    """Return the ticks of an axis, at least ``closest`` of it apart; fewer where labels touch."""
    if axis.scale == "symlog":
        closest = _CLOSEST_MINUTES
    closest = max(closest, _LABEL_IN / axis.width_in)
    if axis.start is not None:
        closest = max(_CLOSEST_DAYS, _DAY_IN / axis.width_in)
    attempt, positions = 0, _positions(axis, closest, 0)
    while len(positions) < 2 and attempt > -MOST:
        attempt -= 1
        positions = _positions(axis, closest, attempt)
    while len(positions) > 2 and not _have_room(axis, _labelled(axis, positions)):
        attempt += 1
        fewer = _positions(axis, closest, attempt)
        positions = fewer if len(fewer) > 1 else [positions[0], positions[-1]]
    return _labelled(axis, positions)


def _positions(axis: Axis, closest: float, attempt: int) -> list[float]:
    """Return where ticks are, in seconds; at each attempt they are fewer."""
    closest *= _FURTHER**attempt
    first_s, last_s, start = axis.first_s, axis.last_s, axis.start
    if axis.scale != "linear" or start is None:
        return ticks(first_s, last_s, axis.scale, closest)
    most = min(MOST, int(1.0 / closest)) if is_narrow() else MOST - max(attempt, 0)
    even_s = even_ticks(first_s, last_s, since_midnight_s(start), most)
    if len(even_s) > 1 and even_s[1] - even_s[0] >= _DAY_S:
        # Each label has a day.
        most = min(most, int(1.0 / closest))
        even_s = even_ticks(first_s, last_s, since_midnight_s(start), most)
    return [_of_the_clock(start, each_s) for each_s in even_s]


def _labelled(axis: Axis, positions: Sequence[float]) -> list[Tick]:
    start, length_s = axis.start, axis.last_s - axis.first_s
    if start is None:
        return [Tick(position, tick_label(position)) for position in positions]
    labels = wall_labels([after(start, position) for position in positions])
    day_s = _DAY_IN / axis.width_in * length_s
    if axis.scale == "linear" and len(positions) > 1 and positions[1] - positions[0] < day_s:
        labels = without_the_first_day(labels)
    chosen = [Tick(*each) for each in zip(positions, labels, strict=True)]
    if is_narrow() and chosen:
        # Beside the axes there is no room for half of a day.
        if positions[0] - axis.first_s < _AT_THE_EDGE * length_s:
            chosen[0] = chosen[0]._replace(alignment="left")
        if axis.last_s - positions[-1] < _AT_THE_EDGE * length_s:
            chosen[-1] = chosen[-1]._replace(alignment="right")
    return chosen


def _of_the_clock(start: datetime, seconds: float) -> float:
    """Return a moment at which the clock shows what it would without daylight saving."""
    then, now = after(start, seconds).utcoffset(), start.utcoffset()
    return seconds if then is None or now is None else seconds - (then - now).total_seconds()


def _have_room(axis: Axis, chosen: Sequence[Tick]) -> bool:
    """Return whether the labels do not touch, those of the times and those of the days."""
    size_pt = FontProperties(size=rcParams["xtick.labelsize"]).get_size_in_points()
    before = {"left": 0.0, "center": 0.5, "right": 1.0}
    lines: dict[int, list[tuple[float, float]]] = {}
    for tick in chosen:
        at_in = axis.share(tick.at_s) * axis.width_in
        for number, text in enumerate(tick.label.split("\n")):
            width_in = text_in(text, size_pt)
            left_in = at_in - before[tick.alignment] * width_in
            lines.setdefault(number, []).append((left_in, left_in + width_in))
    return all(
        left[1] + _GAP_IN <= right[0] for line in lines.values() for left, right in pairwise(line)
    )
