"""Connections are made: begun for a message, established, or refused by the provider."""

from __future__ import annotations

from typing import Any

from sendcap.model.kernel.active import leave_active
from sendcap.model.kernel.chance import draw
from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.concurrency import learn
from sendcap.model.kernel.connections import hand_back, is_accepted, opens_s
from sendcap.model.kernel.fields import CONNECT, CONNECTING, EXPIRED_IN_PLACE, NONE, UNREACHABLE
from sendcap.model.kernel.outcome import refuse
from sendcap.model.kernel.shared import release_connection
from sendcap.model.kernel.state import Group
from sendcap.model.kernel.suspension import react
from sendcap.model.kernel.telling import keep_connect
from sendcap.model.kernel.waiting import may_expire, release


@compiled
def connect(group: Group, queue_number: int, taken: int, now_s: float) -> None:
    """Begin to make a connection for its message."""
    queue, connection = group.queues[queue_number], group.connections[taken]
    connection.attempts_left = queue.attempts_per_connection
    connection.being_made = 1
    queue.making += 1
    start_s = opens_s(queue, group.limits, now_s)
    connection.event_s = start_s + draw(group.chance, queue, CONNECT)
    message = group.messages[connection.message]
    message.place = CONNECTING
    may_expire(group, connection.message)
    keep_connect(group, queue.path, start_s, connection.event_s)


@compiled
def established(group: Group, queue: Any, number: int, now_s: float) -> int:
    """Let a connection be established; return it if its message asks now."""
    connection = group.connections[number]
    connection.being_made = 0
    message = connection.message
    accepted = queue.accepted == NONE or is_accepted(queue, group.connections, number, now_s)
    expired = group.messages[message].place == EXPIRED_IN_PLACE
    if not expired:
        queue.making -= 1
        if accepted:
            return number
    hand_back(queue, group.connections, number)
    release_connection(group.shared, group.lanes[group.messages[message].lane])
    if expired:
        release(group, message)
    else:
        leave_active(group, group.messages[message])
        refuse(group, message, now_s)
        count_answer(group, queue, UNREACHABLE, now_s)
    return NONE


@inlined
def count_answer(group: Group, queue: Any, answer: int, now_s: float) -> None:
    """Let Postfix's window and the rules count an answer."""
    if queue.positive > 0:
        learn(group, queue, answer, now_s)
    if queue.rules > 0:
        react(group.limits, queue, answer, now_s)
