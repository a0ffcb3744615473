"""Deliveries that are sent in parts or again and again, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sendcap.scenario.durations import format_duration
from sendcap.scenario.moments import at_text
from sendcap.scenario.repetition import waves_of
from sendcap.scenario.section import Place

if TYPE_CHECKING:
    from sendcap.scenario.delivery import Delivery


def programme_problems(delivery: Delivery) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong, and where."""
    if delivery.every is None:
        for key in ("times", "until"):
            if getattr(delivery, key) is not None:
                yield (key,), 'belongs to a recurring delivery; give every, such as every = "7d"'
    elif (delivery.times is None) == (delivery.until is None):
        yield ("every",), "needs either times, a number of sendings, or until, a moment"
    elif delivery.until is not None and delivery.until < delivery.at:
        until, at = map(at_text, (delivery.until, delivery.at))
        yield ("until",), f"{until} comes before the first sending, {at}; give a later moment"
    elif delivery.confirm is not None and delivery.gives_up_s > delivery.every:
        given, every = map(format_duration, (delivery.gives_up_s, delivery.every))
        message = f"{given} is longer than every, {every}: the next sending would start before "
        yield ("confirm", "give_up"), f"{message}this one is confirmed; give at most {every}"
    parts = [key for key in ("waves", "cells", "local_time") if getattr(delivery, key) is not None]
    if len(parts) > 1:
        yield (parts[1],), f"cannot be together with {parts[0]}; leave one of them out"
    if delivery.local_time is None and delivery.zones:
        yield ("zones",), 'belong to local_time; give it, such as local_time = "09:00"'
    elif delivery.local_time is not None and not delivery.zones:
        yield ("local_time",), 'needs zones, such as zones = { "Europe/Berlin" = 1 }'
    starts_s = [("waves", wave.after) for wave in waves_of(delivery.waves)]
    starts_s += [("cells", delivery.cells.after)] if delivery.cells else []
    for key, after_s in starts_s[-1:]:
        if after_s >= delivery.validity:
            after, validity = format_duration(after_s), format_duration(delivery.validity)
            message = f"the last part starts after {after}, when the validity, {validity}, is over"
            yield (key,), message
