"""What the tests of queues share."""

from __future__ import annotations

from sendcap.importers.queue_files import QueueFile

MOMENT_S = 1_764_466_000
"""The last change of each file: 2025-11-30 01:26:40 UTC."""


def summed(queue: QueueFile, *fields: str) -> dict:
    """Return the messages by some fields."""
    found: dict = {}
    for each in queue.queued:
        key = tuple(getattr(each, name) for name in fields)
        key = key if len(key) > 1 else key[0]
        found[key] = found.get(key, 0) + each.messages
    return found
