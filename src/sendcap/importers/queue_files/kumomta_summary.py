"""The tables of KumoMTA's ``kcli queue-summary``: ready queues, then scheduled ones.

Source: KumoMTA, ``crates/kcli/src/queue_summary.rs``. Its form may change, as KumoMTA says.
"""

import re
from typing import Final

from sendcap.importers.queue_files.kumomta_names import Queues
from sendcap.importers.queue_files.source import Source
from sendcap.importers.reading import whole

_COUNT: Final = r"\d[\d,]{0,15}"
_READY: Final = re.compile(r"SITE\s+SOURCE\s+PROTO\s+D\s+T\s+C\s+Q")
_SCHEDULED: Final = re.compile(r"SCHEDULED QUEUE\s+COUNT")
_READY_ROW: Final = re.compile(
    rf"(?P<site>\S+)(?P<names>(?:\s+[^\s\d,]\S*|\s+\d\S*[^\s\d,]\S*){{0,2}}?)"
    rf"(?:\s+{_COUNT}){{3}}\s+(?P<count>{_COUNT})(?:\s+(?P<status>\D.*))?"
)
_SCHEDULED_ROW: Final = re.compile(
    rf"(?P<queue>\S.*?)\s+(?P<count>{_COUNT})(?:\s+(?P<status>\D.*))?"
)
_LONGEST: Final = 10_000
"""Characters of a row."""
_SUSPENDED: Final = "suspend:"
_BOUNCED: Final = "bounce:"


def recognises(lines: list[str]) -> bool:
    """Tell whether a line heads a table."""
    stripped = [line.strip() for line in lines]
    return any(_READY.fullmatch(line) or _SCHEDULED.fullmatch(line) for line in stripped)


def read(source: Source) -> None:
    """Read both tables; a suspended queue is held."""
    queues = Queues(source)
    row: re.Pattern[str] | None = None
    bounced = 0
    for number, line in source.lines():
        text = line.strip()
        if _READY.fullmatch(text):
            row, source.seen = _READY_ROW, True
        elif _SCHEDULED.fullmatch(text):
            row, source.seen = _SCHEDULED_ROW, True
        elif row is not None:
            found = row.fullmatch(text) if len(text) <= _LONGEST else None
            if found is None:
                source.skip(number, "it is no row of `kcli queue-summary`")
                continue
            messages = whole(found["count"].replace(",", ""))
            status = found["status"] or ""
            held = _SUSPENDED in status
            if _BOUNCED in status:
                bounced += messages
            elif row is _SCHEDULED_ROW:
                queues.scheduled(found["queue"], messages, held=held)
            else:
                names = found["names"].split()
                is_smtp = not names or names[-1] == "smtp_client"
                queues.ready_at(found["site"], messages, is_smtp=is_smtp, held=held)
    source.note(bounced, "message", "left out, as their queues are being bounced.")
    queues.note()
