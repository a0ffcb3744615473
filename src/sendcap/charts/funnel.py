"""The funnel: of the messages to deliver, how many were relayed, accepted, and stayed accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sendcap.charts.figures import headed_figure, left_of_rows
from sendcap.charts.providers import Group, delivery_of, provider_groups
from sendcap.charts.style import GRID, INK, house_style
from sendcap.readings.modes import ALL_DELIVERIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sendcap.ledger import Event
    from sendcap.run import Run

_MOST: Final = 14
_COLUMNS: Final = {"to deliver": 1.25, "relayed": 1.46, "accepted": 1.67, "final": 1.88}
"""Where the numbers are set, their right ends as a share of the axes' width."""
_END: Final = 2.06
_COLOURS: Final = {"relayed": "#94a4a2", "accepted": "#3f90da", "final": "#0b3d78"}
_SIZES: Final = {"relayed": 9.0, "accepted": 8.5, "final": 6.0}
_MARKERS: Final = {"relayed": "D", "accepted": "o", "final": "s"}
_MAGNIFY_FROM_PCT: Final = 60.0
"""The axis begins near the lowest share if all of them are above this."""


class _Row(NamedTuple):
    label: str
    counts: dict[str, int]

    def pct(self, stage: str) -> float:
        """Return which share of the messages to deliver got to a stage."""
        whole = self.counts["to deliver"]
        return 100.0 * self.counts[stage] / whole if whole else 0.0


def funnel(run: Run, delivery: str = ALL_DELIVERIES, ax: Axes | None = None) -> Axes:
    """Draw which share of the messages came how far, a row for each provider.

    Relayed are those that were handed over to the MTA, accepted those that a recipient's server
    took, and final those of them that did not come back later.

    Parameters
    ----------
    delivery
        A delivery's name, or ``"*"`` for all of them together.
    ax
        Draw on these. By default a new figure gets them, which is not attached to pyplot.

    Returns
    -------
    Axes
        Those on which it is drawn.

    Raises
    ------
    SendcapError
        If there is no such delivery.
    """
    rows = _rows(run, delivery)
    with house_style():
        axes = _new_axes(run, delivery, rows) if ax is None else ax
        lowest = min((row.pct(stage) for row in rows for stage in _COLOURS), default=0.0)
        magnified = lowest >= _MAGNIFY_FROM_PCT
        first = max(100.0 - 1.15 * max(100.0 - lowest, 0.05), 0.0) if magnified else 0.0
        axes.set_xlim(first, 100.0 + 0.02 * (100.0 - first))
        axes.set_ylim(len(rows) - 0.45, -1.05)
        for number, row in enumerate(rows):
            _draw(axes, number, row, heavy=number == 0 and len(rows) > 1)
        for stage, column in _COLUMNS.items():
            _write(axes, column, -0.72, stage, _COLOURS.get(stage, INK), heavy=True)
        axes.set_yticks(range(len(rows)), [row.label for row in rows])
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        part = ", magnified" if magnified else ""
        axes.set_xlabel(f"% of the messages to deliver{part}", loc="left")
        return axes


def _rows(run: Run, delivery: str) -> list[_Row]:
    its_delivery = delivery_of(run.ledger, delivery)
    groups = provider_groups(run.ledger, delivery, _MOST)
    rows = []
    for group in groups:
        accepted = _total(run, "accepted", its_delivery, group)
        rows.append(
            _Row(
                group.label,
                {
                    "to deliver": group.messages,
                    "relayed": _total(run, "relayed", its_delivery, group),
                    "accepted": accepted,
                    "final": accepted - _total(run, "async_bounced", its_delivery, group),
                },
            )
        )
    if len(rows) > 1:
        sums = {stage: sum(row.counts[stage] for row in rows) for stage in _COLUMNS}
        rows.insert(0, _Row("all together", sums))
    return rows


def _total(run: Run, event: Event, delivery: str | None, group: Group) -> int:
    return sum(
        round(run.ledger.total(event, clock="happened", delivery=delivery, provider=name))
        for name in group.providers
    )


def _draw(axes: Axes, number: int, row: _Row, *, heavy: bool) -> None:
    axes.plot([100.0, row.pct("final")], [number, number], color=GRID, linewidth=7.0, zorder=1)
    for stage, colour in _COLOURS.items():
        axes.plot(
            [row.pct(stage)],
            [number],
            _MARKERS[stage],
            color=colour,
            markersize=_SIZES[stage],
            markeredgecolor="white",
            markeredgewidth=0.7,
            clip_on=False,
            zorder=3,
        )
    for stage, column in _COLUMNS.items():
        _write(axes, column, number, f"{row.counts[stage]:,}", INK, heavy=heavy)
    _write(axes, _END, number, f"{row.pct('final'):.2f} %", _COLOURS["final"], heavy=True)


def _write(axes: Axes, x: float, y: float, text: str, colour: str, *, heavy: bool) -> None:
    axes.annotate(
        text,
        xy=(x, y),
        xycoords=("axes fraction", "data"),
        color=colour,
        fontsize=8.5,
        fontweight="bold" if heavy else "normal",
        horizontalalignment="right",
        verticalalignment="center",
        annotation_clip=False,
    )


def _new_axes(run: Run, delivery: str, rows: list[_Row]) -> Axes:
    what = "How far the messages come"
    told = (
        "Which share of the messages to deliver was relayed (◆), accepted by a recipient's server "
        "(●), and accepted without being returned later, which is final (■)."
    )
    if delivery != ALL_DELIVERIES:
        told = f"{delivery}: {told[0].lower()}{told[1:]}"
    figure, top = headed_figure(run.scenario.title, what, told, 0.85 + 0.36 * len(rows))
    height = figure.get_figheight()
    left = left_of_rows([row.label for row in rows])
    return figure.add_axes((left, 0.5 / height, (0.97 - left) / _END, top - 0.6 / height))
