"""Samples that are bounded, however long a log is.

A part of the table of attempts is a random sample of the messages, and within a part lives are in
the order of their hashes. So the first so many of anything are a random sample, too.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sendcap.calibration.attempts import Floats, Records

SAMPLE: Final = 200_000
"""Values that are kept of anything, at most."""


class Sample:
    """The first so many values of each column."""

    def __init__(self, columns: int, most: int = SAMPLE) -> None:
        self._parts: list[list[Floats]] = [[] for _ in range(columns)]
        self._most = most
        self.seen = 0
        self.kept = 0

    def add(self, *columns: npt.NDArray[Any]) -> None:
        """Add rows, a column each."""
        count = len(columns[0])
        room = max(0, min(count, self._most - self.kept))
        self.seen += count
        self.kept += room
        if room:
            for kept, column in zip(self._parts, columns, strict=True):
                kept.append(np.asarray(column[:room], np.float64))

    def columns(self) -> list[Floats]:
        """Return the columns."""
        return [np.concatenate(its) if its else np.zeros(0) for its in self._parts]


class Sessions:
    """Whole connections: those whose hash is a multiple of a power of two, so that they fit."""

    def __init__(self) -> None:
        self._kept: list[Records] = []
        self._count = 0
        self.one_in = 1

    def add(self, rows: Records) -> None:
        """Add attempts; those without a connection are left out."""
        rows = rows[(rows["session"] > 0) & (rows["session"] % np.uint64(self.one_in) == 0)]
        self._kept.append(rows)
        self._count += len(rows)
        while self._count > 2 * SAMPLE:
            self.one_in *= 2
            self._kept = [
                part[part["session"] % np.uint64(self.one_in) == 0] for part in self._kept
            ]
            self._count = sum(map(len, self._kept))

    def rows(self) -> Records:
        """Return their attempts, connection by connection, in order of time."""
        rows = np.concatenate(self._kept)
        return rows[np.lexsort((rows["finished_s"], rows["session"]))]
