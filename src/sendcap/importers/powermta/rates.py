"""The rates that a PowerMTA queue is held to, of which the lowest decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from sendcap.importers.powermta.domains import Directives
from sendcap.importers.powermta.syntax import Directive
from sendcap.importers.powermta.values import (
    PeriodRate,
    per_hour_or_none,
    rate_or_none,
    value_of,
)

RATES: Final = ("max-msg-rate", "max-msg-per-hour", "source-ip-max-msg-rate", "max-connect-rate")
"""Directives that hold the rate of messages, by themselves or with others."""


class QueueRate(NamedTuple):
    """One of a queue's rates, with the directive that it comes from."""

    rate: PeriodRate
    name: str
    given: str
    directive: Directive


def rates_of(found: Directives, per_connection: int | None) -> Iterator[QueueRate]:
    """Yield the rates that a queue's directives mean for its messages.

    Parameters
    ----------
    found
        What holds for the queue.
    per_connection
        Messages that a connection is good for, None for any number: connections that may be opened
        so often carry that many each.

    Raises
    ------
    ConfigurationError
        For a value that is no rate.
    """
    for name, read in (("max-msg-rate", rate_or_none), ("max-msg-per-hour", per_hour_or_none)):
        if name in found and (rate := value_of(found[name], read)) is not None:
            yield QueueRate(rate, name, found[name].value, found[name])
    its = found.get("source-ip-max-msg-rate")
    if its is not None:
        # The value is a range of addresses and a rate.
        own = its._replace(value=(its.value.split() or [""])[-1])
        if (rate := value_of(own, rate_or_none)) is not None:
            yield QueueRate(rate, its.name, its.value, its)
    its = found.get("max-connect-rate")
    if its is not None and per_connection is not None:
        rate = value_of(its, rate_or_none)
        if rate is not None:
            cycling = PeriodRate(rate.limit * per_connection, rate.period_s)
            name = "max-connect-rate × max-msg-per-connection"
            yield QueueRate(cycling, name, f"{its.value} × {per_connection}", its)
