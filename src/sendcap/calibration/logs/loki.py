"""Answers of Grafana Loki as lines: streams of values, each a time and a line.

``{"status": "success", "data": {"resultType": "streams", "result": [{"stream": {…}, "values":
[["1774180800000000000", "…"], …]}]}}``; what is pushed to it, and what its ``/tail`` sends, has
``streams`` in their place. A value may have structured metadata behind the line. Source: Grafana
Loki, "Loki HTTP API".
"""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

_DOCUMENT: Final = re.compile(
    rb'\s*\{.{0,8000}?"values"\s*:\s*\[\s*\[\s*"\d{10,19}"\s*,\s*"', re.DOTALL
)
_VALUES: Final = re.compile(r'"values"\s*:\s*\[')
_SPACE: Final = re.compile(r"[\s,]*")
_NEXT: Final = re.compile(r'\]\s*,\s*(?=\[\s*"\d{10,19}"\s*,)|\]\s*\]')
_LONGEST: Final = 1 << 18
"""Characters of a value; a longer one is damaged."""
_KEY: Final = 100
"""Characters that a key may be cut in at the end of a piece."""
_decode: Final = json.JSONDecoder().raw_decode


def is_answer(head: bytes) -> bool:
    """Tell whether a text begins like an answer with lines."""
    return b'"values"' in head and _DOCUMENT.match(head) is not None


def values_by_line(pieces: Iterable[bytes]) -> Iterator[bytes]:
    r"""Yield the values of an answer piece by piece, each as a JSON record on a line.

    >>> b"".join(values_by_line([b'{"values": [["1774180800000000000", "a"]]}']))
    b'{"timestamp": "1774180800000000000", "line": "a"}\n'
    """
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    text, inside = "", False
    for piece in pieces:
        text += decode(piece)
        position, lines = 0, list[str]()
        while True:
            if not inside:
                key = _VALUES.search(text, position)
                if key is None:
                    position = max(position, len(text) - _KEY)
                    break
                position, inside = key.end(), True
            position = _SPACE.match(text, position).end()  # type: ignore[union-attr]
            if position == len(text):
                break
            if text[position] != "[":
                position, inside = position + 1, False
                continue
            try:
                value, position = _decode(text, position)
            except (ValueError, RecursionError):
                after = _NEXT.search(text, position + 1)
                if len(text) - position < _LONGEST and (after is None or after.end() == len(text)):
                    break
                # Damaged: what is left of it counts as a line.
                lines.append(json.dumps(text[position : position + 200]))
                position = after.end() if after is not None else len(text)
                inside = after is None or "," in after[0]
                continue
            lines.append(_record(value))
        text = text[position:]
        if lines:
            yield "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    if text.strip() and inside:
        yield json.dumps(text[:200]).encode()


def _record(value: object) -> str:
    if isinstance(value, list) and len(value) >= 2:
        return json.dumps({"timestamp": value[0], "line": value[1]}, ensure_ascii=False)
    return json.dumps(value)
