"""Time stamps of logs, in seconds since 1970 UTC."""

from __future__ import annotations

import calendar
import time
from datetime import UTC, datetime
from typing import Final

_MONTHS: Final = {
    name: number
    for number, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)
}
_HALF_A_YEAR_S: Final = 183 * 86_400.0
_A_DAY_S: Final = 86_400.0


class Syslog:
    """Reads ``Dec 31 23:59:59``, a stamp without a year.

    The first stamp gets the latest year that is not after the file's time of change. From then on,
    a jump back by more than half a year is a new year.

    Parameters
    ----------
    written_s
        Time of the file's last change, in seconds since 1970.
    year
        Year of the first line, if known.
    """

    def __init__(self, written_s: float, year: int | None = None) -> None:
        self._written_s = written_s
        self._year = year
        self._last_s = 0.0
        self._days: dict[bytes, float] = {}

    def seconds(self, stamp: bytes) -> float:
        """Return the time of a stamp of 15 bytes.

        Raises
        ------
        ValueError
            For anything else.
        """
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
        month, number = _MONTHS.get(day[:3]), int(day[3:6])
        if month is None or not 1 <= number <= 31:
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


class Rfc3339:
    """Reads ``2026-11-27T09:00:00.123456+01:00``; caches the last second and the zones."""

    def __init__(self) -> None:
        self._second = b"none yet"
        self._second_s = 0.0
        self._zones: dict[bytes, float] = {}

    def seconds(self, stamp: bytes) -> float:
        """Return the time of a stamp.

        Raises
        ------
        ValueError
            For anything else.
        """
        if stamp[:19] != self._second:
            self._second_s = self._read(stamp[:19])
            self._second = stamp[:19]
        rest = stamp[19:]
        fraction = 0.0
        if rest[:1] == b".":
            end = 1
            while rest[end : end + 1].isdigit():
                end += 1
            fraction = float(rest[:end])
            rest = rest[end:]
        zone_s = self._zones.get(rest)
        if zone_s is None:
            zone_s = _zone_s(rest)
            if len(self._zones) < 100:
                self._zones[rest] = zone_s
        return self._second_s + fraction - zone_s

    def _read(self, second: bytes) -> float:
        text = second.decode("ascii")
        if len(text) != 19 or text[10] not in "Tt ":
            raise ValueError
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _zone_s(zone: bytes) -> float:
    if zone in (b"", b"Z", b"z"):
        return 0.0
    digits = zone[1:].replace(b":", b"")
    if zone[:1] not in (b"+", b"-") or len(digits) not in (2, 4) or not digits.isdigit():
        raise ValueError
    seconds = int(digits[:2]) * 3600 + int(digits[2:] or b"0") * 60
    return float(-seconds if zone[:1] == b"-" else seconds)


def any_time(text: str) -> float:
    """Read a time in a table: ISO 8601, or seconds or milliseconds since 1970.

    Raises
    ------
    ValueError
        For anything else.

    Examples
    --------
    >>> any_time("2026-11-27 09:00:00+0100"), any_time("1795766400"), any_time("1795766400000")
    (1795766400.0, 1795766400.0, 1795766400.0)
    """
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        return Rfc3339().seconds(text.encode("ascii", "replace"))
    if not 0 < number < 1e14:
        raise ValueError
    return number / 1000.0 if number > 1e11 else number
