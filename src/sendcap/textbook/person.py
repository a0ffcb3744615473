"""A person of the textbook model: an address, and what Campaign knows of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from sendcap.scenario import Fault, Hard


@dataclass(slots=True)
class Standing:
    """What Campaign knows of an address."""

    errors: int = 0  # significant ones in a row
    last_s: float = -math.inf  # when it learned of the last significant one
    quarantined: bool = False
    leaves_s: float = math.inf  # when a full mailbox leaves quarantine; others never do
    denylisted: bool = False

    @property
    def is_full(self) -> bool:
        """Whether it is in quarantine since the mailbox was full."""
        return self.leaves_s < math.inf

    def quarantine(self, leaves_s: float = math.inf) -> None:
        """Write to the address no more, or not before a cleanup."""
        self.quarantined, self.leaves_s = True, leaves_s

    def release(self, now_s: float) -> None:
        """Let the address leave quarantine, if its cleanup has come."""
        if self.leaves_s <= now_s:
            self.errors, self.quarantined, self.leaves_s = 0, False, math.inf

    def at(self, now_s: float, reset_s: float) -> str:
        """Return the state of the address in Campaign's list, as of now."""
        if self.denylisted:
            return "denylisted"
        if self.quarantined:
            return "quarantined"
        return "erroneous" if self.errors and now_s - self.last_s <= reset_s else "good"


@dataclass(slots=True, eq=False)
class Person:
    """One address of a provider; without a population, each message has one of its own."""

    provider: str
    joined_s: float = 0.0
    dies_s: float = math.inf
    dead: Hard | None = None  # why a dead one bounces
    fault: Fault | None = None  # one that never clears
    engagement: str | None = None  # class
    segments: frozenset[str] = frozenset()  # of those that are drawn once
    is_control: bool = False
    contacts_s: tuple[float, ...] = ()  # starts of the sendings that were to be delivered to it
    accepted_s: tuple[float, ...] = ()
    standing: Standing = field(default_factory=Standing)

    def wrong_at(self, now_s: float) -> Hard | Fault | None:
        """Return what is wrong with the address itself."""
        return self.dead if self.dies_s <= now_s else self.fault
