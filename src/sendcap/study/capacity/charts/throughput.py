"""The chart of the throughput: what each stage carries over time, against its ceiling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.figures import Heading, panels_on
from sendcap.charts.labels import WHITE
from sendcap.charts.narrow import broken, is_narrow
from sendcap.charts.style import GREY, INK, house_style
from sendcap.charts.timeaxis import Start, TimeAxis
from sendcap.study.capacity.charts.stages import (
    bars,
    colour,
    name,
    shown_are,
    stage_time,
    used_most,
)
from sendcap.study.capacity.limits import Limits
from sendcap.study.capacity.observed import Observed
from sendcap.text.quantities import compact, rate

_MOST: Final = 12
"""As many stages have a panel, those that are used the most."""
_FAR: Final = 3.0
"""A ceiling higher than the throughput by this factor is named and not drawn."""
_COLUMNS: Final = 2


@house_style()
def throughput(
    limits: Limits, ax: Axes | Sequence[Axes] | None = None, *, start: Start = None
) -> list[Axes]:
    """Draw what each stage carries per second, and the most that it could.

    Where fewer panels are given than there are stages, those that are used less are left out; a
    single pair of axes is not divided. For the options see `sendcap.charts`.
    """
    time = stage_time(limits, start)
    count = min(len(limits.observed), _MOST) if ax is None else 1
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
        _draw(panel, stage, limits, time)
    return panels


def _draw(panel: Axes, stage: Observed, limits: Limits, time: TimeAxis) -> None:
    shown = stage.edges_s[:-1] < time.last_s
    carried, ceiling = stage.throughput_per_s[shown], stage.ceiling_per_s[shown]
    edges_s, carried, ceiling = bars(stage.edges_s[: len(carried) + 1], carried, ceiling)
    panel.stairs(carried, edges_s, fill=True, color=colour(stage, limits), alpha=0.75)
    highest = float(carried.max(initial=0.0))
    most = float(ceiling[np.isfinite(ceiling)].max(initial=0.0))
    drawn = 0.0 < most <= _FAR * highest
    if drawn:
        # It holds after the last attempt as well.
        until_s = np.append(edges_s[:-1], max(edges_s[-1], time.last_s))
        panel.stairs(ceiling, until_s, baseline=None, color=INK, linewidth=1.2, linestyle="--")
    panel.set_ylim(0, 1.32 * max(highest, most if drawn else 0.0, 1e-9))
    panel.yaxis.set_major_formatter(compact)
    panel.locator_params(axis="y", nbins=4)
    unit = "attempts/s" if stage.stage.paths else "messages/s"
    panel.set_title(f"{name(stage)}, {unit}")
    panel.text(
        *(0.985, 0.95, broken(_limit(stage, most))),
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
