"""The clock of a scenario: which moment after t = 0 a time of day, a weekday or a date is."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from sendcap.errors import SendcapError
from sendcap.scenario.durations import as_seconds
from sendcap.text.clock import (
    DATE,
    MONTHS,
    NAMED_DATE,
    TIME,
    WEEKDAYS,
    date_first,
    day,
    elapsed_since,
    says_the_clock,
    time_of_day,
)
from sendcap.text.quoting import did_you_mean, shown

_LONGEST_ZONE: Final = 40
_FULL_NAMES: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def names_no_other_day(text: str, start: datetime) -> bool:
    """Tell whether a time by the clock names no day, or the one of the start."""
    found = TIME.fullmatch(text.strip())
    if found is None:
        return False
    return found[1] is None or weekday(found[1], text) == start.weekday()


def or_by_the_clock(error: Exception) -> str:
    """Return what is wrong with a text that is no duration; it may have been meant as a moment."""
    joint = " Or give" if str(error).endswith("?") else ", or"
    return f'{error}{joint} a time by the clock such as "14:00" or "Sat 08:00"'


def seconds_or_clock(time: float | str, name: str) -> float | str:
    """Return seconds, or the text of a time by the clock; errors begin with the name."""
    if isinstance(time, str) and says_the_clock(time):
        return time
    try:
        return as_seconds(time, name)
    except SendcapError as error:
        raise SendcapError(or_by_the_clock(error)) from None


def _time_of_day(at: str, text: str) -> time:
    hour, minute, second = (*map(int, at.split(":")), 0)[:3]
    try:
        return time(hour, minute, second)
    except ValueError:
        raise ValueError(f"{shown(text)} is no time of day; write it like 14:00") from None


@dataclass(frozen=True)
class Clock:
    """What the clock on the wall shows at t = 0, and by which zone."""

    start: datetime

    def moment_s(self, text: str) -> float:
        """Return the moment of a text in seconds from t = 0.

        ``14:00`` is the first time at or after t = 0 when the clock shows that, ``Sat 08:00`` the
        first on a Saturday, and ``28 Nov 08:00`` the first on that date; ``2026-11-28T08:00`` is
        by the clock of the start unless it has an offset of its own.

        Raises
        ------
        ValueError
            For anything else, a moment before t = 0, or one that daylight saving skips or repeats.

        Examples
        --------
        >>> clock = Clock(datetime(2026, 11, 27, 9))
        >>> clock.moment_s("14:00"), clock.moment_s("08:00"), clock.moment_s("Sat 09:00")
        (18000.0, 82800.0, 86400.0)
        """
        text = date_first(text)
        if found := NAMED_DATE.fullmatch(text):
            seconds = self._of_named_date(text, *found.groups())
        else:
            seconds = self._of_date(text) if DATE.match(text) else self._of_time(text)
        if seconds < 0.0:
            raise ValueError(f"{shown(text)} is before start, {self.start.isoformat(' ')}")
        return seconds

    def _of_date(self, text: str) -> float:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(
                f"{shown(text)} is no date and time; write it like 2026-11-28T08:00"
            ) from None
        if moment.tzinfo is None:
            return self._seconds(moment, text)
        if self.start.tzinfo is None:
            raise ValueError(f"{shown(text)} has an offset, and start has none")
        return elapsed_since(self.start, moment)

    def _of_named_date(
        self, text: str, name: str | None, number: str, month: str, at: str | None
    ) -> float:
        """Return the moment of a date without a year: the next one, or of this day of the week."""
        month_number = MONTHS.index(month.capitalize()) + 1
        moments = []
        for year in (self.start.year, self.start.year + 1):
            with suppress(ValueError):
                moments.append(datetime(year, month_number, int(number)))
        if not moments:
            raise ValueError(f"{shown(text)} is no date and time; write it like 28 Nov 08:00")
        today = datetime.combine(self.start, time())
        wanted = next((each for each in moments if each >= today), moments[-1])
        if name is not None:
            right = [each for each in moments if each.weekday() == weekday(name, text)]
            if not right:
                raise ValueError(f"{shown(text)}: the next one is {day(wanted)}")
            wanted = right[0]
        return self._seconds(datetime.combine(wanted, _time_of_day(at or "00:00", text)), text)

    def _of_time(self, text: str) -> float:
        found = TIME.fullmatch(text)
        assert found is not None
        name, at = found.groups()
        wanted = _time_of_day(at, text)
        ahead, days = 0, 1
        if name is not None:
            ahead, days = (weekday(name, text) - self.start.weekday()) % 7, 7
        first = datetime.combine(self.start.date() + timedelta(days=ahead), wanted)
        if first < self.start.replace(tzinfo=None):
            first += timedelta(days=days)
        return self._seconds(first, text)

    def _seconds(self, local: datetime, text: str) -> float:
        """Return when the clock shows a date and time, which it has to do once."""
        zone = self.start.tzinfo
        if zone is None:
            return (local - self.start).total_seconds()
        moment = local.replace(tzinfo=zone)
        if is_skipped(moment):
            raise ValueError(
                f"{shown(text)}: the clock is put forward on {day(local)} and never shows "
                f"{time_of_day(local)}; write a later time"
            )
        if moment.utcoffset() != moment.replace(fold=1).utcoffset():
            raise ValueError(
                f"{shown(text)}: the clock is put back on {day(local)} and shows "
                f"{time_of_day(local)} twice; write the offset, such as {moment.isoformat()}"
            )
        return elapsed_since(self.start, moment)


def moment_s(time: float | str, start: datetime | None, name: str) -> float:
    """Return a moment in seconds from t = 0; errors begin with the name."""
    time = seconds_or_clock(time, name)
    if not isinstance(time, str):
        return time
    if start is None:
        raise SendcapError(
            f"{name}: {shown(time)} is a time by the clock, and the scenario has no start; "
            'give a time from t = 0, such as "3h"'
        )
    try:
        return Clock(start).moment_s(time)
    except ValueError as error:
        raise SendcapError(f"{name}: {error}") from None


def weekday(name: str, text: str) -> int:
    """Return the number of a day of the week, from 0 for Monday; errors name the text."""
    for number, full in enumerate(_FULL_NAMES):
        if name.casefold() in (full, full[:3]):
            return number
    known = ", ".join(WEEKDAYS)
    raise ValueError(f"{shown(text)}: no such day; one of {known}, not {shown(name)}")


def is_skipped(moment: datetime) -> bool:
    """Tell whether the clock of a moment's zone never shows it, when it is put forward."""
    if moment.tzinfo is None:
        return False
    shows = moment.astimezone(UTC).astimezone(moment.tzinfo)
    return shows.replace(tzinfo=None) != moment.replace(tzinfo=None)


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by its name, such as ``Europe/Berlin``."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        hint = did_you_mean(name[:_LONGEST_ZONE], available_timezones(), least=0.9)
        hint = hint or '; write one such as "Europe/Berlin"'
        raise ValueError(f"{shown(name)} is no time zone{hint}") from None


def written(value: date | time | datetime) -> str:
    """Return a TOML date and time, or time, as the text that says the same."""
    if isinstance(value, datetime):
        return value.isoformat()
    return time_of_day(datetime.combine(date.min, value)) if isinstance(value, time) else str(value)
