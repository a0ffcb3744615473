"""The date and time of t = 0, and the zone of the clock there."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from sendcap.scenario.clock import Clock, is_skipped, zone_of
from sendcap.scenario.section import Place
from sendcap.text.clock import time_of_day
from sendcap.text.quoting import shown


def _date(value: Any) -> Any:
    # pydantic would take a number as seconds since 1970.
    if isinstance(value, bool | int | float):
        raise ValueError(  # noqa: TRY004 (pydantic)
            f"must be a date and time such as 2026-11-27T09:00:00+01:00, not {shown(value)}"
        )
    return value


def of_our_time(start: datetime) -> datetime:
    """Refuse a moment from which no calendar counts years on."""
    if not 1900 <= start.year <= 2200:
        raise ValueError(f"must be from 1900 to 2200, not {start.isoformat()}")
    return start


def _known_zone(name: str) -> str:
    zone_of(name)
    return name


def clock_of(data: Mapping[str, Any]) -> Clock | None:
    """Return the clock of a scenario that is not checked yet; None where that says none."""
    start, zone = data.get("start"), data.get("zone")
    try:
        moment = datetime.fromisoformat(start) if isinstance(start, str) else start
        if isinstance(moment, date) and not isinstance(moment, datetime):
            moment = datetime.combine(moment, time())
        if not isinstance(moment, datetime):
            return None
        return Clock(in_zone(of_our_time(moment), zone))
    except (ValueError, TypeError):
        return None


def in_zone(start: datetime, zone: str | None) -> datetime:
    """Return a moment by the clock of a zone."""
    if zone is None:
        return start
    there = zone_of(zone)
    return start.replace(tzinfo=there) if start.tzinfo is None else start.astimezone(there)


def repeated(start: datetime, zone: str) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong with a start without an offset, which the clock of a zone shows twice."""
    if start.tzinfo is not None:
        return
    first = in_zone(start, zone)
    if not is_skipped(first) and first.utcoffset() != first.replace(fold=1).utcoffset():
        twice = f"the clock is put back then and shows {time_of_day(first)} twice"
        yield ("start",), f"{twice}; write the offset, such as {first.isoformat()}"


def since_midnight_s(start: datetime) -> float:
    """Return the time of day in seconds, by the moment's own clock."""
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    return (start - midnight).total_seconds()


StartField = Annotated[datetime, BeforeValidator(_date), AfterValidator(of_our_time)]
"""A date and time of our time."""
ZoneField = Annotated[str, AfterValidator(_known_zone)]
"""The name of a time zone."""
