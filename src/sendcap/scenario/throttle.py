"""Throttles: what holds a provider queue's attempts back."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    PlainSerializer,
    Tag,
    WithJsonSchema,
    model_validator,
)

from sendcap.scenario.durations import Duration, PositiveDuration, format_duration
from sendcap.scenario.rates import RATE_SCHEMA, Rate
from sendcap.scenario.section import Count, OneOrMore, Section, refuse


class FixedWindow(Section):
    """So many attempts in each window of time, as fast as they go.

    Adobe Campaign's native MTA enforces its messages per hour as twelve windows of five minutes:
    10,000 an hour are 833 in each (Campaign Classic, "Email deliverability").
    """

    kind: Literal["fixed-window"] = "fixed-window"
    limit: Count
    """Attempts in each window, from each source address."""
    window: PositiveDuration
    """Length of a window; the first begins at t = 0."""


class Gap(Section):
    """A pause after each attempt has finished; one attempt at a time.

    Postfix's ``destination_rate_delay`` (``qmgr_entry.c``): a cycle takes service plus delay.
    """

    kind: Literal["gap"] = "gap"
    pause: PositiveDuration
    """From the finish of an attempt to the start of the next."""


def _closed_or_rate(value: Any) -> Any:
    if value == "closed" or isinstance(value, Rate):
        return value
    return Rate.parse(value)


class Step(Section):
    """A limit that holds from a moment on."""

    at: Duration
    """When it begins."""
    rate: Annotated[
        Rate | Literal["closed"],
        BeforeValidator(_closed_or_rate),
        PlainSerializer(str, return_type=str),
        WithJsonSchema({**RATE_SCHEMA, "examples": ["200/d", "closed"]}),
    ]
    """Attempts from each source address, or "closed": none at all."""


class Schedule(Section):
    """A rate that changes at given times, for the warm-up of IPs and for quiet hours."""

    kind: Literal["schedule"] = "schedule"
    steps: OneOrMore[Step]
    """Limits in order of time, the first from 0s on."""

    @model_validator(mode="after")
    def _in_order(self) -> Schedule:
        problems: list[tuple[tuple[str | int, ...], str]] = []
        if self.steps[0].at != 0.0:
            given = format_duration(self.steps[0].at)
            problems.append((("steps", 0, "at"), f'the first step must be at "0s", not "{given}"'))
        for number, (one, two) in enumerate(pairwise(self.steps), 1):
            if two.at <= one.at:
                given = format_duration(two.at)
                message = f'"{given}" does not come after "{format_duration(one.at)}"'
                problems.append((("steps", number, "at"), f"{message}; put steps in order of time"))
        if self.steps[-1].rate == "closed":
            message = "the last step may not be closed: nothing would ever go again"
            problems.append((("steps", len(self.steps) - 1, "rate"), message))
        refuse("schedule", problems)
        return self


def _text_as_rate(value: Any) -> Any:
    if value is None or value == "none":
        return None
    return value if isinstance(value, dict | Section) else _closed_or_rate(value)


def _kind(value: Any) -> str | None:
    if isinstance(value, Rate):
        return "gcra"
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return kind if isinstance(kind, str) else None


def _as_written(throttle: Any) -> Any:
    if throttle is None:
        return "none"
    return str(throttle) if isinstance(throttle, Rate) else throttle.model_dump()


_Throttle = Annotated[
    Annotated[Rate, Tag("gcra")]
    | Annotated[FixedWindow, Tag("fixed-window")]
    | Annotated[Gap, Tag("gap")]
    | Annotated[Schedule, Tag("schedule")],
    Discriminator(
        _kind,
        custom_error_type="throttle_kind",
        custom_error_message='kind must be "fixed-window", "gap" or "schedule"; '
        'a plain rate is text, such as "100/s"',
    ),
]
Throttle = Annotated[_Throttle | None, BeforeValidator(_text_as_rate), PlainSerializer(_as_written)]
"""A rate (its throttle is the GCRA) or a table with a ``kind``; None, written "none", for none."""
