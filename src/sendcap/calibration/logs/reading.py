"""What the readers of all formats share: where rows go, and what they have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final

import numpy as np

from sendcap.calibration.attempts import Attempts, Records, rows
from sendcap.calibration.logs.identities import Identities
from sendcap.calibration.logs.opening import Log
from sendcap.calibration.logs.skipped import Skipped
from sendcap.calibration.outcomes import Replies
from sendcap.calibration.providers import Providers

_LEAST_AGE_S: Final = 5.0
_MOST_AGE_S: Final = 90 * 86_400.0
_CHUNK: Final = 1 << 15
"""Rows that are made records together."""
_LOOKED_AT: Final = 200
"""Lines of a block that are shown to who looks for other formats, evenly over it."""


class Context:
    """What all files of a calibration share.

    Attributes
    ----------
    attempts, skipped
        Where a line's content goes.
    notes
        What a report should tell of the log, by what it is about.
    """

    def __init__(self, providers: Providers, year: int | None = None) -> None:
        self.attempts = Attempts()
        self.skipped = Skipped()
        self.identities = Identities()
        self.providers = providers
        self.replies = Replies()
        self.year = year
        self.notes: dict[str, str] = {}


class Reader(ABC):
    """Reads one file into the table."""

    format: ClassVar[str]
    columns: ClassVar[tuple[str, ...]]
    """Of the rows that `_rows` gives, in their order."""

    def __init__(self, log: Log, context: Context) -> None:
        self.log = log
        self.context = context
        self.used = 0

    @classmethod
    @abstractmethod
    def recognises(cls, lines: list[bytes]) -> int:
        """Return how many of these lines are of this format."""

    @abstractmethod
    def _rows(self, lines: list[bytes], first: int) -> Iterator[tuple[Any, ...]]:
        """Yield a row for each attempt.

        Parameters
        ----------
        lines
            Without their ends.
        first
            The number of the first of them.
        """

    def read(
        self,
        progress: Callable[[int], None] | None = None,
        look: Callable[[list[bytes]], None] | None = None,
    ) -> None:
        """Read the file to its end.

        Parameters
        ----------
        progress
            Called with the bytes read so far.
        look
            Called with some lines of each block.
        """
        held: list[tuple[Any, ...]] = []
        for lines in self.log.blocks():
            if look is not None:
                look(lines[:: 1 + len(lines) // _LOOKED_AT])
            held += self._rows(lines, self.log.lines - len(lines) + 1)
            if progress is not None:
                progress(self.log.read_bytes)
            if len(held) >= _CHUNK:
                self._add(held)
                held = []
        self._add(held)
        for number, start in self.log.too_long:
            self.refuse("a line is too long", number, start)

    def refuse(self, why: str, line: int, text: bytes) -> None:
        """Count a malformed line."""
        self.context.skipped.refuse(why, self.log.name, line, text)

    def pass_over(self, why: str, count: int = 1) -> None:
        """Count lines that are about something else."""
        self.context.skipped.other[why] += count

    def _add(self, held: list[tuple[Any, ...]]) -> None:
        if not held:
            return
        self.used += len(held)
        # A list for each column is made into an array much faster than rows into records.
        found = dict(zip(self.columns, zip(*held, strict=True), strict=True))
        records = self._records(len(held), found)
        age_s = records["finished_s"] - records["arrived_s"]
        # A message that came later than it went, or months before, came nobody knows when.
        for name in ("arrived_s", "ready_s"):
            records[name][~((age_s > -_LEAST_AGE_S) & (age_s < _MOST_AGE_S))] = np.nan
        self.context.attempts.add(records)

    def _records(self, count: int, found: dict[str, Any]) -> Records:
        return rows(count, found)
