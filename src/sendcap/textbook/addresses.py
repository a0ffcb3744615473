"""What is wrong with a provider's addresses, in the textbook model."""

from __future__ import annotations

import math
from typing import Final

from sendcap.scenario import Fault, Hard, Provider
from sendcap.textbook.chance import Chance
from sendcap.textbook.person import Person

DEAD: Final = "user unknown"
"""Reason of a dead address where the provider has none."""


class Addresses:
    """The addresses of one provider."""

    def __init__(self, provider: Provider, chance: Chance) -> None:
        self.chance = chance
        self.all: list[Hard | Fault] = [*provider.hard, *provider.faults]
        self.dead = next(iter(provider.hard), Hard(reason=DEAD, share=0.0))
        # A fault that never clears is the person's; one that clears comes anew with a message.
        self.lasting = [_part(fault, fault.never, never=1.0) for fault in provider.faults]
        self.passing = [_part(fault, 1.0 - fault.never, never=0.0) for fault in provider.faults]
        self.of_the_first: list[Hard | Fault] = [*provider.hard, *self.lasting]
        self.alive = max(1.0 - math.fsum(each.share for each in provider.hard), 0.0)
        lasting = math.fsum(each.share for each in self.lasting)
        self.good = max(self.alive - lasting, 0.0)

    def wrong_with_a_stranger(self) -> Hard | Fault | None:
        """Draw what is wrong with an address that gets one message."""
        return self.chance.one_of(self.all)

    def wrong_with_a_first(self) -> Hard | Fault | None:
        """Draw what is wrong for ever with an address that is on the list at t = 0."""
        return self.chance.one_of(self.of_the_first)

    def wrong_with_a_newcomer(self, dead: float) -> Hard | Fault | None:
        """Draw what is wrong for ever with one that joins, of which a share is dead."""
        if self.chance.happens(dead):
            return self.dead
        return self.chance.one_of(self.lasting, self.alive)

    def wrong_with(self, person: Person, now_s: float) -> Hard | Fault | None:
        """Return what is wrong with a message to a person that is handed over now."""
        return person.wrong_at(now_s) or self.chance.one_of(self.passing, self.good)


def _part(fault: Fault, share: float, never: float) -> Fault:
    """Return the addresses of a fault that never clears, or those where it does."""
    return fault.model_copy(update={"share": fault.share * share, "never": never})
