"""The smaller parts of a scenario: time, feedback, engagement, reporting."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import (
    AfterValidator,
    BeforeValidator,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)

from sendcap.scenario.distributions import Constant, Distribution
from sendcap.scenario.durations import (
    DURATION_SCHEMA,
    PositiveDuration,
    duration_within,
    format_duration,
    parse_duration,
)
from sendcap.scenario.random_time import RandomTime
from sendcap.scenario.rates import ServerRateField
from sendcap.scenario.retry.policy import SHORTEST_WINDOW
from sendcap.scenario.section import OneOrMore, Section, Share
from sendcap.text.quoting import shown

ASYNCHRONOUS_LIMIT_S: Final = parse_duration("7d")
"""An asynchronous bounce arrives within this many seconds of its message's acceptance."""

_LEAST_WITHIN_THE_LIMIT: Final = 0.05
"""Longer latencies are drawn again, so a limit that is hardly ever kept would take for ever."""

_window = duration_within(least=SHORTEST_WINDOW)


def _auto_or_duration(value: Any) -> float | str:
    return "auto" if value == "auto" else _window(value)


def _auto_or_text(window: float | str) -> str:
    return "auto" if isinstance(window, str) else format_duration(window)


Horizon = Annotated[
    float,
    BeforeValidator(duration_within(most="366d"), json_schema_input_type=str),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(DURATION_SCHEMA),
]
"""Seconds, more than zero and at most 366 days."""


class Time(Section):
    """The clock of the simulation."""

    bin: PositiveDuration = parse_duration("1m")
    """Resolution of the ledger."""
    window: Annotated[
        float | Literal["auto"],
        PlainValidator(_auto_or_duration),
        PlainSerializer(_auto_or_text, return_type=str),
        WithJsonSchema({**DURATION_SCHEMA, "examples": ["auto", "60s"]}),
    ] = "auto"
    """Look-ahead window, "auto" or from 100ms; changes speed, never results."""
    horizon: Horizon | None = None
    """When it stops, up to 366d; by default when every message is final and reported."""


def _within_the_limit(latency: RandomTime) -> RandomTime:
    if latency.lowest_s > ASYNCHRONOUS_LIMIT_S:
        raise ValueError(
            f"never less than {shown(format_duration(latency.lowest_s))}, but asynchronous bounces "
            f'arrive within 7 days; give a shorter time, such as "9h"'
        )
    draws = latency.sample(np.random.default_rng(0), 10_000)
    share = float(np.mean(draws <= ASYNCHRONOUS_LIMIT_S))
    if share < _LEAST_WITHIN_THE_LIMIT:
        raise ValueError(
            f"only {share:.1%} are within 7 days, in which asynchronous bounces arrive; "
            f'give a shorter time, such as "9h"'
        )
    return latency


class Feedback(Section):
    """How long Campaign takes to know what the MTA knows."""

    synchronous: Distribution = Constant(value="0s")
    """From an event at the MTA to Campaign's log."""
    asynchronous: Annotated[Distribution, AfterValidator(_within_the_limit)] = Constant(value="0s")
    """From acceptance to a qualified asynchronous bounce; at most 7 days."""
    polling: PositiveDuration | None = None
    """Reports are taken in at multiples of this only."""
    rate: ServerRateField = None
    """Rate at which reports are taken in, one after the other, or "none"."""


class Engagement(Section):
    """What readers do with accepted messages."""

    open_rate: Share = 0.0
    """Share of the accepted messages that are opened."""
    open_delay: Distribution = Constant(value="0s")
    """From acceptance to the open."""
    click_rate: Share = 0.0
    """Share of the opened messages that are clicked."""
    click_delay: Distribution = Constant(value="0s")
    """From the open to the click."""


Mode = Literal["without-efs", "efs", "efs-v8", "legacy"]
Denominator = Literal["default", "to-deliver", "relayed", "processed"]


def _each_once(modes: tuple[Mode, ...]) -> tuple[Mode, ...]:
    twice = next((mode for mode in modes if modes.count(mode) > 1), None)
    if twice is not None:
        raise ValueError(f"{shown(twice)} is there twice; name each mode once")
    return modes


class Reporting(Section):
    """How Campaign shows what it knows."""

    modes: Annotated[OneOrMore[Mode], AfterValidator(_each_once)] = (
        "without-efs",
        "efs",
    )
    """Ways to read the ledger."""
    refresh: PositiveDuration = parse_duration("10m")
    """Dashboard figures are at most this old."""
    engagement_refresh: PositiveDuration = parse_duration("1h")
    """Opens and clicks are at most this old."""
    denominator: Denominator = "default"
    """What percentages are of; each mode has its own default."""
