"""Charts of a delivery's stages over time: throughput against the ceiling, and utilisation."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.axes import Floats, filled_steps, name_rows, step_line, write_beside
from sendcap.charts.figures import Heading, left_of_rows, panels_on
from sendcap.charts.labels import WHITE
from sendcap.charts.marks import draw_marks, stage_marks
from sendcap.charts.narrow import broken, is_narrow
from sendcap.charts.style import BLUE, GREY, GRID, INK, RED, Look, house_style
from sendcap.charts.timeaxis import Moment, Start, TimeAxis, time_axis
from sendcap.study.capacity.limits import Limits
from sendcap.study.capacity.observed import Observed
from sendcap.text.quantities import compact, rate
from sendcap.text.quoting import shortened

_MOST_BARS: Final = 4_000
"""More than a figure has points in its width."""

_THIN_BARS: Final = 1_000
"""Three for each point of a panel's width: without an edge nobody would see a single one."""

_MOST_PANELS: Final = 12
"""As many stages have a panel, those that are used the most."""
_FAR: Final = 3.0
"""A ceiling higher than the throughput by this factor is named and not drawn."""
_COLUMNS: Final = 2

_MOST_ROWS: Final = 24
_HEIGHT: Final = 0.78
"""Of a row whose stage is all in use."""
_NOT_AT_WORK: Final = " Connections that wait for a rate do not count."
"""For a limit by connections, which such ones hold."""
_ABOVE: Final = 0.45
"""Rows' worth of room for the label of a mark."""


def colour(stage: Observed, limits: Limits) -> str:
    """Return the colour of a stage: red for the one that holds the deliveries up."""
    return RED if stage.stage is limits.slowest else BLUE


def name(stage: Observed) -> str:
    """Return the name of a stage in a chart."""
    if stage.stage.kind == "provider":
        return shortened(stage.stage.name)
    if stage.stage.kind == "limit":
        return f"limit {shortened(stage.stage.name)}"
    return f"the {stage.stage.name}"


def used_most(limits: Limits, count: int) -> list[Observed]:
    """Return the stages that are used the most, in the order of a message's way.

    The one that holds the deliveries up is always among them.
    """
    by_use = sorted(
        limits.observed,
        key=lambda stage: (stage.stage is not limits.slowest, -stage.mean_utilisation),
    )
    return [stage for stage in limits.observed if stage in by_use[:count]]


def shown_are(limits: Limits, count: int) -> str:
    """Return a sentence on the stages that are left out."""
    if len(limits.observed) <= count:
        return ""
    return f" Shown are the {count} stages that are used the most."


def bars(edges_s: Floats, *columns: Floats) -> tuple[Floats, ...]:
    """Return the edges and the heights of as many bars as can be told apart, from those of bins.

    A bar is as high as the highest of the bins within it.
    """
    bins = max(math.ceil(len(columns[0]) / _MOST_BARS), 1)
    if bins == 1:
        return edges_s, *columns
    first = np.arange(0, len(columns[0]), bins)
    heights = (np.maximum.reduceat(column, first) for column in columns)
    return np.append(edges_s[first], edges_s[-1]), *heights


def stage_time(
    limits: Limits, start: Start = None, since: Moment = None, until: Moment = None
) -> TimeAxis:
    """Return the axis of time until the last stage has drained."""
    first_s = min(delivery.at for delivery in limits.scenario.deliveries)
    ends_s = first_s, max(limits.drained_at_s, first_s + limits.observed[0].bin_s)
    return time_axis(limits.scenario, ends_s, "linear", start, since, until, by_the_clock=True)


@house_style()
def throughput(
    limits: Limits,
    ax: Axes | Sequence[Axes] | None = None,
    *,
    start: Start = None,
    since: Moment = None,
    until: Moment = None,
) -> list[Axes]:
    """Draw what each stage carries per second, and the most that it could.

    Where fewer panels are given than there are stages, those that are used less are left out; a
    single pair of axes is not divided. For the options see `sendcap.charts`.
    """
    time = stage_time(limits, start, since, until)
    count = min(len(limits.observed), _MOST_PANELS) if ax is None else 1
    columns = 1 if is_narrow() else _COLUMNS
    rows = math.ceil(count / columns)
    words = (
        "What each stage carries; dashed, the most that it could, unless that is far above. "
        f"{limits.sentence}{shown_are(limits, count)}"
    )
    panels = panels_on(
        ax,
        Heading(limits.scenario.title, "throughput against ceiling", words),
        [1.06] * rows,
        columns=[columns] * rows if ax is None else (),
        most=count,
        right_in=0.3,
        gap_in=0.55,
        across_in=0.66,
        below_in=time.below_in,
    )
    for number, (panel, stage) in enumerate(
        zip(panels, used_most(limits, len(panels)), strict=False)
    ):
        time.on([panel])
        if number < len(panels) - columns:
            panel.tick_params(labelbottom=False)
            panel.set_xlabel("")
        _draw_throughput(panel, stage, limits, time)
    return panels


