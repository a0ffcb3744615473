"""Messages expire: new ones in their runs, others where they wait."""

from __future__ import annotations

from sendcap.model.kernel.active import leave_active
from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.connections import hand_back, leave_line_of
from sendcap.model.kernel.ends import drop_next, is_to_look, is_void, look_further
from sendcap.model.kernel.fields import (
    CONNECTING,
    ENDING,
    EXPIRED_IN_PLACE,
    IN_LINE,
    NEVER,
    NONE,
    WAITING,
)
from sendcap.model.kernel.outcome import end, expire
from sendcap.model.kernel.runs import ready_s, run_of
from sendcap.model.kernel.shared import leave, release_connection
from sendcap.model.kernel.state import Group
from sendcap.model.kernel.telling import keep_start
from sendcap.model.kernel.waiting import new_message, release, run_expires


@compiled
def queue_of_next_end(group: Group) -> int:
    """Return the queue of what expires next."""
    if is_to_look(group.ends):
        return 0
    what = group.ends.what[0]
    if is_void(group.messages, group.runs, what, group.ends.stamp[0]):
        return 0
    return run_of(group.runs, -1 - what).queue if what < 0 else group.messages[what].queue


@compiled
def expire_next(group: Group, now_s: float) -> bool:
    """Expire one message, drop an entry that is void, or look ahead; return False without room."""
    if is_to_look(group.ends):
        return look_further(group.ends, group.messages, group.batches)
    what = group.ends.what[0]
    if is_void(group.messages, group.runs, what, group.ends.stamp[0]):
        drop_next(group.ends)
    elif what < 0:
        run = run_of(group.runs, -1 - what)
        number = new_message(group, run, ready_s(group.runs, group.batches, run, 0))
        run_expires(group, -1 - what, now_s)
        _give_up(group, number, now_s)
        end(group, number)
    else:
        drop_next(group.ends)
        _expire_tried(group, what, now_s)
    return True


@compiled
def _expire_tried(group: Group, number: int, now_s: float) -> None:
    """Expire a message that has been taken before."""
    message = group.messages[number]
    queue, connections = group.queues[message.queue], group.connections
    message.stamp = 0
    group.counts[0].final += 1
    if message.place == ENDING:
        expire(group, number, now_s)
        release(group, number)
        return
    _give_up(group, number, now_s)
    if message.place != IN_LINE:
        queue.waiting -= message.place == WAITING
        queue.making -= message.place == CONNECTING
        message.place = EXPIRED_IN_PLACE
        return
    if queue.line_at != NONE and connections[queue.line_first].message == number:
        leave(group.shared, queue.line_at, message.queue)
        queue.line_at, queue.line_start_s = NONE, now_s
    held = leave_line_of(queue, connections, number)
    hand_back(queue, connections, held)
    release_connection(group.shared, group.lanes[message.lane])
    release(group, number)


@compiled
def _give_up(group: Group, number: int, now_s: float) -> None:
    """Note that a message has expired while it waited."""
    message = group.messages[number]
    leave_active(group, message)
    expire(group, number, now_s)
    keep_start(group, message, now_s, NEVER)
