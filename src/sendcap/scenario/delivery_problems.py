"""What may be wrong with the deliveries of a scenario, taken together or with the rest of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sendcap.scenario.delivery import Delivery
from sendcap.scenario.durations import format_duration
from sendcap.scenario.pattern import pattern_problems
from sendcap.scenario.programme import names_of
from sendcap.scenario.section import Place, repeated
from sendcap.text.clock import moment_text
from sendcap.text.quoting import did_you_mean, dotted, first_few, shown

if TYPE_CHECKING:
    from sendcap.scenario.scenario import Scenario


def delivery_problems(scenario: Scenario) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong, and where."""
    names = list(names_of(scenario.deliveries))
    for second, name in repeated(name for _, name in names):
        message = f"{shown(name)} is used before; give each delivery its own name"
        yield ("deliveries", names[second][0], "name"), message
    found: dict[Place, str] = {}
    for number, delivery in scenario.numbered():
        # What is wrong with a backlog is said where that is written.
        for place, message in () if delivery.is_held else _problems(scenario, delivery):
            # Of many repetitions the first one says it.
            found.setdefault(("deliveries", number, *place), message)
    yield from found.items()


def confirmation_notes(scenario: Scenario) -> Iterator[str]:
    """Yield deliveries that even the quickest confirm too late; of many repetitions the first."""
    told = set()
    for number, delivery in scenario.numbered():
        confirm = delivery.confirm
        if confirm is None or number in told:
            continue
        until_s = delivery.sending[1] + delivery.gives_up_s
        if not confirm.can_be_in_time(delivery.sending[1], until_s, scenario.start):
            told.add(number)
            place = dotted(("deliveries", number, "confirm", "within"))
            least = format_duration(confirm.within.lowest_s)
            yield (
                f"{place}: takes at least {least}{'' if confirm.hours is None else ' of work'}; "
                f"{shown(delivery.name)} is given up at {moment_text(until_s, scenario.start)}, "
                "before anybody can confirm it, and is never sent"
            )


def batch_problems(scenario: Scenario) -> Iterator[tuple[Place, str]]:
    """Yield the batches for which the MTA's spool has no room."""
    spool = scenario.mta.spool
    if spool is None:
        return
    for number, delivery in scenario.numbered():
        if delivery.batch is not None and spool < delivery.batch:
            message = f"{delivery.batch} is more than mta.spool, {spool}; no batch fits"
            yield ("deliveries", number, "batch"), message
    size = scenario.relay.batch
    if spool < size and any(each.batch is None for each in scenario.deliveries):
        yield ("mta", "spool"), f"{spool} is less than relay.batch, {size}; no batch fits"


def _problems(scenario: Scenario, delivery: Delivery) -> Iterator[tuple[Place, str]]:
    # The population itself is told what is wrong with its providers.
    for name in () if "audience" in delivery.filled_in else delivery.audience:
        if name not in scenario.providers:
            defined = f"; defined: {first_few(scenario.providers)}"
            hint = did_you_mean(name, scenario.providers) or defined
            yield ("audience", name), f"no provider has this name{hint}"
    honoured_s = scenario.honoured_validity(delivery)
    if delivery.spread >= honoured_s and scenario.mta.clock_origin != "relayed":
        message = (
            f"{format_duration(delivery.spread)} is no less than the validity, "
            f"{format_duration(honoured_s)}, which counts from the "
            "delivery's start: its last messages would expire before they are ready"
        )
        yield ("spread",), message
    yield from pattern_problems(delivery, scenario.start)
    yield from _confirmation_problems(scenario, delivery)


def _confirmation_problems(scenario: Scenario, delivery: Delivery) -> Iterator[tuple[Place, str]]:
    confirm, start = delivery.confirm, scenario.start
    if confirm is None:
        return
    if confirm.hours is not None and start is None:
        message = "go by the clock, which needs start, the date and time of t = 0"
        yield ("confirm", "hours"), message
        return
    at = delivery.sending[1]
    earliest_s, until_s = confirm.earliest_s(at, start), at + delivery.gives_up_s
    if earliest_s > until_s:
        message = (
            f"{shown(confirm.hours)} do not come before {moment_text(until_s, start)}, when "
            f"{shown(delivery.name)} is given up: it would never be sent; give people who work "
            "then, or a longer give_up"
        )
        yield ("confirm", "hours"), message
