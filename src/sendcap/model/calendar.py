"""A calendar: messages by the window in which they fall due."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Final

import numpy as np

from sendcap.model.messages import TRIED, Records
from sendcap.model.station import Grid, Window

_WHOLE: Final = np.dtype((np.void, TRIED.itemsize))
"""A record without cell fields: NumPy compares those of each array that it joins."""


class Calendar:
    """Keeps `TRIED` records by the cell of the grid in which their ``ready_s`` lies."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._kept: dict[int, list[Records]] = {}
        self._cells: list[int] = []  # those of self._kept, as a heap
        self._taken = -1

    @property
    def next_s(self) -> float:
        """Start of the first cell with an entry; infinite without one."""
        return self._grid.start_s(self._cells[0]) if self._cells else np.inf

    def keep(self, records: Records) -> None:
        """Add messages; those of one cell come back in the order of their entry."""
        cell = self._grid.cell_of(records["ready_s"])
        order = np.argsort(cell, kind="stable")
        cells, firsts = np.unique(cell[order], return_index=True)
        if len(cells) and cells[0] <= self._taken:
            raise RuntimeError("a message falls due in a window that is over: look-ahead too long")
        for cell, part in zip(cells.tolist(), np.split(records[order], firsts[1:]), strict=True):
            if cell not in self._kept:
                self._kept[cell] = []
                heappush(self._cells, cell)
            self._kept[cell].append(part)

    def take(self, window: Window) -> Records:
        """Return the messages of a window and keep them no longer."""
        self._taken = window.last
        parts: list[Records] = []
        while self._cells and self._cells[0] <= window.last:
            parts += self._kept.pop(heappop(self._cells))
        if not parts:
            return np.zeros(0, TRIED)
        return np.concatenate([part.view(_WHOLE) for part in parts]).view(TRIED)
