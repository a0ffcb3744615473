"""The values of PowerMTA's directives: rates, times, numbers; the rates of a queue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from sendcap.importers.reading import Entry, whole, yes
from sendcap.scenario.durations import parse_duration
from sendcap.text.quoting import shown

RATES: Final = ("max-msg-rate", "max-msg-per-hour", "source-ip-max-msg-rate", "max-connect-rate")
"""Directives that limit the rate of messages, alone or together with others."""

_RATE: Final = re.compile(r"(\d{1,12})/(\d{0,6})(d|day|h|hr|m|min|s|sec)", re.IGNORECASE | re.ASCII)
_UNIT_S: Final = {"d": 86_400, "h": 3600, "m": 60, "s": 1}


class PeriodRate(NamedTuple):
    """A number of messages in each period."""

    limit: int
    period_s: int

    @property
    def per_s(self) -> float:
        """Messages per second, in the long run."""
        return self.limit / self.period_s


class QueueRate(NamedTuple):
    """One of a queue's rates, and the directive behind it."""

    rate: PeriodRate
    name: str
    value: str
    directive: Entry


def rate_or_none(text: str) -> PeriodRate | None:
    """Read a rate such as ``83/10m``; None for ``unlimited`` and 0.

    Examples
    --------
    >>> rate_or_none("83/10m"), rate_or_none("unlimited")
    (PeriodRate(limit=83, period_s=600), None)
    """
    if text.casefold() in ("unlimited", "0"):
        return None
    match = _RATE.fullmatch(text)
    times = int(match[2] or 1) if match else 0
    if match is None or times == 0 or int(match[1]) == 0:
        raise ValueError(f"{shown(text)} is not a rate; write N/[M]d, h, m or s, such as 83/10m")
    return PeriodRate(int(match[1]), times * _UNIT_S[match[3][0].casefold()])


def per_hour_or_none(text: str) -> PeriodRate | None:
    """Read a number per hour, as in older directives."""
    count = number_or_none(text)
    return None if count is None else PeriodRate(count, 3600)


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


def rates_of(directives: dict[str, Entry], per_connection: int | None) -> Iterator[QueueRate]:
    """Yield the rate limits of a queue's messages, of which the lowest decides.

    Parameters
    ----------
    directives
        Directives of the queue.
    per_connection
        Messages per connection, None for any number: a limit of new connections is then a limit of
        messages, too.

    Raises
    ------
    ConfigurationError
        If a value is not a rate.
    """
    for name, reader in (("max-msg-rate", rate_or_none), ("max-msg-per-hour", per_hour_or_none)):
        own = directives.get(name)
        if own is not None and (rate := own.read(reader)) is not None:
            yield QueueRate(rate, name, own.value, own)
    by_address = directives.get("source-ip-max-msg-rate")
    if by_address is not None:
        # The value is a range of addresses and a rate.
        rate_alone = by_address._replace(value=(by_address.value.split() or [""])[-1])
        if (rate := rate_alone.read(rate_or_none)) is not None:
            yield QueueRate(rate, by_address.name, by_address.value, by_address)
    connects = directives.get("max-connect-rate")
    if connects is not None and per_connection is not None:
        rate = connects.read(rate_or_none)
        if rate is not None:
            cycling = PeriodRate(rate.limit * per_connection, rate.period_s)
            name = "max-connect-rate × max-msg-per-connection"
            yield QueueRate(cycling, name, f"{connects.value} × {per_connection}", connects)
