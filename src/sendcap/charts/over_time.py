"""Charts of what becomes of messages over time, stacked: statuses in the log, and soft bounces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.axes import count_axis, filled_steps, stack
from sendcap.charts.figures import Heading
from sendcap.charts.labels import name_beside
from sendcap.charts.marks import draw_marks, run_marks
from sendcap.charts.narrow import Named
from sendcap.charts.providers import delivery_of
from sendcap.charts.style import BLUE, GREY, GRID, INK, MODE_LOOKS, ORANGE, PURPLE, RED, house_style
from sendcap.charts.ticks import Scale
from sendcap.charts.timeaxis import Moment, Start, TimeAxis, enough, limits_s, time_axis
from sendcap.ledger import Counts
from sendcap.readings.modes import ALL_DELIVERIES, Mode, known, modes_of
from sendcap.text.quantities import compact

if TYPE_CHECKING:
    from sendcap.run import Run

Shares = dict[str, Counts]

_PANEL_IN: Final = 1.75
_STATUSES: Final = {"sent": BLUE, "pending": ORANGE, "not relayed yet": GRID, "failed": RED}
"""The layers from the bottom up. Failed hang from the top, where few of them can be seen."""

_FATES: Final = {
    "recovered": BLUE,
    "bounced hard": PURPLE,
    "backing off": ORANGE,
    "expired": RED,
}
_BARS: Final = 90
"""Of the second panel, as many as can be told apart."""
_USUALLY: Final[Any] = {"usual": "symlog", "by_the_clock": True}
"""The axis of time where nobody asks for another."""


@house_style()
def statuses(
    run: Run,
    modes: Sequence[Mode] | None = None,
    delivery: str = ALL_DELIVERIES,
    ax: Axes | Sequence[Axes] | None = None,
    *,
    scale: Scale | None = None,
    start: Start = None,
    since: Moment = None,
    until: Moment = None,
) -> list[Axes]:
    """Draw how many messages have each status in Campaign's log over time, a panel for each mode.

    For the options see `sendcap.charts`.
    """
    shares = {mode: _shares(run, mode, delivery) for mode in modes_of(run.scenario, modes)}
    marks = run_marks(run, delivery)
    limits = limits_s(run, [share for each in shares.values() for share in each.values()], marks)
    time = time_axis(run.scenario, limits, scale, start, since, until, **_USUALLY)
    words = "What Campaign's log says of the messages to deliver: their statuses over time."
    heading = Heading(run.scenario.title, "sent, pending, failed", words).of(delivery)
    panels = time.panels(ax, heading, [_PANEL_IN] * len(shares))
    for panel, (mode, each) in zip(panels, shares.items(), strict=True):
        panel.set_title(f"Statuses, {MODE_LOOKS[mode].label}")
        _draw_statuses(panel, run, each, time)
    draw_marks(panels, marks)
    return panels


def _shares(run: Run, mode: Mode, delivery: str) -> Shares:
    """Return the percentage of the messages to deliver in each status, at each edge."""
    figures = run.readings.figures(mode, delivery)
    counts = {
        "sent": figures.sent,
        "pending": figures.pending,
        "not relayed yet": figures.to_deliver - figures.sent - figures.pending - figures.failed,
        "failed": figures.failed,
    }
    # A population may leave nobody to deliver to.
    return {
        name: 100.0 * count / np.maximum(figures.to_deliver, 1) for name, count in counts.items()
    }


def _draw_statuses(panel: Axes, run: Run, shares: Shares, time: TimeAxis) -> None:
    edges_s = run.ledger.edges_s
    times_s, shown = time.held(edges_s)
    stack(panel, times_s, {name: share[shown] for name, share in shares.items()}, _STATUSES)
    panel.set_ylim(0.0, 100.0)
    panel.set_yticks(range(0, 101, 25))
    panel.set_ylabel("% of the messages")
    panel.grid(visible=False)
    panel.tick_params(axis="both", color=INK)
    names = []
    for name, share in reversed(shares.items()):
        words = f"{share[-1]:.2f} % in the end" if share[-1] >= 0.005 else ""
        peak = int(share.argmax())
        if name != "sent" and share[peak] - share[-1] >= 0.005:
            most = f"{share[peak]:.3g} %"
            most = (
                f"at most {most} at {time.moment(float(edges_s[peak]))}"
                if peak
                else f"{most} at the start"
            )
            words = f"{most}\n{words}" if words else most
        if share[peak] > 0.0:
            names.append(Named(_STATUSES[name], name, words))
    name_beside(panel, names, top=1.0)


@house_style()
def retries(
    run: Run,
    delivery: str = ALL_DELIVERIES,
    ax: Axes | Sequence[Axes] | None = None,
    *,
    scale: Scale | None = None,
    start: Start = None,
    since: Moment = None,
    until: Moment = None,
) -> list[Axes]:
    """Draw what becomes of the messages that bounced softly, and how many retries there are.

    Above, the messages that have bounced softly so far, by what has become of them; below, the
    retries per hour, and how many of them were accepted.

    For the options see `sendcap.charts`.
    """
    layers, retried = _counts(run, delivery)
    marks = run_marks(run, delivery)
    limits = limits_s(run, layers.values(), marks)
    time = time_axis(run.scenario, limits, scale, start, since, until, **_USUALLY)
    words = (
        "A message that bounced softly is tried again until it is accepted, bounces hard or its "
        "validity ends."
    )
    heading = Heading(run.scenario.title, "retries", words).of(delivery)
    panels = time.panels(ax, heading, [2.4, 1.6])
    _draw_fates(panels[0], layers, run.ledger.edges_s, time)
    _draw_rates(panels[1], retried, layers["recovered"], run.ledger.edges_s, time)
    draw_marks(panels, marks)
    return panels


def _counts(run: Run, delivery: str) -> tuple[dict[str, Counts], Counts]:
    """Return what has become of the soft-bounced messages, and the retries, up to each edge."""
    happened = known(run.ledger, delivery, clock="happened")
    name = delivery_of(run.ledger, delivery)
    soft = run.ledger.cumulative("soft", clock="happened", delivery=name)
    recovered, hard, first = happened.recovered, happened.hard_after_soft, happened.soft_first
    expired = happened.expired - happened.expired_untried
    layers = {
        "recovered": recovered,
        "bounced hard": hard,
        "backing off": first - recovered - hard - expired,
        "expired": expired,
    }
    return layers, recovered + hard + soft - first


def _draw_fates(panel: Axes, counts: dict[str, Counts], edges_s: Counts, time: TimeAxis) -> None:
    times_s, shown = time.held(edges_s)
    layers = {name: layer[shown] for name, layer in counts.items()}
    height = stack(panel, times_s, layers, _FATES)
    panel.plot(times_s, height, color=GREY, linewidth=0.6)
    panel.set_ylim(0.0, 1.12 * max(float(height.max()), 1.0))
    count_axis(panel.yaxis, 5)
    panel.set_title("Messages that have bounced softly")
    panel.set_ylabel("messages")
    names = []
    for name, layer in reversed(counts.items()):
        words = f"{layer[-1]:,.0f} in the end"
        if name == "backing off":
            peak = int(layer.argmax())
            words = f"at most {layer[peak]:,.0f} at {time.moment(float(edges_s[peak]))}"
        if layer.max() > 0:
            names.append(Named(_FATES[name], name, words))
    name_beside(panel, names or [Named("none", "no message bounced softly")])


def _draw_rates(
    panel: Axes, retried: Counts, recovered: Counts, edges_s: Counts, time: TimeAxis
) -> None:
    steps_s = edges_s[enough(edges_s, *panel.get_xlim(), time.scale, _BARS + 1)]
    hours = np.diff(steps_s) / 3600.0
    highest = 0.0
    names = []
    # The axis is logarithmic, so one is drawn before the other and not on top of it.
    for colour, label, column in (
        (ORANGE, "retries", retried),
        (BLUE, "those that were accepted", recovered),
    ):
        rate = np.diff(np.interp(steps_s, edges_s, column)) / hours
        filled_steps(panel, rate, steps_s, facecolor=colour)
        names.append(Named(colour, label, f"{column[-1]:,.0f} in all"))
        highest = max(highest, float(rate.max(initial=0.0)))
    panel.set_yscale("symlog", linthresh=max(highest / 1000.0, 1.0), linscale=0.3)
    panel.set_ylim(0.0, 2.0 * max(highest, 1.0))
    top = int(np.floor(np.log10(max(highest, 10.0))))
    panel.set_yticks([0.0, *(10.0**power for power in range(max(top - 2, 0), top + 1))])
    panel.set_yticks([], minor=True)
    panel.yaxis.set_major_formatter(compact)
    panel.set_title("Retries per hour (logarithmic)")
    panel.set_ylabel("retries per hour")
    name_beside(panel, names)
