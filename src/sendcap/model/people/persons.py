"""The people as they are: their providers, what is wrong with their addresses, when these die."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sendcap.model.addresses import Kind, kinds_of
from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.person import DEAD, GOOD, PERSON
from sendcap.model.kernel.state import Floats, Ints, Numbers, Records
from sendcap.model.streams import Streams
from sendcap.scenario import Scenario
from sendcap.scenario.audience import apportioned
from sendcap.scenario.population import YEAR_S, Population

Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
_PIECE: Final = 1 << 20
"""People for whom something is drawn at a time."""


@dataclass(frozen=True)
class Persons:
    """The people of a scenario, those who join later after the others, in order of time."""

    people: Records  # `PERSON`
    provider: Bytes  # number of the provider among those with messages
    joined_s: Floats  # of those who join
    hard_kinds: Ints  # of each provider: kinds from 1 on that are dead
    place: Numbers  # of those who join: the number of the person before whom they come
    by_place: Numbers  # those who join, without the others, in the order of their places
    in_segment: dict[str, Numbers]  # in order; without an entry everybody is
    in_control_group: Flags  # empty without one

    def count_at(self, at_s: float) -> int:
        """Return how many are on the list at a moment."""
        first = len(self.people) - len(self.joined_s)
        return first + int(np.searchsorted(self.joined_s, at_s, side="right"))

    def in_order(self, who: Numbers) -> Numbers:
        """Return people in the order of the list, which is that of their messages.

        Everybody has a place in it by chance, once and for all.
        """
        first = len(self.people) - len(self.joined_s)
        # Of the same type, or all of them would be copied.
        begin = np.searchsorted(who, np.int32(first))
        joined = who[begin:]
        is_joined = np.zeros(len(self.place), np.bool_)
        is_joined[joined - first] = True
        joined = self.by_place[is_joined[self.by_place]]
        before = np.searchsorted(who[:begin], self.place[joined])
        inserted: Numbers = np.insert(who[:begin], before, joined + np.int32(first))
        return inserted


def persons_of(
    scenario: Scenario, streams: Streams, providers: Sequence[str], until_s: float
) -> Persons:
    """Draw the people who are on the list at a moment."""
    population = scenario.population
    assert population is not None
    joined_s, dead, new = _joining(population, until_s)
    provider = _providers(population, streams, providers, new)
    people = np.zeros(len(provider), PERSON)
    kinds = [kinds_of(scenario.providers[name], can_die=True) for name in providers]
    _draw_kinds(people, provider, kinds, streams, dead)
    is_hard = [[kind.hard for kind in each] for each in kinds]
    hard_kinds = np.array([sum(each) for each in is_hard], np.int64)
    _draw_deaths(people, provider, hard_kinds, joined_s, population.decay, streams)
    if population.classes:
        shares = [each.share for each in population.classes.values()]
        for rows, uniforms in _uniforms(streams, "engagement class", len(people)):
            people["engagement"][rows] = _chosen(shares, uniforms)
    control = np.zeros(len(people) if population.control_group else 0, np.bool_)
    for rows, uniforms in _uniforms(streams, "control group", len(control)):
        control[rows] = uniforms < population.control_group
    place = streams.generator("place on the list").integers(
        population.size, size=len(joined_s), dtype=np.int32
    )
    return Persons(
        people=people,
        provider=provider,
        joined_s=joined_s,
        hard_kinds=hard_kinds,
        place=place,
        by_place=np.argsort(place, kind="stable").astype(np.int32),
        in_segment=_segments(population, streams, people),
        in_control_group=control,
    )


def _joining(population: Population, until_s: float) -> tuple[Floats, Floats, Ints]:
    """Return when people join, the share of dead addresses among them, and with which import.

    Those that join day by day have the number -1.
    """
    joined_s = [population.daily_s(until_s)]
    dead, source = [population.dead_among_new], [-1]
    for number, each in enumerate(population.imports):
        if each.at <= until_s:
            joined_s.append(np.full(each.size, each.at))
            dead.append(each.dead)
            source.append(number)
    counts = [len(times) for times in joined_s]
    order = np.argsort(np.concatenate(joined_s), kind="stable")
    return (
        np.concatenate(joined_s)[order],
        np.repeat(np.array(dead), counts)[order],
        np.repeat(np.array(source), counts)[order],
    )


def _providers(
    population: Population, streams: Streams, providers: Sequence[str], new: Ints
) -> Bytes:
    """Return the number of each person's provider."""
    shares = {name: population.providers[name] for name in providers}
    provider = np.zeros(population.size + len(new), np.uint8)
    later = provider[population.size :]
    provider[: population.size] = _dealt(population.size, shares, streams, "list")
    for number, each in enumerate(population.imports):
        if (joining := new == number).any():
            later[joining] = _dealt(each.size, shares, streams, f"import {number}")
    daily = new == -1
    uniforms = streams.generator("provider of a new address").random(int(daily.sum()))
    later[daily] = _chosen(list(shares.values()), uniforms)
    return provider


