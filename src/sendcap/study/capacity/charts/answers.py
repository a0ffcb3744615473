"""The charts of the searches: largest delivery within a time, highest steady rate, levers."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from matplotlib.axes import Axes

from sendcap.charts.axes import count_axis, name_rows, write_at, write_beside
from sendcap.charts.figures import Heading, left_of_rows, panels_on
from sendcap.charts.style import BLUE, GREY, INK, STONE, house_style
from sendcap.charts.timeaxis import elapsed_axis
from sendcap.readings.bottleneck import called
from sendcap.text.quantities import elapsed, rate
from sendcap.text.quoting import shortened
from sendcap.text.shares import share_text

if TYPE_CHECKING:
    from sendcap.study.capacity.searches.levers import Gain, Levers
    from sendcap.study.capacity.searches.sustained import Sustained
    from sendcap.study.capacity.searches.within import Capacity
    from sendcap.study.replication.estimates import Estimate

_ROOM: Final = 1.35
"""The axis ends at this multiple of the longest bar: room for a value."""

Rows = dict[str, tuple[float, str]]

_LONGEST_CHANGE: Final = 58
_LONGEST_NAME: Final = 26
_NOTHING: Final = 0.001
"""A gain of less than this share of the time is none."""


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


@house_style()
def levers_chart(found: Levers, title: str = "", ax: Axes | None = None) -> Axes:
    """Draw what 10 % more of each lever gains, the best on top.

    For the options see `sendcap.charts`.
    """
    names = [textwrap.fill(gain.lever, _LONGEST_NAME) for gain in found.gains]
    stage = found.bottleneck
    holding = "nothing" if stage is None else shortened(called(stage.kind, stage.name))
    words = (
        f"How much sooner {share_text(found.share)} of the messages are accepted with 10 % more of "
        f"each. As it is, they take {elapsed(found.takes_s.mean)}, and {holding} "
        f"holds them up. The black lines are {share_text(found.confidence)} confidence intervals."
    )
    (axes,) = panels_on(
        ax,
        Heading(title, "what to buy first", words),
        [0.15 + 0.55 * len(names)],
        left_in=left_of_rows("\n".join(names).split("\n")),
        right_in=3.4,
        above_in=0.1,
        below_in=0.5,
    )
    highest_s = max([gain.per_10_pct_s.high for gain in found.gains], default=0.0)
    elapsed_axis(axes, 0.0, max(1.03 * highest_s, found.takes_s.mean / 1000.0), "linear")
    axes.set_xlabel("time saved", loc="left")
    for row, gain in enumerate(reversed(found.gains)):
        _draw_gain(axes, row, gain, found)
    axes.set_ylim(-0.6, len(names) - 0.4)
    name_rows(axes, names[::-1])
    return axes


def _draw_gain(axes: Axes, row: int, lever: Gain, found: Levers) -> None:
    gain = lever.per_10_pct_s
    colour = BLUE if gain.low > 0.0 else GREY
    # Less than nothing is chance, or rare: it is said in words.
    width_s, low_s, high_s = (max(value, 0.0) for value in (gain.mean, gain.low, gain.high))
    axes.barh([row], [width_s], height=0.5, color=colour, alpha=0.85, linewidth=0)
    axes.hlines([row], low_s, high_s, color=INK, linewidth=1.0)
    axes.vlines([low_s, high_s], row - 0.12, row + 0.12, color=INK, linewidth=1.0)
    change = textwrap.shorten(lever.change, _LONGEST_CHANGE, placeholder=" …")
    gained = _gained(lever, found)
    write_beside(axes, row + 0.27, gained, color=colour, fontsize=9.0, fontweight="bold")
    write_beside(axes, row, until(lever), color=INK, fontsize=7.5)
    write_beside(axes, row - 0.25, change, color=GREY, fontsize=7.5)


def _gained(lever: Gain, found: Levers) -> str:
    gain = lever.per_10_pct_s
    if gain.low > 0.0:
        return f"{elapsed(gain.mean)} ({100.0 * gain.mean / found.takes_s.mean:.1f} %)"
    if gain.high < 0.0 and -gain.mean > _NOTHING * found.takes_s.mean:
        return f"costs {elapsed(-gain.mean)}"
    if gain.high < _NOTHING * found.takes_s.mean:
        return "nothing"
    return f"nothing that is certain, at most {elapsed(gain.high)}"


def until(lever: Gain) -> str:
    """Write how far a lever helps.

    >>> from sendcap.study.replication.estimates import Estimate
    >>> from sendcap.study.capacity.searches.levers import Gain
    >>> until(Gain("one more IP", "1 → 2", Estimate(5.0, 4.0, 6.0, 3), 0, None))
    'leaves the bottleneck as it is'
    """
    if lever.helps_until is None:
        return "however many, the bottleneck stays where it is"
    if lever.then is None:
        return "leaves the bottleneck as it is"
    then = shortened(called(lever.then.kind, lever.then.name))
    return f"up to {lever.helps_until} of them, then {then} holds up"
