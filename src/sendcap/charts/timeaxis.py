"""The axis of time, readable from seconds to weeks: elapsed, or by the clock on the wall.

A delivery's first hour and its third day matter alike. So the axis is logarithmic, or it is linear
for the first minutes and logarithmic from there on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, cast, get_args

from sendcap.errors import SendcapError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes

    from sendcap.charts.marks import Mark
    from sendcap.ledger import Counts
    from sendcap.run import Run
    from sendcap.scenario import Scenario

Scale = Literal["log", "symlog", "linear"]
SCALES: Final[tuple[Scale, ...]] = get_args(Scale)
Start = datetime | str | None
"""The moment on the wall at t = 0; None for elapsed time."""

OF_THE_SCENARIO: Final = "scenario"
"""As a start: the scenario's own."""

_S, _M, _H, _D = 1.0, 60.0, 3600.0, 86_400.0

LINEAR_S: Final = 15 * _M
"""On a symlog axis, the time that is linear."""
_LINEAR_DECADES: Final = math.log10(math.e)
"""It is as wide as so many decades. So the axis has no kink where the one passes into the other."""

# Where ticks may be on a logarithmic axis, the most telling first: 3.5 d is the longest validity
# and 7 d the last asynchronous bounce.
_TIERS: Final[tuple[tuple[float, ...], ...]] = (
    (_S, _M, _H, _D, 3.5 * _D, 7 * _D),
    (10 * _S, 10 * _M, 6 * _H, 14 * _D, 28 * _D, 70 * _D, 365 * _D),
    (30 * _S, 30 * _M, 2 * _D, 0.1 * _S, 0.01 * _S),
    (3 * _S, 3 * _M, 3 * _H, 12 * _H, 5 * _D, 10 * _D, 20 * _D),
    (2 * _S, 5 * _S, 20 * _S, 2 * _M, 5 * _M, 20 * _M, 2 * _H, 4 * _H),
    (40 * _S, 50 * _S, 4 * _M, 40 * _M, 50 * _M, 5 * _H, 8 * _H, 9 * _H, 18 * _H, 3 * _D),
)
_FROM_NOUGHT: Final[tuple[tuple[float, ...], ...]] = (
    (0.0, _H, _D, 3.5 * _D, 7 * _D),
    (15 * _M, 6 * _H, 30 * _M),
)
_STEPS: Final = tuple(
    step * unit
    for unit, steps in (
        (_S, (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30)),
        (_M, (1, 2, 5, 10, 15, 30)),
        (_H, (1, 2, 3, 6, 12)),
        (_D, (1, 2, 3.5, 7, 14, 28, 70, 140, 365, 730)),
    )
    for step in steps
)
_CLOSEST: Final = 0.065
"""The least distance between ticks, as a share of the axis: room for a label."""
_CLOSEST_MINUTES: Final = 0.075
"""The same where most of the labels are in minutes."""
_CLOSEST_DAYS: Final = 0.085
"""The same where there may be a day below the time."""
_DAY_IN: Final = 0.78
"""How wide a label with its day is, in inches, with a gap."""
_MOST: Final = 10
_NARROW: Final = 4.0
"""A logarithmic axis that spans no more than this factor is read like a linear one."""
_ROOM_AFTER: Final = 1.3
"""An axis ends at this multiple of the last change."""
_POINTS: Final = 700
"""As many points of a curve are enough for the widest page."""
_MONTHS: Final = "JanFebMarAprMayJunJulAugSepOctNovDec"
_WEEKDAYS: Final = "MonTueWedThuFriSatSun"
"""Not by strftime, whose names depend on the locale."""
SCALE_WORDS: Final[dict[Scale, str]] = {
    "log": " (logarithmic axis)",
    "symlog": " (logarithmic after 15 minutes)",
    "linear": "",
}


def tick_label(seconds: float) -> str:
    """Return a tick's label in its largest unit.

    Examples
    --------
    >>> [tick_label(seconds) for seconds in (0, 30, 600, 21_600, 302_400)]
    ['0', '30 s', '10 min', '6 h', '3.5 d']
    """
    if seconds == 0:
        return "0"
    for unit, name, part in ((_D, "d", 4), (_H, "h", 4), (_M, "min", 2)):
        # The minutes from 60 s to 2 min are few and in whole ones, as their neighbours in seconds.
        if unit == _M and seconds < 2 * _M:
            part = 1
        if seconds >= unit and seconds % (unit / part) == 0:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"


