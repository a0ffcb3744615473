"""Messages that Postfix's queue manager took, until the log shows what became of them.

It writes ``4XyZ: from=<…>, size=900, nrcpt=2 (queue active)`` when it takes a message, also when it
takes one again. Of a message that is in the log by such a line alone, the first one tells the
arrival, and each recipient counts. Bounces, which have no sender, are none of a scenario's.
Source: Postfix, ``src/qmgr/qmgr_active.c`` and ``src/qmgr/qmgr_message.c``.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

_TAKEN: Final = b"(queue active)"
_LINE: Final = re.compile(
    rb"([0-9A-Za-z]{1,40}): from=<([^>]{0,1000})>, size=\d+, nrcpt=(\d{1,6}) \(queue active\)$"
)
_FROM: Final = b": from=<"
_MANY: Final = 500_000


class Receptions:
    """The messages that wait; ``time_s`` reads the time in a line's prefix."""

    def __init__(self, time_s: Callable[[bytes], float]) -> None:
        self._time_s = time_s
        self._prefix, self._at_s = b"", 0.0
        self.waiting: dict[bytes, tuple[float, int]] = {}  # arrival and recipients by number

    def take(self, lines: list[bytes]) -> None:
        """Let the messages wait that the manager takes in lines."""
        for line in [line for line in lines if line.endswith(_TAKEN)]:
            self._take(line)

    def _take(self, line: bytes) -> None:
        at = line.find(_FROM)
        found = _LINE.match(line, line.rfind(b" ", 0, max(at, 0)) + 1)
        if found is None or not found[2] or found[1] in self.waiting:
            return
        prefix = line[: found.start()]
        if prefix != self._prefix:
            try:
                self._at_s = self._time_s(prefix)
            except ValueError:
                return
            self._prefix = prefix
        self.waiting[found[1]] = self._at_s, int(found[3])

    @property
    def are_many(self) -> bool:
        """Whether they need much memory."""
        return len(self.waiting) >= _MANY

    def left(self) -> Iterator[tuple[bytes, float, int]]:
        """Yield number and arrival of messages that wait, and the place of each recipient."""
        waiting = list(self.waiting.items())
        self.waiting.clear()
        for number, (at_s, recipients) in waiting:
            for place in range(1, recipients + 1):
                yield number, at_s, place
