"""Log lines inside the records of a collector: journald's exports, containers' logs and JSON.

JSON: the line is under one of the keys below, a time, a host, a program and its number beside it.
They are those of Docker (``log``), journald (``MESSAGE``), syslog-ng, Fluentd and Filebeat
(``message``), CloudWatch (``message``), SNS (``Message``), Grafana Loki (``line``), Google Cloud
(``textPayload``), Splunk (``_raw``). Source of journald's: systemd, "Journal Export Formats" and
systemd.journal-fields(7).

A container's log may have a line in parts. Kubernetes' container runtimes mark all parts but the
last with ``P``, the last with ``F``; Fluent Bit keeps the mark under ``logtag`` or ``_p``. Docker
marks none: a part has 16 KiB, and only the last one ends with a newline. Sources: Kubernetes, "CRI:
Log Management for Container Stdout/Stderr Streams"; moby, ``daemon/logger/copier.go``.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

Unwrapped = Callable[[list[bytes]], list[bytes]]
"""From lines of a file to as many lines of a log."""

_TEXTS: Final = ("message", "log", "line", "msg", "textpayload", "raw", "body")
_TIMES: Final = (
    *("realtimetimestamp", "timestamp", "time", "ts", "date", "isodate", "sourcerealtimetimestamp"),
)
_PROGRAMS: Final = (
    *("syslogidentifier", "ident", "program", "programname", "appname", "syslogtag", "processname"),
)
_NUMBERS: Final = ("syslogpid", "pid", "procid")
_HOSTS: Final = ("hostname", "host", "logsource")
_BELOW: Final = ("result", "jsonPayload", "_source", "fields")
"""Keys of an object that has the line in turn: Splunk, Google Cloud, Elasticsearch."""
_UNNAMED: Final = str.maketrans("", "", "_@-.")
_UNITS: Final = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3), (1e8, 1.0))
"""Numbers from which a time is in nanoseconds, microseconds, milliseconds, seconds."""
_CONTAINER: Final = re.compile(
    rb"(.{0,200}?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S{0,20} (?:stdout|stderr) )([PF])(?::\S{0,50})? "
)
_CLOCK: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S{0,20} ")
_LONGEST: Final = 1 << 18
"""Bytes of a line, as elsewhere; what is beyond is left out."""
_CUT: Final = (1 << 14) - 4, 1 << 14
"""Bytes of a part of Docker's: a character at its end may be cut."""
_TAGS: Final = ("logtag", "_p")


def wrapping_of(lines: list[bytes]) -> Unwrapped | None:
    """Return the function that takes the lines of a log out of these; None if they are plain."""
    if any(line.startswith((b"__CURSOR=", b"__REALTIME_TIMESTAMP=")) for line in lines):
        return JournalExport()
    steps = list[Unwrapped]()
    if any(map(_is_of_a_container, lines)):
        steps.append(Containers())
        lines = Containers()(lines)
    if any(_inner(line) is not None for line in lines):
        steps.append(JsonRecords())
    if len(steps) == 2:
        return lambda lines: steps[1](steps[0](lines))
    return steps[0] if steps else None


def _is_of_a_container(line: bytes) -> bool:
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
        before = self._parts.pop(stream, None)
        if matched[2] == b"P":
            self._parts[stream] = ((before or b"") + text)[:_LONGEST]
            return b""
        return line if before is None else b"%sF %s%s" % (matched[1], before, text)


class JsonRecords:
    """Takes the lines out of JSON records, a record a line, and joins their parts."""

    def __init__(self) -> None:
        self._parts: dict[str, str] = {}

    def __call__(self, lines: list[bytes]) -> list[bytes]:
        """Return the line of each record where it ends; what is no record stays as it is."""
        return [self._line(line) for line in lines]

    def _line(self, line: bytes) -> bytes:
        record = _record_of(line)
        if record is None:
            return line
        text, stream = record.get("log"), record.get("stream")
        if isinstance(text, str) and stream in ("stdout", "stderr"):
            before = self._parts.pop(stream, None)
            if _is_part(record, text):
                self._parts[stream] = ((before or "") + text)[:_LONGEST]
                return b""
            if before is not None:
                record["log"] = before + text
        inner = _composed_of(record)
        return line if inner is None else inner


