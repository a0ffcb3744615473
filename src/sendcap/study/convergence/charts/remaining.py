"""The chart of what a reading's error consists of, stacked, for each mode."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.axes import Floats
from sendcap.charts.figures import Heading
from sendcap.charts.marks import draw_marks, scenario_marks
from sendcap.charts.style import (
    BROWN,
    GREY,
    INK,
    MODE_LOOKS,
    ORANGE,
    PURPLE,
    SAND,
    SKY,
    house_style,
)
from sendcap.charts.ticks import Scale
from sendcap.charts.timeaxis import Start
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS, Mode
from sendcap.study.convergence.charts.reading import about_the_replications, bands_time
from sendcap.study.convergence.converge import ConvergenceStudy
from sendcap.study.replication.recording import PARTS, Quantity

Parts = dict[str, Floats]

_COLOURS: Final = {
    "in_queue_pt": SKY,
    "backing_off_pt": ORANGE,
    "not_fed_back_pt": BROWN,
    "async_to_come_pt": PURPLE,
    "not_all_relayed_pt": SAND,
}
_FOR_CERTAIN: Final = {
    "in_queue_pt": "in queue:\naccepted at first try",
    "backing_off_pt": "backing off:\nrecovered by a retry",
    "not_fed_back_pt": "accepted,\nnot fed back yet",
    "async_to_come_pt": "asynchronous\nbounces to come",
    "not_all_relayed_pt": "not all relayed yet",
}
_LABELS: Final[dict[str, dict[str, str]]] = {
    "without-efs": {
        "in_queue_pt": "in queue: will bounce",
        "backing_off_pt": "backing off:\nwill never recover",
        "not_fed_back_pt": "bounced,\nnot fed back yet",
        "async_to_come_pt": "asynchronous\nbounces to come",
        "not_all_relayed_pt": "denominator: only\nrelayed messages count",
    }
}
_TOO_SMALL: Final = 0.006
"""A part that is never more than this share of the panel is not named."""
_TRIED_PT: Final = 1e-3
_MAGNIFY_FROM: Final = 8.0
"""The end of the error gets a panel of its own if all of it is so many times as large."""


class _Panel(NamedTuple):
    """A mode's error, complete or cut off to show the end."""

    mode: Mode
    parts: Parts
    low: float
    high: float
    magnified: bool = False


@house_style()
def remaining(
    study: ConvergenceStudy,
    delivery: str = ALL_DELIVERIES,
    ax: Axes | Sequence[Axes] | None = None,
    *,
    scale: Scale | None = None,
    start: Start = None,
) -> list[Axes]:
    """Draw what the error of Delivered % consists of over time, stacked.

    A panel for each mode; where the error is large at first, a second one shows what is left
    later. The heights are means over the replications: their sum is the mean error.

    For the options see `sendcap.charts`.
    """
    runs = study.replications
    time = bands_time([runs], scale, start, delivery)
    plans = [plan for mode in study.modes for plan in _plans(study, mode, delivery, time.first_s)]
    words = (
        f"{about_the_replications(runs, delivery)}"
        f"{' Means over all of them.' if runs.n > 1 else ''}\n"
        "Points that Delivered % has still to lose (above zero) and to gain (below)."
    )
    panels = time.panels(
        ax,
        Heading(runs.scenario.title, "what makes Delivered % wrong", words),
        [2.5] * len(plans),
        right_in=1.95,
    )
    for panel, plan in zip(panels, plans, strict=True):
        _draw(panel, runs.moments_s, plan)
    draw_marks(panels, scenario_marks(runs.scenario, delivery))
    return panels


def _plans(study: ConvergenceStudy, mode: Mode, delivery: str, first_s: float) -> list[_Panel]:
    """Return the panels of a mode, given when the time axis begins."""
    parts = {}
    for name in PARTS:
        about = Quantity(mode, delivery, ALL_PROVIDERS, name)
        parts[name] = np.nan_to_num(study.replications.band(about).mean)
    shown = study.replications.moments_s >= first_s
    heaps = np.stack(list(parts.values()))[:, shown]
    above, below = np.maximum(heaps, 0.0).sum(axis=0), np.minimum(heaps, 0.0).sum(axis=0)
    low, high = 1.1 * float(below.min()), 1.1 * float(above.max())
    complete = _Panel(mode, parts, low or -0.1, high or 0.1)
    # What is left when every message has been tried: in the complete error it could not be seen.
    tried = np.abs(parts["in_queue_pt"] + parts["not_fed_back_pt"])[shown] < _TRIED_PT
    if not tried.any():
        return [complete]
    left_below, left_above = float(below[tried].min()), float(above[tried].max())
    near = max(left_above - left_below, study.tolerances_pt[-1])
    if high - low <= _MAGNIFY_FROM * near:
        return [complete]
    near_low, near_high = max(low, 1.6 * min(left_below, -0.4 * near)), min(high, 1.3 * left_above)
    return [complete, _Panel(mode, parts, near_low, max(near_high, 0.1 * near), magnified=True)]


def _draw(panel: Axes, time_s: Floats, plan: _Panel) -> None:
    span = plan.high - plan.low
    panel.set_ylim(plan.low - 0.03 * span, plan.high + 0.03 * span)
    magnified = ", magnified" if plan.magnified else ""
    panel.set_title(f"Error of Delivered %, {MODE_LOOKS[plan.mode].label}, in points{magnified}")
    labels = _LABELS.get(plan.mode, _FOR_CERTAIN)
    ends = {1.0: np.zeros(len(time_s)), -1.0: np.zeros(len(time_s))}
    handles = {}
    for name, part in plan.parts.items():
        for sign, base in ends.items():
            end = base + sign * np.maximum(sign * part, 0.0)
            area = panel.fill_between(time_s, base, end, color=_COLOURS[name], linewidth=0)
            seen = np.ptp(np.clip([base, end], plan.low, plan.high), axis=0)
            if seen.max() > _TOO_SMALL * span:
                handles[name] = area
            ends[sign] = end
    total = np.sum(list(plan.parts.values()), axis=0)
    (line,) = panel.plot(time_s, total, color=INK, linewidth=1.2)
    panel.axhline(0.0, color=GREY, linewidth=0.8)
    panel.legend(
        [*handles.values(), line],
        [*(labels[name] for name in handles), "sum: the error"],
        loc="center left",
        bbox_to_anchor=(1.01, 0.5),
        frameon=False,
        fontsize=8.0,
        handlelength=1.2,
        labelspacing=0.6,
        borderaxespad=0.0,
    )
