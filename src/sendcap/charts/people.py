"""The chart of a population: the state of the list over time, and whom each delivery went to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.axes import count_axis
from sendcap.charts.figures import Heading
from sendcap.charts.labels import EndLabel, label_ends, name_beside, spread
from sendcap.charts.marks import Mark, draw_marks
from sendcap.charts.narrow import Named
from sendcap.charts.style import BLUE, INK, ORANGE, PURPLE, RED, STONE, house_style
from sendcap.charts.timeaxis import Start, TimeAxis, start_of
from sendcap.ledger.people import Health, Preparation
from sendcap.readings.people import people_of

if TYPE_CHECKING:
    from sendcap.run import Run

_STATES: Final = {
    "quarantined": ("quarantined", RED),
    "denylisted": ("denylisted", PURPLE),
    "dead_unknown": ("dead, not known", INK),
}
"""Each state of an address that is no use, with its name and colour."""
_TO_DELIVER: Final = "to deliver"
_LAYERS: Final = {
    _TO_DELIVER: BLUE,
    "control group": STONE,
    "fatigue": ORANGE,
    "quarantined": RED,
    "denylisted": PURPLE,
}
"""The layers of a bar from the bottom up."""
_WIDEST: Final = 0.02
"""Of a bar, as a share of the axis."""
_LEFT: Final = 0.03
"""Room before t = 0, where the first bar often stands."""


@house_style()
def people(run: Run, ax: Axes | Sequence[Axes] | None = None, *, start: Start = None) -> list[Axes]:
    """Draw what becomes of the list of a population, and whom each delivery went to.

    Above, how much of the list is quarantined, on the denylist, or dead without Campaign knowing;
    below, a bar for each preparation: messages to deliver, and people excluded by reason. The time
    is by the clock where the scenario has a start. For the options see `sendcap.charts`.
    """
    found = people_of(run.ledger)
    times_s = [each.at_s for each in found.health] + [each.at_s for each in found.preparations]
    last_s = 1.02 * max(*times_s, run.ledger.bin_s)
    began = run.scenario.start if start is None else start_of(start, run.scenario)
    time = TimeAxis(run.scenario, 0.0, last_s, "linear", began)
    words = (
        "The list at the end of each week, and each delivery as it was prepared: people whom it "
        "goes to, and people whom it leaves out, each for the first reason that holds."
    )
    heading = Heading(run.scenario.title, "people", words)
    panels = time.panels(ax, heading, [1.7, 2.0], right_in=2.0)
    for panel in panels:
        panel.set_xlim(-_LEFT * last_s, last_s)
    _draw_list(panels[0], found.health)
    _draw_preparations(panels[1], found.preparations, last_s)
    draw_marks(panels, list(_imports(run)), at_top=True)
    return panels


def _draw_list(panel: Axes, health: Sequence[Health]) -> None:
    ends, highest = [], 0.0
    for state, (name, colour) in _STATES.items():
        times_s = [each.at_s for each in health]
        shares = [100.0 * getattr(each, state) / each.people for each in health]
        if state != "dead_unknown":
            # Nothing is known of an address before the first delivery.
            times_s, shares = [0.0, *times_s], [0.0, *shares]
        panel.plot(times_s, shares, "o-", color=colour, linewidth=2.0, markersize=3.5)
        ends.append(EndLabel(f"{name}  {shares[-1]:.2f} %", shares[-1], colour))
        highest = max(highest, *shares)
    panel.set_ylim(0.0, 1.15 * highest if highest > 0.0 else 1.0)
    panel.set_title("The list")
    panel.set_ylabel("% of the people")
    label_ends(panel, ends)


def _draw_preparations(panel: Axes, preparations: Sequence[Preparation], last_s: float) -> None:
    count = len(preparations)
    width_s = last_s * min(_WIDEST, 0.8 / max(count, 1))
    # Those that are prepared at once, or nearly so, stand side by side.
    order = np.argsort([each.at_s for each in preparations], kind="stable")
    ordered = [preparations[number] for number in order]
    times_s = spread(
        [each.at_s for each in ordered], 1.1 * width_s, -_LEFT * last_s + width_s, last_s - width_s
    )
    bottom = np.zeros(count)
    names = []
    for layer, colour in _LAYERS.items():
        of_each = [
            each.to_deliver if layer == _TO_DELIVER else each.excluded[layer] for each in ordered
        ]
        height = np.array(of_each, np.float64)
        panel.bar(times_s, height, width_s, bottom, color=colour, linewidth=0)
        bottom += height
        if height.any():
            names.append(Named(colour, layer, f"{sum(of_each):,} in all"))
    panel.set_ylim(0.0, 1.08 * max(float(bottom.max(initial=0.0)), 1.0))
    count_axis(panel.yaxis, 5)
    panel.grid(visible=False, axis="x")
    panel.set_title("Deliveries, as they were prepared")
    panel.set_ylabel("people")
    name_beside(panel, names[::-1], top=1.0)


def _imports(run: Run) -> Iterator[Mark]:
    population = run.scenario.population
    for each in population.imports if population is not None else ():
        yield Mark(f"import of {each.size:,}", each.at, each.at)
