"""Preparation: who is targeted, who is excluded and why, and to whom each part goes."""

from typing import Any, NamedTuple

import numpy as np

from sendcap.ledger.people import EXCLUSIONS, Preparation
from sendcap.model.kernel.chance import uniform
from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.fields import TRIALS
from sendcap.model.kernel.person import GOOD
from sendcap.model.kernel.state import Ints, Numbers, Records
from sendcap.model.people.followed import Followed
from sendcap.model.people.knowledge import DENYLISTED, FULL, WRITTEN_TO, Knowledge
from sendcap.model.people.persons import Bytes, Flags, Persons
from sendcap.model.people.sendings import Sending
from sendcap.model.streams import Streams
from sendcap.scenario.audience import apportioned
from sendcap.scenario.population import Population


class Rosters(NamedTuple):
    """To whom the parts of a sending go: for each by provider, in the order of their messages.

    That is the order of the list, from a place on that is drawn for each sending, and round to it.
    Each person's place in a sending is as random as if all were shuffled, and memory is read in
    order, which makes the engine a third faster.
    """

    parts: dict[int, Numbers]  # by number of the delivery
    counts: dict[int, Ints]  # of each provider


class Preparer:
    """Prepares the sendings of a scenario, one after the other."""

    def __init__(
        self, population: Population, persons: Persons, knowledge: Knowledge, streams: Streams
    ) -> None:
        self._population, self._persons = population, persons
        self._knowledge, self._streams = knowledge, streams
        self.followed: Followed | None = None
        rule = population.fatigue
        self._pressure = None if rule is None else Pressure(len(persons.people), rule.period)

    def prepare(
        self, sending: Sending, first_s: float, providers: int
    ) -> tuple[Preparation, Rosters]:
        """Prepare a sending; none of those after it starts before the first moment."""
        generator = self._streams.generator("preparation", delivery=sending.name)
        targeted = self._targeted(sending, generator)
        none = np.zeros(0, np.uint8)
        messages, most, rule = none, 0, self._population.fatigue
        if self._pressure is not None and rule is not None:
            messages, most = self._pressure.around(sending.starts_s, first_s), rule.max
        who = np.empty_like(targeted)
        counts = np.zeros(len(EXCLUSIONS) + 2, np.int64)
        _exclude(
            self._persons.people,
            targeted,
            self._knowledge,
            self._persons.in_control_group,
            messages,
            most,
            sending.prepared_s,
            who,
            counts,
        )
        who = who[: counts[-1]]
        if self.followed is not None:
            self._follow(self.followed, targeted, messages, most, sending)
        if self._pressure is not None:
            self._pressure.add(sending.starts_s, who)
        excluded = dict(zip(EXCLUSIONS, counts.tolist(), strict=False))
        preparation = Preparation(
            sending.name, sending.prepared_s, len(targeted), excluded, int(counts[-2]), len(who)
        )
        who = self._persons.in_order(who)
        if len(who):
            # Else everybody would get every delivery at the same time after its start.
            who = np.roll(who, generator.integers(len(who)))
        return preparation, self._rosters(sending, who, providers)

    def _follow(
        self, followed: Followed, targeted: Numbers, messages: Bytes, most: int, sending: Sending
    ) -> None:
        """Note why a person is excluded, or is not."""
        one = targeted[targeted == followed.number]
        counts = np.zeros(len(EXCLUSIONS) + 2, np.int64)
        people, control = self._persons.people, self._persons.in_control_group
        now_s = sending.prepared_s
        _exclude(people, one, self._knowledge, control, messages, most, now_s, one.copy(), counts)
        if len(one):
            reasons = [name for name, count in zip(EXCLUSIONS, counts, strict=False) if count]
            followed.prepared(sending.name, now_s, *reasons)

    def _targeted(self, sending: Sending, generator: np.random.Generator) -> Numbers:
        """Return the people whom a sending targets, in costs that are in proportion to them."""
        count = self._persons.count_at(sending.prepared_s)
        members = self._persons.in_segment.get(sending.segment or "")
        if members is not None:
            count = int(np.searchsorted(members, np.int32(count)))
        wanted = count
        if sending.segment is not None:
            segment = self._population.segments[sending.segment]
            if segment.drawn == "each-time":
                wanted = int(generator.binomial(count, segment.share))
        if sending.most is not None:
            wanted = min(wanted, sending.most)
        if wanted == count:
            return np.arange(count, dtype=np.int32) if members is None else members[:count]
        chosen = generator.choice(count, wanted, replace=False, shuffle=False)
        chosen.sort()
        return chosen.astype(np.int32) if members is None else members[chosen]

    def _rosters(self, sending: Sending, who: Numbers, providers: int) -> Rosters:
        """Share the people out among the parts by chance, and sort them by provider."""
        shares = {str(number): float(count) for number, count in sending.parts.items()}
        sizes = np.array(list(apportioned(len(who), shares).values()), np.int64)
        if len(sizes) > 1:
            chance = np.zeros(1, TRIALS)
            chance["key"] = self._streams.key("parts", delivery=sending.name)
            dealt = np.empty_like(who)
            _deal(who, chance, sizes.copy(), np.cumsum(sizes) - sizes, dealt)
            who = dealt
        rosters, counts = {}, {}
        for number, part in zip(sending.parts, np.split(who, np.cumsum(sizes)[:-1]), strict=True):
            rosters[number] = np.empty_like(part)
            of_provider = np.zeros(providers, np.int64)
            _count_by_provider(part, self._persons.provider, of_provider)
            first = np.cumsum(of_provider) - of_provider
            _by_provider(part, self._persons.provider, first, rosters[number])
            counts[number] = of_provider
        return Rosters(rosters, counts)


