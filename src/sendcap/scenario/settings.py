"""The smaller parts of a scenario: relay, MTA, time, feedback, engagement, reporting."""

from functools import lru_cache
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

from sendcap.scenario.distributions import Constant, Distribution
from sendcap.scenario.durations import (
    DURATION_SCHEMA,
    DurationText,
    PositiveDuration,
    format_duration,
    parse_duration,
)
from sendcap.scenario.pools import Pool
from sendcap.scenario.random_time import RandomTime
from sendcap.scenario.rates import ServerRateField
from sendcap.scenario.retry import ExponentialRetry, Retry
from sendcap.scenario.retry.policy import SHORTEST_WINDOW
from sendcap.scenario.section import (
    MOST_AT_A_TIME,
    READ_NONE,
    WRITE_NONE,
    Count,
    Name,
    OneOrMore,
    Section,
    Share,
    each_once,
    unit,
)
from sendcap.scenario.suspend import SuspendField
from sendcap.scenario.throttle import ScheduledRateField
from sendcap.text.quoting import shown
from sendcap.text.shares import rounded_share

FOLLOWED_S: Final = parse_duration("14d")
"""Opens and clicks are followed for two weeks from the start of their delivery (assumption).

Their delays have long tails: followed to the last one, a run would be years long.
"""
ASYNCHRONOUS_LIMIT_S: Final = parse_duration("7d")
"""An asynchronous bounce arrives within this many seconds of its message's acceptance."""

_LEAST_WITHIN_THE_LIMIT: Final = 0.05
"""Longer latencies are drawn again, so a limit that few latencies meet would take for ever."""

_WINDOW: Final = DurationText(least=SHORTEST_WINDOW)


class Time(Section):
    """The clock of the simulation."""

    bin: PositiveDuration = parse_duration("1m")
    """Resolution of the ledger."""
    window: Annotated[
        float | Literal["auto"],
        PlainValidator(lambda value: "auto" if value == "auto" else _WINDOW.read(value)),
        PlainSerializer(
            lambda window: window if window == "auto" else format_duration(window), return_type=str
        ),
        WithJsonSchema({**DURATION_SCHEMA, "examples": ["auto", "60s"]}),
    ] = "auto"
    """Window in which time is simulated, "auto" or at least 100ms; affects speed, not results."""
    horizon: Annotated[float, DurationText(most="366d")] | None = None
    """End of the simulation, up to 366d (default: when every message is final and reported)."""


@lru_cache(maxsize=256)
def _share_within_the_limit(latency: RandomTime) -> float:
    draws = latency.sample(np.random.default_rng(0), 10_000)
    return float(np.mean(draws <= ASYNCHRONOUS_LIMIT_S))


def _within_the_limit(latency: RandomTime) -> RandomTime:
    if latency.lowest_s > ASYNCHRONOUS_LIMIT_S:
        raise ValueError(
            f"never less than {shown(format_duration(latency.lowest_s))}, but asynchronous bounces "
            f'arrive within 7 days; give a shorter time, such as "9h"'
        )
    share = _share_within_the_limit(latency)
    if share < _LEAST_WITHIN_THE_LIMIT:
        raise ValueError(
            f"only {rounded_share(share, 1)} are within 7 days, in which asynchronous bounces "
            f'arrive; give a shorter time, such as "9h"'
        )
    return latency


class Feedback(Section):
    """Delays between an event at the MTA and its report in Campaign."""

    synchronous: Distribution = Constant(value="0s")
    """From an event at the MTA to Campaign's log."""
    asynchronous: Annotated[Distribution, AfterValidator(_within_the_limit)] = Constant(value="0s")
    """From acceptance to a qualified asynchronous bounce; at most 7 days."""
    polling: PositiveDuration | None = None
    """Interval at which reports are processed (default: at once)."""
    rate: ServerRateField = None
    """Rate at which reports are processed, one after the other, or "none"."""


