"""The charts of the searches: the largest delivery within a time, and the highest steady rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from matplotlib.axes import Axes

from sendcap.charts.axes import count_axis, name_rows, write_at
from sendcap.charts.figures import Heading, left_of_rows, panels_on
from sendcap.charts.style import BLUE, INK, STONE, house_style
from sendcap.readings.bottleneck import called
from sendcap.text.quantities import elapsed, rate
from sendcap.text.shares import share_text

if TYPE_CHECKING:
    from sendcap.study.capacity.searches.sustained import Sustained
    from sendcap.study.capacity.searches.within import Capacity
    from sendcap.study.replication.estimates import Estimate

_ROOM: Final = 1.35
"""The axis ends at this multiple of the longest bar: room for a value."""

Rows = dict[str, tuple[float, str]]


def capacity(result: Capacity, ax: Axes | None = None, *, title: str = "") -> Axes:
    """Draw the largest delivery beside the scenario's own, with its confidence interval.

    For the options see `sendcap.charts`.
    """
    own = result.size.mean / result.factor
    rows = {
        "the largest delivery": (float(result.messages), f"{result.messages:,}"),
        "the scenario's own": (own, f"{own:,.0f}"),
    }
    words = (
        f"The largest delivery of which {share_text(result.share)} is accepted within "
        f"{elapsed(result.within_s)}; the line is its {share_text(result.confidence)} confidence "
        "interval."
    )
    return _draw(ax, Heading(title, "largest delivery", words), rows, result.size, "messages")


def sustained(result: Sustained, ax: Axes | None = None, *, title: str = "") -> Axes:
    """Draw the highest steady rate, and how fast each stage falls behind above it.

    For the options see `sendcap.charts`.
    """
    per_s = result.per_s.mean
    rows = {"the highest steady rate": (per_s, rate(per_s))}
    for growth in result.growing:
        stage = called(growth.kind, growth.name)
        rows[f"{stage} falls behind by"] = (growth.per_s, rate(growth.per_s))
    words = (
        "The highest rate of new messages that can go on for ever; the line is its "
        f"{share_text(result.confidence)} confidence interval. Above it "
        f"{called(result.kind, result.name)} is unstable."
    )
    if result.growing:
        words += " The other bars: how fast queues grow while the relay sends all it can."
    heading = Heading(title, "highest steady rate", words)
    return _draw(ax, heading, rows, result.per_s, "messages per second")


@house_style()
def _draw(ax: Axes | None, heading: Heading, rows: Rows, estimate: Estimate, unit: str) -> Axes:
    """Draw a bar for each row, the answer on top with the interval."""
    (axes,) = panels_on(
        ax,
        heading,
        [0.25 + 0.42 * len(rows)],
        left_in=left_of_rows(list(rows)),
        right_in=0.4,
        above_in=0.15,
        below_in=0.5,
    )
    for row, (length, value) in enumerate(rows.values()):
        axes.barh([row], [length], height=0.55, color=STONE if row else BLUE, linewidth=0)
        end = length if row else max(length, estimate.high)
        write_at(axes, (end, row), value, (7.0, 0.0), fontweight="normal" if row else "bold")
    axes.hlines([0], estimate.low, estimate.high, color=INK, linewidth=1.4)
    lengths = [length for length, _ in rows.values()]
    axes.set_xlim(0.0, _ROOM * max(*lengths, estimate.high, 1e-9))
    axes.set_ylim(len(rows) - 0.4, -0.6)
    name_rows(axes, list(rows))
    count_axis(axes.xaxis, whole=False)
    axes.set_xlabel(unit, loc="left")
    return axes
