"""The pattern of a stream in the textbook model: the batches of one hour after the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction

from sendcap.scenario import Delivery
from sendcap.text.clock import after


def ready_s(delivery: Delivery, start: datetime | None, batches: int) -> Iterator[float]:
    """Yield when each batch of a delivery is ready."""
    if delivery.pattern is None or start is None:
        yield from (delivery.at + delivery.spread / batches * number for number in range(batches))
        return
    hours = list(_hours(delivery, delivery.pattern, start))
    total = sum(ready for _, _, ready in hours)
    number, before = 0, Fraction(0)
    for begins_s, ends_s, ready in hours:
        # A batch waits for the share of all that comes before it. In a fraction nothing is rounded.
        while number * total < (before + ready) * batches:
            share = (Fraction(number, batches) * total - before) / ready
            yield begins_s + float(share) * (ends_s - begins_s)
            number += 1
        before += ready
    # An hour without messages is passed over; so is a spread that has none.
    yield from (batches - number) * [delivery.at + delivery.spread]


def _hours(
    delivery: Delivery, pattern: tuple[float, ...], start: datetime
) -> Iterator[tuple[float, float, Fraction]]:
    """Yield the hours of the clock: begin, end, and how much becomes ready."""
    now_s, last_s = delivery.at, delivery.at + delivery.spread
    while now_s < last_s:
        clock = after(start, now_s)
        passed_s = 60 * clock.minute + clock.second + clock.microsecond / 1e6
        ends_s = min(now_s + 3600.0 - passed_s, last_s)
        weight = pattern[(24 * clock.weekday() + clock.hour) % len(pattern)]
        yield now_s, ends_s, Fraction(weight) * Fraction(ends_s - now_s)
        now_s = ends_s
