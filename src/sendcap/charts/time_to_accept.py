"""The chart of the time to accept: which share was accepted how soon, a line for each provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.axes import Floats
from sendcap.charts.figures import Heading, panels_on
from sendcap.charts.labels import name_beside
from sendcap.charts.marks import chosen, draw_marks, validity_marks
from sendcap.charts.narrow import Named
from sendcap.charts.providers import Group, provider_groups
from sendcap.charts.style import GREY, INK, house_style
from sendcap.charts.ticks import Scale
from sendcap.charts.timeaxis import TimeAxis, enough
from sendcap.readings.modes import ALL_DELIVERIES
from sendcap.text.quantities import elapsed

if TYPE_CHECKING:
    from sendcap.run import Run

_ALL: Final = "all together"
_ROOM_AFTER: Final = 1.15


@house_style()
def time_to_accept(
    run: Run, delivery: str = ALL_DELIVERIES, ax: Axes | None = None, *, scale: Scale = "symlog"
) -> Axes:
    """Draw how soon messages are accepted, as the distribution of the time since the start.

    The time counts from when the message's own delivery started, to a bin of the ledger. It is of
    the messages that were accepted in the end, retries included.

    For the options see `sendcap.charts`.
    """
    curves = _curves(run, delivery)
    edges_s, bin_s = run.ledger.edges_s, run.ledger.bin_s

    def at_s(group: Group, pct: float) -> float:
        """Return when a share had been accepted: the first edge of the bins by which it was."""
        return float(edges_s[np.searchsorted(curves[group], pct - 1e-9)])

    words = (
        "Which share of the messages that are accepted in the end had been accepted how long after "
        "the start. Dashed: 99 %."
    )
    heading = Heading(run.scenario.title, "time to accept", words).of(delivery)
    (axes,) = panels_on(ax, heading, [3.48], right_in=2.9, above_in=0.12, below_in=0.5)
    last_s = max([_ROOM_AFTER * at_s(group, 100.0) for group in curves] + [2.0 * bin_s])
    TimeAxis(run.scenario, bin_s, last_s, scale, None).on([axes], "time since the delivery's start")
    axes.set_ylim(0.0, 102.0)
    axes.set_yticks([0, 25, 50, 75, 90, 100])
    axes.axhline(99.0, color=GREY, linewidth=0.8, linestyle="--", zorder=0.9)
    shown = enough(edges_s, 0.0, last_s, scale)
    for group, pct in curves.items():
        width, zorder = (2.6, 2.5) if group.label == _ALL else (1.6, 2.0)
        colour = group.colour
        axes.plot(edges_s[shown], pct[shown], color=colour, linewidth=width, zorder=zorder)
    names = []
    for group in sorted(curves, key=lambda group: (at_s(group, 99.0), at_s(group, 50.0))):
        half, most = (elapsed(at_s(group, pct)) for pct in (50.0, 99.0))
        names.append(Named(group.colour, group.label, f"50 % after {half}, 99 % after {most}"))
    name_beside(axes, names)
    axes.set_ylabel("% of what is accepted in the end")
    if all(each.at == 0.0 for each in chosen(run.scenario, delivery)):
        draw_marks([axes], validity_marks(run.scenario, delivery))
    return axes


def _curves(run: Run, delivery: str) -> dict[Group, Floats]:
    """Return which share of all finally accepted messages had been accepted at each edge."""
    groups = provider_groups(run.ledger, delivery)
    if len(groups) > 1:
        every = tuple(name for group in groups for name in group.providers)
        groups.insert(0, Group(_ALL, every, 0, INK))
    accepted = {group: _accepted(run, delivery, group) for group in groups}
    return {group: 100.0 * count / count[-1] for group, count in accepted.items() if count[-1]}


def _accepted(run: Run, delivery: str, group: Group) -> Floats:
    """Return how many messages of a group were accepted up to a time since their start."""
    ledger = run.ledger
    accepted = np.zeros(ledger.bins + 1)
    for each in chosen(run.scenario, delivery):
        # Each delivery from its own start on, which divides its bins.
        first, begun = divmod(each.at / ledger.bin_s, 1.0)
        for name in group.providers:
            bins, counts = ledger.sparse(
                "accepted", clock="happened", delivery=each.name, provider=name
            )
            later = bins - int(first)
            accepted[later] += begun * counts
            accepted[later + 1] += (1.0 - begun) * counts
    return np.cumsum(accepted)
