"""The chart of the queues' ages: how long those that wait have done so, as Postfix' qshape tells.

Source: Postfix, ``qshape(1)``: domains by age, in buckets of 5, 10, 20, 40, … minutes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.axes import Floats, cells, say
from sendcap.charts.figures import Heading, left_of_rows, panels_on
from sendcap.charts.style import house_style
from sendcap.charts.ticks import tick_label
from sendcap.study.capacity.charts.stages import name
from sendcap.study.capacity.limits import Limits
from sendcap.study.capacity.observed import Observed
from sendcap.text.quantities import elapsed

_FIRST_S: Final = (300.0, 60.0, 15.0, 5.0, 1.0)
"""Where the first bucket ends: the first of these by whose third some still wait.

Each of the other buckets ends at twice the age.
"""
_MOST_ROWS: Final = 20
_ON_ONE_LINE: Final = 7
"""Buckets that have room for the unit beside their bounds."""
_SHADING: Final = 0.5
"""Power of a count's share of the largest: below 1, small ones are told apart as well."""


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
    axes.set_xticks(np.arange(len(ages_s) - 1) + 0.5, _labels(ages_s))
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


def _labels(ages_s: list[float]) -> list[str]:
    labels = []
    space = "\n" if len(ages_s) - 1 > _ON_ONE_LINE else ""
    for low_s, high_s in pairwise(ages_s):
        labels.append(f"{tick_label(low_s)}–{space}{tick_label(high_s)}")
    return labels
