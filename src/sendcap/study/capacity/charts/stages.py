"""Colours, names and the axis of time of the charts of a delivery's stages."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from sendcap.charts.axes import Floats
from sendcap.charts.style import BLUE, RED
from sendcap.charts.timeaxis import Start, TimeAxis, time_axis
from sendcap.study.capacity.limits import Limits
from sendcap.study.capacity.observed import Observed
from sendcap.text.quoting import shortened

_MOST_BARS: Final = 4_000
"""More than a figure has points in its width."""
_ROOM_AFTER: Final = 1.05
"""The time axis ends at this multiple of when the last stage has drained."""


def colour(stage: Observed, limits: Limits) -> str:
    """Return the colour of a stage: red for the one that holds the deliveries up."""
    return RED if stage.stage is limits.slowest else BLUE


def name(stage: Observed) -> str:
    """Return the name of a stage in a chart."""
    if stage.stage.kind == "provider":
        return shortened(stage.stage.name)
    if stage.stage.kind == "limit":
        return f"limit {shortened(stage.stage.name)}"
    return f"the {stage.stage.name}"


def used_most(limits: Limits, count: int) -> list[Observed]:
    """Return the stages that are used the most, in the order of a message's way.

    The one that holds the deliveries up is always among them.
    """
    by_use = sorted(
        limits.observed,
        key=lambda stage: (stage.stage is not limits.slowest, -stage.mean_utilisation),
    )
    return [stage for stage in limits.observed if stage in by_use[:count]]


def shown_are(limits: Limits, count: int) -> str:
    """Return a sentence on the stages that are left out."""
    if len(limits.observed) <= count:
        return ""
    return f" Shown are the {count} stages that are used the most."


def bars(edges_s: Floats, *columns: Floats) -> tuple[Floats, ...]:
    """Return the edges and the heights of as many bars as can be told apart, from those of bins.

    A bar is as high as the highest of the bins within it.
    """
    bins = max(math.ceil(len(columns[0]) / _MOST_BARS), 1)
    if bins == 1:
        return edges_s, *columns
    first = np.arange(0, len(columns[0]), bins)
    heights = (np.maximum.reduceat(column, first) for column in columns)
    return np.append(edges_s[first], edges_s[-1]), *heights


def stage_time(limits: Limits, start: Start = None) -> TimeAxis:
    """Return the axis of time until the last stage has drained."""
    last_s = _ROOM_AFTER * max(limits.drained_at_s, limits.observed[0].bin_s)
    return time_axis(limits.scenario, (0.0, last_s), "linear", start)
