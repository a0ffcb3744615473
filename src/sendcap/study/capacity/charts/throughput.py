"""The chart of the throughput: what each stage carries over time, against its ceiling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sendcap.charts.figures import LEFT, panels_for
from sendcap.charts.style import GREY, INK, house_style
from sendcap.charts.timeaxis import Start, room_below_in, start_of
from sendcap.study.capacity.charts.stages import colour, name, new_figure, time_axis, used_most
from sendcap.text.quantities import compact, rate

if TYPE_CHECKING:
    from datetime import datetime

    from matplotlib.axes import Axes

    from sendcap.study.capacity.limits import Limits
    from sendcap.study.capacity.observed import Observed

_MOST: Final = 12
"""As many stages have a panel, those that are used the most."""
_FAR: Final = 3.0
"""A ceiling higher than the throughput by this factor is told and not drawn."""


def throughput(
    limits: Limits, ax: Axes | Sequence[Axes] | None = None, *, start: Start = None
) -> list[Axes]:
    """Draw what each stage carries per second, and the most that it could.

    Parameters
    ----------
    ax
        Draw on these, a panel for each stage; stages that are used less are left out where there
        are fewer panels. One pair of axes is for the stage that is used the most. By default a new
        figure gets them, which is not attached to pyplot.
    start
        Tell the time by the clock; see `sendcap.charts.delivered.delivered`.

    Returns
    -------
    list of Axes
        Those on which it is drawn, from top to bottom.
    """
    began = start_of(start, limits.scenario)
    with house_style():
        panels = panels_for(ax, [1.0], lambda: _new_axes(limits, room_below_in(began)))
        for number, (panel, its) in enumerate(
            zip(panels, used_most(limits, len(panels)), strict=False)
        ):
            _draw(panel, its, limits, began, last=number >= len(panels) - 2)
        return panels


def _new_axes(limits: Limits, below: float) -> list[Axes]:
    count = min(len(limits.observed), _MOST)
    rows = math.ceil(count / 2)
    told = (
        "What each stage carries; dashed, the most that it could, unless that is far above. "
        + limits.sentence
    )
    if len(limits.observed) > count:
        told += f" Shown are the {count} stages that are used the most."
    figure, top = new_figure(limits, "Throughput against ceiling", told, 0.15 + below + 1.45 * rows)
    height = figure.get_figheight()
    grid = figure.add_gridspec(
        rows,
        2,
        left=LEFT,
        right=0.97,
        top=top - 0.22 / height,
        bottom=(below + 0.02) / height,
        hspace=0.52,
        wspace=0.16,
    )
    return [figure.add_subplot(grid[number // 2, number % 2]) for number in range(count)]


def _draw(
    panel: Axes, its: Observed, limits: Limits, began: datetime | None, *, last: bool
) -> None:
    import numpy as np

    stage = its.stage
    last_s = time_axis(limits, panel, labelled=last, began=began)
    panel.tick_params(labelbottom=last)
    shown = its.edges_s[:-1] < last_s
    carried, ceiling = its.throughput_per_s[shown], its.ceiling_per_s[shown]
    edges_s = its.edges_s[: len(carried) + 1]
    panel.stairs(carried, edges_s, fill=True, color=colour(its, limits), alpha=0.75)
    highest = float(carried.max(initial=0.0))
    finite = ceiling[np.isfinite(ceiling)]
    its_ceiling = float(finite.max(initial=0.0))
    drawn = 0.0 < its_ceiling <= _FAR * highest
    if drawn:
        # It holds after the last attempt as well.
        until_s = np.append(edges_s[:-1], max(edges_s[-1], last_s))
        panel.stairs(ceiling, until_s, baseline=None, color=INK, linewidth=1.2, linestyle="--")
    panel.set_ylim(0, 1.32 * max(highest, its_ceiling if drawn else 0.0, 1e-9))
    panel.yaxis.set_major_formatter(compact)
    panel.locator_params(axis="y", nbins=4)
    unit = "attempts/s" if stage.kind == "provider" else "messages/s"
    panel.set_title(f"{name(its)}, {unit}")
    panel.text(
        0.985,
        0.95,
        _told(its, its_ceiling),
        transform=panel.transAxes,
        fontsize=8.5,
        color=INK if drawn else GREY,
        horizontalalignment="right",
        verticalalignment="top",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.85},
    )


def _told(its: Observed, highest_per_s: float) -> str:
    binding = its.stage.binding
    if binding is None or not highest_per_s:
        return "no limit"
    ceiling = rate(its.stage.per_s)
    if not math.isclose(its.stage.per_s, binding.per_s):
        ceiling += " on average"
    return f"ceiling {ceiling} ({binding.name}), {100 * its.mean_utilisation:.0f} % in use"
