"""Momentum's lists of queues: ``mailq`` and ``showqueue`` of the console, ``/stats/queues/mailq``.

Source: Momentum 4's documentation, console commands "mailq" and "showqueue", HTTP API "Mail Queue",
with the tables that it makes of the JSON.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from sendcap.importers.queue_files.queued import domain_named, domain_of, named
from sendcap.importers.queue_files.source import Arrivals, Source
from sendcap.importers.reading import whole

FORMAT: Final = "momentum"

_SUMMARY: Final = "QueueSummary"
_BOTH: Final = "group/binding"
_MESSAGE: Final = re.compile(r"\[(active|delayed)/([^\]\s]{1,200})\]\s+\S+\s+Created:\s+(\d{1,15})")
_TO: Final = re.compile(r"From:\s.{0,2000}?\sTo:\s+<?([^<>]{0,2000})>?")
_SHOWN: Final = 20
"""Queues that the console lists by default."""


def recognises(lines: list[str]) -> int:
    """Return the number of lines, if there is a table, a message or the JSON."""
    found = any(
        _heading(line) or _MESSAGE.match(line.strip()) or f'"{_SUMMARY}"' in line for line in lines
    )
    return len(lines) if found else 0


def read(source: Source) -> None:
    """Read the queues: active messages are due, delayed ones wait for their retry."""
    if source.head[0].lstrip().startswith("{"):
        queues = source.first_object().get(_SUMMARY)
        for queue in queues if isinstance(queues, list) else ():
            source.seen = True
            _add(source, 1, queue if isinstance(queue, dict) else {})
    elif any(map(_heading, source.head)):
        _read_table(source)
    else:
        _read_messages(source)


def _heading(line: str) -> list[str]:
    """Return the columns of a table, none for another line."""
    names = line.lower().split()
    return names if {"domain", "aq", "dq"} <= {*names} else []


def _read_table(source: Source) -> None:
    columns, rows = list[str](), 0
    for number, line in source.lines():
        heading, cells = _heading(line), line.split()
        if heading:
            columns, source.seen = heading, True
        elif len(cells) == len(columns):
            if not all(set(cell) <= {"-"} for cell in cells):
                _add(source, number, dict(zip(columns, cells, strict=True)))
                rows += 1
        elif columns and set(line.strip()) != {"-"}:
            source.skip(number, f"it has {len(cells)} cells, and its table has {len(columns)}")
    if rows == _SHOWN and _BOTH in columns:
        source.notes.append(
            f"The console lists {_SHOWN} queues by default, as many as here: mailq --limit 100000 "
            f"lists all."
        )


def _add(source: Source, number: int, queue: Mapping[str, Any]) -> None:
    try:
        active, delayed = (whole(str(queue[name])) for name in ("aq", "dq"))
        domain = domain_named(str(queue["domain"]))
    except (KeyError, ValueError):
        source.skip(number, "a queue has no domain, or no numbers of messages (aq, dq)")
        return
    group = str(queue.get("group") or queue.get(_BOTH, "")).partition("/")[0]
    source.add(domain, active, due_s=0.0, pool=named(group))
    source.add(domain, delayed, pool=named(group))


def _read_messages(source: Source) -> None:
    arrivals = Arrivals(source)
    due_s: float | None = None
    age_s: float | None = None
    begun = False
    for number, line in source.lines():
        message, to = _MESSAGE.match(line.strip()), _TO.fullmatch(line.strip())
        if message is not None:
            source.seen = begun = True
            due_s = 0.0 if message[1] == "active" else None
            age_s = arrivals.age_s(float(message[3]))
        elif to is not None and begun:
            source.add(domain_of(to[1]), youngest_s=age_s, oldest_s=age_s, due_s=due_s)
            begun = False
        elif "showqueue" not in line:
            source.skip(number, "it is no message of a queue; write what `showqueue` prints")
    arrivals.settle()