@compiled
def _exclude(
    people: Records,
    targeted: Numbers,
    knowledge: Knowledge,
    in_control_group: Flags,
    messages: Bytes,
    most: int,
    now_s: float,
    kept: Numbers,
    counts: Ints,
) -> None:
    """Keep those who get the delivery; count the others by reason, mistakes, and who is kept."""
    status, errors, last_s = knowledge
    for person in targeted:
        if status[person] == FULL and last_s[person] <= now_s:
            status[person], errors[person] = WRITTEN_TO, 0
        if status[person] == DENYLISTED:
            counts[0] += 1
        elif status[person] != WRITTEN_TO:
            counts[1] += 1
            if people[person].kind == GOOD and people[person].dies_s > now_s:
                counts[4] += 1
        elif len(in_control_group) > 0 and in_control_group[person]:
            counts[2] += 1
        elif most > 0 and messages[person] >= most:
            counts[3] += 1
        else:
            kept[counts[5]] = person
            counts[5] += 1


@compiled
def _deal(who: Numbers, chance: Records, left: Ints, place: Ints, dealt: Numbers) -> None:
    """Share people out, each with the same chance for every place that is left."""
    for number in range(len(who)):
        at = int(uniform(chance[0]) * (len(who) - number))
        part = 0
        while at >= left[part]:
            at -= left[part]
            part += 1
        left[part] -= 1
        dealt[place[part]] = who[number]
        place[part] += 1


@compiled
def _count_by_provider(who: Numbers, provider: Bytes, counts: Ints) -> None:
    for person in who:
        counts[provider[person]] += 1


@compiled
def _by_provider(who: Numbers, provider: Bytes, place: Ints, roster: Numbers) -> None:
    """Sort people by provider, else in their order; the first of each has this place."""
    for person in who:
        roster[place[provider[person]]] = person
        place[provider[person]] += 1


# How many messages each person gets around a contact date.


class _Sent(NamedTuple):
    """A sending that has been prepared, and who gets it: by number or, of many, bit by bit."""

    starts_s: float
    who: Numbers | None
    bits: Bytes | None


class Pressure:
    """Counts the messages of sendings around a moment, person by person.

    A sending is added as it comes into the period and taken out as it leaves it, so that each
    costs in proportion to the people who get it.
    """

    def __init__(self, people: int, period_s: float) -> None:
        self._messages = np.zeros(people, np.uint8)
        self._period_s = period_s
        self._sent: list[tuple[_Sent, bool]] = []

    def around(self, starts_s: float, first_s: float) -> Bytes:
        """Return the messages of each person within the period before and after a moment.

        No sending that is still to be prepared starts before the first moment.
        """
        kept = []
        for sent, was_inside in self._sent:
            is_inside = abs(sent.starts_s - starts_s) <= self._period_s
            if is_inside != was_inside:
                self._add(sent, 1 if is_inside else -1)
            if is_inside or sent.starts_s + self._period_s >= first_s:
                kept.append((sent, is_inside))
        self._sent = kept
        return self._messages

    def add(self, starts_s: float, who: Numbers) -> None:
        """Add a sending to these people; it counts from the next question on."""
        people = len(self._messages)
        if 32 * len(who) < people:
            self._sent.append((_Sent(starts_s, who, None), False))
            return
        gets_it = np.zeros(people, np.bool_)
        gets_it[who] = True
        self._sent.append((_Sent(starts_s, None, np.packbits(gets_it)), False))

    def _add(self, sent: _Sent, sign: int) -> None:
        messages: Any = self._messages
        change = np.uint8(sign % 256)  # one less, modulo 256
        if sent.who is not None:
            messages[sent.who] += change
        else:
            assert sent.bits is not None
            messages += np.unpackbits(sent.bits, count=len(messages)) * change
