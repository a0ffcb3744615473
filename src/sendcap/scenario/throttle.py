"""Throttles of a provider queue: rates, windows, pauses, and rates that change with time."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Discriminator, Field, PlainSerializer, Tag, WithJsonSchema

from sendcap.scenario.durations import PositiveDuration
from sendcap.scenario.moments import MomentField, at_text
from sendcap.scenario.rates import RATE_SCHEMA, Rate
from sendcap.scenario.section import Checked, Count, OneOrMore, Place, Section, Share, unit
from sendcap.text.quantities import DAY_S
from sendcap.text.quoting import shown

LIST: Final = "[list]"
"""Stands for a list in the places of problems."""
_KEY: Final = "rate"


def _closed_or_rate(value: Any) -> Any:
    """Read a rate, or "closed": nothing goes."""
    if value == "closed" or isinstance(value, Rate):
        return value
    return Rate.parse(value)


ClosedOrRate = Annotated[
    Rate | Literal["closed"],
    BeforeValidator(_closed_or_rate),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({**RATE_SCHEMA, "examples": ["200/d", "closed"]}),
]
"""Attempts from each source address, or "closed": none at all."""


class Step(Section):
    """A limit that holds from a moment on."""

    at: MomentField
    """Start of the step, from t = 0 or, with start, by the clock."""
    rate: ClosedOrRate
    """Rate from then on, or "closed"."""


class Schedule(Checked):
    """A rate that changes at given times, for the warm-up of IPs and for quiet hours.

    A step holds from its moment on, also for what waits already.
    """

    kind: Literal["schedule"] = "schedule"
    """Kind of the throttle."""
    steps: OneOrMore[Step]
    """Steps in order of time, the first at 0s."""

    def _problems(self) -> Iterator[tuple[Place, str]]:
        if self.steps[0].at != 0.0:
            given = shown(at_text(self.steps[0].at))
            yield ("steps", 0, "at"), f'the first step must be at "0s", not {given}'
        for number, (one, two) in enumerate(pairwise(self.steps), 1):
            if two.at <= one.at:
                before, given = shown(at_text(one.at)), shown(at_text(two.at))
                message = f"{given} does not come after {before}; put steps in order of time"
                yield ("steps", number, "at"), message
        if self.steps[-1].rate == "closed":
            message = "the last step may not be closed: nothing would ever go again"
            yield ("steps", len(self.steps) - 1, "rate"), message


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
    """Kind of the throttle."""
    per_day: OneOrMore[Count] = SPARKPOST_PER_DAY
    """Attempts per day from each source address, day by day; the last day's volume continues."""
    share: Annotated[Share, Field(gt=0)] = 1.0
    """Share of the address's volume that goes to this provider."""

    def schedule(self) -> Schedule:
        """Return the same as a schedule, a step for each day; at least one attempt a day."""
        return Schedule(
            steps=tuple(
                Step(at=f"{day}d", rate=Rate(max(round(count * self.share), 1), DAY_S, 1))
                for day, count in enumerate(self.per_day)
            )
        )


class FixedWindow(Section):
    """A number of attempts per window of time, without spacing.

    Adobe Campaign's native MTA enforces its messages per hour as twelve windows of five minutes:
    10,000 an hour are 833 in each (Campaign Classic, "Email deliverability").
    """

    kind: Literal["fixed-window"] = "fixed-window"
    """Kind of the throttle."""
    limit: Annotated[Count, unit("attempts")]
    """Attempts per window from each source address."""
    window: PositiveDuration
    """Length of a window; the first begins at t = 0."""


class Gap(Section):
    """A pause of the source IP after each attempt has finished; one attempt of it at a time.

    Postfix's ``destination_rate_delay`` (``qmgr_entry.c``): a cycle takes service plus delay.
    """

    kind: Literal["gap"] = "gap"
    """Kind of the throttle."""
    pause: PositiveDuration
    """Time from the end of an attempt to the start of the next one from the same source IP."""


def _one(value: Any) -> Any:
    return value if isinstance(value, dict | Section | Rate) else Rate.parse(value)


def _one_of_several(value: Any) -> Any:
    if value is None or value == "none":
        raise ValueError(f'a list has throttles only, not "none"; write {_KEY} = "none" for none')
    return _one(value)


def _one_or_none(value: Any) -> Any:
    return None if value is None or value == "none" else _one(value)


def _kind(value: Any) -> str | None:
    if isinstance(value, list | tuple):
        return LIST
    if isinstance(value, Rate):
        return "gcra"
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return kind if isinstance(kind, str) else None


def _as_written(throttle: Any) -> Any:
    if throttle is None:
        return "none"
    if isinstance(throttle, tuple):
        return [_as_written(each) for each in throttle]
    return str(throttle) if isinstance(throttle, Rate) else throttle.model_dump()


Throttle = Rate | FixedWindow | Gap | Schedule | WarmUp
"""A limit of attempts; a rate's is the GCRA."""


def throttles_of(rate: Throttle | tuple[Throttle, ...] | None) -> tuple[Throttle, ...]:
    """Return the throttles of a field: none, one or several."""
    if rate is None:
        return ()
    return rate if isinstance(rate, tuple) else (rate,)


_Kinds = (
    Annotated[Rate, Tag("gcra")]
    | Annotated[FixedWindow, Tag("fixed-window")]
    | Annotated[Gap, Tag("gap")]
    | Annotated[Schedule, Tag("schedule")]
    | Annotated[WarmUp, Tag("warm-up")]
)
_BY_KIND: Final = Discriminator(
    _kind,
    custom_error_type="throttle_kind",
    custom_error_message='kind must be "fixed-window", "gap", "schedule" or "warm-up"; '
    'a plain rate is text, such as "100/s"',
)
_RATE_OR_SCHEDULE: Final = Discriminator(
    _kind,
    custom_error_type="throttle_kind",
    custom_error_message='must be a rate, such as "100/s", or a table with kind = "schedule"',
)


ScheduledRate = Rate | Schedule
"""A rate that may change with time."""
ScheduledRateField = Annotated[
    Annotated[
        Annotated[Rate, Tag("gcra")] | Annotated[Schedule, Tag("schedule")], _RATE_OR_SCHEDULE
    ]
    | None,
    BeforeValidator(_one_or_none),
    PlainSerializer(_as_written),
]
"""A rate or a schedule, or None, written "none", for none."""
_Several = OneOrMore[Annotated[_Kinds, _BY_KIND, BeforeValidator(_one_of_several)]]
ThrottlesField = Annotated[
    Annotated[_Kinds | Annotated[_Several, Tag(LIST)], _BY_KIND] | None,
    BeforeValidator(
        lambda value: value if isinstance(value, list | tuple) else _one_or_none(value)
    ),
    PlainSerializer(_as_written),
]
"""A throttle, as text or as a table with a ``kind``; a list of throttles; None for "none"."""
