"""The timeline of retries: soft-bounced messages until each has recovered, bounced or expired."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast

from sendcap.charts.figures import LEFT, headed_figure, panels_for
from sendcap.charts.layers import Named, name_beside
from sendcap.charts.marks import draw_marks, run_marks
from sendcap.charts.providers import delivery_of
from sendcap.charts.style import GREY, house_style
from sendcap.charts.timeaxis import (
    Scale,
    Start,
    elapsed_axis,
    enough,
    last_change_s,
    place,
    room_below_in,
    scale_for,
    start_of,
    time_label,
)
from sendcap.readings.modes import ALL_DELIVERIES
from sendcap.text.quantities import compact, elapsed

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes

    from sendcap.ledger import Counts, Event
    from sendcap.run import Run

    Floats = npt.NDArray[np.float64]

_HEIGHTS_IN: Final = (2.4, 1.6)
_COLOURS: Final = {
    "recovered": "#3f90da",
    "bounced hard": "#832db6",
    "backing off": "#ffa90e",
    "expired": "#bd1f01",
}
_STEPS: Final = 90
"""The second panel's bars, as many as can be told apart."""


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

    Parameters
    ----------
    delivery
        A delivery's name, or ``"*"`` for all of them together.
    ax
        Draw on these two panels, or divide one pair of axes into them. By default a new figure gets
        them, which is not attached to pyplot.
    scale, start
        Of the time axis; see `sendcap.charts.delivered.delivered`.

    Returns
    -------
    list of Axes
        The two panels.

    Raises
    ------
    SendcapError
        If there is no such delivery or moment.
    """
    began = start_of(start, run.scenario)
    counts = _Counts(run, delivery)
    with house_style():
        panels = panels_for(ax, _HEIGHTS_IN, lambda: _new_axes(run, delivery, began))
        marks = run_marks(run, delivery)
        last_s = last_change_s(run, counts.layers.values(), marks)
        its_scale = scale_for(scale, run.scenario, last_s, "symlog")
        for panel in panels:
            elapsed_axis(
                panel, run.ledger.bin_s if its_scale == "log" else 0.0, last_s, its_scale, began
            )
            panel.tick_params(labelbottom=panel is panels[-1])
        _stack(panels[0], counts, its_scale)
        _rates(panels[1], counts, its_scale)
        panels[1].set_xlabel(time_label(run.scenario, its_scale, began, last_s), loc="left")
        draw_marks(panels, marks)
        return panels


class _Counts:
    """What has become of the soft-bounced messages, at each edge of the ledger."""

    def __init__(self, run: Run, delivery: str) -> None:
        its_delivery = delivery_of(run.ledger, delivery)

        def at_edges(event: Event) -> Counts:
            return run.ledger.cumulative(event, clock="happened", delivery=its_delivery)

        recovered, hard = at_edges("recovered"), at_edges("hard_after_soft")
        soft, first = at_edges("soft"), at_edges("soft_first")
        expired = at_edges("expired") - at_edges("expired_untried")
        self.time_s = run.ledger.edges_s
        self.layers = {
            "recovered": recovered,
            "bounced hard": hard,
            "backing off": first - recovered - hard - expired,
            "expired": expired,
        }
        self.retried = recovered + hard + soft - first


def _stack(panel: Axes, its: _Counts, scale: Scale) -> None:
    import numpy as np
    from matplotlib.ticker import MaxNLocator

    first_s, last_s = panel.get_xlim()
    shown = enough(its.time_s, first_s, last_s, scale)
    time_s = np.append(its.time_s[shown], last_s)
    below = np.zeros(len(time_s))
    for name, layer in its.layers.items():
        above = below + np.append(layer[shown], layer[shown[-1]])
        panel.fill_between(time_s, below, above, color=_COLOURS[name], linewidth=0)
        below = above
    panel.plot(time_s, below, color=GREY, linewidth=0.6)
    panel.set_ylim(0.0, 1.12 * max(float(below.max()), 1.0))
    panel.yaxis.set_major_formatter(compact)
    panel.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    panel.set_title("Messages that have bounced softly")
    panel.set_ylabel("messages")
    names = [
        Named(_COLOURS[name], name, _told(name, layer, its.time_s))
        for name, layer in reversed(its.layers.items())
        if layer.max() > 0
    ]
    name_beside(panel, names or [Named("none", "no message bounced softly")])


def _told(name: str, layer: Counts, time_s: Floats) -> str:
    if name == "backing off":
        peak = int(layer.argmax())
        return f"at most {layer[peak]:,.0f} at {elapsed(float(time_s[peak]))}"
    return f"{layer[-1]:,.0f} in the end"


def _rates(panel: Axes, its: _Counts, scale: Scale) -> None:
    import numpy as np

    edges_s = _steps_s(its.time_s, *panel.get_xlim(), scale)
    hours = np.diff(edges_s) / 3600.0
    highest = 0.0
    names = []
    # The axis is logarithmic, so one is drawn before the other and not on top of it.
    for colour, label, counts in (
        ("backing off", "retries", its.retried),
        ("recovered", "those that were accepted", its.layers["recovered"]),
    ):
        rate = np.diff(np.interp(edges_s, its.time_s, counts)) / hours
        panel.stairs(rate, edges_s, fill=True, color=_COLOURS[colour])
        names.append(Named(_COLOURS[colour], label, f"{counts[-1]:,.0f} in all"))
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


def _steps_s(time_s: Floats, first_s: float, last_s: float, scale: Scale) -> Floats:
    """Return edges of the ledger, evenly along the axis as far as its bins allow."""
    import numpy as np

    inside = time_s[(time_s >= first_s) & (time_s <= last_s)]
    along = place(inside, scale)
    wanted = np.linspace(along[0], along[-1], _STEPS + 1)
    chosen = np.unique(np.searchsorted(along, wanted).clip(0, len(inside) - 1))
    return cast("Floats", inside[chosen])


def _new_axes(run: Run, delivery: str, began: datetime | None) -> list[Axes]:
    told = (
        "A message that bounced softly is tried again until it is accepted, bounces hard or its "
        "validity ends."
    )
    if delivery != ALL_DELIVERIES:
        told = f"{delivery}: {told[0].lower()}{told[1:]}"
    room = 0.3 + sum(_HEIGHTS_IN) + 0.45 + 0.15 + room_below_in(began)
    figure, top = headed_figure(run.scenario.title, "Retries", told, room)
    height = figure.get_figheight()
    panels = []
    upper = top - 0.3 / height
    for its in _HEIGHTS_IN:
        panels.append(figure.add_axes((LEFT, upper - its / height, 0.66, its / height)))
        upper -= (its + 0.45) / height
    return panels
