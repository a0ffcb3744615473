"""The charts of what waits: the backlog of each stage over time, and the queues' ages.

Ages are as Postfix' ``qshape(1)`` has them: in buckets of 5, 10, 20, 40, … minutes.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sendcap.charts.axes import Floats, cells, count_axis, say, stack
from sendcap.charts.figures import Heading, left_of_rows, panels_on
from sendcap.charts.labels import name_beside
from sendcap.charts.marks import draw_marks, stage_marks
from sendcap.charts.narrow import Named
from sendcap.charts.style import (
    DASHES,
    FLAME,
    GREY,
    INK,
    LAYERS,
    REST,
    SAND,
    SLATE,
    STONE,
    house_style,
)
from sendcap.charts.ticks import along, tick_label
from sendcap.charts.timeaxis import Moment, Start, TimeAxis
from sendcap.study.capacity.charts.stages import name, stage_time
from sendcap.study.capacity.limits import Limits
from sendcap.study.capacity.observed import Observed
from sendcap.text.quantities import compact, elapsed

_PARTS: Final = 600
"""Of the axis of time: more cannot be told apart."""
_LEAST: Final = 0.004
"""A stage whose peak is a smaller share of the highest backlog cannot be seen: it is not named."""
_MOST: Final = 6
"""As many stages have a layer of their own."""
_LIMITS: Final = (INK, FLAME, SAND)
"""As many limits over several queues have a line."""
_USED: Final = 0.5
"""For a limit that is never used by more than that nobody waits."""
_BEFORE: Final = {"relay": STONE, "ingress": SLATE}
_DASHED: Final = " Dashed: all that wait in the queues of a limit."
_FIRST_ATTEMPTS: Final = " Messages count until their first attempt has ended; retries do not."

_FIRST_S: Final = (300.0, 60.0, 15.0, 5.0, 1.0)
"""Where the first bucket ends: the first of these by whose third some still wait.

Each of the other buckets ends at twice the age.
"""
_ONE_LINE: Final = 38
"""Letters beside the chart; moments with a date or seconds have more."""
_MOST_ROWS: Final = 20
_ON_ONE_LINE: Final = 7
"""Buckets that have room for the unit beside their bounds."""
_SHADING: Final = 0.5
"""Power of a count's share of the largest: below 1, small ones are told apart as well."""


class _Layer(NamedTuple):
    stages: Sequence[Observed]
    named: Named


@house_style()
def backlog(
    limits: Limits,
    ax: Axes | None = None,
    *,
    start: Start = None,
    since: Moment = None,
    until: Moment = None,
) -> Axes:
    """Draw how many messages wait at each stage over time, one layer on the other.

    At the relay wait the messages of started deliveries that it has not handed over yet, at a
    provider those that are due and whose attempt has not started. Messages that back off after a
    soft bounce are in none of them. A dashed line is of a limit over several queues: all messages
    that wait in these.

    For the options see `sendcap.charts`.
    """
    time = stage_time(limits, start, since, until)
    what, words = "messages waiting", limits.sentence
    if limits.first_attempts_only:
        what, words = f"{what} for the first attempt", words + _FIRST_ATTEMPTS
    lines = _lines(limits, time)
    if lines:
        words += _DASHED
    heading = Heading(limits.scenario.title, what, words)
    (axes,) = time.panels(
        ax, heading, [3.28], right_in=2.7, above_in=0.12, below_in=time.below_in - 0.1
    )
    layers = _layers(limits, time)
    times_s = _told_apart(_times_s(limits, time.last_s), time, limits, layers)
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
    starts_s = np.array([delivery.at for delivery in limits.run.as_sent.deliveries])
    times_s = np.unique(np.concatenate((edges_s, np.nextafter(starts_s, -1.0), starts_s)))
    shown: Floats = times_s[(times_s >= 0.0) & (times_s <= min(last_s, edges_s[-1]))]
    return shown


def _told_apart(
    times_s: Floats, time: TimeAxis, limits: Limits, layers: Sequence[_Layer]
) -> Floats:
    """Return the times of the highest and the lowest heap in each part of the axis.

    A year in bins of a minute has half a million of them, and a peak of an hour must not be lost.
    """
    if len(times_s) <= 2 * _PARTS:
        return times_s
    heap = pd.Series(
        np.sum([_waiting(s, limits, times_s) for each in layers for s in each.stages], axis=0)
    )
    positions = along(np.maximum(times_s, time.first_s), time.scale)
    width = float(positions[-1] - positions[0]) / _PARTS
    parts = heap.groupby(np.floor((positions - positions[0]) / width))
    kept = np.union1d(parts.idxmax(), parts.idxmin())
    shown: Floats = times_s[np.union1d(kept, [0, len(times_s) - 1])]
    return shown


def _waiting(stage: Observed, limits: Limits, times_s: Floats) -> Floats:
    """Return the backlog of a stage between the edges: the relay's jumps when deliveries start."""
    at_once = [each for each in limits.run.as_sent.deliveries if not each.spread]
    if stage.stage.kind != "relay":
        at_once = []
    at_once.sort(key=lambda delivery: delivery.at)
    starts_s = [delivery.at for delivery in at_once]
    started = np.cumsum([0, *(delivery.messages for delivery in at_once)])

    def jumps(moments_s: Floats) -> Floats:
        return started[np.searchsorted(starts_s, moments_s, side="right")].astype(np.float64)

    flat = np.interp(times_s, stage.edges_s, stage.backlog - jumps(stage.edges_s))
    return np.maximum(jumps(times_s) + flat, 0.0)


