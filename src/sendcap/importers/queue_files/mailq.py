"""Postfix's ``mailq``, the same as ``postqueue -p``: a block of lines for each message.

Source: Postfix, ``src/postqueue/showq_compat.c``.
"""

import re
from datetime import datetime
from functools import lru_cache
from typing import Final

from sendcap.importers.queue_files.postqueue import STATES, State
from sendcap.importers.queue_files.queued import domain_of, reason_of
from sendcap.importers.queue_files.source import Arrivals, Source
from sendcap.text.quantities import DAY_S

FORMAT: Final = "mailq"

DAYS: Final = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_MESSAGE: Final = re.compile(
    rf"[0-9A-Za-z]{{6,30}}(?P<marks>[*!#]*)\s+\d{{1,15}}\s+(?:{DAYS})\s+"
    rf"(?P<arrived>(?:{'|'.join(MONTHS)})\s+\d\d?\s+\d\d:\d\d:\d\d)\s+\S.*"
)
_HEADING: Final = re.compile(r"-+Queue ID-+\s+--Size--\s.*")
_UNAVAILABLE: Final = "(reason unavailable)"
_EMPTY: Final = "Mail queue is empty"


def recognises(lines: list[str]) -> int:
    """Return the number of lines, if there is a heading or a message."""
    heads = any(map(_HEADING.fullmatch, map(str.strip, lines)))
    found = heads or any(map(_MESSAGE.fullmatch, map(str.strip, lines)))
    return len(lines) if found or lines[0].strip() == _EMPTY else 0


def read(source: Source) -> None:
    """Read the messages; each recipient counts as one."""
    arrivals = Arrivals(source)
    state: State | None = None
    age_s: float | None = None
    reason = ""
    expiring = 0
    for number, line in source.lines():
        text = line.strip()
        message = _MESSAGE.fullmatch(text)
        if message is not None:
            source.seen = True
            state, reason = _state(message["marks"]), ""
            expiring += "#" in message["marks"]
            at_s = arrived_s(message["arrived"], source.moment_s)
            age_s = None if at_s is None else arrivals.age_s(at_s)
        elif _HEADING.fullmatch(text) or text == _EMPTY:
            source.seen = True
        elif text.startswith("--"):
            state = None  # the sum at the end
        elif line[0] not in " \t(" and ("@" not in text or " " in text):
            # A list that went through a web page may have lost its indents.
            state = None
            source.skip(number, "it begins no message of a queue; write what `mailq` prints")
        elif state is None:
            source.skip(number, "it belongs to no message")
        elif text.startswith("("):
            reason = "" if text == _UNAVAILABLE else reason_of(text[1:].removesuffix(")"))
        else:
            known = state._asdict()
            source.add(domain_of(text), youngest_s=age_s, oldest_s=age_s, reason=reason, **known)
    arrivals.settle()
    source.notes.append("Times of arrival are read as local time, of the last twelve months.")
    source.note(expiring, "message", "marked to expire are read like the others.")


def _state(marks: str) -> State:
    if "!" in marks:
        return STATES["hold"]
    # Postfix lists the messages of incoming and maildrop without a mark, too; they are few.
    return STATES["active" if "*" in marks else "deferred"]


@lru_cache(50_000)
def arrived_s(stamp: str, moment_s: float) -> float | None:
    """Return the time of a stamp without a year: the latest one by the moment's next day."""
    month, day, time = stamp.split()
    hour, minute, second = map(int, time.split(":"))
    latest = datetime.fromtimestamp(moment_s).year + 1
    for year in range(latest, latest - 10, -1):
        try:
            moment = datetime(year, MONTHS.index(month) + 1, int(day), hour, minute, second)
        except ValueError:  # 29 February
            continue
        if moment.timestamp() <= moment_s + DAY_S:
            return moment.timestamp()
    return None
