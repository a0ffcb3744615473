"""The end of an attempt: what the provider answers, and what becomes of the message."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from sendcap.model.kernel.backoff import back_off
from sendcap.model.kernel.chance import draw, succeeds, uniform
from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.disturbances import disturbed, is_above_tolerance, refusal
from sendcap.model.kernel.ends import message_expires
from sendcap.model.kernel.engagement import open_message
from sendcap.model.kernel.fields import (
    ASYNC_LATENCY,
    CLEARS,
    ENDING,
    EXPIRY_LATENCY,
    FAULTY_ADDRESS,
    HARD_ADDRESS,
    LATENCY,
    NEVER,
    NO_REASON,
    NONE,
    THROTTLED,
    TOO_MANY_CONNECTIONS,
    TRANSIENT,
    UNREACHABLE,
)
from sendcap.model.kernel.retry import due_s
from sendcap.model.kernel.state import (
    Backoff,
    Batches,
    Chance,
    Ends,
    Group,
    Records,
    Retry,
)
from sendcap.model.kernel.telling import (
    ACCEPTED,
    ASYNC_BOUNCED,
    EXPIRED,
    HARD,
    SOFT,
    tell,
    tell_delay,
    tell_start,
    tell_when_due,
)
from sendcap.model.kernel.waiting import release

GONE: Final = -np.inf
MOST_ACCEPTED: Final = 255


@inlined
def decide(group: Group, number: int, now_s: float) -> int:
    """End the attempt of a message now; return the answer, as rules count it."""
    message, chance = group.messages[number], group.chance
    queue = group.queues[message.queue]
    arrives_s = now_s + draw(chance, queue, LATENCY)
    # It is drawn for every attempt, so that none depends on the fate of the others.
    reason = TRANSIENT if succeeds(chance.trials[queue.transient]) else NO_REASON
    hard = throttled = False
    refused = NO_REASON
    if queue.disturbances > 0:
        reason = disturbed(queue, group.disturbances, group.windows_s, chance, reason, now_s)
    answer = reason
    if reason != UNREACHABLE:
        if queue.tolerance != NONE or queue.disturbances > 0:
            throttled = is_above_tolerance(queue, group.disturbances, group.limits, now_s)
        if throttled:
            answer = reason = THROTTLED
        if queue.disturbances > 0 and not throttled:
            refused = refusal(queue, group.disturbances, chance)
        if refused != NO_REASON:
            hard, reason, answer = True, refused, HARD_ADDRESS
        elif message.kind > 0:
            kind = group.addresses.kinds[queue.first_kind + message.kind]
            hard = kind.hard != 0 and not throttled
            if hard or _is_faulty(queue, kind, chance, message, now_s):
                reason = reason if throttled else kind.reason
                if not throttled:
                    answer = HARD_ADDRESS if hard else FAULTY_ADDRESS
    event, again = ACCEPTED, message.failures > 0
    if hard:
        event = HARD
    elif reason != NO_REASON:
        event, again = SOFT, not again
    tell(group, message, event, reason, again, now_s, arrives_s)
    if event == SOFT:
        bounce(group, number, reason, now_s)
        return answer
    if event == ACCEPTED:
        tell_delay(group, message, now_s)
        if succeeds(chance.trials[queue.async_bounce]):
            _bounce_later(group, number, now_s)
        opens = queue.opens
        if len(group.people) > 0 and message.person != NONE:
            person = group.people[message.person]
            opens += person.engagement
            if now_s < group.counters.bins[0].horizon_s:
                person.accepted = min(person.accepted + 1, MOST_ACCEPTED)
        if succeeds(chance.trials[opens]):
            open_message(group, queue, message, now_s)
    end(group, number)
    return answer


@inlined
def bounce(group: Group, number: int, reason: int, now_s: float) -> None:
    """Let a message back off after a soft bounce, or end."""
    message = group.messages[number]
    due_s = _bounce(
        group.queues[message.queue],
        message,
        number,
        reason,
        now_s,
        group.chance,
        group.retry,
        group.batches,
        group.messages,
        group.backoff,
        group.ends,
    )
    if due_s == GONE:
        expire(group, number, now_s)
        end(group, number)
    else:
        tell_when_due(group, due_s)


@compiled
def refuse(group: Group, number: int, now_s: float) -> None:
    """End the attempt of a message as it starts: the provider takes no more connections."""
    message = group.messages[number]
    queue = group.queues[message.queue]
    message.stamp = 0
    tell_start(group, message, now_s, now_s)
    arrives_s = now_s + draw(group.chance, queue, LATENCY)
    first = message.failures == 0
    tell(group, message, SOFT, TOO_MANY_CONNECTIONS, first, now_s, arrives_s)
    bounce(group, number, TOO_MANY_CONNECTIONS, now_s)


@compiled
def _is_faulty(queue: Any, kind: Any, chance: Chance, message: Any, now_s: float) -> bool:
    """Return whether the fault of an address has not cleared.

    The time counts from the first attempt that reaches the provider.
    """
    if kind.hard:
        return False
    if message.clears_at_s == 0.0:
        message.clears_at_s = np.inf
        if not kind.never:
            message.clears_at_s = now_s + draw(chance, queue, CLEARS + kind.fault)
    return now_s < message.clears_at_s


@compiled
def _bounce_later(group: Group, number: int, now_s: float) -> None:
    """Send an asynchronous bounce of an accepted message."""
    message = group.messages[number]
    returned_s = now_s + draw(group.chance, group.queues[message.queue], ASYNC_LATENCY)
    tell(group, message, ASYNC_BOUNCED, NO_REASON, False, returned_s, returned_s)


@compiled
def _bounce(
    queue: Any,
    message: Any,
    number: int,
    reason: int,
    now_s: float,
    chance: Chance,
    retry: Retry,
    batches: Batches,
    messages: Records,
    backoff: Backoff,
    ends: Ends,
) -> float:
    """Let a message back off after a soft bounce; return when it is due, infinite if never.

    ``GONE`` says that it ends now.
    """
    if message.failures == 0:
        message.first_failed_s, message.previous_delay_s = now_s, 0.0
    drawn = uniform(chance.trials[queue.jitter]) if queue.jitter != NONE else 0.5
    when_s = due_s(
        retry,
        queue.retry,
        message.failures,
        now_s,
        batches.relayed_s[message.batch],
        message.first_failed_s,
        message.previous_delay_s,
        drawn,
    )
    message.failures += 1
    message.previous_delay_s = when_s - now_s
    message.reason = reason
    expiry_s = batches.expiry_s[message.batch]
    if when_s <= expiry_s:
        message.ready_s = when_s
        back_off(backoff, messages, number)
        return when_s
    # An attempt that started in time may fail after the expiry.
    if retry.policies[queue.retry].on_failure or when_s == np.inf or expiry_s <= now_s:
        return GONE
    message.place = ENDING
    message_expires(ends, messages, number, expiry_s)
    return NEVER


@compiled
def expire(group: Group, number: int, now_s: float) -> None:
    """Report that a message's time is over."""
    message = group.messages[number]
    queue = group.queues[message.queue]
    arrives_s = now_s + draw(group.chance, queue, EXPIRY_LATENCY)
    tell(group, message, EXPIRED, message.reason, message.failures == 0, now_s, arrives_s)


@inlined
def end(group: Group, number: int) -> None:
    """Let a message go: it is final."""
    group.counts[0].final += 1
    release(group, number)
