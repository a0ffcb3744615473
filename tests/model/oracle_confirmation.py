"""When each delivery starts: at its moment, or once somebody has confirmed it.

The minutes in which people work are gone through one by one.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from sendcap.scenario import Delivery, Scenario

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def starts_of(scenario: Scenario) -> dict[str, float]:
    """Return the start of each delivery; that of one that is never sent is infinite."""
    return {each.name: start_of(each, scenario.start) for each in scenario.deliveries}


def start_of(delivery: Delivery, start: datetime | None) -> float:
    confirm, origin = delivery.confirm, delivery.origin
    if confirm is None:
        return delivery.at
    sending, every = (delivery.at, None) if origin is None else (origin.at, origin.written.every)
    asked = sending - confirm.ahead
    work_s = confirm.within.mean_s  # constant, and so the same for all people
    if confirm.hours is None:
        confirmed = asked + work_s
    else:
        assert start is not None
        confirmed = worked(confirm.hours, start, asked, work_s)
    if confirmed > sending + (confirm.give_up or every or 7 * 86_400.0):
        return math.inf
    if origin is not None and origin.written.zones:
        return max(delivery.at, confirmed)
    return delivery.at + max(confirmed - sending, 0.0)


def clock(start: datetime, now: float) -> datetime:
    """Return what the clock shows."""
    if start.tzinfo is None:
        return start + timedelta(seconds=now)
    return (start.astimezone(UTC) + timedelta(seconds=now)).astimezone(start.tzinfo)


def worked(hours: str, start: datetime, asked: float, work_s: float) -> float:
    """Return when so much time of work has passed."""
    minutes, now = working_minutes(hours), asked
    while True:
        shown = clock(start, now)
        minute_s = 60.0 - shown.second - shown.microsecond / 1e6
        if (shown.weekday(), 60 * shown.hour + shown.minute) in minutes:
            if work_s <= minute_s:
                return now + work_s
            work_s -= minute_s
        now += minute_s


def working_minutes(hours: str) -> set[tuple[int, int]]:
    """Return the minutes of a week in which people work, by day and since midnight."""
    result = set()
    for entry in hours.split(","):
        *days, first, last = re.findall(r"[A-Za-z]+|\d+:\d+", entry)
        numbers = [DAYS.index(day[:3].lower()) for day in days] or [0, 6]
        begins, ends = (int(at[:-3]) * 60 + int(at[-2:]) for at in (first, last))
        day = numbers[0]
        while True:
            result |= {(day, minute) for minute in range(begins, ends)}
            if day == numbers[-1]:
                break
            day = (day + 1) % 7
    return result
