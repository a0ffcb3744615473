"""A calendar: messages kept until the window in which something happens to them."""

from __future__ import annotations

import numpy as np

from sendcap.model.messages import TRIED, Records
from sendcap.model.station import Grid, Window


class Calendar:
    """Keeps `TRIED` records by the cell of the grid in which their ``ready_s`` lies."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._kept: dict[int, list[Records]] = {}
        self._taken = -1

    @property
    def next_s(self) -> float:
        """When the first cell begins for which anything is kept; infinite if nothing is."""
        return self._grid.start_s(min(self._kept)) if self._kept else np.inf

    def keep(self, records: Records) -> None:
        """Keep messages; those of one cell come back in the order in which they were kept."""
        cell = self._grid.cell_of(records["ready_s"])
        order = np.argsort(cell, kind="stable")
        cells, firsts = np.unique(cell[order], return_index=True)
        if len(cells) and cells[0] <= self._taken:
            raise RuntimeError("a message falls due in a window that is over: look-ahead too long")
        for its, part in zip(cells, np.split(records[order], firsts[1:]), strict=True):
            self._kept.setdefault(int(its), []).append(part)

    def take(self, window: Window) -> Records:
        """Return the messages of a window and keep them no longer."""
        self._taken = window.last
        now = sorted(cell for cell in self._kept if cell <= window.last)
        parts = [part for cell in now for part in self._kept.pop(cell)]
        return np.concatenate(parts) if parts else np.zeros(0, TRIED)