def _draw_throughput(panel: Axes, stage: Observed, limits: Limits, time: TimeAxis) -> None:
    shown = stage.edges_s[:-1] < time.last_s
    carried, ceiling = stage.throughput_per_s[shown], stage.ceiling_per_s[shown]
    edges_s, carried, ceiling = bars(stage.edges_s[: len(carried) + 1], carried, ceiling)
    look: Look = {"facecolor": colour(stage, limits), "alpha": 0.75}
    if len(carried) > _THIN_BARS:
        look |= {"edgecolor": look["facecolor"], "linewidth": 0.5}
    filled_steps(panel, carried, edges_s, **look)
    highest = float(carried.max(initial=0.0))
    most = float(ceiling[np.isfinite(ceiling)].max(initial=0.0))
    drawn = 0.0 < most <= _FAR * highest
    if drawn:
        # It holds after the last attempt as well.
        until_s = np.append(edges_s[:-1], max(edges_s[-1], time.last_s))
        step_line(panel, ceiling, until_s, edgecolor=INK, linewidth=1.2, linestyle="--")
    label = _limit(stage, most)
    lines = broken(label).count("\n") + 1
    panel.set_ylim(0, (1.02 + 0.3 * lines) * max(highest, most if drawn else 0.0, 1e-9))
    panel.yaxis.set_major_formatter(compact)
    panel.locator_params(axis="y", nbins=4)
    unit = "attempts/s" if stage.stage.paths else "messages/s"
    panel.set_title(f"{name(stage)}, {unit}")
    panel.text(
        *(0.985, 0.95, label if lines == 1 else label.replace("), ", "),\n")),
        transform=panel.transAxes,
        fontsize=8.5,
        color=INK if drawn else GREY,
        horizontalalignment="right",
        verticalalignment="top",
        bbox=WHITE,
    )


def _limit(stage: Observed, highest_per_s: float) -> str:
    """Return the ceiling in words."""
    binding = stage.stage.binding
    if binding is None or not highest_per_s:
        return "no limit"
    ceiling = rate(stage.stage.per_s)
    if not math.isclose(stage.stage.per_s, binding.per_s):
        ceiling += " on average"
    return f"ceiling {ceiling} ({binding.name}), {100 * stage.mean_utilisation:.0f} % in use"


@house_style()
def utilisation(
    limits: Limits,
    ax: Axes | None = None,
    *,
    start: Start = None,
    since: Moment = None,
    until: Moment = None,
) -> Axes:
    """Draw which share of each stage is in use over time.

    That is the share of its workers or connections that are at work, or of what its rate lets
    through that goes, whichever is more.

    For the options see `sendcap.charts`.
    """
    time = stage_time(limits, start, since, until)
    waiting = _NOT_AT_WORK if any(stage.stage.kind == "limit" for stage in limits.observed) else ""
    stages = used_most(limits, _MOST_ROWS)[::-1]
    names = [name(stage) for stage in stages]
    words = (
        "How much of each stage is in use: of its workers or connections, or of what its rate lets "
        "through. A dotted line is 100 %; the figure on the right is the mean until 99 % of the "
        f"stage's messages had been carried.{waiting} {limits.sentence}"
        f"{shown_are(limits, len(stages))}"
    )
    (axes,) = time.panels(
        ax,
        Heading(limits.scenario.title, "utilisation", words),
        [0.1 + 0.42 * len(stages)],
        left_in=left_of_rows(names),
        right_in=1.2,
        above_in=0.1,
        below_in=time.below_in - 0.1,
    )
    count = int((limits.observed[0].edges_s[:-1] < time.last_s).sum())
    edges_s = limits.observed[0].edges_s[: count + 1]
    for row, stage in enumerate(stages):
        look: Look = {"color": colour(stage, limits)}
        top = row + _HEIGHT
        axes.hlines([top], 0.0, time.last_s, color=GRID, linewidth=0.8, linestyle=":", zorder=0.5)
        used = row + _HEIGHT * np.nan_to_num(stage.utilisation[:count])
        bar_edges_s, used = bars(edges_s, used)
        filled_steps(axes, used, bar_edges_s, base=row, facecolor=look["color"], alpha=0.85)
        axes.hlines([row], 0.0, time.last_s, color=GREY, linewidth=0.8)
        mean = f"{100 * stage.mean_utilisation:.0f} % in use"
        write_beside(axes, row + 0.5 * _HEIGHT, mean, fontweight="bold", **look)
    marks = stage_marks(limits.scenario)
    labels = sum(1 for mark in marks if mark.label and 0.0 < mark.first_s <= time.last_s)
    axes.set_ylim(0, len(stages) + _ABOVE * labels)
    name_rows(axes, names, 0.5 * _HEIGHT)
    axes.spines["left"].set_visible(False)
    draw_marks([axes], marks, at_top=True)
    return axes
