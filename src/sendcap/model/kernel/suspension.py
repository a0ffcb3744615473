"""The MTA's reaction to answers: rules suspend a queue, slow it down or send its messages back.

A rule counts answers in a sliding period or in a row, or looks at the end of each period at the
share of its attempts. The attempts that end at that very moment belong to the period.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sendcap.model.kernel.active import leave_active
from sendcap.model.kernel.chance import draw
from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.connections import hand_back, leave_line
from sendcap.model.kernel.fields import LATENCY, NEVER, NONE, SUSPENDED
from sendcap.model.kernel.lanes import oldest_lane
from sendcap.model.kernel.limits import earliest_s
from sendcap.model.kernel.outcome import bounce
from sendcap.model.kernel.shared import leave, release_connection
from sendcap.model.kernel.state import Floats, Group, Limits
from sendcap.model.kernel.telling import SOFT, keep_start, tell
from sendcap.model.kernel.waiting import take_first


@compiled
def react(limits: Limits, queue: Any, answer: int, now_s: float) -> None:
    """Let each rule of a queue count the answer to an attempt that ends now."""
    for number in range(queue.first_rule, queue.first_rule + queue.rules):
        rule = limits.rules[number]
        counted = (rule.counts >> answer) & 1
        if rule.share > 0.0:
            if rule.attempts == 0.0:
                rule.sweep_s = _end_of_period_s(rule, now_s)
                queue.sweep_s = min(queue.sweep_s, rule.sweep_s)
            rule.attempts += 1.0
            rule.counted += counted
        elif rule.in_a_row:
            rule.answers = rule.answers + 1 if counted else 0
            if rule.answers >= rule.after:
                suspend(limits, queue, rule, now_s + rule.lasts_s, now_s)
        elif counted and _are_enough(rule, limits.answers_s, now_s):
            suspend(limits, queue, rule, now_s + rule.lasts_s, now_s)


@compiled
def _are_enough(rule: Any, answers_s: Floats, now_s: float) -> bool:
    """Return whether this answer and those before make a suspension."""
    answers_s[rule.first_answer + rule.answers] = now_s
    rule.answers = (rule.answers + 1) % rule.after
    return answers_s[rule.first_answer + rule.answers] >= now_s - rule.within_s


@compiled
def _end_of_period_s(rule: Any, now_s: float) -> float:
    number = np.ceil(now_s / rule.within_s)
    # The quotient of a period's end may be rounded to just above the period's number.
    if (number - 1.0) * rule.within_s >= now_s:
        number -= 1.0
    if number * rule.within_s < now_s:
        number += 1.0
    ends_s = number * rule.within_s
    return ends_s + rule.within_s if ends_s <= rule.swept_s else ends_s


@compiled
def sweep_or_send_back(group: Group, queue_number: int, now_s: float) -> None:
    """Look at a period's attempts, or send a message back: of those in line the first, at first."""
    queue = group.queues[queue_number]
    if queue.sweep_s <= now_s:
        _sweep(group.limits, queue, now_s)
        return
    if queue.line_first == NONE:
        number = take_first(group, queue, oldest_lane(group, queue))
    else:
        if queue.line_at != NONE:
            leave(group.shared, queue.line_at, queue_number)
            queue.line_at = NONE
        connection = leave_line(queue, group.connections)
        number = group.connections[connection].message
        hand_back(queue, group.connections, connection)
        release_connection(group.shared, group.lanes[group.messages[number].lane])
    if number != NONE:
        _send_back(group, number, now_s)


@compiled
def _sweep(limits: Limits, queue: Any, now_s: float) -> None:
    """Let the rules look at the attempts of the periods that end now."""
    queue.sweep_s = NEVER
    for number in range(queue.first_rule, queue.first_rule + queue.rules):
        rule = limits.rules[number]
        if rule.share == 0.0:
            continue
        if rule.sweep_s <= now_s:
            if rule.attempts >= rule.of and rule.counted / rule.attempts >= rule.share:
                if rule.slow_to > 0.0:
                    limits.limits[rule.meanwhile].one = rule.within_s / rule.attempts / rule.slow_to
                suspend(limits, queue, rule, now_s + rule.lasts_s, now_s)
            rule.attempts = rule.counted = 0.0
            rule.sweep_s, rule.swept_s = NEVER, now_s
        queue.sweep_s = min(queue.sweep_s, rule.sweep_s)


@compiled
def suspend(limits: Limits, queue: Any, rule: Any, until_s: float, now_s: float) -> None:
    """Suspend the queue from now on, or anew."""
    if now_s >= rule.until_s and rule.meanwhile != NONE:
        limits.limits[rule.meanwhile].state = -NEVER
    rule.until_s = until_s
    queue.held_until_s = max(queue.held_until_s, rule.until_s)
    if rule.retries:
        queue.sent_back_until_s = max(queue.sent_back_until_s, rule.until_s)
    elif rule.meanwhile == NONE:
        queue.closed_until_s = max(queue.closed_until_s, rule.until_s)
    if queue.line_first != NONE:
        queue.line_start_s = now_s
        if now_s >= queue.sent_back_until_s:
            queue.line_start_s = earliest_s(limits, queue, now_s)


@compiled
def resume(limits: Limits, queue: Any, rule: Any, now_s: float) -> None:
    """End a suspension that sends messages back, before its time."""
    rule.until_s = now_s
    queue.held_until_s, queue.sent_back_until_s = queue.closed_until_s, -NEVER
    for number in range(queue.first_rule, queue.first_rule + queue.rules + queue.dies):
        until_s = limits.rules[number].until_s
        queue.held_until_s = max(queue.held_until_s, until_s)
        if limits.rules[number].retries:
            queue.sent_back_until_s = max(queue.sent_back_until_s, until_s)


@compiled
def _send_back(group: Group, number: int, now_s: float) -> None:
    """Let a message bounce softly without an attempt."""
    message = group.messages[number]
    message.stamp = 0
    leave_active(group, message)
    keep_start(group, message, now_s, NEVER)
    arrives_s = now_s + draw(group.chance, group.queues[message.queue], LATENCY)
    tell(group, message, SOFT, SUSPENDED, message.failures == 0, now_s, arrives_s)
    bounce(group, number, SUSPENDED, now_s)
