r"""Momentum: mainlog and bouncelog, fields separated by ``@``, escaped as ``\@``.

- ``ts@msgid@batch@conn@D@domain@size@group@binding@retries@latency@ip``: delivered;
- ``ts@…@T|P@domain@bytes@group@binding@stage@retries@latency@ip@text``: soft, hard bounce;
- ``ts@…@R@lp@dom@slp@sdom@ip@size@proto@group@binding``: received;
- ``ts@…@T|B@lp@dom@slp@sdom@group@binding@stage@class@size@ip@text``: the same bounce in the
  bouncelog, or an asynchronous one (B at stage 21);
- ``ts@@@@M``: a heartbeat.

The latency is from reception to the event; ``conn`` is the connection. The time is in seconds, or
in microseconds with ``log_hires_timestamp``. Source: SparkPost/support-docs,
``content/momentum/4``: "mainlog", "bouncelog" and "log_hires_timestamp".
"""

import math
import re
from typing import Final, NamedTuple

from sendcap.calibration.attempts import ACCEPTED, HARD, RECEIVED, RETURNED, SOFT
from sendcap.calibration.logs.reading import LineError, LineReader, Row
from sendcap.calibration.logs.stamps import epoch_s

_PLAIN: Final = re.compile(rb"[^\\@]*(?:\\.[^\\@]*)*", re.DOTALL)
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
_KIND: Final = re.compile(
    rb"\d{9,19}(?:\.\d{1,9})?@(?:[^@]{1,100}@[^@]{0,100}@[^@]{0,100}@([A-Z])@|@@@(M)\d*\s*$)"
)
_LETTER: Final = re.compile(rb"@[A-Z]@|@@@@M")
_LONGEST_HEAD: Final = 500
"""Bytes of a collector's prefix and the beginning of a line."""
_OUT_OF_BAND: Final = b"21"


class _Layout(NamedTuple):
    """Positions of the fields of a kind of line; the latency follows the retries."""

    outcome: int
    size: int
    domain: int
    retries: int = 0
    text: int = 0
    category: int = 0


_LAYOUTS: Final = {
    b"D": _Layout(ACCEPTED, 12, 5, 9),
    b"T": _Layout(SOFT, 14, 5, 10, 13),
    b"P": _Layout(HARD, 14, 5, 10, 13),
    b"B": _Layout(HARD, 16, 6, 0, 15, 12),
    b"R": _Layout(RECEIVED, 14, 6),
}
_SOFT_IN_BOUNCELOG: Final = _Layout(SOFT, 16, 6, 0, 15, 12)
_NUMBERS_OF_A_BOUNCE: Final = slice(11, 14)
"""Stage, class and size in a bouncelog; in a mainlog there is an address among them."""


class MomentumReader(LineReader):
    """Reads mainlog and bouncelog."""

    format = "momentum"
    attempts = "lines D, T and P"
    has_numbers = False
    unreadable = "unreadable line"

    @classmethod
    def recognises(cls, lines: list[bytes]) -> int:
        """Return the number of lines that have a time, three identities and a letter."""
        # The letter is found much faster than the whole, and most lines of others have none.
        return sum(
            _LETTER.search(line, 0, _LONGEST_HEAD) is not None
            and _KIND.search(line, 0, _LONGEST_HEAD) is not None
            for line in lines
        )

    @classmethod
    def _record_in(cls, line: bytes) -> bytes:
        match = _KIND.search(line, 0, _LONGEST_HEAD)
        return line[match.start() :] if match else b""

    def _row(self, line: bytes) -> Row | None:
        match = _KIND.match(line)
        if match is None:
            raise LineError("not a line of a mainlog or bouncelog")
        kind = match[1]
        layout = _LAYOUTS.get(kind)
        if layout is None:
            self.pass_over("lines of other kinds" if kind else "heartbeats")
            return None
        cells = fields(line)
        if kind == b"T" and all(cell.isdigit() for cell in cells[_NUMBERS_OF_A_BOUNCE]):
            layout = _SOFT_IN_BOUNCELOG
        if len(cells) < layout.size:
            raise LineError(self.unreadable)
        context, domain = self.context, cells[layout.domain]
        finished_s, arrived_s, attempt = epoch_s(cells[0]), math.nan, 0
        if layout.retries:
            latency_s = float(cells[layout.retries + 1])
            arrived_s = finished_s - latency_s if latency_s >= 0.0 else math.nan
            attempt = min(max(int(cells[layout.retries]) + 1, 0), 65_535)
        late = kind == b"B" and cells[11] == _OUT_OF_BAND
        received = layout.outcome == RECEIVED
        if received:
            arrived_s = finished_s
        reason = code = enhanced = 0
        if layout.text:
            category = cells[layout.category].decode("ascii", "replace") if layout.category else ""
            reason, code, enhanced = context.reply(cells[layout.text], 0, 0, category)
        return (
            context.identities.of(cells[1] + b"@" + domain.lower()),
            0,
            context.providers.number(b"", domain),
            context.identities.of(cells[3]) if cells[3] and not late and not received else 0,
            arrived_s,
            finished_s,
            attempt,
            enhanced,
            code,
            reason,
            RETURNED if late else layout.outcome,
        )


def fields(line: bytes) -> list[bytes]:
    r"""Return the fields of a line.

    >>> fields(rb"a@b\@c@d")
    [b'a', b'b@c', b'd']
    """
    if b"\\" not in line:
        return line.split(b"@")
    cells, position = [], 0
    while True:
        field = _PLAIN.match(line, position)
        assert field is not None  # it matches the empty text, too
        cells.append(_ESCAPED.sub(rb"\1", field[0]))
        position = field.end() + 1
        if position > len(line) or line[position - 1 : position] != b"@":
            return cells
