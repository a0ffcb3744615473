"""The values of PowerMTA's directives: rates, times, numbers; the rates of a queue."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from sendcap.importers.reading import Entry, whole, yes
from sendcap.scenario.durations import parse_duration
from sendcap.scenario.rates import Rate
from sendcap.text.quoting import shown

RATES: Final = ("max-msg-rate", "max-msg-per-hour", "source-ip-max-msg-rate", "max-connect-rate")
"""Directives that limit the rate of messages, alone or together with others."""

_RATE: Final = re.compile(r"(\d{1,12})/(\d{0,6})(d|day|h|hr|m|min|s|sec)", re.IGNORECASE | re.ASCII)
_UNIT_S: Final = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0}


class QueueRate(NamedTuple):
    """One of a queue's rates, as the report shows it, and the directive behind it."""

    rate: Rate
    shown: Entry
    directive: Entry


def rate_or_none(text: str) -> Rate | None:
    """Read a rate such as ``83/10m``; None for ``unlimited`` and 0.

    >>> rate_or_none("83/10m"), rate_or_none("unlimited")
    (Rate(limit=83, period_s=600.0, burst=None), None)
    """
    if text.casefold() in ("unlimited", "0"):
        return None
    match = _RATE.fullmatch(text)
    times = int(match[2] or 1) if match else 0
    if match is None or times == 0 or int(match[1]) == 0:
        raise ValueError(f"{shown(text)} is not a rate; write N/[M]d, h, m or s, such as 83/10m")
    return Rate(int(match[1]), times * _UNIT_S[match[3][0].casefold()])


def per_hour_or_none(text: str) -> Rate | None:
    """Read a number per hour, as in older directives."""
    count = number_or_none(text)
    return None if count is None else Rate(count, 3600.0)


def number_or_none(text: str) -> int | None:
    """Read a whole number; None for ``unlimited`` and 0."""
    return None if text.casefold() == "unlimited" else whole(text) or None


def boolean(text: str) -> bool:
    """Read yes or no, or true or false."""
    return yes({"true": "yes", "false": "no"}.get(text.casefold(), text))


def seconds(text: str) -> float:
    """Read a duration such as ``4d12h``; a bare 0 is allowed."""
    return 0.0 if text == "0" else parse_duration(text.casefold())


def intervals(text: str) -> tuple[float, ...]:
    """Read a list of durations, such as ``10m,10m,1h``."""
    return tuple(seconds(entry.strip()) for entry in text.split(","))


def message_rates(
    directives: Mapping[str, Entry], prefix: str = ""
) -> Iterator[tuple[Rate, Entry]]:
    """Yield the rates of ``max-msg-rate`` and ``max-msg-per-hour``, or those with a prefix."""
    for name, reader in (("max-msg-rate", rate_or_none), ("max-msg-per-hour", per_hour_or_none)):
        own = directives.get(prefix + name)
        if own is not None and (rate := own.read(reader)) is not None:
            yield rate, own


def rates_of(directives: Mapping[str, Entry], per_connection: int | None) -> Iterator[QueueRate]:
    """Yield the rate limits of a queue's messages, of which the lowest decides.

    With a number of messages per connection, a limit of new connections is one of messages, too.
    """
    for rate, own in message_rates(directives):
        yield QueueRate(rate, own, own)
    by_address = directives.get("source-ip-max-msg-rate")
    if by_address is not None:
        # The value is a range of addresses and a rate.
        rate_alone = by_address._replace(value=(by_address.value.split() or [""])[-1])
        if (own_rate := rate_alone.read(rate_or_none)) is not None:
            yield QueueRate(own_rate, by_address, by_address)
    connects = directives.get("max-connect-rate")
    if connects is not None and per_connection is not None:
        opened = connects.read(rate_or_none)
        if opened is not None:
            product = connects._replace(
                name="max-connect-rate × max-msg-per-connection",
                value=f"{connects.value} × {per_connection}",
            )
            cycling = Rate(opened.limit * per_connection, opened.period_s)
            yield QueueRate(cycling, product, connects)
