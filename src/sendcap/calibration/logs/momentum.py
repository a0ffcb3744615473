r"""Momentum: mainlog and bouncelog, fields separated by ``@``, which is ``\@`` inside of them.

- ``ts@msgid@batch@conn@D@domain@size@group@binding@retries@latency@ip``: delivered;
- ``ts@…@T|P@domain@bytes@group@binding@stage@retries@latency@ip@text``: failed for a time, for
  good;
- ``ts@…@B@lp@dom@slp@sdom@group@binding@stage@class@size@ip@text``: the same bounce in the
  bouncelog, or one that came back later (stage 21).

The latency is from reception to the event; ``conn`` is the connection.

References
----------
SparkPost/support-docs, ``content/momentum/4``: "mainlog" and "bouncelog".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from sendcap.calibration.attempts import ACCEPTED, HARD, RETURNED, SOFT
from sendcap.calibration.logs.reading import Reader

_PLAIN: Final = re.compile(rb"[^\\@]*(?:\\.[^\\@]*)*", re.DOTALL)
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
_KIND: Final = re.compile(rb"\d{9,11}(?:\.\d{1,9})?@[^@]{1,100}@[^@]{0,100}@[^@]{0,100}@([A-Z])@")
_OUT_OF_BAND: Final = b"21"
_LATENCY_PLACES: Final = {b"D": (9, 10, 12), b"T": (10, 11, 14), b"P": (10, 11, 14)}
"""Places of the retries and the latency, and how many fields there are."""
_NAN: Final = float("nan")


class MomentumReader(Reader):
    """Reads mainlog and bouncelog; see the module."""

    format = "momentum"
    columns = (
        "message",
        "recipient",
        "provider",
        "session",
        "arrived_s",
        "finished_s",
        "attempt",
        "enhanced",
        "code",
        "reason",
        "outcome",
    )

    @classmethod
    def recognises(cls, lines: list[bytes]) -> int:
        """Return how many lines begin with a time, three identities and a letter."""
        return sum(_KIND.match(line) is not None for line in lines)

    def _rows(self, lines: list[bytes], first: int) -> Iterator[tuple[Any, ...]]:
        for number, line in enumerate(lines):
            if not line or line.isspace():
                continue
            found = _KIND.match(line)
            if found is None:
                self.refuse("not a line of a mainlog or bouncelog", first + number, line)
                continue
            kind = found[1]
            try:
                if kind in _LATENCY_PLACES:
                    yield self._attempt(kind, fields(line))
                elif kind == b"B":
                    yield self._bounce(fields(line))
                else:
                    self.pass_over("lines of other kinds")
            except (ValueError, IndexError):
                self.refuse("a line that cannot be read", first + number, line)

    def _attempt(self, kind: bytes, its: list[bytes]) -> tuple[Any, ...]:
        retries, latency, size = _LATENCY_PLACES[kind]
        if len(its) < size:
            raise ValueError
        context = self.context
        finished_s, latency_s = float(its[0]), float(its[latency])
        reason = code = enhanced = 0
        if kind != b"D":
            reason, code, enhanced = context.replies.read(its[size - 1])
        identity = its[1] + b"@" + its[5].lower()
        return (
            context.identities.of(identity),
            0,
            context.providers.number(b"", its[5]),
            context.identities.of(its[3]) if its[3] else 0,
            finished_s - latency_s if latency_s >= 0.0 else _NAN,
            finished_s,
            min(max(int(its[retries]) + 1, 0), 65_535),
            enhanced,
            code,
            reason,
            {b"D": ACCEPTED, b"T": SOFT, b"P": HARD}[kind],
        )

    def _bounce(self, its: list[bytes]) -> tuple[Any, ...]:
        if len(its) < 16:
            raise ValueError
        context = self.context
        late = its[11] == _OUT_OF_BAND
        reason, code, enhanced = context.replies.read(its[-1])
        identity = its[1] + b"@" + its[6].lower()
        return (
            context.identities.of(identity),
            0,
            context.providers.number(b"", its[6]),
            0 if late or not its[3] else context.identities.of(its[3]),
            _NAN,
            float(its[0]),
            0,
            enhanced,
            code,
            reason,
            RETURNED if late else HARD,
        )


def fields(line: bytes) -> list[bytes]:
    r"""Return the fields of a line.

    >>> fields(rb"a@b\@c@d")
    [b'a', b'b@c', b'd']
    """
    if b"\\" not in line:
        return line.split(b"@")
    found, place = [], 0
    while True:
        field = _PLAIN.match(line, place)
        assert field is not None  # it matches nothing, too
        found.append(_ESCAPED.sub(rb"\1", field[0]))
        place = field.end() + 1
        if place > len(line) or line[place - 1 : place] != b"@":
            return found
