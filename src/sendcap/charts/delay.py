"""The chart of delays: which share was accepted within how long, a line for each provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.figures import Heading, panels_on
from sendcap.charts.labels import name_beside
from sendcap.charts.narrow import Named
from sendcap.charts.providers import Group, delivery_of, provider_groups
from sendcap.charts.style import GREY, INK, house_style
from sendcap.charts.timeaxis import TimeAxis
from sendcap.errors import SendcapError
from sendcap.ledger import SparseCounts, summed
from sendcap.readings.delays import accepted_within, delay_quantile_s
from sendcap.readings.modes import ALL_DELIVERIES
from sendcap.text.quantities import elapsed

if TYPE_CHECKING:
    from sendcap.run import Run

_ALL: Final = "all together"
_SHORTEST_S: Final = 0.001
"""What is shorter is drawn at the left end of the axis."""
_USUAL_S: Final = (1.0, 60.0)
"""The axis where nothing was accepted."""
_ROOM: Final = 1.15
_POINTS: Final = 700
"""Of a curve: as many as can be told apart."""


@house_style()
def delay(run: Run, delivery: str = ALL_DELIVERIES, ax: Axes | None = None) -> Axes:
    """Draw the distribution of the delays from ready to accepted, a line for each provider.

    It is of the messages that were accepted in the end, retries included. For the options see
    `sendcap.charts`.
    """
    counts = _counts(run, delivery)
    words = (
        "Which share of the accepted messages took no longer from the MTA's ingress to their "
        "acceptance. Dashed: 95 %."
    )
    heading = Heading(run.scenario.title, "delay from ready to accepted", words).of(delivery)
    (axes,) = panels_on(ax, heading, [3.48], right_in=2.9, above_in=0.12, below_in=0.5)
    first_s, last_s = _limits_s(list(counts.values()))
    TimeAxis(run.scenario, first_s, last_s, "log", None).on([axes], "delay from ready to accepted")
    axes.set_ylim(0.0, 102.0)
    axes.set_yticks([0, 25, 50, 75, 95, 100])
    axes.axhline(95.0, color=GREY, linewidth=0.8, linestyle="--", zorder=0.9)
    shown_s = np.geomspace(first_s, last_s, _POINTS)
    for group, each in counts.items():
        pct = np.interp(shown_s, *accepted_within(each))
        width, zorder = (2.6, 2.5) if group.label == _ALL else (1.6, 2.0)
        axes.plot(shown_s, pct, color=group.colour, linewidth=width, zorder=zorder)
    within_s = {
        group: tuple(delay_quantile_s(each, share) for share in (0.95, 0.5))
        for group, each in counts.items()
    }
    names = []
    for group in sorted(counts, key=lambda group: within_s[group]):
        most, half = map(elapsed, within_s[group])
        names.append(Named(group.colour, group.label, f"50 % in {half}, 95 % in {most}"))
    name_beside(axes, names)
    axes.set_ylabel("% of what is accepted in the end")
    return axes


def _counts(run: Run, delivery: str) -> dict[Group, SparseCounts]:
    """Return the delays of each group of providers of which anything was accepted."""
    delays = run.ledger.delays
    if delays is None:
        raise SendcapError(
            "delay: this run has no delays: an older sendcap has saved it, or it is an expected "
            "one; simulate the scenario"
        )
    name = delivery_of(run.ledger, delivery)
    groups = provider_groups(run.ledger, delivery)
    if len(groups) > 1:
        every = tuple(each for group in groups for each in group.providers)
        groups.insert(0, Group(_ALL, every, 0, INK))
    counts = {
        group: summed([run.ledger.delays_of(name, provider) for provider in group.providers])
        for group in groups
    }
    return {group: each for group, each in counts.items() if len(each.bins)}


def _limits_s(counts: list[SparseCounts]) -> tuple[float, float]:
    """Return the ends of the axis: around all delays, but not below a millisecond."""
    if not counts:
        return _USUAL_S
    shortest_s = min(delay_quantile_s(each, 0.0) for each in counts)
    first_s = max(shortest_s / _ROOM, _SHORTEST_S)
    last_s = max(delay_quantile_s(each, 1.0) for each in counts)
    return first_s, max(_ROOM * last_s, 2.0 * first_s)
