"""What the recipient's server answers to an attempt, in the textbook model."""

from __future__ import annotations

import math

from sendcap.model.addresses import THROTTLED, TRANSIENT, UNREACHABLE
from sendcap.textbook.chance import Chance
from sendcap.textbook.message import Message
from sendcap.textbook.queue import Queue


def refusal(queue: Queue) -> str:
    """Return why the provider takes nothing from us now, "" if it does."""
    if queue.server.is_away():
        return UNREACHABLE
    return THROTTLED if queue.server.throttles() else ""


def hard_reason(message: Message, chance: Chance) -> str:
    """Return why the recipient's server refuses the message for good, "" if it does not."""
    for mistake in message.queue.server.refusals():
        if chance.happens(mistake.share):
            return mistake.reason
    return message.hard


def temporary_reason(message: Message, refused: str, now_s: float, chance: Chance) -> str:
    """Return why the recipient's server defers the message now, "" if it does not."""
    fault = message.fault
    if fault is not None and message.clears_at_s is None and refused != UNREACHABLE:
        never = chance.happens(fault.never)
        clears_s = math.inf if never else chance.draw(fault.clears_after)
        message.clears_at_s = now_s + clears_s
    if refused:
        return refused
    if fault is not None and now_s < (message.clears_at_s or 0.0):
        return fault.reason
    return TRANSIENT if chance.happens(message.queue.server.transient()) else ""
