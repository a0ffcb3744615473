"""The encoding of a log: UTF-8, or UTF-16 and UTF-32 with and without a byte order mark.

Source: Unicode Standard 16.0, section 23.8, "Byte Order Mark".
"""

import codecs
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

_MARKS: Final = {
    # Longest first: the mark of UTF-32 begins like that of UTF-16.
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_LOOKED_AT: Final = 400
_LEAST: Final = 16
"""Fewer bytes tell no encoding."""
_MOSTLY: Final = 0.8


def as_utf8(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a text as UTF-8 without a byte order mark, piece by piece.

    >>> b"".join(as_utf8([codecs.BOM_UTF16_LE + "é".encode("utf-16-le")])).decode()
    'é'
    """
    rest = iter(pieces)
    first = next(rest, b"")
    mark = next((mark for mark in _MARKS if first.startswith(mark)), b"")
    first = first[len(mark) :]
    encoding = _MARKS[mark] if mark else _unmarked(first[:_LOOKED_AT])
    if encoding == "utf-8":
        if first:
            yield first
        yield from rest
        return
    decode = codecs.getincrementaldecoder(encoding)("replace").decode
    for piece in chain((first,), rest):
        text = decode(piece)
        if text:
            yield text.encode("utf-8", "replace")


def _unmarked(start: bytes) -> str:
    """Return the encoding of a text without a mark: in UTF-16, ASCII has every other byte 0."""
    if len(start) >= _LEAST:
        of_each = len(start) / 2.0
        even, odd = start[::2].count(0), start[1::2].count(0)
        if odd >= _MOSTLY * of_each and not even:
            return "utf-16-le"
        if even >= _MOSTLY * of_each and not odd:
            return "utf-16-be"
    return "utf-8"
