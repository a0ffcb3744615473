"""The chart of the backlog: how many messages wait at each stage over time, stacked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.axes import Floats, count_axis, stack
from sendcap.charts.figures import Heading
from sendcap.charts.labels import name_beside
from sendcap.charts.marks import draw_marks, stage_marks
from sendcap.charts.narrow import Named
from sendcap.charts.style import (
    BLUE,
    BROWN,
    DASHES,
    FLAME,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    RED,
    SAND,
    SKY,
    SLATE,
    STONE,
    house_style,
)
from sendcap.charts.timeaxis import Start
from sendcap.study.capacity.charts.stages import name, stage_time
from sendcap.study.capacity.limits import Limits
from sendcap.study.capacity.observed import Observed
from sendcap.text.quantities import compact, elapsed

_LEAST: Final = 0.004
"""A stage whose peak is a smaller share of the highest backlog cannot be seen: it is not named."""
_MOST: Final = 6
"""As many stages have a layer of their own."""
_LIMITS: Final = (INK, FLAME, SAND)
"""As many limits over several queues have a line."""
_USED: Final = 0.5
"""For a limit that is never used by more than that nobody waits."""
_PROVIDERS: Final = (BLUE, ORANGE, RED, PURPLE, BROWN, SKY)
_BEFORE: Final = {"relay": STONE, "ingress": SLATE}
_REST: Final = "#c9ccd1"
_DASHED: Final = " Dashed: all that wait in the queues of a limit."
_FIRST_ATTEMPTS: Final = " Messages count until their first attempt has ended; retries do not."


class _Layer(NamedTuple):
    stages: Sequence[Observed]
    named: Named


@house_style()
def backlog(limits: Limits, ax: Axes | None = None, *, start: Start = None) -> Axes:
    """Draw how many messages wait at each stage over time, one layer on the other.

    At the relay wait the messages of started deliveries that it has not handed over yet, at a
    provider those that are due and whose attempt has not started. Messages that back off after a
    soft bounce are in none of them. A dashed line is of a limit over several queues: all messages
    that wait in these.

    For the options see `sendcap.charts`.
    """
    time = stage_time(limits, start)
    what, words = "messages waiting", limits.sentence
    if limits.first_attempts_only:
        what, words = f"{what} for the first attempt", words + _FIRST_ATTEMPTS
    lines = _lines(limits)
    if lines:
        words += _DASHED
    heading = Heading(limits.scenario.title, what, words)
    (axes,) = time.panels(
        ax, heading, [3.28], right_in=2.7, above_in=0.12, below_in=time.below_in - 0.1
    )
    times_s = _times_s(limits, time.last_s)
    layers = _layers(limits)
    heights = {
        layer.named.label: np.sum([_waiting(s, limits, times_s) for s in layer.stages], axis=0)
        for layer in layers
    }
    colours = {layer.named.label: layer.named.colour for layer in layers}
    heap = stack(axes, times_s, heights, colours)
    # The outline keeps labels away.
    axes.plot(times_s, heap, color=GREY, linewidth=0.6)
    for line in lines:
        waiting = _waiting(line.stages[0], limits, times_s)
        axes.plot(times_s, waiting, color=line.named.colour, linewidth=1.6, linestyle=DASHES)
    axes.set_ylim(0, 1.16 * max(float(heap.max()), 1.0))
    count_axis(axes.yaxis)
    axes.set_ylabel("messages waiting")
    name_beside(axes, [each.named for each in (*reversed(layers), *lines)])
    draw_marks([axes], stage_marks(limits.scenario), at_top=True)
    return axes


def _times_s(limits: Limits, last_s: float) -> Floats:
    """Return the edges of the bins, and the moments before and at which deliveries start."""
    edges_s = limits.observed[0].edges_s
    starts_s = np.array([delivery.at for delivery in limits.scenario.deliveries])
    times_s = np.unique(np.concatenate((edges_s, np.nextafter(starts_s, -1.0), starts_s)))
    shown: Floats = times_s[(times_s >= 0.0) & (times_s <= min(last_s, edges_s[-1]))]
    return shown


def _waiting(stage: Observed, limits: Limits, times_s: Floats) -> Floats:
    """Return the backlog of a stage between the edges: the relay's jumps when deliveries start."""
    at_once = [each for each in limits.scenario.deliveries if not each.spread]
    if stage.stage.kind != "relay":
        at_once = []
    at_once.sort(key=lambda delivery: delivery.at)
    starts_s = [delivery.at for delivery in at_once]
    started = np.cumsum([0, *(delivery.messages for delivery in at_once)])

    def jumps(moments_s: Floats) -> Floats:
        return started[np.searchsorted(starts_s, moments_s, side="right")].astype(np.float64)

    flat = np.interp(times_s, stage.edges_s, stage.backlog - jumps(stage.edges_s))
    return np.maximum(jumps(times_s) + flat, 0.0)


def _layers(limits: Limits) -> list[_Layer]:
    """Return the layers from the bottom up: the last stage of the way first, small ones as one."""
    stages = [stage for stage in limits.observed if stage.stage.kind != "limit"]
    highest = max(stage.peak_backlog for stage in stages)
    by_peak = sorted(stages, key=lambda stage: -stage.peak_backlog)
    named = [stage for stage in by_peak if stage.peak_backlog > _LEAST * highest][:_MOST]
    rest = [stage for stage in stages if stage not in named]
    providers = [stage for stage in named if stage.stage.kind == "provider"]
    layers = [
        _Layer([stage], Named(colour, name(stage), _peak(stage)))
        for stage, colour in zip(providers, _PROVIDERS, strict=False)
    ]
    if rest:
        most = int(np.sum([stage.backlog for stage in rest], axis=0).max())
        label = name(rest[0]) if len(rest) == 1 else f"{len(rest)} other stages"
        if not named:
            label = "all stages"
        # A colour that cannot be seen would be looked for in vain.
        colour = _REST if most > _LEAST * highest else "none"
        layers.append(_Layer(rest, Named(colour, label, f"never more than {compact(most)}")))
    return layers + [
        _Layer([stage], Named(_BEFORE[stage.stage.kind], name(stage), _peak(stage)))
        for stage in reversed(stages)
        if stage in named and stage not in providers
    ]


def _lines(limits: Limits) -> list[_Layer]:
    """Return the limits over several queues in which the most messages wait."""
    waited_for = [
        stage
        for stage in limits.observed
        if stage.stage.kind == "limit"
        and stage.peak_backlog > stage.noticeable
        and np.nanmax(stage.utilisation, initial=0.0) > _USED
    ]
    waited_for.sort(key=lambda stage: -stage.peak_backlog)
    return [
        _Layer([stage], Named(colour, name(stage), _peak(stage)))
        for stage, colour in zip(waited_for, _LIMITS, strict=False)
    ]


def _peak(stage: Observed) -> str:
    when = f"at {elapsed(stage.peak_at_s)}" if stage.peak_at_s else "at the start"
    peak = f"{compact(stage.peak_backlog)} {when}"
    if stage.drained_at_s < math.inf:
        return f"{peak}, gone at {elapsed(stage.drained_at_s)}"
    return peak
