"""The moments at which a table of KPIs for people has rows.

A row for each bin, mode and delivery would be more than a hundred megabytes for thirty deliveries
on as many days. So the rows are close together after a delivery's first change and farther and
farther apart from there on. The rows of very many deliveries are farther apart from the start, but
for those of all of them together.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from sendcap.ledger import Edges, Ledger
from sendcap.readings.modes import ALL_DELIVERIES

MOST_ROWS: Final = 500_000
"""About as many rows a table has at most; a spreadsheet holds twice as many."""
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0
_AGES_S: Final = (10 * _MINUTE, 4 * _HOUR, _DAY, 4 * _DAY, math.inf)
"""Times since a delivery's first change at which the distance of the rows grows."""
_STEPS_S: Final = (
    *(1.0, _MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR),
    *(4 * _HOUR, _DAY, 7 * _DAY, 28 * _DAY, 366 * _DAY),
)
"""Distances of rows: as many as there are ages are used, from the first one on or a later one."""


def grids(
    changes: Mapping[str, Edges], ledger: Ledger, tables: int, most_rows: int = MOST_ROWS
) -> dict[str, Edges]:
    """Return the edges with rows, by delivery, for a number of tables of each of them.

    ``changes`` are the edges by which something of a delivery has changed.
    """
    for coarser in range(len(_STEPS_S) - len(_AGES_S) + 1):
        chosen = {
            name: grid(edges, ledger, _steps_s(0 if name == ALL_DELIVERIES else coarser))
            for name, edges in changes.items()
        }
        if tables * sum(map(len, chosen.values())) <= most_rows:
            break
    return chosen


def _steps_s(coarser: int) -> Sequence[float]:
    return _STEPS_S[coarser : coarser + len(_AGES_S)]


def grid(changes: Edges, ledger: Ledger, steps_s: Sequence[float]) -> Edges:
    """Return the edges with rows: the ends of the run, and some from first to last change."""
    if not len(changes):
        return ledger.with_ends(changes)
    # Nothing has changed yet at the edge before the first change.
    first, last = int(changes[0]) - 1, int(changes[-1])
    parts = [np.array([first, last])]
    begin = first
    for age_s, step_s in zip(_AGES_S, steps_s, strict=True):
        end = int(min(first + age_s / ledger.bin_s, last))
        stride = max(round(step_s / ledger.bin_s), 1)
        parts.append(np.arange(math.ceil(begin / stride) * stride, end + 1, stride))
        begin = end
    return ledger.with_ends(np.concatenate(parts))
