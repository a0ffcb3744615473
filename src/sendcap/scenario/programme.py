"""What written deliveries become: each repetition and each part is a delivery of its own."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from pydantic import SerializerFunctionWrapHandler, ValidationInfo

from sendcap.scenario.audience import apportioned
from sendcap.scenario.clock import Clock, zone_of
from sendcap.scenario.delivery import Delivery, Origin
from sendcap.scenario.durations import parse_duration
from sendcap.scenario.moments import CLOCK
from sendcap.scenario.population import Population
from sendcap.scenario.repetition import MOST_TIMES, waves_of
from sendcap.text.clock import after, elapsed_since
from sendcap.text.quantities import DAY_S
from sendcap.text.quoting import shown

_LATEST: Final = "366d"
_PLAIN: Final[dict[str, Any]] = dict.fromkeys(
    ("every", "times", "until", "waves", "cells", "local_time", "zones")
)
"""A delivery that is sent once and as a whole."""


def expanded(written: tuple[Delivery, ...], info: ValidationInfo) -> tuple[Delivery, ...]:
    """Return the deliveries that a scenario sends, for those that it has written."""
    clock = (info.context or {}).get(CLOCK)
    start = clock.start if isinstance(clock, Clock) else None
    population = info.data.get("population")
    return tuple(each for delivery in written for each in _sendings(delivery, start, population))


def collapsed(deliveries: tuple[Delivery, ...], write: SerializerFunctionWrapHandler) -> Any:
    """Write deliveries as a scenario file has them."""
    as_written = tuple(each for each in written(deliveries) if not each.is_held)
    rows = write(as_written)
    for delivery, row in zip(as_written, rows, strict=True):
        for name in delivery.filled_in:
            del row[name]
    return rows


def written(deliveries: Iterable[Delivery]) -> Iterator[Delivery]:
    """Yield the deliveries that a scenario file has, for those that are sent.

    Sendings that are not what the file says any more are written one by one.
    """
    for _, group in groupby(deliveries, key=lambda each: each.parent or each.name):
        sendings = list(group)
        origin = sendings[0].origin
        as_made = all(each.is_as_made for each in sendings)
        if origin is not None and as_made and len(sendings) == origin.of:
            yield origin.written
        else:
            yield from sendings


def parents_of(deliveries: Iterable[Delivery]) -> dict[str, tuple[str, ...]]:
    """Return the deliveries in parts or repetitions, with the names of these."""
    parents: dict[str, list[str]] = {}
    for delivery in deliveries:
        if delivery.parent is not None:
            parents.setdefault(delivery.parent, []).append(delivery.name)
    return {parent: tuple(names) for parent, names in parents.items()}


def numbered(deliveries: Iterable[Delivery]) -> Iterator[tuple[int, Delivery]]:
    """Yield deliveries with the numbers that those of a scenario file have."""
    number, before = -1, None
    for delivery in deliveries:
        # Two of a file may have the same name, which is a mistake.
        now = None if delivery.origin is None else delivery.origin.written
        if now is None or now is not before:
            number += 1
        before = now
        yield number, delivery


def names_of(deliveries: Iterable[Delivery]) -> Iterator[tuple[int, str]]:
    """Yield all names with the numbers of a scenario file: a parent's before those of its parts."""
    before = -1
    for number, delivery in numbered(deliveries):
        if delivery.parent is not None and number != before:
            yield number, delivery.parent
        before = number
        yield number, delivery.name


def _sendings(
    delivery: Delivery, start: datetime | None, population: Population | None
) -> Iterator[Delivery]:
    written = _filled(delivery, delivery.at, population)
    once = delivery.every is None
    if once and not (delivery.waves or delivery.cells or delivery.zones):
        yield written
        return
    made: list[tuple[Delivery, str, float]] = []
    for number, at in enumerate(_moments(delivery, start), 1):
        name = delivery.name if once else f"{delivery.name} {number}"
        sending = _filled(delivery, at, population)
        for part in _parts(sending, at, start):
            named = {"name": name + part.pop("part", "")}
            made.append((sending.model_copy(update=_PLAIN | part | named), name, at))
    for each, name, at in made:
        yield each.made_of(Origin(written, each, len(made), name, at))


def _filled(delivery: Delivery, at: float, population: Population | None) -> Delivery:
    """Return a delivery with the people whom it targets at a moment."""
    if population is None or delivery.segment not in (None, *population.segments):
        return delivery
    expected = population.expected(delivery.segment, at)
    return delivery.filled(expected, population.providers)


def _moments(delivery: Delivery, start: datetime | None) -> Iterator[float]:
    if delivery.every is None:
        yield delivery.at
        return
    latest_s, number = parse_duration(_LATEST), 0
    while delivery.times is None or number < delivery.times:
        at = _later_s(delivery.at, delivery.every * number, start)
        if delivery.until is not None and at > delivery.until:
            break
        if at > latest_s or number == MOST_TIMES:
            name, most = shown(delivery.name), f"{MOST_TIMES:,} sendings, all within {_LATEST}"
            raise ValueError(f"{name} is sent too often or for too long; at most {most}")
        yield at
        number += 1


def _later_s(at: float, later_s: float, start: datetime | None) -> float:
    """Return a moment so much later; whole days are days of the clock."""
    days, rest = divmod(later_s, DAY_S)
    # A time of the clock that it shows twice is the first one, which must not change the moment.
    if rest or not days or start is None or start.tzinfo is None:
        return at + later_s
    local = after(start, at) + timedelta(days=days)
    return elapsed_since(start, local)


def _parts(delivery: Delivery, at: float, start: datetime | None) -> Iterator[dict[str, Any]]:
    """Yield what is different for each part of a sending."""
    if delivery.zones:
        starts_s = {name: _local_s(delivery, name, at, start) for name in delivery.zones}
        parts = [(f" {name}", share, starts_s[name] - at) for name, share in delivery.zones.items()]
    elif delivery.cells:
        cells = delivery.cells
        names = [chr(ord("A") + number) for number in range(cells.count)]
        parts = [(f" {name}", cells.share, 0.0) for name in names]
        parts.append((" rest", 1.0 - cells.share * cells.count, cells.after))
    elif delivery.waves:
        waves = enumerate(waves_of(delivery.waves), 1)
        parts = [(f" wave {number}", wave.share, wave.after) for number, wave in waves]
    else:
        yield {"at": at}
        return
    counts = apportioned(delivery.messages, {name: share for name, share, _ in parts})
    for name, _, later_s in parts:
        if counts[name]:
            yield {
                "part": name,
                "messages": counts[name],
                "at": at + later_s,
                # The validity is that of the whole.
                "validity": delivery.validity - (0.0 if delivery.zones else later_s),
            }


def _local_s(delivery: Delivery, zone: str, at: float, start: datetime | None) -> float:
    """Return when the clock of a zone shows the delivery's local time, from a moment on."""
    if start is None or start.tzinfo is None:
        raise ValueError(
            f"{shown(delivery.name)}: local_time needs a start with a zone or an offset"
        )
    there = after(start, at).astimezone(zone_of(zone))
    assert delivery.local_time is not None
    return at + Clock(there).moment_s(delivery.local_time)
