"""Sendmail's ``mailq``, the same as ``sendmail -bp``: a block of lines for each message.

Source: sendmail, ``sendmail/queue.c``, ``print_single_queue``; ``-v`` adds the priorities. A reason
is there once a message has been tried. An address has up to 38 characters, and may be cut.
"""

import re
from typing import Final

from sendcap.importers.queue_files.mailq import DAYS, MONTHS, arrived_s
from sendcap.importers.queue_files.queued import Queued, domain_of, provider_at, reason_of
from sendcap.importers.queue_files.source import Arrivals, Source
from sendcap.text.quantities import MINUTE_S

FORMAT: Final = "sendmail"

_MESSAGE: Final = re.compile(
    r"[0-9A-Za-z]{7,20}(?P<mark>[*X-]?)\s+(?:\d{1,15}\s+)?(?:\d{1,15}[ +]\s*)?"
    rf"(?:(?:{DAYS})\s+)?(?P<arrived>(?:{'|'.join(MONTHS)})\s+\d\d?\s+\d\d:\d\d)\s+\S.*"
)
_GONE: Final = re.compile(r"[0-9A-Za-z]{7,20}[*X-]?\s+\((?:job completed|no control file)\)")
_HEADING: Final = re.compile(
    r"-+Q-?ID-+\s+-+Size-+\s+(?:-+Priority-+\s+)?-+Q-?Time-+\s+-+Sender/Recipient-+"
)
_COUNT: Final = re.compile(
    r"\S.* \((?P<all>\d{1,12}) requests?(?:, only (?P<some>\d{1,12}) printed)?\)"
)
_AROUND: Final = re.compile(
    r"Total requests: \d+|\S+ Queue status\.\.\.|\S+ is empty(?: .*)?", re.IGNORECASE
)
_REASON: Final = re.compile(
    r"(?:(?:7BIT|8BITMIME)\s*)?(?:QUARANTINE: [^(]*)?(?:\((?P<text>.*)\)?)?"
)
_QUARANTINE: Final = "QUARANTINE: "
_LONGEST: Final = 38


def recognises(lines: list[str]) -> int:
    """Return the number of lines, if there is a heading, a message or an empty queue."""
    texts = [line.strip() for line in lines]
    found = any(map(_HEADING.fullmatch, texts)) or any(map(_MESSAGE.fullmatch, texts))
    return len(lines) if found or all(map(_AROUND.fullmatch, texts)) else 0


def read(source: Source) -> None:
    """Read the messages; each recipient counts as one."""
    arrivals = Arrivals(source)
    message: Queued | None = None
    for number, line in source.lines():
        text = line.strip()
        begins = _MESSAGE.fullmatch(text)
        if begins is not None:
            source.seen = True
            message = _begun(source, arrivals, begins)
        elif _is_around(source, text):
            message = None
        elif line[0] not in " \t(" and ("@" not in text or " " in text) and not _is_reason(text):
            message = None
            source.skip(number, "it begins no message of a queue; write what `mailq` prints")
        elif message is None:
            source.skip(number, "it belongs to no message")
        elif _is_reason(text):
            message = _with_reason(message, text)
        else:
            domain = "" if _is_cut(text) else domain_of(text.strip("<>"))
            source.groups.add(message._replace(domain=domain, provider=provider_at(domain)))
    arrivals.settle()
    source.notes.append("Times of arrival are read as local time, of the last twelve months.")


def _begun(source: Source, arrivals: Arrivals, begins: re.Match[str]) -> Queued:
    """Return a message without a recipient; until a reason follows, it has not been tried."""
    at_s = arrived_s(f"{begins['arrived']}:00", source.moment_s)
    oldest_s = None if at_s is None else arrivals.age_s(at_s)
    youngest_s = None if oldest_s is None else oldest_s - MINUTE_S
    attempts = None if begins["mark"] == "*" else 0
    return Queued("", "", 1, youngest_s, oldest_s, attempts, 0.0)


def _is_around(source: Source, text: str) -> bool:
    """Tell whether a line is about a queue and not about a message."""
    count = _COUNT.fullmatch(text)
    if count is not None and count["some"]:
        listed, every = int(count["some"]), int(count["all"])
        source.notes.append(f"The file lists {listed:,} of {every:,} messages of a queue.")
    about = (_HEADING, _GONE, _AROUND)
    found = count is not None or any(each.fullmatch(text) for each in about)
    source.seen = source.seen or found
    return found


def _is_reason(text: str) -> bool:
    return _REASON.fullmatch(text) is not None


def _with_reason(message: Queued, text: str) -> Queued:
    if _QUARANTINE in text:
        return message._replace(held=True, attempts=None, due_s=None)
    reason = _REASON.fullmatch(text)
    if reason is None or reason["text"] is None or text.startswith("(---"):
        return message
    # What is locked is being tried just now.
    due_s = 0.0 if message.attempts is None else None
    text = reason["text"].removesuffix(")").removeprefix("Deferred: ")
    return message._replace(reason=reason_of(text), attempts=None, due_s=due_s)


def _is_cut(address: str) -> bool:
    if address.startswith("<"):
        return not address.endswith(">")
    return len(address) >= _LONGEST
