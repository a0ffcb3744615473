"""The chart of what a reading's error consists of, stacked, for each mode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from sendcap.charts.figures import panels_for, stacked_panels
from sendcap.charts.style import GREY, INK, MODE_LOOKS, house_style
from sendcap.charts.timeaxis import Scale, Start
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS
from sendcap.study.convergence.charts.bands import about_the_replications, times_of
from sendcap.study.replication.recording import PARTS, Quantity

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes

    from sendcap.readings.modes import Mode
    from sendcap.study.convergence.converge import ConvergenceStudy

    Floats = npt.NDArray[np.float64]
    Parts = dict[str, Floats]

# Petroff's ten colours, as in `sendcap.charts.style`.
COLOURS: Final = {
    "in_queue_pt": "#92dadd",
    "backing_off_pt": "#ffa90e",
    "not_fed_back_pt": "#a96b59",
    "async_to_come_pt": "#832db6",
    "not_all_relayed_pt": "#b9ac70",
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
        "not_all_relayed_pt": "share of fewer: not\nall are relayed yet",
    }
}
_PANEL_IN: Final = 2.5
_TOO_SMALL: Final = 0.006
"""A part that is never more than this share of the panel is not named."""
_TRIED_PT: Final = 1e-3
_MAGNIFY_FROM: Final = 8.0
"""The end of the error gets a panel of its own if all of it is so many times as large."""


class _Panel(NamedTuple):
    """A mode's error, whole or cut off to show its end."""

    mode: Mode
    parts: Parts
    low: float
    high: float
    magnified: bool


def remainder(
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

    Parameters
    ----------
    ax
        Draw on these, a panel each, or divide one pair of axes into panels. By default a new figure
        gets them, which is not attached to pyplot.
    scale, start
        Of the time axis; see `sendcap.charts.delivered.delivered`.

    Returns
    -------
    list of Axes
        The panels, from top to bottom.
    """
    its = study.replications
    times = times_of([its], scale, start, delivery)
    means = " Means over all of them." if its.n > 1 else ""
    with house_style():
        plans = [
            plan for mode in study.modes for plan in _panels(study, mode, delivery, times.first_s)
        ]
        title = its.scenario.title or "Delivery"
        heights = [_PANEL_IN] * len(plans)
        panels = panels_for(
            ax,
            heights,
            lambda: stacked_panels(
                title,
                "where are the messages that are still missing?",
                (
                    f"{about_the_replications(its, delivery)}{means}",
                    "Points that Delivered % has still to lose (above zero) and to gain (below).",
                ),
                heights,
                below_in=times.room_in,
            )[1],
        )
        for panel, plan in zip(panels, plans, strict=True):
            times.of(panel)
            _draw(panel, its.moments_s, plan)
        times.below(panels, delivery)
    return panels


def _panels(study: ConvergenceStudy, mode: Mode, delivery: str, first_s: float) -> list[_Panel]:
    """Return the panels of a mode, given when the time axis begins."""
    import numpy as np

    parts = {}
    for name in PARTS:
        about = Quantity(mode, delivery, ALL_PROVIDERS, name)
        parts[name] = np.nan_to_num(study.replications.band(about).mean)
    shown = study.replications.moments_s >= first_s
    above, below = (heap[shown] for heap in _heaps(parts))
    low, high = 1.1 * float(below.min()), 1.1 * float(above.max())
    whole = _Panel(mode, parts, low or -0.1, high or 0.1, magnified=False)
    # What is left when every message has been tried: in the whole it could not be seen.
    tried = np.abs(parts["in_queue_pt"] + parts["not_fed_back_pt"])[shown] < _TRIED_PT
    if not tried.any():
        return [whole]
    left_below, left_above = float(below[tried].min()), float(above[tried].max())
    near = max(left_above - left_below, study.tolerances_pt[-1])
    if high - low <= _MAGNIFY_FROM * near:
        return [whole]
    near_low, near_high = max(low, 1.6 * min(left_below, -0.4 * near)), min(high, 1.3 * left_above)
    return [whole, _Panel(mode, parts, near_low, max(near_high, 0.1 * near), magnified=True)]


def _heaps(parts: Parts) -> tuple[Floats, Floats]:
    """Return how high the parts above zero are together, and how deep those below."""
    import numpy as np

    stack = np.stack(list(parts.values()))
    return np.maximum(stack, 0.0).sum(axis=0), np.minimum(stack, 0.0).sum(axis=0)


def _draw(panel: Axes, time_s: Floats, plan: _Panel) -> None:
    import numpy as np

    room = 0.03 * (plan.high - plan.low)
    panel.set_ylim(plan.low - room, plan.high + room)
    look = MODE_LOOKS[plan.mode]
    magnified = ", magnified" if plan.magnified else ""
    panel.set_title(f"Error of Delivered %, {look.label}, in points{magnified}")
    labels = _LABELS.get(plan.mode, _FOR_CERTAIN)
    top = bottom = np.zeros(len(time_s))
    handles = {}
    for name, part in plan.parts.items():
        for sign in (1.0, -1.0):
            height = sign * np.maximum(sign * part, 0.0)
            base = top if sign > 0 else bottom
            area = panel.fill_between(time_s, base, base + height, color=COLOURS[name], linewidth=0)
            seen = np.ptp(np.clip([base, base + height], plan.low, plan.high), axis=0)
            if seen.max() > _TOO_SMALL * (plan.high - plan.low):
                handles[name] = area
            if sign > 0:
                top = base + height
            else:
                bottom = base + height
    total = np.sum(list(plan.parts.values()), axis=0)
    (line,) = panel.plot(time_s, total, color=INK, linewidth=1.2)
    panel.axhline(0.0, color=GREY, linewidth=0.8)
    panel.legend(
        [*handles.values(), line],
        [*(labels[name] for name in handles), "sum: how far it is off"],
        loc="center left",
        bbox_to_anchor=(1.01, 0.5),
        frameon=False,
        fontsize=8.0,
        handlelength=1.2,
        labelspacing=0.6,
        borderaxespad=0.0,
    )
