"""Time stamps of logs, in seconds since 1970 UTC, also behind whatever a collector put before.

There are many prefixes of collectors and of syslogs, often one before another: those of docker
compose and Kubernetes, of journald's formats, RFC 3164 and RFC 5424, with or without a priority. So
none is listed; the last time before the message is the MTA's own, and an earlier one with a year
tells the year.
"""

import calendar
import math
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Final

from sendcap.text.quantities import DAY_S

_MONTHS: Final = (b"", *b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())
_DATED: Final = re.compile(
    rb"^[^\n]{0,80}?\b([A-Z][a-z]{2} [ \d]\d) \d\d:\d\d:\d\d(?! \d{4}\b)", re.MULTILINE
)
_STEP: Final = 1 << 12
_ALL: Final = 1 << 16
_A_QUARTER_S: Final = 92 * DAY_S
_ALMOST_A_YEAR_S: Final = 360 * DAY_S
_A_LEAP_YEAR: Final = 2000
_SPAN: Final = re.compile(rb"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?$")
_UNITS_S: Final = (7 * DAY_S, DAY_S, 3600.0, 60.0, 1.0)
_LONGEST_SPAN_S: Final = 365 * DAY_S
_STAMP: Final = re.compile(
    rb"(?<!\d)(?P<date>\d{4}[-/]\d\d[-/]\d\d)[T _](?P<clock>\d\d:\d\d:\d\d)(?P<part>[.,]\d{1,9})?"
    rb"(?: ?(?P<zone>Z\b|[+-]\d\d:?(?:\d\d)?(?!\d)|UTC\b|GMT\b))?"
    rb"|\b(?P<day>(?:" + b"|".join(_MONTHS[1:]) + rb") [ \d]?\d) (?:(?P<year>\d{4}) )?"
    rb"(?P<time>\d\d:\d\d:\d\d)(?P<rest>\.\d{1,9})?(?: (?P<later>(?:19|20)\d\d)\b)?"
    rb"|@(?P<tai>4[0-9a-f]{23})(?![0-9a-f])"
)
_EPOCH: Final = re.compile(rb"(?:^|[ \t\[|])(\d{10}(?:\.\d{1,9})?|\d{13}|\d{16}|\d{19})(?=[ \t\]])")
_LONGEST_PREFIX: Final = 2000
_TAI_S: Final = 10
"""Seconds from UTC to TAI in 1970, when the labels of TAI64N begin."""


class Syslog:
    """Reads ``Dec 31 23:59:59``, a stamp without a year.

    Without a year of the first line, no line is later than the file's last change: the last line
    gets the latest year before that, and the first line one less for each New Year in between.
    ``pieces`` of the text, in order, tell the last line and the New Years. From then on, a jump
    back by more than a quarter is a new year, unless no New Year is left.
    """

    def __init__(
        self,
        written_s: float,
        year: int | None = None,
        pieces: Callable[[], Iterable[bytes]] = tuple,
    ) -> None:
        self._written_s = written_s
        self._year = year
        self._latest_s = self._last_year = math.inf
        self._pieces = pieces
        self._last_s = 0.0
        self._days: dict[bytes, float] = {}

    def seconds(self, stamp: bytes) -> float:
        """Return the time of a stamp of 15 bytes; anything else is a `ValueError`."""
        day_s = self._days.get(stamp[:6])
        if day_s is None:
            day_s = self._day_s(*_day_of(stamp[:6]), stamp[:6])
        return day_s + _clock_s(stamp)

    def _day_s(self, month: int, day: int, text: bytes) -> float:
        if self._year is None:
            # One day of grace: stamps are local time.
            self._latest_s = self._written_s + DAY_S
            self._last_year, self._year = self._years(month, day)
        at_s = _start_s(self._year, month, day)
        if self._last_s - at_s > _A_QUARTER_S and self._may_be_next(month, day):
            self._year += 1
            self._days.clear()
        elif at_s - self._last_s > _ALMOST_A_YEAR_S and self._last_s:
            # A late line of the old year, just after the first one of the new year.
            return _start_s(self._year - 1, month, day)
        while (month, day) == (2, 29) and not calendar.isleap(self._year):
            self._year -= 1
        if len(self._days) > 1:
            # In a log of years, a day comes again.
            self._days.clear()
        at_s = self._days[text] = self._last_s = _start_s(self._year, month, day)
        return at_s

    def _may_be_next(self, month: int, day: int) -> bool:
        """Tell whether a day may be in the year after that of the line before."""
        assert self._year is not None
        later_s = _start_s(self._year + 1, month, day)
        return self._year < self._last_year and later_s <= self._latest_s

    def _years(self, month: int, day: int) -> tuple[float, int]:
        """Return the years of the last and of the first line, which has this day."""
        days = [(month, day), *_days_in(self._pieces())]
        at_s = [_start_s(_A_LEAP_YEAR, *each) for each in days]
        passed = [0, *accumulate(_passes(one - two) for one, two in pairwise(at_s))]
        back = [passed[-1] - each for each in passed]
        leap = [years for each, years in zip(days, back, strict=True) if each == (2, 29)]
        last = time.gmtime(self._written_s).tm_year
        years = range(last + 1, last - 9, -1)
        possible = [year for year in years if _start_s(year, *days[-1]) <= self._latest_s]
        fits = [year for year in possible if all(calendar.isleap(year - each) for each in leap)]
        year = (fits or possible)[0]
        return year if len(days) > 1 else math.inf, year - passed[-1]


