"""The axis of elapsed time, readable from seconds to weeks.

It is logarithmic by default: a delivery's first hour and its third day matter alike.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Scale = Literal["log", "linear"]

_S, _M, _H, _D = 1.0, 60.0, 3600.0, 86_400.0

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
_CLOSEST: Final = 0.055
"""The least distance between ticks, as a share of the axis: room for a label."""
_MOST: Final = 10
_NARROW: Final = 4.0
"""A logarithmic axis that spans no more than this factor is read like a linear one."""


def tick_label(seconds: float) -> str:
    """Return a tick's label in its largest unit.

    Examples
    --------
    >>> [tick_label(seconds) for seconds in (0, 30, 600, 21_600, 302_400)]
    ['0', '30 s', '10 min', '6 h', '3.5 d']
    """
    if seconds == 0:
        return "0"
    for unit, name in ((_D, "d"), (_H, "h"), (_M, "min")):
        if seconds >= unit and seconds % (unit / 2) == 0:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"


def ticks(first_s: float, last_s: float, scale: Scale = "log") -> list[float]:
    """Return where the ticks of an axis from ``first_s`` to ``last_s`` are, in seconds."""
    if scale == "linear" or last_s / first_s < _NARROW:
        return _even_ticks(first_s, last_s)
    span = math.log(last_s / first_s)
    chosen: list[float] = []
    for tier in _TIERS:
        for tick in tier:
            close = any(abs(math.log(tick / other)) < _CLOSEST * span for other in chosen)
            if first_s <= tick <= last_s and not close and len(chosen) < _MOST:
                chosen.append(tick)
    return sorted(chosen)


def _even_ticks(first_s: float, last_s: float) -> list[float]:
    step = next((it for it in _STEPS if (last_s - first_s) / it <= _MOST - 1), _STEPS[-1])
    first, last = math.ceil(first_s / step), math.floor(last_s / step)
    return [round(number * step, 6) for number in range(first, last + 1)]


def elapsed_axis(axes: Axes, first_s: float, last_s: float, scale: Scale = "log") -> None:
    """Make the x axis one of elapsed time.

    Parameters
    ----------
    first_s, last_s
        Its limits in seconds. On a logarithmic axis the first must be above 0.
    """
    if not last_s > first_s:
        last_s = 2 * first_s if first_s > 0 else 1.0
    if scale == "log" and not first_s > 0:
        raise ValueError(f"a logarithmic axis cannot start at {first_s:g} s")
    axes.set_xscale(scale)
    axes.set_xlim(first_s, last_s)
    places = ticks(first_s, last_s, scale)
    axes.set_xticks(places, [tick_label(place) for place in places])
    axes.set_xticks([], minor=True)
