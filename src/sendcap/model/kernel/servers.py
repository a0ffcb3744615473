"""The relay's workers and servers with a constant service time."""

from __future__ import annotations

from sendcap.model.kernel.arrays import Floats, Ints
from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.heap import replace


@compiled
def hand_over(
    from_s: float,
    until_s: float,
    room: float,
    ready_s: Floats,
    messages: Ints,
    batch_time_s: Floats,
    free_at_s: Floats,
    worker: Ints,
    arrival_time_s: Floats,
    interval_s: float,
    burst: float,
    end_s: Floats,
) -> int:
    """Advance the relay: batches, in order, to the worker that has been free the longest.

    Parameters
    ----------
    from_s
        No batch starts before it.
    until_s
        Batches that would start at or after it are left for later.
    room
        Room for messages; a batch that needs more is left for later, and so are
        all those after it.
    ready_s, messages, batch_time_s : shape (n,)
        When each batch may start, its number of messages, its draw of the batch time.
    free_at_s, worker : shape (workers,)
        Heap of the workers by the time since when they are free; updated.
    arrival_time_s : shape (1,)
        GCRA's theoretical arrival time; updated.
    interval_s, burst
        The throttle: seconds per message (0 for none), messages that may go at once.
    end_s : shape (n,)
        When each batch ends; written.

    Returns
    -------
    int
        Number of batches started.
    """
    workers = len(free_at_s)
    for batch in range(len(ready_s)):
        start_s = max(ready_s[batch], free_at_s[0], from_s)
        needed_s = interval_s * messages[batch]
        if interval_s > 0.0:
            # A batch larger than the burst goes once the burst is full.
            slack_s = max(interval_s * burst - needed_s, 0.0)
            start_s = max(start_s, arrival_time_s[0] - slack_s)
        if start_s >= until_s or messages[batch] > room:
            return batch
        room -= messages[batch]
        if interval_s > 0.0:
            arrival_time_s[0] = max(arrival_time_s[0], start_s) + needed_s
        end_s[batch] = start_s + batch_time_s[batch]
        replace(free_at_s, worker, workers, end_s[batch], worker[0])
    return len(ready_s)


@compiled
def pass_through(ready_s: Floats, service_s: float, free_at_s: Floats, leaves_s: Floats) -> None:
    """Advance one first-in-first-out server with a constant service time.

    Parameters
    ----------
    ready_s : shape (n,)
        When each message arrives, in order.
    service_s
        Seconds per message.
    free_at_s : shape (1,)
        Since when the server is free; updated.
    leaves_s : shape (n,)
        When each message leaves; written.
    """
    free_s = free_at_s[0]
    for message in range(len(ready_s)):
        free_s = max(ready_s[message], free_s) + service_s
        leaves_s[message] = free_s
    free_at_s[0] = free_s
