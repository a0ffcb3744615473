"""PowerMTA's ``pmta show topqueues``, ``show queues`` and ``show domains``.

There are four outputs: text, ``--dom``, ``--xml`` and ``--json``. Source: PowerMTA 5.0, User's
Guide, 5.4, 6.2, 6.3.12 and 6.3.13, for the text and the names of the outputs; the fields of the
others are those that public programs read: ``name``, ``rcp``, ``conn``, ``paused``, ``retryTime``,
``event``.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from html import unescape
from itertools import groupby
from typing import Any, Final, NamedTuple

from sendcap.calibration.reasons import UNREACHABLE
from sendcap.importers.queue_files.queued import domain_named, named, reason_of
from sendcap.importers.queue_files.source import Source
from sendcap.importers.reading import whole
from sendcap.text.quantities import counted

FORMAT: Final = "powermta"

_KINDS: Final = ("queue", "domain")
_ROW: Final = re.compile(r"(\S+)\s+(\d+)\s+\d+(?:\.\d+)?\s+(\d+)(?:\s(.*))?")
_STATE: Final = re.compile(
    r"\s*(?:([A-Za-z*]{1,2})(?=\s|$))?\s*((?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d)?\s*(.*)"
)
_SHOWN: Final = re.compile(r"(\d{1,9}) of (\d{1,9}) (?:matching )?(?:queues|domains)(?: shown)?\.")
_EVENTS: Final = re.compile(r"(?:Recipient|Mode) Events\b.*|[- ]*")
_DOM: Final = re.compile(
    rf'(?:data\.)?(?:{"|".join(_KINDS)})\[(\d{{1,9}})\]\.(\w+)(?:\[\d{{1,9}}\])?(?:\.(\w+))?="(.*)"'
)
_XML: Final = re.compile(r"<(name|rcp|conn|paused|retryTime|time|text)>([^<]*)<")
_RIGHT: Final = "write what `pmta show topqueues --maxitems=100000` prints"
_TIME: Final = re.compile(r"(?:(\d{4})-(\d\d)-(\d\d) )?(\d\d):(\d\d):(\d\d)")
_NO_CONNECTION: Final = re.compile(r"E[A-Z]{4,20}\b")
"""An error of the system, such as ETIMEDOUT."""
_HALF_A_DAY: Final = timedelta(hours=12)


class _Queue(NamedTuple):
    """A queue of PowerMTA, as text; "" where an output does not say."""

    line: int
    name: str
    messages: str
    connections: str
    paused: str
    retry: str  # when
    error: str  # the last one


def recognises(lines: list[str]) -> int:
    """Return the number of lines, if one heads a table or is of another output."""
    found = any(
        _is_heading(line) or _DOM.match(line.strip()) or "<rcp>" in line or '"rcp"' in line
        for line in lines
    )
    return len(lines) if found else 0


def read(source: Source) -> None:
    """Read the queues: of a domain and a virtual MTA, which is the pool here."""
    moment = datetime.fromtimestamp(source.moment_s)
    waiting = paused = 0
    for queue in _queues_of(source):
        source.seen = True
        try:
            messages = whole(queue.messages)
            due_s = _due_s(queue.retry, moment) if queue.connections in ("", "0") else 0.0
        except ValueError:
            source.skip(queue.line, "its number of messages or its next retry cannot be read")
            continue
        waiting += bool(due_s)
        paused += bool(queue.paused)
        name, _, pool = queue.name.partition("/")
        source.add(
            domain_named(name),
            messages,
            due_s=due_s,
            reason=_reason(queue.error),
            pool=named(pool),
            held=bool(queue.paused),
        )
    after = f"{moment:%Y-%m-%d %H:%M:%S}"
    source.note(waiting, "queue", f"with a next retry, read as local time after {after}.")
    if paused:
        source.notes.append(f"{counted(paused, 'paused queue')}: held until somebody resumes it.")


def _reason(error: str) -> str:
    """Return the reason of a queue's last error, which may be that of a connection."""
    if not error:
        return ""
    return UNREACHABLE if _NO_CONNECTION.match(error) else reason_of(error)


