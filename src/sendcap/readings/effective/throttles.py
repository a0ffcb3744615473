"""Throttles in words, with the figures of each source address and of all together."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sendcap.scenario.constraints import Constraint, Pace, throttle_constraint
from sendcap.scenario.rates import Rate
from sendcap.scenario.throttle import FixedWindow, Gap, Schedule, Throttle, WarmUp
from sendcap.text.clock import moment_text
from sendcap.text.quantities import DAY_S, all_units, significant

_PERIODS: Final = {1: "s", 60: "min", 3600: "h", 86_400: "d"}
_MOST_STEPS: Final = 40


@dataclass(frozen=True)
class Scope:
    """The source addresses of a queue, or of one queue for each of them, and the clock."""

    ips: int
    apart: bool = False  # each address has a queue of its own
    start: datetime | None = None

    def total(self, each: str, of_all: str) -> str:
        """Return a figure of each address, and of all.

        >>> Scope(4).total("10", "40"), Scope(1).total("10", "10")
        ('10 each IP = 40', '10')
        """
        return of_all if self.ips == 1 else f"{each} each IP = {of_all}"

    def moment(self, seconds: float) -> str:
        """Return a moment, by the clock where there is one."""
        return moment_text(seconds, self.start)


def throttle_text(throttle: Throttle, scope: Scope) -> str:
    """Return a throttle that does not depend on the attempts, of each source address."""
    each = throttle_constraint(throttle, None, 1)
    together = (
        each.times(scope.ips) if scope.apart else throttle_constraint(throttle, None, scope.ips)
    )
    return limit_text(throttle, each, together, scope)


def limit_text(throttle: Throttle, each: Constraint, together: Constraint, scope: Scope) -> str:
    """Return a throttle, by the limit of each source address and of all together."""
    match throttle:
        case Rate():
            return _rate(throttle, each.paces[0], together.paces[0], scope)
        case FixedWindow(window=window_s):
            count = scope.total(_number(each.paces[0].burst), _number(together.paces[0].burst))
            window = all_units(window_s)
            return f"{count} in each window of {window}, the first from {scope.moment(0.0)} on"
        case Gap(pause=pause_s):
            whose = "of each IP " if scope.ips > 1 else ""
            carried = scope.total(
                *(f"{significant(limit.per_s, 3)}/s" for limit in (each, together))
            )
            return (
                f"one attempt {whose}at a time, and a pause of {all_units(pause_s)} after it: "
                f"{carried} on average"
            )
        case Schedule():
            return "; ".join(_steps(throttle, each, together, scope))
        case WarmUp():
            return _warm_up(each, together, scope)


def _rate(rate: Rate, each: Pace, together: Pace, scope: Scope) -> str:
    period = _PERIODS.get(int(rate.period_s)) or all_units(rate.period_s)
    texts = (f"{_number(pace.per_s * rate.period_s)}/{period}" for pace in (each, together))
    return f"{scope.total(*texts)} ({_burst(each, together, scope)})"


def _burst(each: Pace, together: Pace, scope: Scope) -> str:
    if together.burst == 1.0:
        return "evenly spaced"
    if not scope.apart or scope.ips == 1:
        return f"{_number(together.burst)} at once"
    return "each evenly spaced" if each.burst == 1.0 else f"{_number(each.burst)} at once each"


def _steps(schedule: Schedule, each: Constraint, together: Constraint, scope: Scope) -> list[str]:
    """Return the steps of a schedule, each with its end."""
    texts = []
    for number, step in enumerate(schedule.steps):
        text = "closed"
        if isinstance(step.rate, Rate):
            text = _rate(step.rate, each.paces[number], together.paces[number], scope)
        if number + 1 < len(schedule.steps):
            text = f"until {scope.moment(schedule.steps[number + 1].at)} {text}"
        elif number:
            text = f"then {text}"
        texts.append(text)
    return _few(texts)


def _warm_up(each: Constraint, together: Constraint, scope: Scope) -> str:
    days = [
        f"{scope.total(*(_number(pace.per_s * DAY_S) for pace in paces))} on day {number}"
        for number, paces in enumerate(zip(each.paces, together.paces, strict=True), 1)
    ]
    days[-1] += " and later"
    spacing = _burst(each.paces[0], together.paces[0], scope)
    return f"over each day from {scope.moment(0.0)} on, {spacing}: {'; '.join(_few(days))}"


def _few(texts: list[str]) -> list[str]:
    """Return the first and the last texts, and how many are between."""
    if len(texts) <= _MOST_STEPS:
        return texts
    return [*texts[: _MOST_STEPS - 1], f"… {len(texts) - _MOST_STEPS:,} more …", texts[-1]]


def _number(value: float) -> str:
    return f"{round(value, 6):,.12g}"
