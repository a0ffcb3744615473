"""What charts of replications share: bands over time, and how they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sendcap.reporting.modes import ALL_DELIVERIES
from sendcap.study.shares import share_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes

    from sendcap.study.kept import Band, Replications

TIME_LABEL: Final = "time since the start (logarithmic axis)"
_ROOM_AFTER: Final = 1.3
"""The time axis ends at this multiple of the last change."""


def about_the_replications(its: Replications, delivery: str = ALL_DELIVERIES) -> str:
    """Return what was replicated, and how often."""
    which = [each for each in its.scenario.deliveries if delivery in (ALL_DELIVERIES, each.name)]
    messages = sum(each.messages for each in which)
    name = "" if delivery == ALL_DELIVERIES else f"{delivery}: "
    times = "1 simulation" if its.n == 1 else f"{its.n} simulations with different draws"
    return f"{name}{messages:,} {'message' if messages == 1 else 'messages'}, {times}."


def about_the_band(its: Replications) -> str:
    """Return what a line and a band are; nothing if there is no band."""
    if its.n == 1:
        return ""
    return f"Line: the median; band: the middle {share_text(its.confidence)} of them."


def points(tolerance_pt: float) -> str:
    """Return a number of points in words."""
    return f"{tolerance_pt:g} {'point' if tolerance_pt == 1.0 else 'points'}"


def limits_s(studies: Iterable[Replications]) -> tuple[float, float]:
    """Return the limits of a time axis: from the first change to a little after the last."""
    import numpy as np

    first, last, cut = float("inf"), 0.0, False
    for its in studies:
        cut |= its.scenario.time.horizon is not None
        for about, curves in its.curves.items():
            if about.name not in ("delivered_pct", "bounces_errors_pct"):
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
