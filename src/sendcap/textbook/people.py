"""The people of the textbook model: the list, and the preparation of sendings."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from sendcap.scenario import Fault, Hard, Scenario
from sendcap.scenario.audience import apportioned
from sendcap.scenario.population import YEAR_S, Population
from sendcap.text.quantities import DAY_S
from sendcap.textbook.addresses import Addresses
from sendcap.textbook.chance import Chance
from sendcap.textbook.learning import COMPLAINT, Learning
from sendcap.textbook.person import Person
from sendcap.textbook.sending import Sending

WEEK_S = 7 * DAY_S


@dataclass(slots=True)
class Preparation:
    """What the preparation of a sending made of the people whom it targets."""

    sending: str
    at_s: float
    targeted: int
    excluded: Counter[str] = field(default_factory=Counter)
    mistaken: int = 0  # those who are excluded as quarantined, and whose addresses are good
    to_deliver: Counter[str] = field(default_factory=Counter)  # by provider


@dataclass(slots=True)
class Health:
    """The state of the list at a moment, in people."""

    at_s: float
    good: int = 0
    erroneous: int = 0
    quarantined: int = 0
    denylisted: int = 0
    dead_unknown: int = 0  # dead ones that are good or erroneous, as far as Campaign knows
    mistaken: int = 0  # quarantined ones whose addresses are good

    @property
    def people(self) -> int:
        """All who are on the list."""
        return self.good + self.erroneous + self.quarantined + self.denylisted


class People:
    """Those on the list: they join, die, are written to, and Campaign learns of it."""

    def __init__(
        self, scenario: Scenario, population: Population, chance: Chance, last_s: float
    ) -> None:
        self.scenario = scenario
        self.population = population
        self.chance = chance
        self.addresses = {
            name: Addresses(scenario.providers[name], chance) for name in population.providers
        }
        self.learning = Learning(population.quarantine, scenario.start)
        self.preparations: list[Preparation] = []
        self.health: list[Health] = []  # at each preparation, and at the end
        self.weekly: list[Health] = []  # at the end of each week
        self.to_deliver = {
            (delivery.name, provider): 0
            for delivery in scenario.deliveries
            for provider in population.providers
        }
        self.imports = sorted(population.imports, key=lambda each: each.at)
        self.last_s = last_s  # of the preparations: nothing goes to those who join later
        self.new = 0  # those of new_per_day who have joined
        self.everyone: list[Person] = []
        for provider in self.providers_of(population.size):
            self.join(provider, 0.0, self.addresses[provider].wrong_with_a_first())

    # --- The list -------------------------------------------------------------------------------

    def providers_of(self, people: int) -> Iterator[str]:
        """Yield the provider of each of some people."""
        counts = apportioned(people, self.population.providers)
        yield from Counter(counts).elements()

    def grow(self, now_s: float) -> None:
        """Let everyone join who does so until now."""
        while self.imports and self.imports[0].at <= now_s:
            one = self.imports.pop(0)
            for provider in self.providers_of(one.size):
                wrong = self.addresses[provider].wrong_with_a_newcomer(one.dead)
                self.join(provider, one.at, wrong)
        per_day, dead = self.population.new_per_day, self.population.dead_among_new
        while per_day and (joined_s := (self.new + 1) * (DAY_S / per_day)) <= now_s:
            self.new += 1
            provider = self.chance.name_of(self.population.providers)
            self.join(provider, joined_s, self.addresses[provider].wrong_with_a_newcomer(dead))

    def join(self, provider: str, joined_s: float, wrong: Hard | Fault | None) -> None:
        """Put a person on the list, with what is drawn once."""
        population, chance = self.population, self.chance
        person = Person(provider, joined_s)
        if isinstance(wrong, Hard):
            person.dead, person.dies_s = wrong, -math.inf
        else:
            person.dead, person.fault = self.addresses[provider].dead, wrong
            person.dies_s = joined_s + self.lives_s()
        if population.classes:
            shares = {name: each.share for name, each in population.classes.items()}
            person.engagement = chance.name_of(shares)
        person.segments = frozenset(
            name
            for name, segment in population.segments.items()
            if segment.drawn == "once" and chance.happens(segment.share)
        )
        person.is_control = chance.happens(population.control_group)
        self.everyone.append(person)

    def lives_s(self) -> float:
        """Draw how long an address lives from when it joins."""
        rate = -math.log1p(-self.population.decay) / YEAR_S
        return self.chance.generator.exponential(1.0 / rate) if rate else math.inf

    def wrong_with(self, person: Person, now_s: float) -> Hard | Fault | None:
        """Return what is wrong with the address of a message that is handed over now."""
        return self.addresses[person.provider].wrong_with(person, now_s)

    def open_rate(self, person: Person) -> float:
        """Return the share of the messages that a person opens."""
        if person.engagement is None:
            return self.scenario.engagement.open_rate
        return self.population.classes[person.engagement].open_rate

    def opened(self, person: Person, opened_s: float) -> None:
        """Let a person complain about a message that is opened, perhaps."""
        if self.chance.happens(self.population.complaints):
            known_s = opened_s + self.chance.draw(self.population.complaint_delay)
            self.learning.hears(person, COMPLAINT, known_s, known_s)

    # --- Preparation ----------------------------------------------------------------------------

    def prepare(self, sending: Sending) -> dict[str, list[Person]]:
        """Prepare a sending with what Campaign knows before; return who gets each part."""
        self.look(sending.prepared_s)
        targeted = [person for person in self.everyone if self.belongs(person, sending.segment)]
        if len(targeted) > sending.sample:
            targeted = self.shuffled(targeted)[: int(sending.sample)]
        preparation = Preparation(sending.name, sending.prepared_s, len(targeted))
        to_deliver = []
        for person in self.shuffled(targeted):
            reason = self.excluded(person, sending.starts_s)
            if reason:
                preparation.excluded[reason] += 1
                good = person.wrong_at(sending.prepared_s) is None
                preparation.mistaken += good and reason == "quarantined"
            else:
                preparation.to_deliver[person.provider] += 1
                to_deliver.append(person)
        for person in to_deliver:
            person.contacts_s += (sending.starts_s,)
        self.preparations.append(preparation)
        return dict(self.parts(sending, to_deliver))

    def belongs(self, person: Person, segment: str | None) -> bool:
        """Tell whether a person belongs to a segment at a preparation."""
        if segment is None:
            return True
        settings = self.population.segments[segment]
        if settings.classes and person.engagement not in settings.classes:
            return False
        if settings.drawn == "once":
            return segment in person.segments
        return self.chance.happens(settings.share)

    def excluded(self, person: Person, starts_s: float) -> str:
        """Return why a person is excluded from a sending that starts then, "" if not."""
        standing, fatigue = person.standing, self.population.fatigue
        if standing.denylisted:
            return "denylisted"
        if standing.quarantined:
            return "quarantined"
        if person.is_control:
            return "control group"
        if fatigue is None:
            return ""
        first_s, last_s = starts_s - fatigue.period, starts_s + fatigue.period
        contacts = sum(first_s <= contact_s <= last_s for contact_s in person.contacts_s)
        return "fatigue" if contacts >= fatigue.max else ""

    def parts(
        self, sending: Sending, to_deliver: list[Person]
    ) -> Iterator[tuple[str, list[Person]]]:
        """Yield who gets each part: as many as its share of the messages says."""
        shares = {part.name: part.messages for part in sending.parts}
        rest = iter(to_deliver)
        for name, count in apportioned(len(to_deliver), shares).items():
            people = [next(rest) for _ in range(count)]
            for person in people:
                self.to_deliver[name, person.provider] += 1
            yield name, people

    def shuffled(self, people: list[Person]) -> list[Person]:
        """Return people in random order."""
        return [people[place] for place in self.chance.generator.permutation(len(people))]

    # --- Readings -------------------------------------------------------------------------------

    def look(self, now_s: float) -> None:
        """Note the state of the list at a moment, and at the end of the weeks until then."""
        while (week_s := (len(self.weekly) + 1) * WEEK_S) <= now_s:
            self.weekly.append(self.health_at(week_s))
        self.health.append(self.health_at(now_s))

    def health_at(self, now_s: float) -> Health:
        """Bring the list up to a moment, and return the state of it."""
        self.grow(min(now_s, self.last_s))
        self.learning.learn(now_s)
        health = Health(now_s)
        for person in self.everyone:
            standing = person.standing
            standing.release(now_s)
            state = standing.at(now_s, self.population.quarantine.reset)
            setattr(health, state, getattr(health, state) + 1)
            dead = person.dies_s <= now_s
            health.dead_unknown += dead and state in ("good", "erroneous")
            good = not dead and person.fault is None
            health.mistaken += good and state == "quarantined"
        return health

    def end(self, ledger_s: float) -> None:
        """Note the state of the list at the end of the ledger, or at a later preparation."""
        prepared_s = (preparation.at_s for preparation in self.preparations)
        end_s = max((ledger_s, *prepared_s))
        self.look(min(end_s, self.scenario.time.horizon or math.inf))

    def accepted_by_week(self) -> dict[int, Counter[int]]:
        """Return, of each week from t = 0, how many people got 1, 2, ... messages."""
        weeks: dict[int, Counter[int]] = {}
        for person in self.everyone:
            messages = Counter(int(accepted_s // WEEK_S) for accepted_s in person.accepted_s)
            for week, got in messages.items():
                weeks.setdefault(week, Counter())[got] += 1
        return dict(sorted(weeks.items()))