def wall_labels(moments: Sequence[datetime]) -> list[str]:
    r"""Return the labels of ticks by the clock, with the day below where it is a new one.

    Examples
    --------
    >>> nine = datetime(2026, 11, 27, 9)
    >>> wall_labels([nine, nine + timedelta(hours=6), nine + timedelta(days=1)])
    ['09:00\nFri 27 Nov', '15:00', '09:00\nSat 28 Nov']
    """
    labels = []
    day = None
    for moment in moments:
        label = f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"
        if moment.date() != day:
            day = moment.date()
            weekday, month = 3 * day.weekday(), 3 * day.month
            label += f"\n{_WEEKDAYS[weekday : weekday + 3]} {day.day} {_MONTHS[month - 3 : month]}"
        labels.append(label)
    return labels


def start_of(start: Start, scenario: Scenario) -> datetime | None:
    """Return the moment on the wall at t = 0; None where elapsed time is asked for.

    Raises
    ------
    SendcapError
        If it is not a moment, or the scenario's is asked for and it has none.
    """
    if start is None or isinstance(start, datetime):
        return start
    if start == OF_THE_SCENARIO:
        if scenario.start is None:
            raise SendcapError("start: the scenario has none; give one, such as 2026-11-27T09:00")
        return scenario.start
    try:
        return datetime.fromisoformat(start)
    except ValueError:
        raise SendcapError(
            f"start: {start!r} is not a moment; write it like 2026-11-27T09:00"
        ) from None


def time_label(
    scenario: Scenario,
    scale: Scale,
    start: datetime | None = None,
    last_s: float = math.inf,
) -> str:
    """Return what an axis is called that ends at ``last_s``."""
    words = scale_words(scale, last_s)
    if start is not None:
        return f"time of day{_zone(start)}{words}"
    since = "time since the start"
    if scenario.start is not None:
        since += f", {scenario.start:%Y-%m-%d %H:%M}{_zone(scenario.start)}"
    return f"{since}{words}"


def scale_for(
    asked: Scale | None, scenario: Scenario, last_s: float, usual: Scale = "log"
) -> Scale:
    """Return the scale of an axis: the one that is asked for, or one that suits the deliveries.

    Where a delivery starts late on the axis, such as the last day's of a warm-up, its first hour
    would have no room on a logarithmic one.
    """
    if asked is not None:
        return asked
    latest = max(its.at + its.spread for its in scenario.deliveries)
    return "linear" if latest >= last_s / 3.0 else usual


def scale_words(scale: Scale, last_s: float = math.inf) -> str:
    """Return what is to be known of the scale of an axis that ends at ``last_s``."""
    return "" if scale == "symlog" and last_s <= LINEAR_S else SCALE_WORDS[scale]


def _zone(moment: datetime) -> str:
    return f" {moment:%Z}".rstrip()


def place(seconds: npt.ArrayLike, scale: Scale) -> npt.NDArray[np.float64]:
    """Return where times are along an axis, in decades if it is logarithmic."""
    import numpy as np

    times_s = np.asarray(seconds, np.float64)
    if scale == "linear":
        return times_s
    if scale == "log":
        return np.log10(times_s)
    later = _LINEAR_DECADES + np.log10(np.maximum(times_s, LINEAR_S) / LINEAR_S)
    return np.where(times_s <= LINEAR_S, _LINEAR_DECADES * times_s / LINEAR_S, later)


def ticks(
    first_s: float, last_s: float, scale: Scale = "log", closest: float = _CLOSEST
) -> list[float]:
    """Return where the ticks of an axis from ``first_s`` to ``last_s`` are, in seconds.

    Parameters
    ----------
    closest
        The least distance between them, as a share of the axis.
    """
    chosen: list[float] = []
    if scale == "linear" or (scale == "log" and last_s / first_s < _NARROW):
        return even_ticks(first_s, last_s)
    ends = place([first_s, last_s], scale)
    gap = closest * float(ends[1] - ends[0])
    for tier in _TIERS if scale == "log" else _FROM_NOUGHT + _TIERS:
        for tick in tier:
            if not first_s <= tick <= last_s or len(chosen) >= _MOST:
                continue
            here = float(place(tick, scale))
            if all(abs(here - float(place(other, scale))) >= gap for other in chosen):
                chosen.append(tick)
    return sorted(chosen)