class Engagement(Section):
    """Opens and clicks of accepted messages."""

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


class Reporting(Section):
    """The dashboard of Campaign."""

    modes: Annotated[OneOrMore[Mode], each_once("mode")] = (
        "without-efs",
        "efs",
    )
    """Reporting modes to compute."""
    refresh: PositiveDuration = parse_duration("10m")
    """Longest age of the dashboard figures."""
    engagement_refresh: PositiveDuration = parse_duration("1h")
    """Longest age of opens and clicks."""
    denominator: Denominator = "default"
    """Denominator of the percentages; "default" is each mode's own."""


class Relay(Section):
    """The relay: workers that hand batches of messages over to the MTA."""

    workers: Annotated[Count, Field(le=MOST_AT_A_TIME), unit("workers")] = 1
    """Batches handed over at the same time."""
    batch: Annotated[Count, unit("messages")] = 256
    """Messages per hand-over, of deliveries that do not say otherwise."""
    batch_time: Distribution
    """Time of one hand-over."""
    rate: ScheduledRateField = None
    """Rate limit of all workers together, a schedule of it, or "none".

    A rate's max_burst defaults to the whole limit: "15,000/hr" lets 15,000 messages pass at once,
    and ",max_burst=1" spaces them evenly.
    """
    error_rate: Share = 0.0
    """Share of the messages that fail before the hand-over."""


class Mta(Section):
    """The MTA: source addresses, ingress, spool, suspension, validity and retries."""

    ips: Annotated[Count, Field(le=MOST_AT_A_TIME), unit("addresses")] = 1
    """Source addresses; the providers' limits apply to each. Pools have their own instead."""
    pools: dict[Name, Pool] = Field(default_factory=dict)
    """Pools of source addresses by name; a delivery names the one that it leaves from."""
    queues: Literal["pooled", "per-ip"] = "pooled"
    """Queues of a pool at each provider: one for all source addresses, or one for each.

    With "per-ip" messages take the addresses in turn, and throttles, tolerance, suspensions and
    warm-up act on one address and not on all together, as in KumoMTA (per source and site) and in
    Momentum (per binding and domain).
    """
    order: Literal["fifo", "priority", "fair"] = "fifo"
    """Whose turn it is in a queue, and at the relay.

    With "fifo" it is the message that has been ready the longest. With "priority" it is that of the
    delivery with the highest priority; nobody is interrupted: a message keeps its connection. With
    "fair" the deliveries take turns, as in Postfix's queue manager.
    """
    active: Annotated[Count | None, READ_NONE, WRITE_NONE, unit("messages")] = None
    """Most messages that are offered to connections at a time, over all queues, or "none".

    The others wait in order, whatever their provider: a slow one can hold up a quick one (Postfix,
    qmgr_message_active_limit; 20,000 there).
    """
    ingress_rate: ServerRateField = None
    """Rate at which the MTA accepts messages from the relay, or "none"."""
    spool: Annotated[Count | None, READ_NONE, WRITE_NONE, unit("messages")] = None
    """Largest number of messages in the MTA that are not final, or "none"; the relay waits."""
    suspend: SuspendField = None
    """Reaction to throttled answers: a rule, the name of a rule, or "none"."""
    clock_origin: Literal["relayed", "delivery-start"] = "relayed"
    """Start of the validity: the hand-over of the message, or the start of the delivery."""
    longest_validity: Annotated[float, DurationText(most="366d")] = parse_duration("3.5d")
    """Longest validity that the MTA honours; 3.5d is the rule of Adobe's Enhanced MTA."""
    expire: Literal["retry", "at-expiry", "on-failure"] = "retry"
    """Expiry of a message: on time, or at the failure after which no retry fits.

    By default the retry policy's own rule: on failure for KumoMTA's, on time for all others.
    """
    retry: Retry = Field(default_factory=ExponentialRetry)
    """Retry policy after soft bounces; a provider may have one of its own."""
