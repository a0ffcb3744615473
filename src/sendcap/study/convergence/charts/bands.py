"""Bands of replications over time: their axis, their words, how they are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.axes import Floats
from sendcap.charts.marks import chosen
from sendcap.charts.style import GREY, INK
from sendcap.charts.ticks import Scale
from sendcap.charts.timeaxis import ROOM_AFTER, Start, TimeAxis, time_axis
from sendcap.readings.modes import ALL_DELIVERIES
from sendcap.study.replication.replications import Band, Replications
from sendcap.text.quantities import counted
from sendcap.text.shares import share_text


def about_the_replications(replications: Replications, delivery: str = ALL_DELIVERIES) -> str:
    """Return what was replicated, and how often."""
    messages = sum(each.messages for each in chosen(replications.scenario, delivery))
    name = "" if delivery == ALL_DELIVERIES else f"{delivery}: "
    n = replications.n
    times = "1 simulation" if n == 1 else f"{n} simulations with different draws"
    return f"{name}{counted(messages, 'message')}, {times}."


def about_the_band(replications: Replications, line: str = "median") -> str:
    """Return the meaning of a line and a band; nothing if there is no band."""
    if replications.n == 1:
        return ""
    return f" Line: the {line}; band: the middle {share_text(replications.confidence)} of them."


def bands_time(
    studies: Sequence[Replications],
    scale: Scale | None,
    start: Start,
    delivery: str = ALL_DELIVERIES,
) -> TimeAxis:
    """Return the axis of time of replications, from the first change to a little after the last."""
    return time_axis(studies[0].scenario, _limits_s(studies, delivery), scale, start)


def _limits_s(studies: Iterable[Replications], delivery: str) -> tuple[float, float]:
    first, last, cut = float("inf"), 0.0, False
    for study in studies:
        cut |= study.scenario.time.horizon is not None
        for about, curves in study.curves.items():
            if about.name not in ("delivered_pct", "bounces_errors_pct"):
                continue
            if delivery not in (ALL_DELIVERIES, about.delivery):
                continue
            changes = np.flatnonzero((np.diff(np.nan_to_num(curves, nan=-1.0)) != 0.0).any(axis=0))
            if len(changes):
                first = min(first, float(study.moments_s[changes[0] + 1]))
                last = max(last, float(study.moments_s[changes[-1] + 1]))
    if not last:
        return 1.0, 2.0
    return first, max((1.0 if cut else ROOM_AFTER) * last, 2 * first)


def draw_band(
    panel: Axes, band: Band, colour: str, middle: Floats | None = None, **look: Any
) -> None:
    """Draw a line through replications, usually the median, and the band of most of them."""
    # After the last moment nothing changes any more.
    end_s = max(float(band.time_s[-1]), panel.get_xlim()[1])
    time_s = np.append(band.time_s, end_s)
    middle = band.median if middle is None else middle
    low, line, high = (np.append(y, y[-1]) for y in (band.low, middle, band.high))
    panel.fill_between(time_s, low, high, color=colour, alpha=0.25, linewidth=0)
    panel.plot(time_s, line, **look)


def shade_tolerances(
    panel: Axes, middle: float, tolerances_pt: Sequence[float], above_pt: float, va: str
) -> None:
    """Shade what is within each tolerance of a value, named at the lower edge."""
    for tolerance in tolerances_pt:
        low, high = middle - tolerance, middle + tolerance
        panel.axhspan(low, high, color=INK, alpha=0.055, linewidth=0)
        panel.annotate(
            f"±{tolerance:g}",
            xy=(0.005, low),
            xycoords=("axes fraction", "data"),
            xytext=(0, above_pt),
            textcoords="offset points",
            verticalalignment=va,
            fontsize=7.5,
            color=GREY,
        )