def even_ticks(
    first_s: float, last_s: float, offset_s: float = 0.0, most: int = _MOST
) -> list[float]:
    """Return round times; with an offset, those that are round when it is added."""
    step = next((it for it in _STEPS if (last_s - first_s) / it <= most - 1), _STEPS[-1])
    first = math.ceil(round((first_s + offset_s) / step, 9))
    last = math.floor(round((last_s + offset_s) / step, 9))
    return [round(number * step - offset_s, 6) for number in range(first, last + 1)]


def elapsed_axis(
    axes: Axes,
    first_s: float,
    last_s: float,
    scale: Scale = "log",
    start: datetime | None = None,
) -> None:
    """Make the x axis one of time.

    Parameters
    ----------
    first_s, last_s
        Its limits in seconds. On a logarithmic axis the first must be above 0.
    scale
        ``"log"``; ``"symlog"``, linear for 15 minutes and logarithmic after them; ``"linear"``.
    start
        The moment on the wall at t = 0: the ticks tell it by the clock, and not elapsed time.
    """
    if not last_s > first_s:
        last_s = 2 * first_s if first_s > 0 else 1.0
    if scale == "log" and not first_s > 0:
        raise ValueError(f"a logarithmic axis cannot start at {first_s:g} s")
    if scale == "symlog":
        axes.set_xscale(
            "symlog", linthresh=LINEAR_S, linscale=0.9 * _LINEAR_DECADES
        )  # which matplotlib stretches
    else:
        axes.set_xscale(scale)
    axes.set_xlim(first_s, last_s)
    closest = _CLOSEST_MINUTES if scale == "symlog" else _CLOSEST
    if start:
        closest = max(_CLOSEST_DAYS, _DAY_IN / width_in(axes))
    places = ticks(first_s, last_s, scale, closest)
    if start is None:
        labels = [tick_label(its) for its in places]
    else:
        if scale == "linear":
            midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
            places = even_ticks(first_s, last_s, (start - midnight).total_seconds())
        labels = wall_labels([start + timedelta(seconds=its) for its in places])
    axes.set_xticks(places, labels)
    axes.set_xticks([], minor=True)


def width_in(axes: Axes) -> float:
    """Return how wide a pair of axes is, in inches."""
    figure = axes.get_figure(root=True)
    return float(axes.get_window_extent().width / figure.dpi) if figure is not None else 1.0


def room_below_in(start: datetime | None) -> float:
    """Return how much room an axis of time needs for its labels, in inches."""
    return 0.5 if start is None else 0.66


def enough(
    times_s: npt.NDArray[np.float64], first_s: float, last_s: float, scale: Scale
) -> npt.NDArray[np.int64]:
    """Return the places of as many times as can be told apart on an axis, its ends among them."""
    import numpy as np

    inside = np.flatnonzero((times_s >= first_s) & (times_s <= last_s))
    if len(inside) <= _POINTS:
        return inside
    along = place(times_s[inside], scale)
    wanted = np.linspace(along[0], along[-1], _POINTS)
    chosen = np.unique(np.searchsorted(along, wanted).clip(0, len(inside) - 1))
    return cast("npt.NDArray[np.int64]", inside[chosen])


def last_change_s(run: Run, columns: Iterable[Counts], marks: Iterable[Mark]) -> float:
    """Return where a time axis ends: a little after the last change and the last mark.

    Parameters
    ----------
    columns
        Values at each edge of the run's ledger.
    """
    import numpy as np

    changes = [np.flatnonzero(np.diff(column)) for column in columns]
    last_s = max((float(run.ledger.edges_s[its[-1] + 1]) for its in changes if len(its)), default=0)
    last_s = max([last_s, *(its.last_s for its in marks if its.last_s <= run.ledger.end_s)])
    # What comes after a horizon was cut off: it is not known that nothing changes there.
    room = _ROOM_AFTER if run.scenario.time.horizon is None else 1.0
    return max(room * last_s, 2 * run.ledger.bin_s)
