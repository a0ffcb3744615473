"""When the batches of a stream are ready whose rate follows the hours of the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction

from oracle_confirmation import clock

from sendcap.scenario import Delivery

QUARTER = Fraction(900)
"""Of an hour: no clock is put forward or back but at the end of one."""


def ready_moments(
    delivery: Delivery, begins: float, start: datetime | None, batches: int
) -> Iterator[float]:
    """Yield the moment at which the share of each batch is ready."""
    if delivery.pattern is None:
        yield from (begins + delivery.spread * number / batches for number in range(batches))
        return
    assert start is not None
    pieces = list(pieces_of(delivery, begins, start))
    total = sum((until - since) * weight for since, until, weight in pieces)
    if not total:  # that is a span of time without messages, too
        yield from batches * [float(pieces[-1][1])]
        return
    for number in range(batches):
        left = total * number / batches
        for since, until, weight in pieces:
            if left < (until - since) * weight:
                yield float(since + left / weight)
                break
            left -= (until - since) * weight


def pieces_of(
    delivery: Delivery, begins: float, start: datetime
) -> Iterator[tuple[Fraction, Fraction, Fraction]]:
    """Yield times of at most a quarter of an hour, and the weight of each."""
    assert delivery.pattern is not None
    now = Fraction(begins)
    ends = now + Fraction(delivery.spread)
    while now < ends:
        shown = clock(start, float(now))
        passed = 60 * (shown.minute % 15) + shown.second + Fraction(shown.microsecond, 10**6)
        until = min(now + QUARTER - passed, ends)
        hour = 24 * shown.weekday() + shown.hour
        yield now, until, Fraction(delivery.pattern[hour % len(delivery.pattern)])
        now = until
