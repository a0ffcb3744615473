"""The charts of how long acceptance takes: which share how soon, a line for each provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.axes import Floats
from sendcap.charts.figures import Heading, panels_on
from sendcap.charts.labels import name_beside, names_in
from sendcap.charts.marks import chosen, draw_marks, validity_marks
from sendcap.charts.narrow import Named
from sendcap.charts.providers import Group, delivery_of, provider_groups
from sendcap.charts.style import GREY, INK, house_style
from sendcap.charts.ticks import Scale
from sendcap.charts.timeaxis import TimeAxis, enough
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
def time_to_accept(
    run: Run, delivery: str = ALL_DELIVERIES, ax: Axes | None = None, *, scale: Scale = "symlog"
) -> Axes:
    """Draw how soon messages are accepted, as the distribution of the time since the start.

    The time counts from when the message's own delivery started, to the end of a bin of the ledger.
    It is of the messages that were accepted in the end, retries included.

    For the options see `sendcap.charts`.
    """
    curves = _curves(run, delivery)
    bin_s = run.ledger.bin_s

    def at_s(group: Group, pct: float) -> float:
        """Return when a share had been accepted: the first end of a bin by which it was."""
        times_s, shares = curves[group]
        return float(times_s[np.searchsorted(shares, pct - 1e-9)])

    words = (
        "Which share of the messages that are accepted in the end had been accepted how long after "
        "the start. Dashed: 99 %."
    )
    heading = Heading(run.scenario.title, "time to accept", words).of(delivery)
    (axes,) = _panel(ax, heading, len(curves))
    last_s = max([_ROOM * at_s(group, 100.0) for group in curves] + [2.0 * bin_s])
    TimeAxis(run.scenario, bin_s, last_s, scale, None).on([axes], "time since the delivery's start")
    times_s = np.unique(np.concatenate([[0.0, last_s], *(each_s for each_s, _ in curves.values())]))
    shown_s = times_s[enough(times_s, 0.0, last_s, scale)]
    names = []
    for group in sorted(curves, key=lambda group: (at_s(group, 99.0), at_s(group, 50.0))):
        half, most = (elapsed(at_s(group, pct)) for pct in (50.0, 99.0))
        names.append(Named(group.colour, group.label, f"50 % after {half}, 99 % after {most}"))
    shares = {group: np.interp(shown_s, *curve) for group, curve in curves.items()}
    _draw(axes, shown_s, shares, names, dashed_pct=99, tick_pct=90)
    if all(each.at == 0.0 for each in chosen(run.as_sent, delivery)):
        draw_marks([axes], validity_marks(run.as_sent, delivery))
    return axes


@house_style()
def delay(run: Run, delivery: str = ALL_DELIVERIES, ax: Axes | None = None) -> Axes:
    """Draw the distribution of the delays from ready to accepted, a line for each provider.

    It is of the messages that were accepted in the end, retries included. For the options see
    `sendcap.charts`.
    """
    counts = _delays(run, delivery)
    words = (
        "Which share of the accepted messages took no longer from when they were ready to their "
        "acceptance. Dashed: 95 %."
    )
    heading = Heading(run.scenario.title, "delay from ready to accepted", words).of(delivery)
    (axes,) = _panel(ax, heading, len(counts))
    first_s, last_s = _limits_s(list(counts.values()))
    TimeAxis(run.scenario, first_s, last_s, "log", None).on([axes], "delay from ready to accepted")
    within_s = {
        group: tuple(delay_quantile_s(each, share) for share in (0.95, 0.5))
        for group, each in counts.items()
    }
    names = []
    for group in sorted(counts, key=lambda group: within_s[group]):
        most, half = map(elapsed, within_s[group])
        names.append(Named(group.colour, group.label, f"50 % in {half}, 95 % in {most}"))
    shown_s = np.geomspace(first_s, last_s, _POINTS)
    shares = {group: np.interp(shown_s, *accepted_within(each)) for group, each in counts.items()}
    _draw(axes, shown_s, shares, names, dashed_pct=95, tick_pct=95)
    return axes


def _panel(ax: Axes | None, heading: Heading, names: int) -> list[Axes]:
    """Return the panel, with room for the names beside it, of two lines each."""
    height_in = max(3.48, names_in(names, 2))
    return panels_on(ax, heading, [height_in], right_in=2.9, above_in=0.12, below_in=0.5)


def _draw(
    axes: Axes,
    times_s: Floats,
    shares: Mapping[Group, Floats],
    names: Sequence[Named],
    *,
    dashed_pct: int,
    tick_pct: int,
) -> None:
    """Draw the share of each group over time, in percent, with a dashed line at one of them."""
    axes.set_ylim(0.0, 102.0)
    axes.set_yticks([0, 25, 50, 75, tick_pct, 100])
    axes.axhline(dashed_pct, color=GREY, linewidth=0.8, linestyle="--", zorder=0.9)
    for group, pct in shares.items():
        width, zorder = (2.6, 2.5) if group.label == _ALL else (1.6, 2.0)
        axes.plot(times_s, pct, color=group.colour, linewidth=width, zorder=zorder)
    name_beside(axes, names)
    axes.set_ylabel("% of what is accepted in the end")


def _groups(run: Run, delivery: str) -> list[Group]:
    """Return the groups of providers; of several, all together first."""
    groups = provider_groups(run.ledger, delivery)
    if len(groups) > 1:
        every = tuple(name for group in groups for name in group.providers)
        groups.insert(0, Group(_ALL, every, 0, INK))
    return groups


def _curves(run: Run, delivery: str) -> dict[Group, tuple[Floats, Floats]]:
    """Return times since the start, and which share of what is accepted in the end was by then."""
    curves = {}
    for group in _groups(run, delivery):
        times_s, counts = _accepted(run, delivery, group)
        if counts[-1]:
            curves[group] = times_s, 100.0 * counts / counts[-1]
    return curves


def _accepted(run: Run, delivery: str, group: Group) -> tuple[Floats, Floats]:
    """Return edges of bins, from a delivery's own start, and the messages accepted by then.

    Within a bin all of it comes at the end; a line rises from the start of the bin.
    """
    ledger = run.ledger
    edges_s: list[Floats] = [np.zeros(1)]
    counts: list[Floats] = [np.zeros(1)]
    for each in chosen(run.as_sent, delivery):
        for name in group.providers:
            accepted = ledger.sparse(
                "accepted", clock="happened", delivery=each.name, provider=name
            )
            starts_s = accepted.bins.astype(np.float64) * ledger.bin_s - each.at
            ends_s = starts_s + ledger.bin_s
            edges_s += [np.maximum(starts_s, 0.0), ends_s]
            counts += [np.zeros(len(starts_s)), accepted.counts]
    # To the microsecond, so that the same time of several deliveries is one.
    times_s, which = np.unique(np.concatenate(edges_s).round(6), return_inverse=True)
    return times_s, np.cumsum(np.bincount(which, np.concatenate(counts)))


def _delays(run: Run, delivery: str) -> dict[Group, SparseCounts]:
    """Return the delays of each group of providers of which anything was accepted."""
    if run.ledger.delays is None:
        raise SendcapError(
            "delay: this run has no delays: an older sendcap has saved it, or it is an expected "
            "one; simulate the scenario"
        )
    name = delivery_of(run.ledger, delivery)
    counts = {
        group: summed([run.ledger.delays_of(name, provider) for provider in group.providers])
        for group in _groups(run, delivery)
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
