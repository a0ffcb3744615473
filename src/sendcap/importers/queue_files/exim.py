"""Exim's ``exim -bp``: a line for each message, and one for each recipient.

Source: Exim, ``src/src/queue.c``, ``queue_list``.
"""

import re
from typing import Final

from sendcap.importers.queue_files.queued import domain_of
from sendcap.importers.queue_files.source import Source

FORMAT: Final = "exim"

_MESSAGE: Final = re.compile(
    r"\s?(?P<age>\d{1,6}[mhd])\s+(?:\d{1,9}(?:\.\d)?[KM]?\s+)?"
    r"[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4})(?P<rest>.*)"
)
_FROZEN: Final = "*** frozen ***"
_RECIPIENT: Final = re.compile(r"\s{6,}(?P<done>\+?D\s)?\s*(?P<address>\S.*)")
_MOST_DAYS: Final = 36_500


def recognises(lines: list[str]) -> int:
    """Return the number of lines, if some begin a message."""
    return len(lines) if any(_MESSAGE.fullmatch(line.rstrip()) for line in lines) else 0


def read(source: Source) -> None:
    """Read the messages; each recipient that has not got it yet counts as one."""
    age_s: tuple[float, float] | None = None
    frozen = False
    delivered = 0
    for number, line in source.lines():
        message = _MESSAGE.fullmatch(line.rstrip())
        recipient = _RECIPIENT.fullmatch(line.rstrip())
        if message is not None:
            source.seen = True
            age_s, frozen = _age_s(message["age"]), message["rest"].endswith(_FROZEN)
            if age_s is None:
                source.skip(number, "its age is none that Exim writes")
        elif line.strip() == _FROZEN:
            frozen = True
        elif recipient is None:
            age_s = None
            source.skip(number, "it is no message of a queue; write what `exim -bp` prints")
        elif recipient["done"]:
            delivered += 1
        elif age_s is None:
            source.skip(number, "it belongs to no message")
        else:
            youngest_s, oldest_s = age_s
            domain = domain_of(recipient["address"])
            source.add(domain, youngest_s=youngest_s, oldest_s=oldest_s, held=frozen)
    source.note(delivered, "recipient", "left out: delivered already.")


def _age_s(text: str) -> tuple[float, float] | None:
    """Return the bounds of an age: minutes up to 90, hours to the nearest up to 72, or days.

    >>> _age_s("25m"), _age_s("3h"), _age_s("2d")
    ((1500.0, 1560.0), (9000.0, 12600.0), None)
    """
    number, unit = int(text[:-1]), text[-1]
    # Hours are rounded at 30 minutes, days at 12 such hours.
    if unit == "m":
        return (60.0 * number, 60.0 * (number + 1)) if number <= 90 else None
    if unit == "h":
        bounds = 3600.0 * number - 1800.0, 3600.0 * number + 1800.0
        return (max(5460.0, bounds[0]), bounds[1]) if 2 <= number <= 72 else None
    bounds = 86_400.0 * number - 45_000.0, 86_400.0 * number + 41_400.0
    return (max(261_000.0, bounds[0]), bounds[1]) if 3 <= number <= _MOST_DAYS else None