def _dealt(count: int, shares: dict[str, float], streams: Streams, purpose: str) -> Bytes:
    counts = list(apportioned(count, shares).values())
    dealt = np.repeat(np.arange(len(counts), dtype=np.uint8), counts)
    streams.generator(f"providers of the {purpose}").shuffle(dealt)
    return dealt


def _chosen(shares: Sequence[float], uniforms: Floats) -> Any:
    """Return which share each number between 0 and 1 falls into."""
    until = np.cumsum(shares)
    return np.minimum(np.searchsorted(until, uniforms, side="right"), len(shares) - 1)


def _draw_kinds(
    people: Records,
    provider: Bytes,
    kinds: Sequence[Sequence[Kind]],
    streams: Streams,
    dead: Floats,
) -> None:
    """Draw what is wrong with each address."""
    size, most = len(people) - len(dead), max(map(len, kinds))
    until, until_of_living = np.ones((2, len(kinds), most))
    for number, each in enumerate(kinds):
        hard = np.array([kind.share if kind.hard else 0.0 for kind in each])
        never = np.array([kind.share if kind.never else 0.0 for kind in each])
        living = never / max(1.0 - math.fsum(hard), 1e-300)
        until[number, : len(each)] = np.cumsum(hard + never)
        until_of_living[number, : len(each)] = np.minimum(np.cumsum(living), 1.0)
        until[number, len(each) :] = until[number, len(each) - 1]
        until_of_living[number, len(each) :] = until_of_living[number, len(each) - 1]
    for rows, uniforms in _uniforms(streams, "address", size):
        settle(people[:size][rows], provider[:size][rows], until, uniforms)
    later, at = people[size:], provider[size:]
    for rows, uniforms in _uniforms(streams, "new address", len(later)):
        settle(later[rows], at[rows], until_of_living, uniforms)
    for rows, uniforms in _uniforms(streams, "new dead address", len(later)):
        later["kind"][rows][uniforms < dead[rows]] = DEAD


@compiled
def settle(people: Records, provider: Bytes, until: Floats, uniforms: Floats) -> None:
    """Set the kind of each address; the good one is the rest."""
    kinds = until.shape[1]
    for number in range(len(people)):
        sums = until[provider[number]]
        kind = 0
        while kind < kinds and sums[kind] <= uniforms[number]:
            kind += 1
        people[number].kind = kind + 1 if kind < kinds else 0


def _draw_deaths(
    people: Records,
    provider: Bytes,
    hard_kinds: Ints,
    joined_s: Floats,
    decay: float,
    streams: Streams,
) -> None:
    """Draw when each address dies that has not been dead ever since it joined."""
    people["dies_s"] = np.inf
    if decay == 0.0:
        return
    mean_s = -YEAR_S / math.log1p(-decay)
    for rows, uniforms in _uniforms(streams, "death of an address", len(people)):
        dies_s = -mean_s * np.log1p(-uniforms)
        kind = people["kind"][rows]
        dies_s[(kind > GOOD) & (kind <= hard_kinds[provider[rows]])] = np.inf
        people["dies_s"][rows] = dies_s
    people["dies_s"][len(people) - len(joined_s) :] += joined_s


def _segments(population: Population, streams: Streams, people: Records) -> dict[str, Numbers]:
    """Return who can belong to each segment; of one drawn each time, its classes."""
    members = {}
    classes = list(population.classes)
    for name, segment in population.segments.items():
        share = segment.share if segment.drawn == "once" else 1.0
        if share == 1.0 and not segment.classes:
            continue
        found = []
        for rows, uniforms in _uniforms(streams, f"segment {name}", len(people)):
            chosen = uniforms < share
            if segment.classes:
                wanted = [classes.index(each) for each in segment.classes]
                chosen &= np.isin(people["engagement"][rows], wanted)
            found.append(np.flatnonzero(chosen).astype(np.int32) + np.int32(rows.start))
        members[name] = np.concatenate(found) if found else np.zeros(0, np.int32)
    return members


def _uniforms(streams: Streams, purpose: str, count: int) -> Any:
    """Yield numbers between 0 and 1 for so many people, piece by piece."""
    generator = streams.generator(purpose)
    for first in range(0, count, _PIECE):
        rows = slice(first, min(first + _PIECE, count))
        yield rows, generator.random(rows.stop - rows.start)
