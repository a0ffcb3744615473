"""Samples of bounded size, however long the log.

A part of the table of attempts is a random sample of the messages, and within a part lives are in
the order of their hashes. So the first values of anything are a random sample, too.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sendcap.calibration.attempts import Floats, Records

SAMPLE: Final = 200_000
"""Largest size of a sample."""


class Sample:
    """The first values of some columns."""

    def __init__(self, columns: int, most: int = SAMPLE) -> None:
        self._parts: list[list[Floats]] = [[] for _ in range(columns)]
        self._most = most
        self._size = 0

    def add(self, *columns: npt.NDArray[Any]) -> None:
        """Add rows, a column each."""
        room = max(0, min(len(columns[0]), self._most - self._size))
        self._size += room
        if room:
            for parts, column in zip(self._parts, columns, strict=True):
                parts.append(np.asarray(column[:room], np.float64))

    def columns(self) -> list[Floats]:
        """Return the columns."""
        return [np.concatenate(parts) if parts else np.zeros(0) for parts in self._parts]


class Sessions:
    """Complete connections: those whose hash is a multiple of a power of two, so that they fit."""

    def __init__(self) -> None:
        self._parts: list[Records] = []
        self._count = 0
        self.one_in = 1

    def add(self, rows: Records) -> None:
        """Add attempts; those without a connection are dropped."""
        rows = rows[(rows["session"] > 0) & (rows["session"] % np.uint64(self.one_in) == 0)]
        self._parts.append(rows)
        self._count += len(rows)
        while self._count > 2 * SAMPLE:
            self.one_in *= 2
            divisor = np.uint64(self.one_in)
            self._parts = [part[part["session"] % divisor == 0] for part in self._parts]
            self._count = sum(map(len, self._parts))

    def rows(self) -> Records:
        """Return the attempts, connection by connection, in order of time."""
        rows = np.concatenate(self._parts)
        return rows[np.lexsort((rows["finished_s"], rows["session"]))]
