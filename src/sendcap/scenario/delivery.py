"""A delivery: messages, audience, start and validity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import (
    Field,
    PrivateAttr,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticKnownError

from sendcap.scenario.audience import Audience, apportioned
from sendcap.scenario.confirmation import GIVES_UP, Confirmation
from sendcap.scenario.durations import (
    DurationText,
    PositiveDuration,
    format_duration,
    parse_duration,
)
from sendcap.scenario.moments import MomentText, at_text
from sendcap.scenario.operators import Moments, operator_problems
from sendcap.scenario.pattern import Pattern
from sendcap.scenario.repetition import MOST_TIMES, Cells, LocalTime, Waves, Zones, waves_of
from sendcap.scenario.section import Count, Name, Place, Section, refuse, unit

POPULATION: Final = "population"
"""Key in the context of validation: whether the scenario has a population."""
Priority = Literal["high", "normal", "low"]
PRIORITIES: Final[tuple[Priority, ...]] = ("high", "normal", "low")
"""The one that goes first is first."""


def _or_the_population(value: Any, read: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """Let a scenario with a population leave a field out: it is filled in later."""
    if value is not None:
        return read(value)
    if (info.context or {}).get(POPULATION):
        return 0 if info.field_name == "messages" else {}
    raise PydanticKnownError("missing")


_FILLED_IN: Final = WrapValidator(_or_the_population)


class Origin(NamedTuple):
    """The delivery of a scenario file that one is a part or a repetition of."""

    written: Delivery
    made: Delivery  # as it was
    of: int  # how many there are
    sending: str  # name of the repetition, with all its parts
    at: float  # start of that


class Delivery(Section):
    """One sending to an audience."""

    name: Name
    """Name of the delivery, unique in the scenario."""
    messages: Annotated[Count, unit("messages"), _FILLED_IN] = Field(
        default=None, validate_default=True
    )
    """Number of messages to deliver.

    With a population, the number of people targeted (default: all of the segment).
    """
    at: Annotated[float, MomentText(most="366d")] = 0.0
    """Start of sending, up to 366d; the delivery is *start pending* until then.

    With start also by the clock: "14:00", "Sat 08:00", 2026-11-28T08:00:00.
    """
    # Opens are followed for 14 days from the start.
    spread: Annotated[float, DurationText(most="14d", zero=True)] = 0.0
    """Time over which the messages become ready evenly, up to 14d (default: all at once).

    They do so in batches, each as a whole when its first message is ready.
    """
    batch: Annotated[Count | None, unit("messages")] = None
    """Messages per hand-over (default: relay.batch); a stream of few messages needs small ones."""
    pattern: Pattern | None = None
    """Weights of the hours in which the messages of a spread become ready, in any unit.

    24 numbers for the hours of the day from 00:00, or 168 for those of the week from Monday 00:00,
    by the clock of start.
    """
    validity: PositiveDuration = parse_duration("3.5d")
    """Time for which a message is retried; the MTA honours at most mta.longest_validity."""
    audience: Annotated[Audience, _FILLED_IN] = Field(default=None, validate_default=True)
    """Share of the messages that go to each provider (with a population: that of the people)."""
    segment: Name | None = None
    """Segment of the population that is targeted (default: all people)."""
    prepare: PositiveDuration | None = None
    """Time before the start at which the delivery is prepared.

    What Campaign does not know then of bounces, changes nothing. By default the delivery is
    prepared as it is confirmed or, without a confirmation, as it starts.
    """
    pool: Name | None = None
    """Pool of source addresses that the messages leave from, where the MTA has pools."""
    priority: Priority = "normal"
    """Whose messages and batches go first, with mta.order = "priority"."""
    every: PositiveDuration | None = None
    """Time from one sending to the next, of a recurring delivery; each is a delivery of its own.

    Whole days are days of the clock where the scenario has a zone: 08:00 remains 08:00.
    """
    times: Annotated[Count | None, Field(le=MOST_TIMES), unit("sendings")] = None
    """Number of sendings of a recurring delivery; or give until."""
    until: Annotated[float, MomentText(most="366d")] | None = None
    """Moment after which a recurring delivery is not sent any more; or give times."""
    waves: Waves | None = None
    """Parts that leave one after the other: a list of waves, or a size and a time between them."""
    cells: Cells | None = None
    """A/B test: cells that leave first, and the rest after the test."""
    local_time: LocalTime | None = None
    """Time of day at which each recipient gets the message, by the clock of zones."""
    zones: Zones | None = None
    """Share of the recipients in each time zone, with local_time."""
    confirm: Confirmation | None = None
    """Confirmation that the delivery needs; it starts at the later of at and that.

    Its parts have one confirmation together; its repetitions have one each.
    """
    pause: Moments | None = None
    """Moment, or moments, from which nothing more is handed over to the MTA, until resume."""
    resume: Moments | None = None
    """Moment, or moments, from which a paused delivery goes on."""
    stop: Annotated[float, MomentText(most="366d")] | None = None
    """Moment from which nothing more is ever handed over; what the MTA has, it delivers."""

    _origin: Origin | None = PrivateAttr(default=None)
    _filled_in: dict[str, Any] = PrivateAttr(default_factory=dict)
    _is_held: bool = PrivateAttr(default=False)

    @property
    def parent(self) -> str | None:
        """Name of the delivery that this one is a part or a repetition of; None without one."""
        return None if self._origin is None else self._origin.written.name

    @property
    def origin(self) -> Origin | None:
        """What this one is a part or a repetition of."""
        return self._origin

    @property
    def is_held(self) -> bool:
        """Whether the MTA holds the messages at t = 0: they are a backlog, and not relayed."""
        return self._is_held

    def as_held(self) -> Delivery:
        """Return a copy whose messages the MTA holds at t = 0."""
        held = self.model_copy()
        held._is_held = True  # noqa: SLF001
        return held

    @property
    def filled_in(self) -> set[str]:
        """Fields that the population gives, and not the scenario file."""
        return {name for name, value in self._filled_in.items() if self.__dict__[name] == value}

    def filled(self, messages: int, audience: dict[str, float]) -> Delivery:
        """Return a copy with what a population gives, where the scenario file says nothing."""
        update: dict[str, Any] = {}
        if not self.messages:
            update["messages"] = messages
        if not self.audience:
            update["audience"] = audience
        filled = self.model_copy(update=update)
        filled._filled_in = update  # noqa: SLF001
        return filled

    def prepared(self, counts: Mapping[str, int]) -> Delivery:
        """Return a copy with the messages to each provider that a preparation has left."""
        messages = sum(counts.values())
        if not messages:
            return self.model_copy(update={"messages": 0})
        audience = {name: count / messages for name, count in counts.items()}
        return self.model_copy(update={"messages": messages, "audience": audience})

    def to_strangers(self) -> Delivery:
        """Return a copy whose messages go to addresses that no other message goes to."""
        copied = self.model_copy(update={"segment": None, "prepare": None})
        copied._filled_in = {}  # noqa: SLF001
        return copied

    @property
    def sending(self) -> tuple[str, float]:
        """Name and start of what is confirmed and prepared at once: a repetition with its parts."""
        origin = self._origin
        return (self.name, self.at) if origin is None else (origin.sending, origin.at)

    @property
    def gives_up_s(self) -> float:
        """Time after its start at which it is not sent any more while nobody has confirmed it."""
        given = None if self.confirm is None else self.confirm.give_up
        every = self.every if self._origin is None else self._origin.written.every
        return given or every or GIVES_UP

    @property
    def latest_at(self) -> float:
        """The latest start that a confirmation allows."""
        return self.at if self.confirm is None else self.at + self.gives_up_s

    @property
    def is_started(self) -> bool:
        """Whether anything is sent before it is stopped, or given up."""
        return self.stop is None or self.stop > self.at

    @property
    def is_as_made(self) -> bool:
        """Whether a part or a repetition is as the scenario file says."""
        return self._origin is not None and self.__dict__ == self._origin.made.__dict__

    def made_of(self, origin: Origin) -> Delivery:
        """Return this part or repetition of another delivery."""
        made = self.model_copy()
        made._origin = origin  # noqa: SLF001
        return made

    @model_validator(mode="after")
    def _one_programme(self) -> Delivery:
        refuse((*programme_problems(self), *operator_problems(self)))
        return self

    def counts(self) -> dict[str, int]:
        """Messages for each provider of the audience.

        The shares are met as closely as whole messages allow (largest remainder; among equal
        remainders the provider that comes first in the audience), and the counts sum to
        ``messages`` exactly.

        Examples
        --------
        >>> Delivery(name="d", messages=10, audience={"a": 0.25, "b": 0.25, "c": 0.5}).counts()
        {'a': 3, 'b': 2, 'c': 5}
        """
        return apportioned(self.messages, self.audience)


# Deliveries that are sent in parts or again and again, and what is wrong with them.


def programme_problems(delivery: Delivery) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong, and where."""
    if delivery.every is None:
        for key in ("times", "until"):
            if getattr(delivery, key) is not None:
                yield (key,), 'belongs to a recurring delivery; give every, such as every = "7d"'
    elif (delivery.times is None) == (delivery.until is None):
        yield (
            ("every",),
            "needs either times, a number of sendings, or until, a moment, and not both",
        )
    elif delivery.until is not None and delivery.until < delivery.at:
        until, at = map(at_text, (delivery.until, delivery.at))
        yield ("until",), f"{until} comes before the first sending, {at}; give a later moment"
    elif delivery.confirm is not None and delivery.gives_up_s > delivery.every:
        given, every = map(format_duration, (delivery.gives_up_s, delivery.every))
        message = f"{given} is longer than every, {every}: the next sending would start before "
        yield ("confirm", "give_up"), f"{message}this one is confirmed; give at most {every}"
    parts = [key for key in ("waves", "cells", "local_time") if getattr(delivery, key) is not None]
    if len(parts) > 1:
        yield (parts[1],), f"cannot be together with {parts[0]}; leave one of them out"
    if delivery.local_time is None and delivery.zones:
        yield ("zones",), 'belong to local_time; give it, such as local_time = "09:00"'
    elif delivery.local_time is not None and not delivery.zones:
        yield ("local_time",), 'needs zones, such as zones = { "Europe/Berlin" = 1 }'
    starts_s = [("waves", wave.after) for wave in waves_of(delivery.waves)]
    starts_s += [("cells", delivery.cells.after)] if delivery.cells else []
    for key, after_s in starts_s[-1:]:
        if after_s >= delivery.validity:
            after, validity = format_duration(after_s), format_duration(delivery.validity)
            message = f"the last part starts after {after}, when the validity, {validity}, is over"
            yield (key,), message
