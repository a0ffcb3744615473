"""Events of sending services in a table, as JSON lines.

Whoever exports events to a spreadsheet or from a warehouse gets a column for each key, that of a
nested key with a dot, ``delivery-status.code``. SendGrid's own table calls the time ``processed``
and the number of a message ``message_id``. Sources: the events' own, of each reader; Twilio
SendGrid, "Email Activity Feed", "Request a CSV".
"""

import codecs
import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

_LONGEST_HEAD: Final = 8192
_SEPARATORS: Final = ",;\t"
_ZONE: Final = " UTC"
_TIMES: Final = ("timestamp", "mail.timestamp", "delivery.timestamp", "bounce.timestamp")
_LISTS: Final = ("delivery.recipients", "mail.destination")
_OTHER_NAMES: Final = {"message_id": "sg_message_id", "processed": "timestamp"}
"""Of SendGrid's own table."""
_NEEDED: Final = (
    # What a header has at least; of the last ones, one.
    ({"event", "email", "timestamp"}, {"sg_message_id", "sg_event_id"}),
    ({"event", "email", "processed"}, {"message_id"}),
    ({"type", "rcpt_to", "timestamp"}, {"event_id"}),
    ({"event", "recipient", "timestamp"}, {"delivery-status.code", "log-level"}),
    ({"mail.messageid"}, {"eventtype", "notificationtype"}),
)
_DAMAGED: Final = b"damaged row\n"


def is_table(head: bytes) -> bool:
    """Tell whether a text begins with a header of events.

    >>> is_table(b"event,email,timestamp,sg_event_id"), is_table(b"type,timeLogged,rcpt")
    (True, False)
    """
    line = head[:_LONGEST_HEAD].lstrip().partition(b"\n")[0]
    return any(each in line for each in (b"event", b"rcpt_to", b"notificationType")) and (
        _dialect(line.decode("utf-8", "replace")) is not None
    )


def rows_by_line(pieces: Iterable[bytes]) -> Iterator[bytes]:
    r"""Yield the rows of a table piece by piece, each as a JSON object on a line.

    >>> b"".join(rows_by_line([b"event,email,timestamp,sg_event_id\nopen,a@b.example,1,x\n"]))
    b'{"event": "open", "email": "a@b.example", "timestamp": "1", "sg_event_id": "x"}\n'
    """
    lines = _lines(pieces)
    head = next(lines, "")
    separator = _dialect(head) or ","
    header = [_named(name, head) for name in _cells(head, separator)]
    rows = csv.reader(lines, delimiter=separator)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            yield _DAMAGED
            continue
        if any(row):
            event = _event(dict(zip(header, row, strict=False)))
            yield json.dumps(event, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    rest = ""
    for piece in pieces:
        *lines, rest = (rest + decode(piece)).replace("\0", "").split("\n")
        yield from (f"{line}\n" for line in lines)
    if rest.strip():
        yield rest


def _dialect(line: str) -> str | None:
    """Return the separator of a header of events; None for any other line."""
    for separator in _SEPARATORS:
        names = {name.casefold() for name in _cells(line, separator)}
        if any(needed <= names and names & one_of for needed, one_of in _NEEDED):
            return separator
    return None


def _cells(line: str, separator: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
    except csv.Error:
        return []


def _named(name: str, head: str) -> str:
    return name if "sg_message_id" in head or "event_id" in head else _OTHER_NAMES.get(name, name)


def _event(row: dict[str, str]) -> dict[str, Any]:
    """Return an event, with an object for each name before a dot."""
    event: dict[str, Any] = {}
    for name, cell in row.items():
        if not cell:
            continue
        value = _value(name, cell)
        *outer, key = name.split(".")
        within = event
        for each in outer:
            below = within.setdefault(each, {})
            within = below if isinstance(below, dict) else {}
        within[key] = value
    return event


def _value(name: str, cell: str) -> Any:
    if cell[0] in "[{":
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):
            return cell
    if name in _LISTS:
        return [cell]
    return cell.removesuffix(_ZONE) if name in _TIMES else cell
