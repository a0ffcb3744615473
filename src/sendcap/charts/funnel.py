"""The funnel: of the messages to deliver, how many were relayed, accepted, and stayed accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from matplotlib.axes import Axes

from sendcap.charts.axes import name_rows, write_beside
from sendcap.charts.figures import WIDTH_IN, Heading, left_of_rows, panels_on, rows_in
from sendcap.charts.labels import name_beside
from sendcap.charts.narrow import Named, is_narrow
from sendcap.charts.providers import delivery_of, provider_groups
from sendcap.charts.style import BLUE, DARK, GRID, INK, STONE, house_style
from sendcap.readings.modes import ALL_DELIVERIES

if TYPE_CHECKING:
    from sendcap.run import Run

_MOST: Final = 14
_COLUMNS: Final = {"to deliver": 1.25, "relayed": 1.46, "accepted": 1.67, "final": 1.88}
"""Right ends of the numbers, as a share of the axes' width."""
_END: Final = 2.06


class _Dot(NamedTuple):
    colour: str
    marker: str
    size: float


_DOTS: Final = {
    "relayed": _Dot(STONE, "D", 9.0),
    "accepted": _Dot(BLUE, "o", 8.5),
    "final": _Dot(DARK, "s", 6.0),
}
_MAGNIFY_FROM_PCT: Final = 60.0
"""The axis begins near the lowest share if all of them are above this."""


class _Row(NamedTuple):
    label: str
    counts: dict[str, int]

    def pct(self, stage: str) -> float:
        """Return the percentage of the messages to deliver that reaches a stage."""
        to_deliver = self.counts["to deliver"]
        return 100.0 * self.counts[stage] / to_deliver if to_deliver else 0.0

    @property
    def words(self) -> str:
        """The counts in words."""
        counts = ", ".join(f"{count:,} {stage}" for stage, count in self.counts.items())
        return f"{counts}: {self.pct('final'):.2f} %"


@house_style()
def funnel(run: Run, delivery: str = ALL_DELIVERIES, ax: Axes | None = None) -> Axes:
    """Draw the share of the messages that reaches each step, a row for each provider.

    Relayed are those that were handed over to the MTA, accepted those that a recipient's server
    took, and final those of them that did not come back later.

    For the options see `sendcap.charts`.
    """
    rows = _rows(run, delivery)
    names = [row.label for row in rows]
    words = (
        "Which share of the messages to deliver was relayed (◆), accepted by a recipient's server "
        "(●), and accepted without being returned later, which is final (■)."
    )
    left_in = left_of_rows(names)
    (axes,) = panels_on(
        ax,
        Heading(run.scenario.title, "how far the messages come", words).of(delivery),
        [0.25 + rows_in(len(rows), 0.36)],
        left_in=left_in,
        right_in=WIDTH_IN - left_in - (0.97 * WIDTH_IN - left_in) / _END,
        above_in=0.1,
        below_in=0.5,
    )
    lowest = min((row.pct(stage) for row in rows for stage in _DOTS), default=0.0)
    magnified = lowest >= _MAGNIFY_FROM_PCT
    first = max(100.0 - 1.15 * max(100.0 - lowest, 0.05), 0.0) if magnified else 0.0
    axes.set_xlim(first, 100.0 + 0.02 * (100.0 - first))
    axes.set_ylim(len(rows) - 0.45, -1.05)
    for number, row in enumerate(rows):
        _draw(axes, number, row)
    if is_narrow():
        name_beside(axes, [Named("none", row.label, row.words) for row in rows])
    else:
        _write_counts(axes, rows)
    name_rows(axes, names, above=0.16)
    axes.spines["left"].set_visible(False)
    part = ", magnified" if magnified else ""
    axes.set_xlabel(f"% of the messages to deliver{part}", loc="left")
    return axes


def _rows(run: Run, delivery: str) -> list[_Row]:
    name = delivery_of(run.ledger, delivery)
    rows = []
    for group in provider_groups(run.ledger, delivery, _MOST):
        accepted = group.total(run.ledger, "accepted", name)
        counts = {
            "to deliver": group.messages,
            "relayed": group.total(run.ledger, "relayed", name),
            "accepted": accepted,
            "final": accepted - group.total(run.ledger, "async_bounced", name),
        }
        rows.append(_Row(group.label, counts))
    if len(rows) > 1:
        sums = {stage: sum(row.counts[stage] for row in rows) for stage in _COLUMNS}
        rows.insert(0, _Row("all together", sums))
    return rows


def _draw(axes: Axes, number: int, row: _Row) -> None:
    axes.plot([100.0, row.pct("final")], [number, number], color=GRID, linewidth=7.0, zorder=1)
    for stage, dot in _DOTS.items():
        axes.plot(
            [row.pct(stage)],
            [number],
            dot.marker,
            color=dot.colour,
            markersize=dot.size,
            markeredgecolor="white",
            markeredgewidth=0.7,
            clip_on=False,
            zorder=3,
        )


def _write_counts(axes: Axes, rows: list[_Row]) -> None:
    """Write a table of the counts beside the axes."""
    for stage, column in _COLUMNS.items():
        colour = _DOTS[stage].colour if stage in _DOTS else INK
        write_beside(axes, -0.72, stage, column, color=colour, fontweight="bold", ha="right")
    for number, row in enumerate(rows):
        weight = "bold" if number == 0 and len(rows) > 1 else "normal"
        for stage, column in _COLUMNS.items():
            text = f"{row.counts[stage]:,}"
            write_beside(axes, number, text, column, color=INK, fontweight=weight, ha="right")
        text = f"{row.pct('final'):.2f} %"
        write_beside(axes, number, text, _END, color=DARK, fontweight="bold", ha="right")
