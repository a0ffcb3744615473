"""PowerMTA's ``pmta show topqueues``, ``show queues`` and ``show domains``.

Source: PowerMTA 5.0, User's Guide, 5.4, 6.3.12 and 6.3.13.
"""

import re
from datetime import datetime, timedelta
from typing import Final

from sendcap.calibration.reasons import UNREACHABLE
from sendcap.importers.queue_files import powermta_outputs
from sendcap.importers.queue_files.queued import domain_named, named, reason_of
from sendcap.importers.queue_files.source import Source
from sendcap.importers.reading import whole
from sendcap.text.quantities import counted

FORMAT: Final = "powermta"

_TIME: Final = re.compile(r"(?:(\d{4})-(\d\d)-(\d\d) )?(\d\d):(\d\d):(\d\d)")
_NO_CONNECTION: Final = re.compile(r"E[A-Z]{4,20}\b")
"""An error of the system, such as ETIMEDOUT."""
_HALF_A_DAY: Final = timedelta(hours=12)


def recognises(lines: list[str]) -> int:
    """Return the number of lines, if there is a list of queues."""
    return len(lines) if powermta_outputs.recognises(lines) else 0


def read(source: Source) -> None:
    """Read the queues: of a domain and a virtual MTA, which is the pool here."""
    moment = datetime.fromtimestamp(source.moment_s)
    waiting = paused = 0
    for queue in powermta_outputs.queues_of(source):
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
