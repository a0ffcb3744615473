"""The chart of the queues' ages: how long those that wait have done so, as Postfix' qshape tells.

References
----------
Postfix, ``qshape(1)``: domains by age, in buckets of 5, 10, 20, 40, … minutes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, cast

from sendcap.charts.figures import left_of_rows
from sendcap.charts.style import GREY, INK, house_style
from sendcap.study.capacity.charts.stages import name, new_figure
from sendcap.text.quantities import elapsed

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes

    from sendcap.study.capacity.limits import Limits
    from sendcap.study.capacity.observed import Observed

    Counts = npt.NDArray[np.float64]

_FIRST_S: Final = (300.0, 60.0, 15.0, 5.0, 1.0)
"""Where the first bucket ends: the first of these by whose third some still wait.

Each of the other buckets ends at twice the age.
"""
_MOST_ROWS: Final = 20
_ON_ONE_LINE: Final = 7
"""Buckets that have room for the unit beside their bounds."""
_PALE, _DARK = "#eef4fb", "#0b3d78"
_SHADING: Final = 0.5
"""Power of a count's share of the largest: below 1, small ones are told apart as well."""


def queue_age(limits: Limits, ax: Axes | None = None) -> Axes:
    """Draw how old the messages are that wait at the providers when most of them do.

    A message's age counts from when it became ready: when it left the ingress or, as a retry,
    when it was due. Each queue is first in, first out.

    Parameters
    ----------
    ax
        Draw on these. By default a new figure gets them, which is not attached to pyplot.

    Returns
    -------
    Axes
        Those on which it is drawn.
    """
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap

    with house_style():
        queues, at_s = _queues(limits)
        names, counts, ages_s = _counts(queues, at_s)
        axes = _new_axes(limits, at_s, names) if ax is None else ax
        shades = LinearSegmentedColormap.from_list("waiting", [_PALE, _DARK])
        shade = (counts / max(counts.max(), 1.0)) ** _SHADING
        axes.pcolormesh(
            np.where(counts >= 0.5, shade, np.nan),
            cmap=shades,
            vmin=0.0,
            vmax=1.0,
            edgecolors="white",
            linewidth=2.0,
        )
        for row, column in np.argwhere(counts >= 0.5):
            axes.text(
                column + 0.5,
                row + 0.5,
                f"{counts[row, column]:,.0f}",
                color="white" if shade[row, column] > 0.55 else INK,
                fontsize=8.5,
                fontweight="bold" if row == 0 else "normal",
                horizontalalignment="center",
                verticalalignment="center",
            )
        if not (counts >= 0.5).any():
            axes.text(
                0.5,
                0.5,
                "Nothing waits.",
                transform=axes.transAxes,
                horizontalalignment="center",
                color=GREY,
            )
        axes.set_yticks(np.arange(len(names)) + 0.5, names)
        axes.set_xticks(np.arange(len(ages_s) - 1) + 0.5, _labels(ages_s))
        axes.set_xlabel("time since the message became ready", loc="left")
        axes.set_ylim(len(names), 0)
        axes.grid(visible=False)
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        return axes


def _queues(limits: Limits) -> tuple[list[Observed], float]:
    """Return the providers' queues, and when most messages wait in them."""
    queues = [its for its in limits.observed if its.stage.kind == "provider"]
    total = cast("Counts", sum(its.backlog for its in queues))
    return queues, float(queues[0].edges_s[total.argmax()])


def _counts(queues: list[Observed], at_s: float) -> tuple[list[str], Counts, list[float]]:
    """Return the rows' names, how many wait by row and age, and the bounds of the ages."""
    import numpy as np

    def longer(age_s: float) -> bool:
        return any(its.waiting_longer(age_s, at_s) >= 0.5 for its in queues)

    ages_s = [0.0, next((its for its in _FIRST_S if longer(3 * its)), _FIRST_S[-1])]
    while longer(ages_s[-1]):
        ages_s.append(2 * ages_s[-1])
    # The last age is one that none has reached.
    older = np.array([[its.waiting_longer(age_s, at_s) for age_s in ages_s] for its in queues])
    counts = older[:, :-1] - older[:, 1:]
    order = np.argsort(-older[:, 0], kind="stable")
    names = [name(queues[number]) for number in order[:_MOST_ROWS]]
    rows = counts[order[:_MOST_ROWS]]
    if len(queues) > _MOST_ROWS:
        names.append(f"{len(queues) - _MOST_ROWS} others")
        rows = np.vstack((rows, counts[order[_MOST_ROWS:]].sum(axis=0)))
    if len(queues) > 1:
        names.insert(0, "all")
        rows = np.vstack((counts.sum(axis=0), rows))
    return names, rows, ages_s


def _labels(ages_s: list[float]) -> list[str]:
    labels = []
    space = "\n" if len(ages_s) - 1 > _ON_ONE_LINE else " "
    for low_s, high_s in pairwise(ages_s):
        unit_s, unit = (60.0, "min") if low_s % 60 == high_s % 60 == 0 else (1.0, "s")
        labels.append(f"{low_s / unit_s:g}–{high_s / unit_s:g}{space}{unit}")
    return labels


def _new_axes(limits: Limits, at_s: float, names: list[str]) -> Axes:
    told = (
        f"How long the messages in the providers' queues have waited by {elapsed(at_s)}, when "
        f"there are the most. {limits.sentence}"
    )
    figure, top = new_figure(limits, "Age of the queues", told, 0.9 + 0.36 * len(names))
    height = figure.get_figheight()
    left = left_of_rows(names)
    return figure.add_axes((left, 0.7 / height, 0.97 - left, top - 0.8 / height))