def _due_s(retry: str, moment: datetime) -> float:
    """Return the time until a queue's next retry, 0 without one; a `ValueError` for no time."""
    if not retry:
        return 0.0
    found = _TIME.fullmatch(retry)
    if found is None:
        raise ValueError
    year, month, day, hour, minute, second = found.groups()
    at = moment.replace(hour=int(hour), minute=int(minute), second=int(second), microsecond=0)
    if year:
        at = at.replace(year=int(year), month=int(month), day=int(day))
    elif at < moment - _HALF_A_DAY:
        at += timedelta(days=1)
    elif at > moment + _HALF_A_DAY:
        at -= timedelta(days=1)
    return max(0.0, (at - moment).total_seconds())


def _queues_of(source: Source) -> Iterator[_Queue]:
    """Yield the queues of any output."""
    first = source.head[0].lstrip()
    if first.startswith("{"):
        yield from _of_json(source.first_object())
    elif first.startswith("<"):
        yield from _of_xml(source.whole())
    elif any(_DOM.match(line.strip()) for line in source.head):
        yield from _of_dom(source)
    else:
        yield from _of_table(source)


def _is_heading(line: str) -> bool:
    return all(word in line for word in ("#rcpt", "kbytes", "conn"))


def _of_table(source: Source) -> Iterator[_Queue]:
    has_state = False
    for number, line in source.lines():
        text = line.strip()
        shown = _SHOWN.search(text)
        if shown is not None and int(shown[1]) < int(shown[2]):
            source.notes.append(
                f"Only {int(shown[1]):,} of {int(shown[2]):,} queues are listed: --maxitems=100000 "
                f"lists all."
            )
        row = _ROW.fullmatch(text)
        if _is_heading(text):
            source.seen, has_state = True, "retry" in text
        elif row is not None:
            name, messages, connections, rest = row.groups("")
            parts = _STATE.fullmatch(rest) if has_state else None
            state, retry, error = parts.groups("") if parts is not None else ("", "", rest)
            paused = "yes" if "P" in state.upper() else ""
            yield _Queue(number, name, messages, connections, paused, retry, error.strip())
        elif not (shown or " | " in text or "*/" in text or _EVENTS.fullmatch(text)):
            source.skip(number, f"it is no row of a table of queues; {_RIGHT}")


def _of_dom(source: Source) -> Iterator[_Queue]:
    variables = (
        (number, found)
        for number, line in source.lines()
        if (found := _DOM.fullmatch(line.strip())) is not None
    )
    for _, group in groupby(variables, lambda each: each[1][1]):
        lines = list(group)
        yield _queue(lines[0][0], ((found[3] or found[2], found[4]) for _, found in lines))


def _of_xml(text: str) -> Iterator[_Queue]:
    for kind in _KINDS:
        for piece in text.split(f"<{kind}>")[1:]:
            fields = _XML.findall(piece.partition(f"</{kind}>")[0])
            yield _queue(1, ((name, unescape(value)) for name, value in fields))


def _of_json(value: Mapping[str, Any]) -> Iterator[_Queue]:
    data = value.get("data", value)
    for kind in _KINDS:
        queues = data.get(kind, ()) if isinstance(data, dict) else ()
        for each in queues if isinstance(queues, list) else ():
            if isinstance(each, dict):
                events = each.get("event", ())
                inner = [
                    pair
                    for event in (events if isinstance(events, list) else ())
                    if isinstance(event, dict)
                    for pair in event.items()
                ]
                yield _queue(1, [*each.items(), *inner])


def _queue(line: int, fields: Iterable[tuple[str, Any]]) -> _Queue:
    """Return a queue by its fields; of its events counts the one with the latest time."""
    found: dict[str, str] = {}
    latest, time, error = "", "", ""
    for name, value in fields:
        if isinstance(value, str | int | float):
            text = str(value)
            found.setdefault(name, text)
            if name == "time":
                time = text
            elif name == "text" and time >= latest:
                latest, error = time, text
    paused = found.get("paused", "")
    return _Queue(
        line, found.get("name", ""), found.get("rcp", ""), found.get("conn", ""),
        paused if paused.casefold() in ("true", "yes", "1") else "",
        found.get("retryTime", ""), error,
    )  # fmt: skip
