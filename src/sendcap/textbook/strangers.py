"""Those who get messages without a population, in the textbook model: an address for each."""

from __future__ import annotations

from sendcap.scenario import Delivery, Fault, Hard, Scenario
from sendcap.textbook.addresses import Addresses
from sendcap.textbook.chance import Chance
from sendcap.textbook.person import Person


class Strangers:
    """Nobody knows them, and they get one message each."""

    learning = None

    def __init__(self, scenario: Scenario, chance: Chance) -> None:
        self.engagement = scenario.engagement
        self.chance = chance
        self.addresses = {
            name: Addresses(provider, chance) for name, provider in scenario.providers.items()
        }

    def drawn_for(self, delivery: Delivery) -> list[Person]:
        """Return who gets a delivery, in random order."""
        names = [name for name, count in delivery.counts().items() for _ in range(count)]
        places = self.chance.generator.permutation(len(names))
        return [Person(names[place]) for place in places]

    def wrong_with(self, person: Person, now_s: float) -> Hard | Fault | None:  # noqa: ARG002
        """Draw what is wrong with the address of a message that is handed over."""
        return self.addresses[person.provider].wrong_with_a_stranger()

    def open_rate(self, person: Person) -> float:  # noqa: ARG002
        """Return the share of the messages that are opened."""
        return self.engagement.open_rate

    def opened(self, person: Person, opened_s: float) -> None:
        """Do nothing: complaints are of no consequence to others."""
