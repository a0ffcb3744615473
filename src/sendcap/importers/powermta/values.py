"""The values of PowerMTA's directives: rates, times, numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from sendcap.errors import ConfigurationError
from sendcap.importers.powermta.syntax import Directive
from sendcap.scenario.durations import parse_duration
from sendcap.text.quoting import shown

_RATE: Final = re.compile(r"(\d{1,12})/(\d{0,6})(d|day|h|hr|m|min|s|sec)", re.IGNORECASE | re.ASCII)
_UNIT_S: Final = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_WHOLE: Final = re.compile(r"\d{1,12}", re.ASCII)

_Value = TypeVar("_Value")


class PeriodRate(NamedTuple):
    """So many in each period."""

    limit: int
    period_s: int

    @property
    def per_s(self) -> float:
        """How many a second, in the long run."""
        return self.limit / self.period_s


def rate_or_none(text: str) -> PeriodRate | None:
    """Read a rate such as ``83/10m``; None for ``unlimited`` and 0.

    Examples
    --------
    >>> rate_or_none("83/10m"), rate_or_none("unlimited")
    (PeriodRate(limit=83, period_s=600), None)
    """
    if text.casefold() in ("unlimited", "0"):
        return None
    found = _RATE.fullmatch(text)
    times = int(found[2] or 1) if found else 0
    if found is None or times == 0 or int(found[1]) == 0:
        raise ValueError(f"{shown(text)} is no rate; write N/[M]d, h, m or s, such as 83/10m")
    return PeriodRate(int(found[1]), times * _UNIT_S[found[3][0].casefold()])


def per_hour_or_none(text: str) -> PeriodRate | None:
    """Read a number per hour, as older directives have it."""
    count = number_or_none(text)
    return None if count is None else PeriodRate(count, 3600)


def number_or_none(text: str) -> int | None:
    """Read a whole number; None for ``unlimited`` and 0."""
    if text.casefold() == "unlimited":
        return None
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{shown(text)} is no whole number")
    return int(text) or None


def seconds(text: str) -> float:
    """Read a time interval such as ``4d12h``; a bare 0 is allowed."""
    return 0.0 if text == "0" else parse_duration(text.casefold())


def intervals(text: str) -> tuple[float, ...]:
    """Read a list of time intervals, such as ``10m,10m,1h``."""
    return tuple(seconds(entry.strip()) for entry in text.split(","))


def yes(text: str) -> bool:
    """Read a boolean."""
    if text.casefold() not in ("yes", "no", "true", "false"):
        raise ValueError(f"{shown(text)} is neither yes nor no")
    return text.casefold() in ("yes", "true")


def value_of(its: Directive, read: Callable[[str], _Value]) -> _Value:
    """Read the value of a directive.

    Raises
    ------
    ConfigurationError
        If it cannot be read.
    """
    try:
        return read(its.value)
    except ValueError as problem:
        raise ConfigurationError(f"{its.where}: {its.name}: {problem}") from None
