"""Postfix's ``postqueue -j``: a message a line, as JSON.

Source: Postfix, ``src/postqueue/showq_json.c`` and ``src/showq/showq.c``.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from sendcap.importers.queue_files.queued import domain_of, reason_of
from sendcap.importers.queue_files.source import Arrivals, Source

FORMAT: Final = "postqueue"


class State(NamedTuple):
    """What the queue of a message says of it."""

    attempts: int | None
    due_s: float | None
    held: bool


STATES: Final = {
    "maildrop": State(0, 0.0, held=False),
    "incoming": State(0, 0.0, held=False),
    "active": State(None, 0.0, held=False),
    "deferred": State(None, None, held=False),
    "hold": State(None, None, held=True),
}
"""Postfix's queues. A message goes through the active one for each of its attempts."""
_RIGHT: Final = "write what `postqueue -j` prints, one message a line"
_NAME: Final = "queue_name"
_MARK: Final = f'"{_NAME}"'


def recognises(lines: list[str]) -> int:
    """Return the number of lines in this format."""
    return sum(_MARK in line for line in lines)


def read(source: Source) -> None:
    """Read the messages; each recipient counts as one."""
    arrivals = Arrivals(source)
    left_out = Counter[str]()
    for number, message in _messages(source):
        try:
            state = STATES[message[_NAME]]
            recipients = message["recipients"]
            if not isinstance(recipients, list):
                raise TypeError  # noqa: TRY301
            found = [_recipient(each) for each in recipients]
            age_s = arrivals.age_s(_whole(message["arrival_time"]), len(recipients))
        except (ValueError, TypeError, LookupError, AttributeError):
            source.skip(number, f"it is no message of a queue; {_RIGHT}")
            continue
        source.seen = True
        if message.get("forced_expire") is True:
            left_out["marked to expire"] += len(recipients)
            continue
        for each in found:
            if each is None:
                left_out["bounced already"] += 1
                continue
            domain, reason = each
            known = state._asdict()
            source.add(domain, youngest_s=age_s, oldest_s=age_s, reason=reason, **known)
    arrivals.settle()
    for why, count in left_out.items():
        verb = "was" if count == 1 else "were"
        source.note(count, "recipient", f"{verb} left out: {why}.")


def _messages(source: Source) -> Iterator[tuple[int, Any]]:
    """Yield the messages: one a line, or in any JSON, as other programs give them."""
    if not _is_by_line(source.head[0].strip()):
        for value in source.as_json():
            lists = value.values() if isinstance(value, dict) and _NAME not in value else [value]
            for each in lists:
                for message in each if isinstance(each, list) else [each]:
                    if isinstance(message, dict):
                        yield 1, message
        return
    for number, line in source.lines():
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError):
            yield number, None


def _is_by_line(first: str) -> bool:
    """Tell by the first line whether each is a message."""
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return _MARK in first or not first.startswith(("{", "["))
    return isinstance(value, dict) and _NAME in value


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _recipient(each: Any) -> tuple[str, str] | None:
    """Return a recipient's domain and reason, None for one that will be tried no more."""
    if isinstance(each, str):
        # As Mailcow has it: the address, and the reason in brackets.
        address, _, reason = each.partition(" (")
        return domain_of(address), reason_of(reason.removesuffix(")")) if reason else ""
    if "bounce_reason" in each:
        return None
    reason = each.get("delay_reason", "")
    return domain_of(each["address"]), reason_of(reason) if reason else ""
