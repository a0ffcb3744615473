"""What the charts of a delivery's stages share: figure, heading, colours, the axis of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sendcap.charts.figures import headed_figure
from sendcap.charts.timeaxis import elapsed_axis, time_label
from sendcap.text.quoting import shortened

if TYPE_CHECKING:
    from datetime import datetime

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sendcap.study.capacity.limits import Limits
    from sendcap.study.capacity.observed import Observed

_ROOM_AFTER: Final = 1.05
"""The time axis ends at this multiple of when the last stage has drained."""
_CALM: Final = "#3f90da"
_ACCENT: Final = "#bd1f01"


def colour(its: Observed, limits: Limits) -> str:
    """Return the colour of a stage: one for that which holds the deliveries up, one for others."""
    return _ACCENT if its.stage.name == limits.bottleneck else _CALM


def name(its: Observed) -> str:
    """Return what a stage is called in a chart."""
    return shortened(its.stage.name) if its.stage.kind == "provider" else f"the {its.stage.name}"


def used_most(limits: Limits, count: int) -> list[Observed]:
    """Return the stages that are used the most, in the order of a message's way.

    The one that holds the deliveries up is always among them.
    """
    by_use = sorted(
        limits.observed,
        key=lambda its: (its.stage.name != limits.bottleneck, -its.mean_utilisation),
    )
    return [its for its in limits.observed if its in by_use[:count]]


def new_figure(limits: Limits, what: str, told: str, height: float) -> tuple[Figure, float]:
    """Return a figure with a heading; see `headed_figure`."""
    return headed_figure(limits.scenario.title, what, told, height)


def time_axis(
    limits: Limits, panel: Axes, *, labelled: bool = True, began: datetime | None = None
) -> float:
    """Make the x axis one of time, until the last stage has drained; return its end.

    Parameters
    ----------
    began
        The moment on the wall at t = 0, where the time is told by the clock.
    """
    last_s = _ROOM_AFTER * max(limits.drained_at_s, limits.observed[0].bin_s)
    elapsed_axis(panel, 0.0, last_s, "linear", began)
    if labelled:
        panel.set_xlabel(time_label(limits.scenario, "linear", began), loc="left")
    return last_s
