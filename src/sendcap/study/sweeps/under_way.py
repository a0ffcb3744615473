"""Items that are being evaluated somewhere, and what comes of them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Future
from queue import Empty, SimpleQueue
from typing import Any, Generic, NamedTuple, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Lost(NamedTuple):
    """An item that has no result, though its function did not fail: its process ended.

    ``reason`` says how.
    """

    reason: str


class UnderWay(Generic[_Item, _Result]):
    """Items that are being evaluated, and a queue of those that are done."""

    def __init__(self) -> None:
        self._items: dict[Future[_Result], _Item] = {}
        self._done: SimpleQueue[Future[_Result]] = SimpleQueue()

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: _Item, future: Future[_Result]) -> None:
        """Watch an item's future."""
        self._items[future] = item
        future.add_done_callback(self._done.put)

    def done(self) -> list[tuple[_Item, Future[_Result]]]:
        """Wait for the next that is done, and return all that are."""
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


def take(items: Iterator[_Item], most: int) -> Iterator[_Item]:
    """Yield some of the items that are left."""
    for _ in range(most):
        try:
            yield next(items)
        except StopIteration:
            return


def result_of(future: Future[Any]) -> Any:
    """Return a result; `Lost` for a reason of the executor's own, unless it is broken."""
    try:
        return future.result()
    except (BrokenExecutor, CancelledError):
        raise
    except Exception as error:
        # Each executor has its own, such as KilledWorker.
        return Lost(first_line(error))


def first_line(error: BaseException) -> str:
    """Return what an error says, on one line."""
    lines = str(error).strip().splitlines()
    kind = type(error).__name__
    return f"{kind}: {lines[0]}" if lines else kind
