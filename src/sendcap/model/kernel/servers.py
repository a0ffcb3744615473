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

    Batches start from ``from_s`` on and before ``until_s``, as long as the spool has room for the
    messages. ``ready_s``, ``messages`` and ``batch_time_s`` are by batch, as is ``end_s``, which is
    written. ``free_at_s`` and ``worker`` are the heap of the workers by the time since when they
    are free; ``arrival_time_s`` is the GCRA's theoretical arrival time; both are updated.
    ``interval_s`` is 0 without a throttle. Return the number of batches started.
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

    Messages arrive at ``ready_s``, in order; ``leaves_s`` is written, ``free_at_s`` updated.
    """
    free_s = free_at_s[0]
    for message in range(len(ready_s)):
        free_s = max(ready_s[message], free_s) + service_s
        leaves_s[message] = free_s
    free_at_s[0] = free_s
