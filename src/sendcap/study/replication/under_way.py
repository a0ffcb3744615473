"""Items that are being evaluated somewhere, and a queue of those that are done."""

from __future__ import annotations

from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any

Keyed = tuple[Any, Any]
"""A key and an item."""
Finished = tuple[Keyed, Future[Any]]


class UnderWay:
    """Items that are being evaluated, with their keys."""

    def __init__(self) -> None:
        self._items: dict[Future[Any], Keyed] = {}
        self._done: SimpleQueue[Future[Any]] = SimpleQueue()

    def __len__(self) -> int:
        return len(self._items)

    def add(self, keyed: Keyed, future: Future[Any]) -> None:
        """Watch the future of an item."""
        self._items[future] = keyed
        future.add_done_callback(self._done.put)

    def done(self) -> list[Finished]:
        """Wait for the next item that is done, and return all that are."""
        futures = [self._done.get()]
        while True:
            try:
                futures.append(self._done.get_nowait())
            except Empty:
                return [(self._items.pop(future), future) for future in futures]

    def cancel(self) -> None:
        """Cancel what has not begun."""
        for future in list(self._items):
            future.cancel()
