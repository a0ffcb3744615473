"""How many messages each person gets around a contact date."""

from typing import Any, NamedTuple

import numpy as np

from sendcap.model.kernel.state import Numbers
from sendcap.model.people.persons import Bytes


class _Sent(NamedTuple):
    """A sending that has been prepared, and who gets it: by number or, of many, bit by bit."""

    starts_s: float
    who: Numbers | None
    bits: Bytes | None


class Pressure:
    """Counts the messages of sendings around a moment, person by person.

    A sending is added as it comes into the period and taken out as it leaves it, so that each
    costs in proportion to the people who get it.
    """

    def __init__(self, people: int, period_s: float) -> None:
        self._messages = np.zeros(people, np.uint8)
        self._period_s = period_s
        self._sent: list[tuple[_Sent, bool]] = []

    def around(self, starts_s: float, first_s: float) -> Bytes:
        """Return the messages of each person within the period before and after a moment.

        No sending that is still to be prepared starts before the first moment.
        """
        kept = []
        for sent, was_inside in self._sent:
            is_inside = abs(sent.starts_s - starts_s) <= self._period_s
            if is_inside != was_inside:
                self._add(sent, 1 if is_inside else -1)
            if is_inside or sent.starts_s + self._period_s >= first_s:
                kept.append((sent, is_inside))
        self._sent = kept
        return self._messages

    def add(self, starts_s: float, who: Numbers) -> None:
        """Add a sending to these people; it counts from the next question on."""
        people = len(self._messages)
        if 32 * len(who) < people:
            self._sent.append((_Sent(starts_s, who, None), False))
            return
        gets_it = np.zeros(people, np.bool_)
        gets_it[who] = True
        self._sent.append((_Sent(starts_s, None, np.packbits(gets_it)), False))

    def _add(self, sent: _Sent, sign: int) -> None:
        messages: Any = self._messages
        change = np.uint8(sign % 256)  # one less, modulo 256
        if sent.who is not None:
            messages[sent.who] += change
        else:
            assert sent.bits is not None
            messages += np.unpackbits(sent.bits, count=len(messages)) * change
