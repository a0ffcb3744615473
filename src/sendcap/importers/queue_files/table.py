"""A table of a queue: providers or domains, messages, and what else is known."""

import csv
import re
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from sendcap.importers.queue_files.queued import Queued, domain_named, named, provider_at, reason_of
from sendcap.importers.queue_files.source import Source
from sendcap.importers.reading import whole, yes
from sendcap.scenario.durations import checked_duration, format_duration
from sendcap.text.quoting import did_you_mean, shown, without_addresses

FORMAT: Final = "csv"

_COLUMNS: Final = (
    *("provider", "domain", "messages", "age", "oldest", "attempts", "due", "reason", "pool"),
    "held",
)
_SECONDS: Final = ("age_s", "oldest_s", "due_s")
"""Times as numbers of seconds, as the columns of all other tables have them."""
_Value = TypeVar("_Value")

_NUMBER: Final = re.compile(r"\d{1,12}(?:\.\d{1,12})?", re.ASCII)
_MOST_PROVIDERS: Final = 1000
_EXAMPLE: Final = "such as provider,messages,age and gmail,35000,2h"


def recognises(lines: list[str]) -> int:
    """Return the number of lines, if the first one is a heading."""
    names = _names(lines[0].strip(), _delimiter(lines[0]))
    return len(lines) if "messages" in names and {"provider", "domain"} & {*names} else 0


def read(source: Source) -> None:
    """Read the rows; what is wrong in one is an error, as people write them."""
    rows = _rows(source)
    number, heading = next(rows, (1, []))
    names = [cell.strip().casefold() for cell in heading]
    _check(source, number, names)
    source.seen = True
    providers = set[str]()
    for number, row in rows:
        cells = {name: cell.strip() for name, cell in zip(names, row, strict=False)}
        if len(row) != len(names):
            raise source.error(
                number, f"has {len(row)} cells, and the heading {len(names)}; write as many"
            )
        try:
            each = _queued(cells)
        except ValueError as problem:
            raise source.error(number, str(problem)) from None
        providers.add(each.provider)
        if len(providers) > _MOST_PROVIDERS:
            raise source.error(
                number, f"has the provider number {_MOST_PROVIDERS + 1:,}; write domains instead"
            )
        source.groups.add(each)


def _rows(source: Source) -> Iterator[tuple[int, list[str]]]:
    numbers = [0]

    def lines() -> Iterator[str]:
        for number, line in source.lines():
            numbers[0] = number
            yield line

    try:
        for row in csv.reader(lines(), delimiter=_delimiter(source.head[0]), strict=True):
            yield numbers[0], row
    except csv.Error as problem:
        raise source.error(numbers[0], f"is no row of a CSV file: {problem}") from None


def _delimiter(heading: str) -> str:
    """Return the delimiter of a heading; spreadsheets write semicolons in half of Europe."""
    return max(",;\t", key=heading.count)


def _names(heading: str, delimiter: str) -> list[str]:
    return [cell.strip().strip('"').casefold() for cell in heading.split(delimiter)]


def _check(source: Source, number: int, names: list[str]) -> None:
    for name in names:
        if f"{name}_s" in names:
            raise source.error(number, f"has the columns {name} and {name}_s; write one of them")
        if name not in (*_COLUMNS, *_SECONDS):
            hint = did_you_mean(name, _COLUMNS) or f"; columns are {', '.join(_COLUMNS)}"
            raise source.error(
                number, f"the column {shown(without_addresses(name))} is not known{hint}"
            )
        if names.count(name) > 1:
            raise source.error(number, f"the column {name} appears twice; write it once")
    if "messages" not in names or not {"provider", "domain"} & {*names}:
        raise source.error(
            number, f"must name the columns: messages, and provider or domain, {_EXAMPLE}"
        )


def _queued(cells: dict[str, str]) -> Queued:
    """Return the messages of a row; a `ValueError` says what is wrong."""
    if not cells["messages"]:
        raise ValueError("messages: is empty; write a whole number")
    domain = _cell(cells, "domain", _domain) or ""
    provider = _cell(cells, "provider", _name) or (provider_at(domain) if domain else None)
    if provider is None:
        raise ValueError("provider: is empty; write a provider or a domain")
    age_s, oldest_s = _time(cells, "age"), _time(cells, "oldest")
    if age_s is not None and oldest_s is not None and oldest_s < age_s:
        raise ValueError(
            f"oldest: {format_duration(oldest_s)} is less than the age {format_duration(age_s)}; "
            f"age is that of the youngest message"
        )
    if oldest_s is None:
        oldest_s = age_s
    elif age_s is None:
        age_s = 0.0
    reason = cells.get("reason", "")
    return Queued(
        domain,
        provider,
        _cell(cells, "messages", _count) or 0,
        age_s,
        oldest_s,
        _cell(cells, "attempts", _count),
        _time(cells, "due"),
        reason_of(reason) if reason else "",
        _cell(cells, "pool", _name),
        bool(_cell(cells, "held", yes)),
    )


def _cell(cells: dict[str, str], name: str, reader: Callable[[str], _Value]) -> _Value | None:
    """Return the value of a cell, None if it is empty or has no column."""
    text = cells.get(name)
    if not text:
        return None
    try:
        return reader(text)
    except ValueError as problem:
        raise ValueError(f"{name}: {problem}") from None


def _time(cells: dict[str, str], name: str) -> float | None:
    time_s = _cell(cells, name, checked_duration)
    return _cell(cells, f"{name}_s", _seconds) if time_s is None else time_s


def _seconds(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{_quoted(text)} is not a number of seconds; write one as 7200")
    return checked_duration(f"{text}s")


def _count(text: str) -> int:
    try:
        return whole(text)
    except ValueError:
        raise ValueError(f"{_quoted(text)} is not a whole number; write one as 35000") from None


def _name(text: str) -> str:
    name = named(text)
    if name is None:
        raise ValueError(
            f"{_quoted(text)} is not a name; write one of up to 100 letters, without @"
        )
    return name


def _domain(text: str) -> str:
    domain = domain_named(text)
    if not domain:
        raise ValueError(f"{_quoted(text)} is not a domain; write one as example.org")
    return domain


def _quoted(text: str) -> str:
    return shown(without_addresses(text))
