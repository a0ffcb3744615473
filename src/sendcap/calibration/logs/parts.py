"""Lines that a container's log has in parts, joined again.

Kubernetes' container runtimes cut a line and mark all parts but the last with ``P``, the last with
``F``; Fluent Bit keeps the mark under ``logtag`` or ``_p``. Docker marks none: a part has 16 KiB,
and only the last one ends with a newline. Sources: Kubernetes, "CRI: Log Management for Container
Stdout/Stderr Streams"; moby, ``daemon/logger/copier.go``.
"""

import re
from typing import Any, Final

_CONTAINER: Final = re.compile(
    rb"(.{0,200}?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S{0,20} (?:stdout|stderr) )([PF])(?::\S{0,50})? "
)
_CLOCK: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S{0,20} ")
_LONGEST: Final = 1 << 18
"""Bytes of a line, as elsewhere; what is beyond is left out."""
_CUT: Final = (1 << 14) - 4, 1 << 14
"""Bytes of a part of Docker's: a character at its end may be cut."""
_TAGS: Final = ("logtag", "_p")


def is_of_a_container(line: bytes) -> bool:
    """Tell whether a line is one of a container runtime."""
    return (b" stdout " in line or b" stderr " in line) and _CONTAINER.match(line) is not None


class Containers:
    """Joins the lines of container runtimes, stream by stream."""

    def __init__(self) -> None:
        self._parts: dict[bytes, bytes] = {}

    def __call__(self, lines: list[bytes]) -> list[bytes]:
        """Return each line where it ends, and blanks for its other parts."""
        return [self._joined(line) for line in lines]

    def _joined(self, line: bytes) -> bytes:
        if not self._parts and b" P" not in line:
            return line
        matched = _CONTAINER.match(line)
        if matched is None:
            return line
        # What is before the time may name the pod.
        stream, text = _CLOCK.sub(b"", matched[1]), line[matched.end() :]
        if matched[2] == b"P":
            self._parts[stream] = (self._parts.get(stream, b"") + text)[:_LONGEST]
            return b""
        before = self._parts.pop(stream, None)
        return line if before is None else b"%sF %s%s" % (matched[1], before, text)


class Records:
    """Joins the texts of JSON records, stream by stream."""

    def __init__(self) -> None:
        self._parts: dict[object, str] = {}

    def joined(self, record: dict[str, Any]) -> dict[str, Any] | None:
        """Return a record with the whole text; None if that goes on in another record."""
        text, stream = record.get("log"), record.get("stream")
        if not isinstance(text, str) or stream not in ("stdout", "stderr"):
            return record
        if _is_part(record, text):
            self._parts[stream] = (self._parts.get(stream, "") + text)[:_LONGEST]
            return None
        before = self._parts.pop(stream, None)
        return record if before is None else {**record, "log": before + text}


def _is_part(record: dict[str, Any], text: str) -> bool:
    tag = next((record[name] for name in _TAGS if name in record), None)
    if tag is not None:
        return bool(tag == "P")
    if len(text) < _CUT[0] // 4 or text.endswith("\n"):
        return False
    return _CUT[0] <= len(text.encode("utf-8", "replace")) <= _CUT[1]
