"""The chart of a backlog: how many messages are left, to whom, and with what would help most."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.axes import Floats, count_axis, stack
from sendcap.charts.figures import Heading
from sendcap.charts.labels import name_beside
from sendcap.charts.narrow import Named
from sendcap.charts.style import DASHES, GREY, INK, LAYERS, REST, house_style
from sendcap.charts.ticks import Scale
from sendcap.charts.timeaxis import Moment, Start, time_axis
from sendcap.study.drain.sentences import helping
from sendcap.text.quoting import shortened

if TYPE_CHECKING:
    from sendcap.study.drain.drain import Drain

_TAIL: Final = 5.0
"""Where the last hundredth takes so many times as long as all before, the axis is logarithmic."""
_LETTERS: Final = 30
"""On a line beside the panel."""
_PARTS: Final = 700
"""Of the axis of time: more cannot be told apart."""


@house_style()
def left(
    result: Drain,
    ax: Axes | None = None,
    *,
    scale: Scale | None = None,
    start: Start = None,
    since: Moment = None,
    until: Moment = None,
) -> Axes:
    """Draw how many messages of a queue are left over time, a layer for each provider.

    A dashed line is of all of them, with the change that helps most.

    For the options see `sendcap.charts`.
    """
    everything = result.gone[-1]
    times_s, _ = result.left()
    last_s = float(times_s[-1])
    has_tail = last_s > _TAIL * everything.gone_99_pct_s
    time = time_axis(
        result.scenario,
        (result.scenario.time.bin, last_s),
        scale or ("symlog" if has_tail else "linear"),
        start,
        since=since,
        until=until,
    )
    best = next(iter(helping(result)), None)
    words = "Messages at the MTA that are neither accepted nor bounced nor expired."
    if best is not None:
        words += f" Dashed: with {best.change}."
    heading = Heading(result.scenario.title, "messages left of the queue", words)
    since_now = "time from now" if result.scenario.start is None else None
    (axes,) = time.panels(ax, heading, [3.28], words=since_now, right_in=2.4, above_in=0.12)
    moments_s = _told_apart(times_s, time.last_s)
    layers, colours = _layers(result, moments_s)
    heap = stack(axes, moments_s, layers, colours)
    axes.plot(moments_s, heap, color=GREY, linewidth=0.6)
    names = [Named(colours[name], name) for name in reversed(layers)]
    if best is not None:
        at_s, count = best.curve
        axes.plot(
            *(np.append(at_s, time.last_s), np.append(count, count[-1])),
            drawstyle="steps-post",
            color=INK,
            linewidth=1.4,
            linestyle=DASHES,
        )
        names.append(Named(INK, "dashed", textwrap.fill(f"with {best.change}", _LETTERS)))
    axes.set_ylim(0, 1.05 * everything.messages)
    count_axis(axes.yaxis)
    axes.set_ylabel("messages left")
    name_beside(axes, names)
    return axes


def _told_apart(times_s: Floats, last_s: float) -> Floats:
    """Return moments before and after each change, as far as they can be told apart."""
    shown = times_s[times_s <= last_s]
    if len(shown) > _PARTS:
        places = np.unique(np.geomspace(1, len(shown), _PARTS).astype(int)) - 1
        shown = shown[np.union1d(places, np.linspace(0, len(shown) - 1, _PARTS).astype(int))]
    both = np.unique(np.concatenate((np.nextafter(shown[1:], 0.0), shown, [last_s])))
    return np.asarray(both, np.float64)


def _layers(result: Drain, moments_s: Floats) -> tuple[dict[str, Floats], dict[str, str]]:
    """Return the messages left to each provider with a colour; those of others together."""
    each = sorted(result.gone[:-1], key=lambda gone: -gone.messages)
    own = each if len(each) <= len(LAYERS) else each[: len(LAYERS) - 1]
    layers, colours = {}, {}
    total = _at(result, None, moments_s)
    for gone, colour in zip(own, LAYERS, strict=False):
        name = shortened(gone.provider)
        layers[name], colours[name] = _at(result, gone.provider, moments_s), colour
    if len(own) < len(each):
        rest = f"{len(each) - len(own)} others"
        layers[rest] = total - np.sum(list(layers.values()), axis=0)
        colours[rest] = REST
    return layers, colours


def _at(result: Drain, provider: str | None, moments_s: Floats) -> Floats:
    times_s, count = result.left(provider)
    left_then = count[np.searchsorted(times_s, moments_s, side="right") - 1]
    return np.asarray(left_then, np.float64)
