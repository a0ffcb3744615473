"""The timeline of retries: soft-bounced messages until each has recovered, bounced or expired."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.axes import count_axis, stack
from sendcap.charts.figures import Heading
from sendcap.charts.labels import name_beside
from sendcap.charts.marks import draw_marks, run_marks
from sendcap.charts.narrow import Named
from sendcap.charts.providers import delivery_of
from sendcap.charts.style import BLUE, GREY, ORANGE, PURPLE, RED, house_style
from sendcap.charts.ticks import Scale
from sendcap.charts.timeaxis import Start, TimeAxis, enough, limits_s, time_axis
from sendcap.ledger import Counts
from sendcap.readings.modes import ALL_DELIVERIES, known
from sendcap.text.quantities import compact, elapsed

if TYPE_CHECKING:
    from sendcap.run import Run

_COLOURS: Final = {
    "recovered": BLUE,
    "bounced hard": PURPLE,
    "backing off": ORANGE,
    "expired": RED,
}
_BARS: Final = 90
"""Of the second panel, as many as can be told apart."""


@house_style()
def retries(
    run: Run,
    delivery: str = ALL_DELIVERIES,
    ax: Axes | Sequence[Axes] | None = None,
    *,
    scale: Scale | None = None,
    start: Start = None,
) -> list[Axes]:
    """Draw what becomes of the messages that bounced softly, and how many retries there are.

    Above, the messages that have bounced softly so far, by what has become of them; below, the
    retries per hour, and how many of them were accepted.

    For the options see `sendcap.charts`.
    """
    layers, retried = _counts(run, delivery)
    marks = run_marks(run, delivery)
    limits = limits_s(run, layers.values(), marks)
    time = time_axis(run.scenario, limits, scale, start, "symlog")
    words = (
        "A message that bounced softly is tried again until it is accepted, bounces hard or its "
        "validity ends."
    )
    heading = Heading(run.scenario.title, "retries", words).of(delivery)
    panels = time.panels(ax, heading, [2.4, 1.6])
    _stack(panels[0], layers, run.ledger.edges_s, time)
    _rates(panels[1], retried, layers["recovered"], run.ledger.edges_s, time)
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


def _stack(panel: Axes, counts: dict[str, Counts], edges_s: Counts, time: TimeAxis) -> None:
    times_s, shown = time.held(edges_s)
    layers = {name: layer[shown] for name, layer in counts.items()}
    height = stack(panel, times_s, layers, _COLOURS)
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
            words = f"at most {layer[peak]:,.0f} at {elapsed(float(edges_s[peak]))}"
        if layer.max() > 0:
            names.append(Named(_COLOURS[name], name, words))
    name_beside(panel, names or [Named("none", "no message bounced softly")])


def _rates(
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
        panel.stairs(rate, steps_s, fill=True, color=colour)
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
