"""Ticks of an axis of time: where they are, and their labels, elapsed or by the clock."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from sendcap.text.clock import day, time_of_day
from sendcap.text.quantities import UNITS

Scale = Literal["log", "symlog", "linear"]

_S, _M, _H, _D = 1.0, 60.0, 3600.0, 86_400.0

LINEAR_S: Final = 15 * _M
"""On a symlog axis, the time that is linear."""
LINEAR_DECADES: Final = math.log10(math.e)
"""As wide as so many decades, so that the axis has no kink where one passes into the other."""

# Where ticks may be on a logarithmic axis, the most telling first: 3.5 d is the longest validity
# and 7 d the last asynchronous bounce.
_TIERS: Final[tuple[tuple[float, ...], ...]] = (
    (_S, _M, _H, _D, 3.5 * _D, 7 * _D),
    (10 * _S, 10 * _M, 6 * _H, 14 * _D, 28 * _D, 70 * _D, 365 * _D),
    (30 * _S, 30 * _M, 2 * _D, 0.1 * _S, 0.01 * _S),
    (3 * _S, 3 * _M, 3 * _H, 12 * _H, 5 * _D, 10 * _D, 20 * _D),
    (2 * _S, 5 * _S, 20 * _S, 2 * _M, 5 * _M, 20 * _M, 2 * _H, 4 * _H),
    (0.2 * _S, 0.5 * _S, 0.05 * _S, 0.02 * _S, 0.001 * _S),
    (40 * _S, 50 * _S, 4 * _M, 40 * _M, 50 * _M, 5 * _H, 8 * _H, 9 * _H, 18 * _H, 3 * _D),
)
_FROM_ZERO: Final[tuple[tuple[float, ...], ...]] = (
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
CLOSEST: Final = 0.065
"""Least distance between ticks, as a share of the axis: room for a label."""
MOST: Final = 10
"""Ticks of an axis."""
_NARROW: Final = 4.0
"""A logarithmic axis that spans no more than this factor is read like a linear one."""


def tick_label(seconds: float) -> str:
    """Return a tick's label: the time as `elapsed` writes it, but never rounded.

    >>> [tick_label(seconds) for seconds in (0, 0.5, 600, 4200, 302_400, 91_800)]
    ['0', '0.5s', '10m', '1h 10m', '3d 12h', '1d 1h 30m']
    """
    parts, rest = [], seconds
    for name, unit in UNITS[:-1]:
        count, rest = divmod(rest, unit)
        if count:
            parts.append(f"{count:.0f}{name}")
    if rest:
        parts.append(f"{rest:.6g}s")
    return " ".join(parts) or "0"


def wall_labels(moments: Sequence[datetime]) -> list[str]:
    r"""Return the labels of ticks by the clock, with the day below where it is a new one.

    >>> wall_labels([datetime(2026, 11, 27, 9), datetime(2026, 11, 27, 15)])
    ['09:00\nFri 27 Nov', '15:00']
    """
    labels = []
    date = None
    for moment in moments:
        label = time_of_day(moment)
        if moment.date() != date:
            date = moment.date()
            label += f"\n{day(moment)}"
        labels.append(label)
    return labels


def without_the_first_day(labels: Sequence[str]) -> list[str]:
    r"""Return labels without the day of the first, if the second has one and those after have none.

    >>> without_the_first_day(["12:00\nFri 27 Nov", "00:00\nSat 28 Nov", "12:00"])
    ['12:00', '00:00\nSat 28 Nov', '12:00']
    """
    days = ["\n" in label for label in labels[:3]]
    return [labels[0].partition("\n")[0] if days == [True, True, False] else labels[0], *labels[1:]]


def along(seconds: npt.ArrayLike, scale: Scale) -> npt.NDArray[np.float64]:
    """Return the positions of times along an axis, in decades if it is logarithmic."""
    times_s = np.asarray(seconds, np.float64)
    if scale == "linear":
        return times_s
    if scale == "log":
        return np.log10(times_s)
    later = LINEAR_DECADES + np.log10(np.maximum(times_s, LINEAR_S) / LINEAR_S)
    return np.where(times_s <= LINEAR_S, LINEAR_DECADES * times_s / LINEAR_S, later)


def ticks(
    first_s: float, last_s: float, scale: Scale = "log", closest: float = CLOSEST
) -> list[float]:
    """Return the ticks of an axis in seconds, at least ``closest`` of its length apart."""
    if scale == "symlog" and last_s <= LINEAR_S:
        scale = "linear"
    if scale == "linear" or (scale == "log" and last_s / first_s < _NARROW):
        return even_ticks(first_s, last_s, most=min(MOST, int(1.0 / closest)))
    first, last = along([first_s, last_s], scale)
    gap = closest * float(last - first)
    chosen: dict[float, float] = {}
    for tier in _TIERS if scale == "log" else _FROM_ZERO + _TIERS:
        for tick in tier:
            if not first_s <= tick <= last_s or len(chosen) >= MOST:
                continue
            position = float(along(tick, scale))
            if all(abs(position - other) >= gap for other in chosen.values()):
                chosen[tick] = position
    return sorted(chosen)


def even_ticks(
    first_s: float, last_s: float, offset_s: float = 0.0, most: int = MOST
) -> list[float]:
    """Return round times; with an offset, those that are round when it is added."""
    step = next((step for step in _STEPS if (last_s - first_s) / step <= most - 1), _STEPS[-1])
    first = math.ceil(round((first_s + offset_s) / step, 9))
    last = math.floor(round((last_s + offset_s) / step, 9))
    return [round(number * step - offset_s, 6) for number in range(first, last + 1)]
