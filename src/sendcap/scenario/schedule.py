"""Rates that change at given times: quiet hours, and the warm-up of source addresses."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from sendcap.scenario.durations import Duration, format_duration
from sendcap.scenario.rates import RATE_SCHEMA, Rate
from sendcap.scenario.section import Count, OneOrMore, Section, Share, refuse

_DAY_S: Final = 86_400.0


def closed_or_rate(value: Any) -> Any:
    """Read a rate, or "closed": nothing goes."""
    if value == "closed" or isinstance(value, Rate):
        return value
    return Rate.parse(value)


ClosedOrRate = Annotated[
    Rate | Literal["closed"],
    BeforeValidator(closed_or_rate),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({**RATE_SCHEMA, "examples": ["200/d", "closed"]}),
]
"""Attempts from each source address, or "closed": none at all."""


class Step(Section):
    """A limit that holds from a moment on."""

    at: Duration
    """When it begins."""
    rate: ClosedOrRate
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


SPARKPOST_PER_DAY: Final = (
    *(200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 40_000, 50_000, 75_000),
    *(100_000, 150_000, 200_000, 250_000, 325_000, 400_000, 500_000, 600_000, 750_000),
    *(1_000_000, 1_250_000, 1_750_000, 2_000_000, 3_000_000, 4_250_000, 5_000_000),
    *(6_000_000, 7_500_000, 10_000_000),
)
"""Messages a day of a new source address, day by day (SparkPost, "IP warm-up overview")."""


class WarmUp(Section):
    """The daily volumes of a source address that is warmed up, spaced evenly over each day.

    References
    ----------
    SparkPost support documentation, ``deliverability/ip-warm-up-overview``: the default volumes.
    """

    kind: Literal["warm-up"] = "warm-up"
    per_day: OneOrMore[Count] = SPARKPOST_PER_DAY
    """Attempts of each source address on the first day, the second, …; the last day's goes on."""
    share: Annotated[Share, Field(gt=0)] = 1.0
    """How much of the address's volume goes to this provider."""

    def schedule(self) -> Schedule:
        """Return the same as a schedule, a step for each day; at least one attempt a day."""
        return Schedule(
            steps=tuple(
                Step(at=f"{day}d", rate=Rate(max(round(count * self.share), 1), _DAY_S, 1))
                for day, count in enumerate(self.per_day)
            )
        )
