"""JSON documents as lines: the objects of an array, or of several lines, one a line.

Services export their records as lines, as one array, or as a document with the array under a key.
Amazon's Firehose joins records that have no line end, unless it is told to put one between them.
Logs of anything else, and JSON lines, pass through as they are.
An answer of Loki has its lines in arrays of their own, and events may be in a table.
"""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from sendcap.calibration.logs.event_tables import is_table, rows_by_line
from sendcap.calibration.logs.loki import is_answer, values_by_line

_ARRAYS: Final = "items|results|events|logEvents|Records|Messages"
"""Keys of the arrays: Mailgun, SparkPost, CloudWatch's answers and subscriptions, Lambda, SQS."""
_DOCUMENT: Final = re.compile(
    rf'\s*\{{.{{0,4000}}?"(?:{_ARRAYS})"\s*:\s*\[\s*\{{'.encode(), re.DOTALL
)
_ARRAY: Final = re.compile(rb"\s*\[\s*\{")
_BROKEN: Final = re.compile(rb"\s*\{[^\n]*\r?\n")
"""An object whose first line ends inside it, unless that is an object by itself."""
_KEY: Final = re.compile(rf'"(?:{_ARRAYS})"\s*:\s*\[')
_BETWEEN: Final = re.compile(r"[\s,\[\]\x1e]*")
_NEXT: Final = re.compile(r"\}\s*,?\s*\{")
_LINE_ENDS: Final = re.compile(r"[\r\n]+")
_HEAD: Final = 8192
_FIRST_OBJECT: Final = 1 << 16
_LONGEST: Final = 1 << 18
"""Characters of an object; a longer one is damaged."""
_decode: Final = json.JSONDecoder().raw_decode


def by_line(pieces: Iterable[bytes]) -> Iterator[bytes]:
    r"""Yield a text piece by piece, every object of a JSON document on a line of its own.

    >>> b"".join(by_line([b'[{"a": 1},', b' {"a":', b' 2}]'])).split(b"\n")
    [b'{"a": 1}', b'{"a": 2}', b'']
    """
    rest = iter(pieces)
    first = next(rest, b"")
    head = first[:_HEAD]
    pieces = chain((first,), rest)
    if is_table(head):
        yield from rows_by_line(pieces)
        return
    if head.lstrip()[:1] in (b"{", b"["):
        if is_answer(head):
            yield from values_by_line(pieces)
            return
        below_a_key = _DOCUMENT.match(head) is not None
        in_lines = not (below_a_key or _ARRAY.match(head) or _is_broken(head))
        if not in_lines or _is_joined(first[:_FIRST_OBJECT]):
            yield from _objects(pieces, below_a_key)
            return
    yield from filter(None, pieces)


def _is_broken(head: bytes) -> bool:
    line = _BROKEN.match(head)
    if line is None:
        return False
    try:
        _decode(line[0].decode("utf-8", "replace").strip())
    except ValueError:
        return True
    except RecursionError:
        return False
    return False


def _is_joined(head: bytes) -> bool:
    """Tell whether a second object follows on the first line, as in a file of Firehose."""
    text = head.decode("utf-8", "replace").lstrip()
    end = _end(text, 0)[0]
    return end > 0 and text[end:].lstrip(" \t").startswith("{")


def _objects(pieces: Iterable[bytes], below_a_key: bool) -> Iterator[bytes]:
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    text, inside = "", not below_a_key
    for piece in pieces:
        text += decode(piece)
        position, lines = 0, list[str]()
        while True:
            if below_a_key and not inside:
                key = _KEY.search(text, position)
                if key is None:
                    # A key may be cut at the end of the piece.
                    position = max(position, len(text) - 100)
                    break
                position, inside = key.end(), True
            position = _BETWEEN.match(text, position).end()  # type: ignore[union-attr]
            if position == len(text):
                break
            if text[position] != "{":
                inside, position = not below_a_key, position + 1
                if inside:
                    position = _resume(text, position, lines)
                continue
            end, wrong = _end(text, position)
            if end > 0:
                lines.append(_LINE_ENDS.sub(" ", text[position:end]))
                position = end
            elif len(text) - position < _LONGEST:
                break
            else:
                # Damaged: what is left of it counts as a line.
                position = _resume(text, max(wrong, position + 1), lines)
        text = text[position:]
        if lines:
            yield "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    if text.strip() and inside:
        yield _LINE_ENDS.sub(" ", text).encode("utf-8", "replace")


def _end(text: str, position: int) -> tuple[int, int]:
    """Return the end of an object, or 0 and the place where it is wrong."""
    try:
        return _decode(text, position)[1], 0
    except json.JSONDecodeError as error:
        return 0, error.pos
    except RecursionError:
        return 0, position + _LONGEST


def _resume(text: str, position: int, lines: list[str]) -> int:
    """Return the beginning of the next object, and keep a sample of what is left out."""
    found = _NEXT.search(text, position)
    end = found.end() - 1 if found else len(text)
    lines.append(_LINE_ENDS.sub(" ", text[position : min(end, position + 200)]))
    return end
