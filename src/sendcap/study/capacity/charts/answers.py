"""The charts of the searches: the largest delivery within a time, and the highest steady rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from matplotlib.ticker import MaxNLocator

from sendcap.charts.figures import headed_figure, left_of_rows
from sendcap.charts.style import INK, house_style
from sendcap.readings.bottleneck import called
from sendcap.text.quantities import compact, elapsed, rate
from sendcap.text.shares import share_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sendcap.study.capacity.searches.sustained import Sustained
    from sendcap.study.capacity.searches.within import Capacity
    from sendcap.study.replication.estimates import Estimate

_ANSWER: Final = "#3f90da"
_BESIDE: Final = "#94a4a2"
_HEIGHT: Final = 0.55
_ROOM: Final = 1.35
"""The axis ends at this multiple of the longest bar: room for its value."""


def capacity(result: Capacity, ax: Axes | None = None, *, title: str = "") -> Axes:
    """Draw the largest delivery beside the scenario's own, with its confidence interval.

    Parameters
    ----------
    ax
        Draw on these axes. By default a new figure gets them, which is not attached to pyplot.
    title
        The scenario's title.
    """
    rows = {
        "the largest delivery": f"{result.messages:,}",
        "the scenario's own": f"{result.size.mean / result.factor:,.0f}",
    }
    words = (
        f"The largest delivery of which {share_text(result.share)} is accepted within "
        f"{elapsed(result.within_s)}; the line is its {share_text(result.confidence)} confidence "
        "interval."
    )
    lengths = [float(result.messages), result.size.mean / result.factor]
    return _draw(rows, lengths, result.size, "messages", (title, "Largest delivery", words), ax)


def sustained(result: Sustained, ax: Axes | None = None, *, title: str = "") -> Axes:
    """Draw the highest steady rate, and how fast each stage falls behind above it.

    Parameters
    ----------
    ax
        Draw on these axes. By default a new figure gets them, which is not attached to pyplot.
    title
        The scenario's title.
    """
    rows = {"the highest steady rate": rate(result.per_s.mean)}
    lengths = [result.per_s.mean]
    for growth in result.growing:
        rows[f"{called(growth.kind, growth.name)} falls behind by"] = rate(growth.per_s)
        lengths.append(growth.per_s)
    words = (
        "The highest rate of new messages that can go on for ever; the line is its "
        f"{share_text(result.confidence)} confidence interval. Above it "
        f"{called(result.kind, result.name)} is unstable."
    )
    if result.growing:
        words += " The other bars: how fast queues grow while the relay sends all it can."
    heading = (title, "Highest steady rate", words)
    return _draw(rows, lengths, result.per_s, "messages per second", heading, ax)


def _draw(
    rows: dict[str, str],
    lengths: Sequence[float],
    estimate: Estimate,
    unit: str,
    heading: tuple[str, str, str],
    ax: Axes | None,
) -> Axes:
    """Draw a bar for each row, the answer on top with its interval."""
    with house_style():
        if ax is None:
            figure, top = headed_figure(*heading, 0.9 + 0.42 * len(rows))
            height, left = figure.get_figheight(), left_of_rows(list(rows))
            ax = figure.add_axes((left, 0.5 / height, 0.96 - left, top - 0.65 / height))
        for row, (value, length) in enumerate(zip(rows.values(), lengths, strict=True)):
            colour = _BESIDE if row else _ANSWER
            ax.barh([row], [length], height=_HEIGHT, color=colour, linewidth=0)
            end = length if row else max(length, estimate.high)
            ax.annotate(
                value,
                xy=(end, row),
                xytext=(7.0, 0.0),
                textcoords="offset points",
                color=INK,
                fontweight="normal" if row else "bold",
                verticalalignment="center",
            )
        ax.hlines([0], estimate.low, estimate.high, color=INK, linewidth=1.4)
        ax.set_xlim(0.0, _ROOM * max(*lengths, estimate.high, 1e-9))
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.set_yticks(range(len(rows)), list(rows))
        ax.tick_params(axis="y", length=0)
        ax.xaxis.set_major_formatter(compact)
        ax.xaxis.set_major_locator(MaxNLocator(6))
        ax.set_xlabel(unit, loc="left")
        ax.grid(visible=False, axis="y")
        return ax