def _is_part(record: dict[str, Any], text: str) -> bool:
    tag = next((record[name] for name in _TAGS if name in record), None)
    if tag is not None:
        return bool(tag == "P")
    if len(text) < _CUT[0] // 4 or text.endswith("\n"):
        return False
    return _CUT[0] <= len(text.encode("utf-8", "replace")) <= _CUT[1]


def _inner(line: bytes) -> bytes | None:
    """Return the line inside a JSON record; None if there is none."""
    record = _record_of(line)
    return None if record is None else _composed_of(record)


def _record_of(line: bytes) -> dict[str, Any] | None:
    start = line.find(b"{")
    if start < 0 or b'":' not in line:
        return None
    try:
        record = json.loads(line[start:])
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _composed_of(record: dict[str, Any]) -> bytes | None:
    for key in _BELOW:
        below = record.get(key)
        if isinstance(below, dict):
            record = {**record, **below}
    return composed({name.lower().translate(_UNNAMED): value for name, value in record.items()})


def composed(record: dict[str, Any]) -> bytes | None:
    """Return a line with the time, host and program of a record before its text."""
    text = next((read for name in _TEXTS if (read := _text(record.get(name))) is not None), None)
    if text is None:
        return None
    text = text.strip().replace("\n", " ")
    program = str(_first(record, _PROGRAMS) or "")
    if not program and text.startswith("{"):
        # A record may be in another one: SNS in SQS.
        return _inner(text.encode("utf-8", "replace")) or text.encode("utf-8", "replace")
    head = _iso(_first(record, _TIMES))
    if program:
        number = _first(record, _NUMBERS)
        host = str(_first(record, _HOSTS) or "-").partition(" ")[0]
        program = program.rstrip(": ").partition(" ")[0]
        program = program if "[" in program or number is None else f"{program}[{number}]"
        head = f"{head} {host} {program}:"
    return f"{head} {text}".lstrip().encode("utf-8", "replace")


def _text(value: Any) -> str | None:
    if isinstance(value, list):
        # journald writes what is not UTF-8 as numbers.
        try:
            return bytes(value).decode("utf-8", "replace")
        except (TypeError, ValueError):
            return None
    return value if isinstance(value, str) and value.strip() else None


def _first(record: dict[str, Any], names: tuple[str, ...]) -> Any:
    values = (record.get(name) for name in names)
    return next((value for value in values if isinstance(value, str | int | float)), None)


def _iso(value: Any) -> str:
    """Return a time in ISO 8601; a number is in the unit that gives a date of our days.

    >>> _iso("1711094410000000"), _iso(1711094410), _iso("2024-03-22T08:00:10Z"), _iso(None)
    ('2024-03-22T08:00:10+00:00', '2024-03-22T08:00:10+00:00', '2024-03-22T08:00:10Z', '')
    """
    if value is None:
        return ""
    try:
        number = float(value)
    except ValueError:
        return str(value).strip()
    for least, divisor in _UNITS:
        if least <= number < 1e20:
            return datetime.fromtimestamp(number / divisor, UTC).isoformat()
    return ""


class JournalExport:
    """Takes the lines out of ``journalctl -o export``: a field a line, entries between blanks."""

    def __init__(self) -> None:
        self._record: dict[str, Any] = {}
        self._binary = ""

    def __call__(self, lines: list[bytes]) -> list[bytes]:
        """Return a line at the end of each entry, and blanks elsewhere."""
        found = []
        for line in lines:
            found.append(self._entry() if not line.strip() else b"")
            name, equals, value = line.partition(b"=")
            if self._binary:
                # Eight bytes of length, then the bytes.
                self._keep(self._binary, line[8:])
                self._binary = ""
            elif equals:
                self._keep(name.decode("ascii", "replace"), value)
            else:
                self._binary = name.decode("ascii", "replace")
        return found

    def _keep(self, name: str, value: bytes) -> None:
        key = name.lower().translate(_UNNAMED)
        # _PID beside SYSLOG_PID, and the like: the first counts.
        self._record.setdefault(key, value.decode("utf-8", "replace"))

    def _entry(self) -> bytes:
        record, self._record, self._binary = self._record, {}, ""
        return composed(record) or b""