def _layers(limits: Limits, time: TimeAxis) -> list[_Layer]:
    """Return the layers from the bottom up: the last stage of the way first, small ones as one."""
    stages = [stage for stage in limits.observed if stage.stage.kind != "limit"]
    highest = max(stage.peak_backlog for stage in stages)
    by_peak = sorted(stages, key=lambda stage: -stage.peak_backlog)
    named = [stage for stage in by_peak if stage.peak_backlog > _LEAST * highest][:_MOST]
    rest = [stage for stage in stages if stage not in named]
    providers = [stage for stage in named if stage.stage.kind == "provider"]
    layers = [
        _Layer([stage], Named(colour, name(stage), _peak(stage, time)))
        for stage, colour in zip(providers, LAYERS, strict=False)
    ]
    if rest:
        most = int(np.sum([stage.backlog for stage in rest], axis=0).max())
        label = name(rest[0]) if len(rest) == 1 else f"{len(rest)} other stages"
        if not named:
            label = "all stages"
        # A colour that cannot be seen would be looked for in vain.
        colour = REST if most > _LEAST * highest else "none"
        layers.append(_Layer(rest, Named(colour, label, f"never more than {compact(most)}")))
    return layers + [
        _Layer([stage], Named(_BEFORE[stage.stage.kind], name(stage), _peak(stage, time)))
        for stage in reversed(stages)
        if stage in named and stage not in providers
    ]


def _lines(limits: Limits, time: TimeAxis) -> list[_Layer]:
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
        _Layer([stage], Named(colour, name(stage), _peak(stage, time)))
        for stage, colour in zip(waited_for, _LIMITS, strict=False)
    ]


def _peak(stage: Observed, time: TimeAxis) -> str:
    when = f"at {time.moment(stage.peak_at_s)}" if stage.peak_at_s else "at the start"
    peak = f"{compact(stage.peak_backlog)} {when}"
    if stage.drained_at_s < math.inf:
        gone = f"gone at {time.moment(stage.drained_at_s)}"
        return f"{peak},\n{gone}" if len(peak + gone) > _ONE_LINE else f"{peak}, {gone}"
    return peak


@house_style()
def queue_age(limits: Limits, ax: Axes | None = None) -> Axes:
    """Draw how old the messages are that wait at the providers when most of them do.

    A message's age counts from when it became ready: when it left the ingress or, as a retry,
    when it was due. Each queue is first in, first out.

    For the options see `sendcap.charts`.
    """
    queues = [stage for stage in limits.observed if stage.stage.kind == "provider"]
    total = np.sum([stage.backlog for stage in queues], axis=0)
    at_s = float(queues[0].edges_s[total.argmax()])
    names, counts, ages_s = _counts(queues, at_s)
    words = (
        f"How long the messages in the providers' queues have waited by {elapsed(at_s)}, when "
        f"there are the most. {limits.sentence}"
    )
    (axes,) = panels_on(
        ax,
        Heading(limits.scenario.title, "age of the queues", words),
        [0.1 + 0.36 * len(names)],
        left_in=left_of_rows(names),
        right_in=0.3,
        above_in=0.1,
        below_in=0.7,
    )
    shade = np.where(counts >= 0.5, (counts / max(counts.max(), 1.0)) ** _SHADING, np.nan)
    cells(axes, shade, [[f"{count:,.0f}" for count in row] for row in counts], bold_row=0)
    if np.isnan(shade).all():
        say(axes, "Nothing waits.")
    axes.set_yticks(np.arange(len(names)) + 0.5, names)
    space = "\n" if len(ages_s) - 1 > _ON_ONE_LINE else ""
    labels = [
        f"{tick_label(low_s)}–{space}{tick_label(high_s)}" for low_s, high_s in pairwise(ages_s)
    ]
    axes.set_xticks(np.arange(len(ages_s) - 1) + 0.5, labels)
    axes.set_xlabel("time since the message became ready", loc="left")
    axes.set_ylim(len(names), 0)
    return axes


def _counts(queues: list[Observed], at_s: float) -> tuple[list[str], Floats, list[float]]:
    """Return the rows' names, how many wait by row and age, and the bounds of the ages."""

    def longer(age_s: float) -> bool:
        return any(stage.waiting_longer(age_s, at_s) >= 0.5 for stage in queues)

    ages_s = [0.0, next((first for first in _FIRST_S if longer(3 * first)), _FIRST_S[-1])]
    while longer(ages_s[-1]):
        ages_s.append(2 * ages_s[-1])
    # The last age is one that none has reached.
    older = np.array([[stage.waiting_longer(age_s, at_s) for age_s in ages_s] for stage in queues])
    counts = older[:, :-1] - older[:, 1:]
    order = np.argsort(-older[:, 0], kind="stable")
    names = [name(queues[index]) for index in order[:_MOST_ROWS]]
    rows = counts[order[:_MOST_ROWS]]
    if len(queues) > _MOST_ROWS:
        names.append(f"{len(queues) - _MOST_ROWS} others")
        rows = np.vstack((rows, counts[order[_MOST_ROWS:]].sum(axis=0)))
    if len(queues) > 1:
        names.insert(0, "all")
        rows = np.vstack((counts.sum(axis=0), rows))
    return names, rows, ages_s
