"""Time stamps of logs, in seconds since 1970 UTC."""

from __future__ import annotations

import calendar
import time
from datetime import datetime
from functools import lru_cache
from typing import Final

_MONTHS: Final = (b"", *b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())
_HALF_A_YEAR_S: Final = 183 * 86_400.0
_A_DAY_S: Final = 86_400.0


class Syslog:
    """Reads ``Dec 31 23:59:59``, a stamp without a year.

    Without a year of the first line, the first stamp gets the latest year that is not after the
    file's last change. From then on, a jump back by more than half a year is a new year.
    """

    def __init__(self, written_s: float, year: int | None = None) -> None:
        self._written_s = written_s
        self._year = year
        self._last_s = 0.0
        self._days: dict[bytes, float] = {}

    def seconds(self, stamp: bytes) -> float:
        """Return the time of a stamp of 15 bytes; anything else is a `ValueError`."""
        day_s = self._days.get(stamp[:6])
        if day_s is None:
            day_s = self._day_s(stamp[:6])
        if stamp[6] != 32 or stamp[9] != 58 or stamp[12] != 58:
            raise ValueError
        hours, minutes, seconds = int(stamp[7:9]), int(stamp[10:12]), int(stamp[13:15])
        if hours > 23 or minutes > 59 or seconds > 60:
            raise ValueError
        return day_s + hours * 3600 + minutes * 60 + seconds

    def _day_s(self, day: bytes) -> float:
        month, number = _MONTHS.index(day[:3]), int(day[3:6])
        if not month or not 1 <= number <= 31:
            raise ValueError
        if self._year is None:
            self._year = time.gmtime(self._written_s).tm_year + 1
            # One day of grace: stamps are local time.
            while self._at(month, number) > self._written_s + _A_DAY_S:
                self._year -= 1
        elif self._last_s - self._at(month, number) > _HALF_A_YEAR_S:
            self._year += 1
            self._days.clear()
        elif self._at(month, number) - self._last_s > _HALF_A_YEAR_S and self._last_s:
            # A late line of the old year, just after the first one of the new year.
            return self._at(month, number, self._year - 1)
        day_s = self._at(month, number)
        self._days[day] = self._last_s = day_s
        return day_s

    def _at(self, month: int, day: int, year: int | None = None) -> float:
        year = year or self._year
        assert year is not None
        if month == 2 and day == 29:
            while not calendar.isleap(year):
                year -= 1
            self._year = year if self._year is None or year < self._year else self._year
        return float(calendar.timegm((year, month, day, 0, 0, 0)))


def rfc3339_s(stamp: bytes) -> float:
    """Return the time of ``2026-11-27T09:00:00.123456+01:00``; anything else is a `ValueError`."""
    zone, fraction = stamp[19:], 0.0
    if zone[:1] == b".":
        after = zone[1:].lstrip(b"0123456789")
        fraction, zone = float(zone[: len(zone) - len(after)]), after
    return _second_s(stamp[:19], zone) + fraction


@lru_cache(1000)
def _second_s(second: bytes, zone: bytes) -> float:
    text = second.decode("ascii")
    if len(text) != 19 or text[10] not in "Tt ":
        raise ValueError
    return datetime.fromisoformat(f"{text}{zone.decode('ascii').upper() or 'Z'}").timestamp()


def any_time(text: str) -> float:
    """Read a time in a table: ISO 8601, or seconds or milliseconds since 1970.

    >>> any_time("2026-11-27 09:00:00+0100"), any_time("1795766400"), any_time("1795766400000")
    (1795766400.0, 1795766400.0, 1795766400.0)
    """
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        return rfc3339_s(text.encode("ascii", "replace"))
    if not 0 < number < 1e14:
        raise ValueError
    return number / 1000.0 if number > 1e11 else number