def dated_s(stamp: bytes, year: int = 0, near_s: float = 0.0) -> float:
    """Return the time of a stamp like Syslog's, with its year, or the one nearest to a time."""
    month, day = _day_of(stamp[:6])
    middle = time.gmtime(near_s).tm_year
    years = (year,) if year else (middle, middle - 1, middle + 1)
    start_s = min((_start_s(each, month, day) for each in years), key=lambda s: abs(s - near_s))
    return start_s + _clock_s(stamp)


def _day_of(text: bytes) -> tuple[int, int]:
    month, day = _MONTHS.index(text[:3]), int(text[3:6])
    if not month or not 1 <= day <= 31:
        raise ValueError
    return month, day


def _clock_s(stamp: bytes) -> int:
    """Return the seconds of the day; of 15 bytes the last 9 are `` 23:59:59``."""
    if stamp[6] != 32 or stamp[9] != 58 or stamp[12] != 58:
        raise ValueError
    hours, minutes, seconds = int(stamp[7:9]), int(stamp[10:12]), int(stamp[13:15])
    if hours > 23 or minutes > 59 or seconds > 60:
        raise ValueError
    return hours * 3600 + minutes * 60 + seconds


def _start_s(year: int, month: int, day: int) -> float:
    return float(calendar.timegm((year, month, day, 0, 0, 0)))


def _passes(back_s: float) -> int:
    """Return 1 if a jump back passes New Year, -1 for the jump forth to a late line."""
    return int(back_s > _A_QUARTER_S) - int(back_s < -_ALMOST_A_YEAR_S)


def _days_in(pieces: Iterable[bytes]) -> Iterator[tuple[int, int]]:
    """Yield the days of the stamps of a text, of a long piece here and there and at the end."""
    for piece in pieces:
        if len(piece) > _ALL:
            some = (_DATED.search(piece, at) for at in range(0, len(piece) - _STEP, _STEP))
            stamps = [stamp[1] for stamp in some if stamp]
            stamps += _DATED.findall(piece[-_STEP:])[-1:]
        else:
            stamps = _DATED.findall(piece)
        for stamp in stamps:
            with suppress(ValueError):
                yield _day_of(stamp)


def rfc3339_s(stamp: bytes) -> float:
    """Return the time of ``2026-11-27T09:00:00.123456+01:00``; anything else is a `ValueError`."""
    if stamp[-1:] == b"Z" and stamp[20:-1].isdigit() and stamp[19:20] == b".":
        # As most MTAs write it.
        return _second_s(stamp[:19], b"Z") + float(stamp[19:-1])
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
    # A leap second is the first one of the next minute, as in a stamp like Syslog's.
    leap = int(text.endswith(":60"))
    text = f"{text[: 19 - 2 * leap]}{'59' * leap}{zone.decode('ascii').upper() or 'Z'}"
    return datetime.fromisoformat(text).timestamp() + leap


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


@lru_cache(10_000)
def span_s(text: bytes) -> float:
    """Return a span of time as Exim and OpenSMTPD write it; NaN for a strange one.

    >>> span_s(b"1h2m3s"), span_s(b"0.304s"), span_s(b"2d")
    (3723.0, 0.304, 172800.0)
    """
    parts = _SPAN.match(text)
    if parts is None or not any(parts.groups()):
        return math.nan
    pairs = zip(parts.groups(), _UNITS_S, strict=True)
    seconds = sum(float(part or 0) * unit for part, unit in pairs)
    return seconds if seconds < _LONGEST_SPAN_S else math.nan


def moment_s(prefix: bytes, syslog: Syslog) -> float:
    """Return the last time in a prefix; without any it is a `ValueError`."""
    stamps = list(_STAMP.finditer(prefix[-_LONGEST_PREFIX:]))
    if not stamps:
        epochs = _EPOCH.findall(prefix[-_LONGEST_PREFIX:])
        if not epochs:
            raise ValueError
        return epoch_s(epochs[-1])
    own = stamps[-1]
    if not own["day"]:
        return _full_s(own)
    part_s = float(own["rest"] or 0.0)
    stamp = b"%s %2d %s" % (own["day"][:3], int(own["day"][4:]), own["time"])
    year = own["year"] or own["later"]
    if year:
        return dated_s(stamp, int(year)) + part_s
    outer = next((other for other in reversed(stamps) if not other["day"]), None)
    if outer is not None:
        return dated_s(stamp, near_s=_full_s(outer)) + part_s
    return syslog.seconds(stamp) + part_s


def _full_s(stamp: re.Match[bytes]) -> float:
    """Return the time of a stamp that has a year."""
    if stamp["tai"]:
        seconds, nanoseconds = int(stamp["tai"][:16], 16), int(stamp["tai"][16:], 16)
        return seconds - (1 << 62) - _TAI_S + nanoseconds / 1e9
    zone = stamp["zone"] or b""
    zone = b"Z" if zone in (b"UTC", b"GMT") else zone
    part = (stamp["part"] or b"").replace(b",", b".")
    date = stamp["date"].replace(b"/", b"-")
    return rfc3339_s(b"%sT%s%s%s" % (date, stamp["clock"], part, zone))


def epoch_s(text: bytes) -> float:
    """Return seconds since 1970, written as such or in smaller units.

    >>> epoch_s(b"1795766400"), epoch_s(b"1795766400123456"), epoch_s(b"1795766400.5")
    (1795766400.0, 1795766400.123456, 1795766400.5)
    """
    if len(text) == 10:
        return float(text)
    whole, _, _ = text.partition(b".")
    return float(text) / 10.0 ** max(len(whole) - 10, 0)
