"""Moments by the clock: ``09:00``, ``Fri 27 Nov``."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from sendcap.text.quantities import DAY_S, all_units, elapsed

_WEEK_S: Final = 6.5 * 86_400.0
"""In a longer time a day of the week comes twice."""
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""Not by strftime, whose names depend on the locale."""
_TIME: Final = r"(\d{1,2}:\d{2}(?::\d{2})?)"
TIME: Final = re.compile(rf"(?:([A-Za-z]{{3,9}})\s+)?{_TIME}", re.ASCII)
DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_NAMED: Final = rf"(?:([a-z]{{3,9}})\s+)?(\d{{1,2}})\s+({'|'.join(MONTHS)})[a-z]*"
NAMED_DATE: Final = re.compile(rf"{_NAMED}(?:\s+{_TIME})?", re.ASCII | re.IGNORECASE)
_TIME_FIRST: Final = re.compile(rf"{_TIME}\s+on\s+({_NAMED})", re.ASCII | re.IGNORECASE)


def says_the_clock(text: str) -> bool:
    """Tell whether a text is meant as a moment by the clock, and not as a duration."""
    text = date_first(text)
    return bool(TIME.fullmatch(text) or DATE.match(text) or NAMED_DATE.fullmatch(text))


def date_first(text: str) -> str:
    """Return a moment by the clock with its time at the end.

    >>> date_first("09:00 on Sat 28 Nov")
    'Sat 28 Nov 09:00'
    """
    return _TIME_FIRST.sub(r"\2 \1", text.strip())


def time_of_day(moment: datetime) -> str:
    """Return the time of a moment, with seconds where it has some.

    >>> time_of_day(datetime(2026, 11, 27, 9)), time_of_day(datetime(2026, 11, 27, 9, 0, 5))
    ('09:00', '09:00:05')
    """
    return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"


def day(moment: datetime) -> str:
    """Return the day of a moment, without the year.

    >>> day(datetime(2026, 11, 27))
    'Fri 27 Nov'
    """
    return f"{WEEKDAYS[moment.weekday()]} {moment.day} {MONTHS[moment.month - 1]}"


def dated(moment: datetime) -> str:
    """Return the day of a moment, and the time.

    >>> dated(datetime(2026, 11, 27, 9))
    'Fri 27 Nov 09:00'
    """
    return f"{day(moment)} {time_of_day(moment)}"


def after(start: datetime, seconds: float) -> datetime:
    """Return what the clock of a start shows so many seconds later, daylight saving included."""
    later = timedelta(seconds=seconds)
    if start.tzinfo is None:
        return start + later
    return (start.astimezone(UTC) + later).astimezone(start.tzinfo)


def elapsed_since(start: datetime, moment: datetime) -> float:
    """Return the seconds between two moments, both with a time zone."""
    return (moment.astimezone(UTC) - start.astimezone(UTC)).total_seconds()


def daily_s(at: time, start: datetime, until_s: float) -> Iterator[float]:
    """Yield when the clock of a start shows a time of day, from t = 0 to a moment.

    Where daylight saving skips it, that is the moment of the change; of two it is the first.
    """
    days = int(until_s // DAY_S) + 2
    for number in range(-1, days):
        moment_s = time_on(start.date() + timedelta(days=number), at, start)
        if 0.0 <= moment_s <= until_s:
            yield moment_s


def time_on(date: date, at: time, start: datetime) -> float:
    """Return when the clock of a start shows a time of day on a date."""
    moment = datetime.combine(date, at, start.tzinfo)
    if start.tzinfo is None:
        return (moment - start).total_seconds()
    return elapsed_since(start, moment)


def moment_text(seconds: float, start: datetime | None) -> str:
    """Return a moment of a simulation: by the clock, or in seconds from t = 0 without a start.

    The day is that of the start where none is named.

    >>> start = datetime(2026, 11, 27, 9)
    >>> moment_text(3600, start), moment_text(86_400, start), moment_text(5400, None)
    ('10:00', '09:00 on Sat 28 Nov', 't = 1h 30m')
    """
    if start is None:
        return f"t = {all_units(seconds)}"
    moment = after(start, seconds)
    text = time_of_day(moment)
    return text if moment.date() == start.date() else f"{text} on {day(moment)}"


def counted_from(start: datetime | None) -> str:
    """Return from when times count, as the beginning of a sentence.

    >>> counted_from(None)
    'Times count from t = 0, the start of the simulation'
    >>> counted_from(datetime(2026, 11, 27, 9))
    'Times count from t = 0, the start of the simulation, Fri 27 Nov 09:00'
    """
    when = "" if start is None else f", {dated(start)}"
    return f"Times count from t = 0, the start of the simulation{when}"


def brief_moment(seconds: float, start: datetime | None, within_s: float) -> str:
    """Return a moment for a column of a table; ``within_s`` is how long all of them lie apart.

    Within a day it has seconds. In a longer time it is in the minute that it ends: what a moment is
    stated for has come by then, and a dashboard of then shows it.

    >>> start = datetime(2026, 11, 27, 9)
    >>> brief_moment(3600, start, 3600), brief_moment(3610, start, 7200)
    ('Fri 10:00', 'Fri 10:00:10')
    >>> brief_moment(3610, start, 100_000), brief_moment(3610, start, 864_000)
    ('Fri 10:01', 'Fri 27 Nov 10:01')
    """
    if start is None:
        return elapsed(seconds)
    moment = after(start, round(seconds))
    if moment.second and within_s > DAY_S:
        moment = after(start, round(seconds) + 60 - moment.second)
    named = WEEKDAYS[moment.weekday()] if within_s < _WEEK_S else day(moment)
    return f"{named} {time_of_day(moment)}"
