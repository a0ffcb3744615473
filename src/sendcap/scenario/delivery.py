"""A delivery: messages, audience, start and validity."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, model_validator

from sendcap.scenario.confirmation import GIVES_UP, Confirmation
from sendcap.scenario.durations import DurationText, PositiveDuration, parse_duration
from sendcap.scenario.moments import MomentText
from sendcap.scenario.operators import Moments, operator_problems
from sendcap.scenario.pattern import Pattern
from sendcap.scenario.programme_problems import programme_problems
from sendcap.scenario.repetition import MOST_TIMES, Cells, LocalTime, Waves, Zones
from sendcap.scenario.section import MOST, Count, Name, Section, Share, refuse, unit
from sendcap.text.quoting import shown

_TOLERANCE: Final = 1e-6
Priority = Literal["high", "normal", "low"]
PRIORITIES: Final[tuple[Priority, ...]] = ("high", "normal", "low")
"""The one that goes first is first."""


def _sums_to_one(audience: dict[str, float]) -> dict[str, float]:
    total = math.fsum(audience.values())
    if abs(total - 1.0) > _TOLERANCE:
        raise ValueError(f"shares sum to {total:.9g}, must sum to 1")
    return audience


def _no_counts(audience: Any) -> Any:
    """Refuse counts and percentages without their sign, which no share can be."""
    weights = list(audience.values()) if isinstance(audience, dict) else []
    are_counts = all(isinstance(each, int | float) and 0 <= each <= MOST for each in weights)
    if not are_counts or max(weights, default=0) <= 1:
        return audience
    name = max(audience, key=audience.__getitem__)
    share = audience[name] / math.fsum(weights)
    raise ValueError(
        f"{shown(name)} = {shown(audience[name])} is more than 1; write shares that sum to 1, "
        f'such as {share:.4g} or "{100.0 * share:.4g}%"'
    )


Audience = Annotated[dict[Name, Share], BeforeValidator(_no_counts), AfterValidator(_sums_to_one)]
"""Share of each provider; they sum to 1."""


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
    messages: Annotated[Count, Field(lt=1_000_000_000), unit("messages")]
    """Number of messages to deliver."""
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
    audience: Audience
    """Share of the messages that go to each provider."""
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

    @property
    def parent(self) -> str | None:
        """Name of the delivery that this one is a part or a repetition of; None without one."""
        return None if self._origin is None else self._origin.written.name

    @property
    def origin(self) -> Origin | None:
        """What this one is a part or a repetition of."""
        return self._origin

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
        refuse("delivery", (*programme_problems(self), *operator_problems(self)))
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


def apportioned(messages: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Return whole messages for each share, by the largest remainder."""
    # Shares as they were written: in binary 0.1 and 0.3 would break ties at random.
    exact = {name: Fraction(repr(share)) for name, share in shares.items()}
    total = sum(exact.values())
    quotas = {name: messages * share / total for name, share in exact.items()}
    counts = {name: math.floor(quota) for name, quota in quotas.items()}
    by_remainder = sorted(quotas, key=lambda name: counts[name] - quotas[name])
    for name in by_remainder[: messages - sum(counts.values())]:
        counts[name] += 1
    return counts
