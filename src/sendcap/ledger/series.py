"""The names of a ledger's counts: events, clocks, and series."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, TypedDict, get_args

Clock = Literal["happened", "known"]
CLOCKS: tuple[Clock, ...] = get_args(Clock)

Event = Literal[
    "relayed",
    "relay_failed",
    "attempted",
    "accepted",
    "recovered",
    "hard",
    "hard_after_soft",
    "soft",
    "soft_first",
    "expired",
    "expired_untried",
    "async_bounced",
    "opened",
    "clicked",
]
EVENTS: tuple[Event, ...] = get_args(Event)
"""Every event, in the order of a message's life.

``recovered`` (accepted after at least one soft bounce), ``hard_after_soft``, ``soft_first`` (a
message's first soft bounce) and ``expired_untried`` (expired with no soft bounce before) are
counted in ``accepted``, ``hard``, ``soft`` and ``expired`` too.
"""

SUBSET: Final[Mapping[Event, Event]] = {
    "accepted": "recovered",
    "hard": "hard_after_soft",
    "soft": "soft_first",
    "expired": "expired_untried",
}
"""The event of which some count for another one, too: the next of `EVENTS`."""


class Series(NamedTuple):
    """The subject of a row of counts."""

    delivery: str
    provider: str
    event: Event
    reason: str
    clock: Clock

    @property
    def order(self) -> tuple[str, str, int, str, str]:
        """The place of the series in a ledger's table."""
        return self.delivery, self.provider, EVENTS.index(self.event), self.reason, self.clock


class Names(TypedDict, total=False):
    """A selection of deliveries and providers; None matches all."""

    delivery: str | None
    provider: str | None


class Selection(Names, total=False):
    """A selection of series: a clock, by default ``"known"``, and names; None matches all."""

    clock: Clock
    reason: str | None
