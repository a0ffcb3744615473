"""Messages that an MTA hands to a program on the same machine: a content filter, or a relay.

A filter gives a message back under another number, so the log shows it again: as the number of its
reply ("queued as 4XabC"), or with the same Message-ID. Such a delivery is none to a provider. What
the log does not show again has left the machine through a relay, and counts. Source: Postfix,
``README_FILES/FILTER_README``, "After-Queue Content Filter".
"""

import re
from collections import deque
from collections.abc import Callable
from typing import Final

from sendcap.calibration.logs.reading import Row

_QUEUED: Final = re.compile(rb"queued as ([0-9A-Za-z]{6,40})")
_MESSAGE_ID: Final = re.compile(rb"\b([0-9A-Za-z]{6,40}): (?:resent-)?message-id=<?([^>\s]{1,500})")
_MOST_HELD: Final = 20_000
"""So many deliveries without a filter's trace are those of a relay."""
_MOST_IDS: Final = 50_000
_MOST_WANTED: Final = 200


class SameMachine:
    """Holds deliveries to the same machine back until the log tells what they are."""

    def __init__(
        self,
        pass_over: Callable[[str, int], None],
        queued: re.Pattern[bytes] = _QUEUED,
        message_id: re.Pattern[bytes] = _MESSAGE_ID,
        number: bytes = b" %s: ",
    ) -> None:
        """Take what finds a number in a reply, and a number with a Message-ID; a line's number."""
        self._pass_over = pass_over
        self._queued, self._message_id, self._number = queued, message_id, number
        self.is_filter: bool | None = None  # unknown yet
        self._held: list[Row] = []
        self._handed: set[bytes] = set()  # numbers of messages
        self._wanted: deque[bytes] = deque(maxlen=_MOST_WANTED)  # numbers that may come again
        self._known: dict[bytes, bytes] = {}  # Message-ID to the number seen first

    def hold(self, row: Row, queue_id: bytes, reply: bytes) -> None:
        """Keep a delivery."""
        self._held.append(row)
        self._handed.add(queue_id)
        queued = self._queued.search(reply)
        if queued is not None and queued[1] != queue_id:
            self._wanted.append(queued[1])

    def decided(self, lines: list[bytes], *, last: bool = False) -> list[Row]:
        """Return deliveries that count, if the lines so far tell; pass over those that do not."""
        if not self._held:
            return []
        if self.is_filter is None:
            if self._again(lines):
                self.is_filter = True
            elif last or len(self._held) >= _MOST_HELD:
                self.is_filter = False
        if self.is_filter is None:
            return []
        held, self._held = self._held, []
        if not self.is_filter:
            return held
        self._pass_over("handed to a program on the same machine", len(held))
        return []

    def _again(self, lines: list[bytes]) -> bool:
        """Tell whether some lines show a message again."""
        text = b"\n".join(lines)
        if any(self._number % wanted in text for wanted in self._wanted):
            return True
        for number, message_id in self._message_id.findall(text):
            first = self._known.setdefault(message_id, number)
            if first != number and not self._handed.isdisjoint((first, number)):
                return True
            if len(self._known) > _MOST_IDS:
                self._known.clear()
        return False
