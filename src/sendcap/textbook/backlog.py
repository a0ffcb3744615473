"""The backlog in the textbook model: each message that the MTA holds at t = 0, one by one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from sendcap.model.addresses import (
    SUSPENDED,
    THROTTLED,
    TOO_MANY_CONNECTIONS,
    TRANSIENT,
    UNREACHABLE,
)
from sendcap.model.backlog import AN_INSTANT_S
from sendcap.scenario import Delivery, Fault, Hard, Held, Scenario
from sendcap.textbook.addresses import Addresses
from sendcap.textbook.chance import Chance
from sendcap.textbook.message import Message
from sendcap.textbook.person import Person
from sendcap.textbook.queue import Queue

Turns = Mapping[tuple[str, str | None], Iterator[Queue]]
_UNJUDGED = (UNREACHABLE, THROTTLED, SUSPENDED, TOO_MANY_CONNECTIONS)
"""After these answers an address may still bounce hard."""


def held_messages(
    scenario: Scenario, chance: Chance, turns: Turns
) -> Iterator[tuple[Message, float]]:
    """Yield the messages of the backlog, each with the time at which it is due."""
    deliveries = {each.pool: each for each in scenario.deliveries if each.is_held}
    addresses = {name: Addresses(provider, chance) for name, provider in scenario.providers.items()}
    for held in scenario.backlog:
        delivery = deliveries[held.pool]
        queue = next(turns[held.provider, scenario.pool_of(delivery)])
        for _ in range(held.messages):
            message = _message(scenario, delivery, held, chance, queue)
            due_s = _lived(scenario, message, held, chance)
            wrong = _wrong(scenario, message, held, chance, addresses[held.provider])
            message.goes_wrong_by(wrong)
            if message.failures:
                message.reason = held.reason or TRANSIENT
            yield message, due_s


def _message(
    scenario: Scenario, delivery: Delivery, held: Held, chance: Chance, queue: Queue
) -> Message:
    born_s = -chance.draw(held.age)
    expiry_s = born_s + scenario.honoured_validity(delivery)
    return Message(delivery, Person(held.provider), queue, born_s, born_s, expiry_s)


def _lived(scenario: Scenario, message: Message, held: Held, chance: Chance) -> float:
    """Let a message bounce softly as often as it has; return when it is due."""
    due_s = last_s = message.relayed_s
    retry = scenario.retry_of(message.queue.name)
    while math.isfinite(due_s):
        if message.failures == held.attempts or (held.attempts is None and due_s >= 0.0):
            break
        last_s = due_s
        if message.failures == 0:
            message.first_failed_s = last_s
        due_s = message.due_again_s(retry, last_s, chance.uniform)
        message.failures += 1
        message.previous_delay_s = due_s - last_s
    if held.attempts is not None and not (last_s <= 0.0 <= due_s):
        due_s = next(chance.uniform) * message.previous_delay_s
    if held.due is not None:
        due_s = chance.draw(held.due)
    return due_s + AN_INSTANT_S * next(chance.uniform)


def _wrong(
    scenario: Scenario, message: Message, held: Held, chance: Chance, addresses: Addresses
) -> Hard | Fault | None:
    """Draw what is wrong with the address of a message."""
    faults = scenario.providers[held.provider].faults
    own = [fault for fault in faults if fault.reason == held.reason and fault.share]
    if own and message.failures:
        return chance.one_of(own, math.fsum(fault.share for fault in own))
    wrong = addresses.wrong_with_a_stranger()
    judged = message.failures and held.reason not in _UNJUDGED
    return None if judged and isinstance(wrong, Hard) else wrong
