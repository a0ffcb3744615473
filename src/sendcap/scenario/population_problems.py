"""What may be wrong with a population, taken together with the rest of a scenario."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sendcap.scenario.audience import is_the_same
from sendcap.scenario.delivery import Delivery
from sendcap.scenario.durations import format_duration
from sendcap.scenario.population import MOST_PEOPLE, Population
from sendcap.scenario.section import Place
from sendcap.text.quoting import meant_or_defined, shown

if TYPE_CHECKING:
    from sendcap.scenario.scenario import Scenario


def population_problems(scenario: Scenario) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong, and where."""
    population = scenario.population
    found: dict[Place, str] = {}
    for number, delivery in scenario.numbered():
        if population is None:
            problems = _without_population(delivery)
        else:
            problems = _problems(population, delivery)
        for place, message in problems:
            # Of many repetitions the first one says it.
            found.setdefault(("deliveries", number, *place), message)
    yield from found.items()
    if population is None:
        return
    for name in population.providers:
        if name not in scenario.providers:
            hint = meant_or_defined(name, scenario.providers)
            yield ("population", "providers", name), f"no provider has this name{hint}"
    last_s = max(delivery.latest_at for delivery in scenario.deliveries)
    if (people := population.people_at(last_s)) > MOST_PEOPLE:
        message = f"with all that join makes {people:,} addresses; at most {MOST_PEOPLE:,}"
        yield ("population", "size"), message


def _without_population(delivery: Delivery) -> Iterator[tuple[Place, str]]:
    for key in ("segment", "prepare"):
        if getattr(delivery, key) is not None:
            yield (key,), "needs a [population], which the scenario does not have"


def _problems(population: Population, delivery: Delivery) -> Iterator[tuple[Place, str]]:
    segment, written = delivery.segment, delivery
    if segment is not None and (problem := population.segment_problem(segment)) is not None:
        yield ("segment",), problem
        return
    for name, share in delivery.audience.items():
        if share > 0.0 and population.providers.get(name, 0.0) == 0.0:
            message = "nobody in the population has an address there; leave out audience"
            yield ("audience", name), message
            return
    if not is_the_same(delivery.audience, population.providers):
        message = "is not that of population.providers; leave it out, or give the same shares"
        yield ("audience",), message
    at = delivery.sending[1]
    if delivery.origin is not None:
        written = delivery.origin.written
    people = population.expected(segment, at)
    if written.messages > people and "messages" not in written.filled_in:
        whom = "on the list" if segment is None else f"in the segment {shown(segment)}"
        message = (
            f"{written.messages:,} is more than the {people:,} people {whom} then; "
            "leave it out for all of them"
        )
        yield ("messages",), message
    if delivery.prepare is not None and delivery.confirm is not None:
        ahead = delivery.confirm.ahead
        if delivery.prepare < ahead:
            message = (
                f"{format_duration(delivery.prepare)} before the start is after people are asked "
                f"to confirm it, {format_duration(ahead)} before; give at least that much"
            )
            yield ("prepare",), message
