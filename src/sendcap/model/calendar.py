"""A calendar: messages kept until the window in which something happens to them."""

from __future__ import annotations

import numpy as np

from sendcap.model.messages import TRIED, Records
from sendcap.model.station import Window, Windows


class Calendar:
    """Keeps `TRIED` records by the window in which their ``ready_s`` lies."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._kept: dict[int, list[Records]] = {}
        self._taken = -1

    @property
    def next_s(self) -> float:
        """When the first window begins for which anything is kept; infinite if nothing is."""
        return self._windows[min(self._kept)].start_s if self._kept else np.inf

    def keep(self, records: Records) -> None:
        """Keep messages; those of one window come back in the order in which they were kept."""
        number = self._windows.number_of(records["ready_s"])
        order = np.argsort(number, kind="stable")
        numbers, firsts = np.unique(number[order], return_index=True)
        if len(numbers) and numbers[0] <= self._taken:
            raise RuntimeError("a message falls due in a window that is over: look-ahead too long")
        for its, part in zip(numbers, np.split(records[order], firsts[1:]), strict=True):
            self._kept.setdefault(int(its), []).append(part)

    def take(self, window: Window) -> Records:
        """Return the messages of a window and keep them no longer."""
        self._taken = int(self._windows.number_of(np.array([window.start_s]))[0])
        parts = self._kept.pop(self._taken, None)
        return np.zeros(0, TRIED) if parts is None else np.concatenate(parts)
