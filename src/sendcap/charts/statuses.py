"""The chart of the log's statuses: how many messages are sent, pending and failed over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from matplotlib.axes import Axes

from sendcap.charts.axes import stack
from sendcap.charts.delivered import modes_of
from sendcap.charts.figures import Heading
from sendcap.charts.labels import name_beside
from sendcap.charts.marks import draw_marks, run_marks
from sendcap.charts.narrow import Named
from sendcap.charts.style import BLUE, GRID, INK, MODE_LOOKS, ORANGE, RED, house_style
from sendcap.charts.ticks import Scale
from sendcap.charts.timeaxis import Start, TimeAxis, limits_s, time_axis
from sendcap.ledger import Counts
from sendcap.readings.modes import ALL_DELIVERIES, Mode
from sendcap.text.quantities import elapsed

if TYPE_CHECKING:
    from sendcap.run import Run

Shares = dict[str, Counts]

_PANEL_IN: Final = 1.75
_COLOURS: Final = {"sent": BLUE, "pending": ORANGE, "not relayed yet": GRID, "failed": RED}
"""The layers from the bottom up. Failed hang from the top, where few of them can be seen."""


@house_style()
def statuses(
    run: Run,
    modes: Iterable[Mode] | None = None,
    delivery: str = ALL_DELIVERIES,
    ax: Axes | Sequence[Axes] | None = None,
    *,
    scale: Scale | None = None,
    start: Start = None,
) -> list[Axes]:
    """Draw how many messages have each status in Campaign's log over time, a panel for each mode.

    For the options see `sendcap.charts`.
    """
    shares = {mode: _shares(run, mode, delivery) for mode in modes_of(run, modes)}
    marks = run_marks(run, delivery)
    columns = [share for each in shares.values() for share in each.values()]
    time = time_axis(run.scenario, limits_s(run, columns, marks), scale, start, "symlog")
    words = "What Campaign's log says of the messages to deliver: their statuses over time."
    heading = Heading(run.scenario.title, "sent, pending, failed", words).of(delivery)
    panels = time.panels(ax, heading, [_PANEL_IN] * len(shares))
    for panel, (mode, each) in zip(panels, shares.items(), strict=True):
        panel.set_title(f"Statuses, {MODE_LOOKS[mode].label}")
        _draw(panel, run, each, time)
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
    return {name: 100.0 * count / figures.to_deliver for name, count in counts.items()}


def _draw(panel: Axes, run: Run, shares: Shares, time: TimeAxis) -> None:
    edges_s = run.ledger.edges_s
    times_s, shown = time.held(edges_s)
    stack(panel, times_s, {name: share[shown] for name, share in shares.items()}, _COLOURS)
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
                f"at most {most} at {elapsed(float(edges_s[peak]))}"
                if peak
                else f"{most} at the start"
            )
            words = f"{most}\n{words}"
        if share[peak] > 0.0:
            names.append(Named(_COLOURS[name], name, words))
    name_beside(panel, names, top=1.0)
