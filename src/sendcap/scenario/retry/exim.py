"""Retry as Exim does: a rule such as ``F,2h,15m; G,16h,1h,1.5; F,4d,6h``."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Final, Literal, NamedTuple

import numpy as np
from pydantic import AfterValidator

from sendcap.scenario.durations import DurationText, parse_duration
from sendcap.scenario.retry.policy import DELAY, Bounces, Delay, RetryPolicy, Times
from sendcap.text.quoting import shown

_ARGUMENTS: Final = {"F": "F,cutoff,interval", "G": "G,cutoff,interval,factor"}
_LONGEST_RULE: Final = 1_000
_ARGUMENTS["H"] = _ARGUMENTS["G"].replace("G", "H")


class Step(NamedTuple):
    """A step of a rule: F, G or H, until when it holds, the first delay, how it grows."""

    letter: str
    cutoff_s: float
    interval_s: float
    factor: float


def _steps(rule: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    for text in rule.strip().removesuffix(";").split(";"):
        step = _step(text.strip())
        if steps and step.cutoff_s <= steps[-1].cutoff_s:
            raise ValueError(f"{shown(text.strip())} never applies: its cutoff is not a later one")
        steps.append(step)
    return tuple(steps)


def _step(text: str) -> Step:
    letter, *arguments = (part.strip() for part in text.split(","))
    if letter not in _ARGUMENTS:
        raise ValueError(
            f"{shown(text)} must start with F, G or H; for example "
            f'"F,2h,15m; G,16h,1h,1.5; F,4d,6h"'
        )
    if len(arguments) != (2 if letter == "F" else 3):
        raise ValueError(f"{shown(text)} must have the form {_ARGUMENTS[letter]}")
    cutoff_s = _argument("cutoff", DurationText().read, arguments[0], text)
    interval_s = _argument("interval", DELAY.read, arguments[1], text)
    return Step(letter, cutoff_s, interval_s, _factor(arguments[2:], text))


def _argument(name: str, read: Callable[[str], float], argument: str, text: str) -> float:
    try:
        return read(argument)
    except ValueError as problem:
        raise ValueError(f"{shown(text)}: the {name} {problem}") from None


def _factor(argument: list[str], text: str) -> float:
    if not argument:
        return 1.0
    try:
        factor = float(argument[0])
    except ValueError:
        raise ValueError(f"{shown(text)}: the factor must be a number") from None
    if not 1.0 <= factor <= 1000.0:
        raise ValueError(f"{shown(text)}: the factor must be from 1 to 1000")
    return factor


def _checked(rule: str) -> str:
    if len(rule) > _LONGEST_RULE:
        raise ValueError(f"{shown(rule)} has more than {_LONGEST_RULE:,} characters")
    _steps(rule)
    return rule


class EximRetry(RetryPolicy):
    """Exim: the first step of the rule whose cutoff the failing time has not passed.

    The failing time counts from the message's first soft bounce. With the previous delay g, the
    next one is

    - ``F,cutoff,p1``: p1;
    - ``G,cutoff,p1,factor``: p1 if g < p1, else g · factor;
    - ``H,cutoff,p1,factor``: at random in the upper half of p1 … g · factor, as Exim's code has
      it, and p1 while g · factor is not above p1;

    and at most ``retry_interval_max``. Past the last cutoff the policy gives up. For a message that
    is due to wait for a queue runner, there are limits on retries (``[[limits]]``,
    ``one_more_every``); the next delay follows from the one before without that wait.

    References
    ----------
    Exim, ``src/src/retry.c``; the default rule is that of ``src/src/configure.default``.
    Exim keeps the failing time per host or address; here it is the message's own.
    """

    policy: Literal["exim"] = "exim"
    """Name of the policy."""
    rule: Annotated[str, AfterValidator(_checked)] = "F,2h,15m; G,16h,1h,1.5; F,4d,6h"
    """Retry rule in Exim's syntax: steps F,cutoff,interval or G or H,cutoff,interval,factor."""
    retry_interval_max: Delay = parse_duration("24h")
    """Longest delay."""

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the rule."""
        return _steps(self.rule)

    def _due_s(self, bounces: Bounces) -> Times:
        cutoff_s = np.array([step.cutoff_s for step in self.steps])
        which = np.searchsorted(cutoff_s, bounces.finish_s - bounces.first_failed_s, side="left")
        delay_s = np.full(len(bounces.finish_s), np.inf)
        for number, step in enumerate(self.steps):
            mask = which == number
            grown_s = bounces.previous_delay_s[mask] * step.factor
            if step.letter == "F":
                delay_s[mask] = step.interval_s
            elif step.letter == "G":
                # A delay that was the interval has been rounded with the clock since.
                early = bounces.previous_delay_s[mask] < step.interval_s * (1.0 - 1e-6)
                delay_s[mask] = np.where(early, step.interval_s, grown_s)
            else:
                room_s = np.maximum(grown_s - step.interval_s, 0.0)
                delay_s[mask] = step.interval_s + room_s * (0.5 + 0.5 * bounces.drawn[mask])
        delay_s = np.minimum(delay_s, self.retry_interval_max)
        return np.where(which == len(cutoff_s), np.inf, bounces.finish_s + delay_s)

    @property
    def shortest_delay_s(self) -> float:
        """The shortest interval of the rule, in seconds."""
        return min(self.retry_interval_max, *(step.interval_s for step in self.steps))

    @property
    def needs_uniform(self) -> bool:
        """Whether the rule has an H step."""
        return any(step.letter == "H" for step in self.steps)
