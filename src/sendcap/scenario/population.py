"""The people whom deliveries go to: a list of addresses with a memory."""

import math
from collections.abc import Iterator
from typing import Annotated, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field

from sendcap.scenario.audience import Audience, not_one
from sendcap.scenario.distributions import Distribution, Exponential
from sendcap.scenario.durations import PositiveDuration, parse_duration
from sendcap.scenario.moments import MomentField
from sendcap.scenario.section import (
    Checked,
    Count,
    Name,
    Number,
    Place,
    Section,
    Share,
    more_than_0,
    unit,
)
from sendcap.text.quantities import DAY_S
from sendcap.text.quoting import meant_or_defined, shown

YEAR_S: Final = 365 * 86_400.0
MOST_PEOPLE: Final = 100_000_000
"""Addresses, with all that join; a list of 50 million takes about 1 GiB."""
_MOST_NEW: Final = 10_000_000.0
_NONE: Final = ", which has none; define it"


_SomeShare = Annotated[Share, more_than_0("nobody would belong to it")]


def _not_all(share: float) -> float:
    if share >= 1.0:
        raise ValueError("must be less than 1; nobody would be left to write to")
    return share


_NotAll = Annotated[Share, AfterValidator(_not_all)]


class Import(Section):
    """Addresses that join the list at one moment."""

    at: MomentField
    """Moment of the import, from t = 0 or, with start, by the clock."""
    size: Annotated[Count, Field(le=MOST_PEOPLE), unit("addresses")]
    """Addresses that join."""
    dead: Share
    """Share of them that do not exist any more."""


class EngagementClass(Section):
    """People who open more, or less, than others."""

    share: _SomeShare
    """Share of the people; the shares of all classes sum to 1."""
    open_rate: Share
    """Share of the accepted messages that they open, instead of engagement.open_rate."""


class Segment(Section):
    """People whom a delivery goes to."""

    share: _SomeShare = 1.0
    """Share of the people (of these classes) who belong to it."""
    classes: tuple[Name, ...] = ()
    """Engagement classes whose people belong to it (default: all)."""
    drawn: Literal["once", "each-time"] = "once"
    """Whether the same people belong to it at each delivery, or others are drawn."""


class Fatigue(Section):
    """A rule against too many messages for one person.

    Messages of other deliveries count if their contact dates are at most a period before or after
    (Campaign's sliding period is doubled), as far as they have been prepared.
    """

    # Before and after a moment there are twice as many at most, which a byte counts.
    max: Annotated[Count, Field(le=100), unit("messages")]
    """Messages that a person may get within the period; one who has them is excluded."""
    period: PositiveDuration
    """Time before the contact date, and after it, in which messages count."""


class Quarantine(Section):
    """When Campaign writes to an address no more.

    A hard bounce is enough. Soft bounces count up to a threshold.
    """

    threshold: Annotated[Count, Field(le=200), unit("errors", "Adobe Campaign Standard")] = 5
    """Significant soft bounces after which an address is quarantined."""
    significant: PositiveDuration = parse_duration("1d")
    """Time after a significant soft bounce before which another one does not count."""
    reset: PositiveDuration = parse_duration("10d")
    """Time without a significant soft bounce after which earlier ones are forgotten.

    They are forgotten, too, when a message is accepted.
    """
    mailbox_full: PositiveDuration = parse_duration("30d")
    """Time after which an address leaves quarantine whose last bounce was *mailbox full*.

    It leaves at the next cleanup, at 04:00 by the clock, or once a day from t = 0.
    """


class Population(Checked):
    """The people on the list, and what becomes of them.

    Without a population each message has an address of its own.
    """

    size: Annotated[Count, Field(le=MOST_PEOPLE), unit("addresses")]
    """Addresses on the list at t = 0.

    What is wrong with them is what the providers say: hard and faults that never clear.
    """
    providers: Audience
    """Share of the addresses at each provider."""
    decay: _NotAll = 0.0
    """Share of the addresses that die within 365 days; a dead one bounces hard from then on."""
    new_per_day: Annotated[Number, Field(ge=0, le=_MOST_NEW), unit("addresses")] = 0.0
    """Addresses that join the list, spread evenly over each day."""
    dead_among_new: Share = 0.0
    """Share of the new ones that do not exist."""
    imports: tuple[Import, ...] = ()
    """Addresses that join at one moment, such as an old list."""
    classes: dict[Name, EngagementClass] = Field(default_factory=dict)
    """Engagement classes by name (default: all people open alike)."""
    segments: dict[Name, Segment] = Field(default_factory=dict)
    """Segments by name, which deliveries can go to."""
    control_group: _NotAll = 0.0
    """Share of the people who never get a message, drawn once."""
    fatigue: Fatigue | None = None
    """Rule against too many messages for one person (default: none)."""
    quarantine: Quarantine = Field(default_factory=Quarantine)
    """When an address is quarantined."""
    complaints: Share = 0.0
    """Share of the opened messages that are reported as spam: the address goes on the denylist."""
    complaint_delay: Distribution = Exponential(mean="1d")
    """Time from the open until Campaign knows of the complaint (assumption)."""

    def daily_s(self, until_s: float) -> npt.NDArray[np.floating]:
        """Return when each address joins that does so day by day, up to a moment."""
        if self.new_per_day == 0.0:
            return np.zeros(0)
        count = math.floor(until_s / DAY_S * self.new_per_day)
        return np.arange(1.0, count + 1.0) * (DAY_S / self.new_per_day)

    def people_at(self, at_s: float) -> int:
        """Return the number of addresses that are on the list at a moment, dead ones included."""
        imported = sum(each.size for each in self.imports if each.at <= at_s)
        return self.size + math.floor(at_s / DAY_S * self.new_per_day) + imported

    def share_of(self, segment: str | None) -> float:
        """Return the share of the people who belong to a segment, all without one."""
        if segment is None:
            return 1.0
        settings = self.segments[segment]
        classes = settings.classes or self.classes
        of_these = math.fsum(self.classes[name].share for name in classes) if classes else 1.0
        return settings.share * of_these

    def expected(self, segment: str | None, at_s: float) -> int:
        """Return how many people a delivery at a moment can be expected to target."""
        return max(round(self.people_at(at_s) * self.share_of(segment)), 1)

    def segment_problem(self, name: str) -> str | None:
        """Return what is wrong with the name of a segment, if anything is."""
        if name in self.segments:
            return None
        hint = meant_or_defined(name, self.segments, _NONE)
        return f"{shown(name)} is no segment of the population{hint}"

    def _problems(self) -> Iterator[tuple[Place, str]]:
        if self.classes:
            for message in not_one(each.share for each in self.classes.values()):
                yield ("classes",), message
        for name, segment in self.segments.items():
            for number, wanted in enumerate(segment.classes):
                if wanted not in self.classes:
                    place = ("segments", name, "classes", number)
                    hint = meant_or_defined(wanted, self.classes, _NONE)
                    yield place, f"{shown(wanted)} is no engagement class of the population{hint}"
        if self.dead_among_new > 0.0 and self.new_per_day == 0.0:
            yield ("dead_among_new",), "needs new_per_day, the number of new addresses"
