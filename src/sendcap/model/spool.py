"""The MTA's spool: the relay waits while it is full."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt

from sendcap.model.station import Grid, Window


class Spool:
    """Counts the messages that the MTA holds and that are not yet final.

    The relay learns of free room at the start of a window. Room that becomes free during a window
    can be used from the next one on. So the relay is late by at most a window where the spool is
    full; elsewhere nothing changes. ``size`` is in messages.
    """

    def __init__(self, grid: Grid, size: float = np.inf) -> None:
        self.limited = size < np.inf
        self._grid = grid
        self._room = size
        self._free_in: Counter[int] = Counter()

    def room(self, window: Window) -> float:
        """Return the free room, in messages, at the start of a window."""
        for cell in [cell for cell in self._free_in if cell < window.first]:
            self._room += self._free_in.pop(cell)
        return self._room

    def take(self, messages: int) -> None:
        """Give room to messages that are being handed over."""
        self._room -= messages

    def free(self, times_s: npt.NDArray[np.float64]) -> None:
        """Note when messages become final, and with that make room."""
        if self.limited and len(times_s):
            cells, counts = np.unique(self._grid.cell_of(times_s), return_counts=True)
            self._free_in.update(dict(zip(cells.tolist(), counts.tolist(), strict=True)))

    @property
    def more_room_s(self) -> float:
        """When the relay next learns of free room, as far as that is known."""
        return self._grid.start_s(min(self._free_in) + 1) if self._free_in else np.inf
