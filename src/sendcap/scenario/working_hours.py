"""Working hours, such as ``Mon-Fri 09:00-18:00``, and how much time of work has passed."""

import math
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, Final, Self

from sendcap.scenario.clock import weekday
from sendcap.text.clock import after, elapsed_since
from sendcap.text.quoting import shown

_ENTRY: Final = re.compile(r"(\D*?)\s*(\d.*)?", re.DOTALL)
_DAYS: Final = re.compile(r"(?:([A-Za-z]+)(?:\s*-\s*([A-Za-z]+))?)?", re.ASCII)
_TIMES: Final = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})", re.ASCII)
_EXAMPLE: Final = '"Mon-Fri 09:00-18:00"'
_MINUTES: Final = 24 * 60
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class WorkingHours:
    """The hours of a week in which people work: minutes of each day from Monday on."""

    days: tuple[tuple[tuple[int, int], ...], ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the hours of a text: days and times, with commas between several.

        Raises
        ------
        ValueError
            If it is no such text, or times overlap.

        Examples
        --------
        >>> WorkingHours.parse("Sat 09:00-12:00").days[5]
        ((540, 720),)
        """
        days: list[list[tuple[int, int]]] = [[] for _ in range(7)]
        for entry in text.split(","):
            first, last, *clock = _read(entry.strip(), text)
            begins, ends = _minute(clock[:2], text), _minute(clock[2:], text)
            if begins >= ends:
                raise ValueError(
                    f"{shown(entry.strip())} ends before it begins; "
                    'write a night as two, such as "22:00-24:00, 00:00-06:00"'
                )
            for number in _days(first, last, text):
                days[number].append((begins, ends))
        for times in days:
            times.sort()
            if any(one[1] > two[0] for one, two in pairwise(times)):
                raise ValueError(f"{shown(text)} has hours that overlap")
        return cls(tuple(map(tuple, days)))

    def from_(self, start: datetime, from_s: float) -> Iterator[tuple[float, float]]:
        """Yield the times of work after a moment: begin and end, in seconds from t = 0."""
        local = after(start, from_s).date()
        while True:
            for since_s, until_s, midnight_s in _even(start, local):
                for minutes in self.days[local.weekday()]:
                    begins_s, ends_s = (midnight_s + 60.0 * minute for minute in minutes)
                    begins_s, ends_s = max(begins_s, since_s, from_s), min(ends_s, until_s)
                    if begins_s < ends_s:
                        yield begins_s, ends_s
            local += timedelta(days=1)

    def worked(self, start: datetime, from_s: float, work_s: float, until_s: float) -> float:
        """Return the moment at which so many seconds of work have passed since another one.

        Without any work that is the first moment at which somebody works; infinity if it does not
        come until a last moment.
        """
        left_s = work_s
        for begins_s, ends_s in self.from_(start, from_s):
            if begins_s + left_s > until_s:
                break
            if left_s <= ends_s - begins_s:
                return begins_s + left_s
            left_s -= ends_s - begins_s
        return math.inf


def _read(entry: str, text: str) -> tuple[Any, ...]:
    """Return the first and the last day of an entry, and the hours and minutes of its times."""
    found = _ENTRY.fullmatch(entry)
    assert found is not None
    days, times = found[1], found[2] or ""
    named, timed = _DAYS.fullmatch(days), _TIMES.fullmatch(times)
    if named is not None and timed is not None:
        return *named.groups(), *timed.groups()
    what, wrong = ("days", days) if named is None else ("times", times)
    reason = f"; {shown(wrong)} are no {what}" if wrong else f"; {shown(entry)} has no times"
    reason = reason if entry else ""
    raise ValueError(f"{shown(text)} are no working hours; write them like {_EXAMPLE}{reason}")


def _minute(clock: list[str], text: str) -> int:
    hour, minute = map(int, clock)
    number = 60 * hour + minute
    if minute > 59 or number > _MINUTES:
        raise ValueError(f"{shown(text)}: {hour}:{minute:02} is no time of day")
    return number


def _days(first: str | None, last: str | None, text: str) -> Iterator[int]:
    if first is None:
        yield from range(7)
        return
    number = weekday(first, text)
    until = number if last is None else weekday(last, text)
    yield number
    while number != until:
        number = (number + 1) % 7
        yield number


def _even(start: datetime, local: date) -> Iterator[tuple[float, float, float]]:
    """Yield the parts of a day in which the clock runs evenly: begin, end, and the midnight before.

    All are in seconds from t = 0. A day on which the clock is put forward or back has two parts,
    and the midnight of each is by the offset that it has.
    """
    zone = start.tzinfo
    begins, ends = (datetime.combine(each, time(), zone) for each in (local, local + _DAY))
    if zone is None:
        since_s, until_s = ((each - start).total_seconds() for each in (begins, ends))
    else:
        since_s, until_s = (elapsed_since(start, each) for each in (begins, ends))
    if begins.utcoffset() == ends.utcoffset():
        yield since_s, until_s, since_s
        return
    change_s = since_s + bisect_left(
        range(round(until_s - since_s)),
        True,
        key=lambda later_s: after(begins, later_s).utcoffset() != begins.utcoffset(),
    )
    yield since_s, change_s, since_s
    yield change_s, until_s, until_s - _DAY.total_seconds()
