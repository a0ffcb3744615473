"""What of a log was not used, and why: counted, with a few samples that give no address away."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, NamedTuple

_SAMPLES: Final = 3
_SHOWN: Final = 60
_LETTER: Final = re.compile(rb"[A-Za-z\x80-\xff]")
_DIGIT: Final = re.compile(rb"[0-9]")
_CONTROL: Final = re.compile(rb"[\x00-\x1f\x7f]")


class Sample(NamedTuple):
    """A line that was not understood."""

    file: str
    line: int
    shape: str
    """Its beginning: letters are x, digits 0, so that nobody's address is in it."""


@dataclass
class Skipped:
    """Lines that were not used, by reason.

    Attributes
    ----------
    malformed
        Those that should have been an attempt and could not be read.
    other
        Those that are about something else.
    """

    malformed: Counter[str] = field(default_factory=Counter)
    other: Counter[str] = field(default_factory=Counter)
    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def refuse(self, why: str, file: str, line: int, text: bytes) -> None:
        """Count a malformed line, and keep a sample of the first ones."""
        self.malformed[why] += 1
        kept = self.samples.setdefault(why, [])
        if len(kept) < _SAMPLES:
            kept.append(Sample(file, line, shape(text)))


def shape(text: bytes) -> str:
    """Return what a line looks like, without what it says.

    Examples
    --------
    >>> shape(b"Dec  1 10:00:00 mx1 to=<joe@example.com>")
    'Xxx  0 00:00:00 xx0 xx=<xxx@xxxxxxx.xxx>'
    """
    start = _CONTROL.sub(b"?", text[: _SHOWN + 1])
    start = _DIGIT.sub(b"0", _LETTER.sub(lambda m: b"X" if m[0].isupper() else b"x", start))
    told = start[:_SHOWN].decode("ascii", "replace")
    return f"{told}…" if len(start) > _SHOWN else told
