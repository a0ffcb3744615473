"""A pool of processes on this machine that survives the death of any of them.

When one of its processes is killed, the standard library's process pool is broken as a whole. So it
is built anew, and the items that were under way, any of which may have been the death of it, are
tried again alone, one after the other. One that kills its process then as well is given up, and no
other item is.
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Final, Self, TypeVar

from sendcap.errors import SendcapError
from sendcap.study.replication.workers import Workers, compiled
from sendcap.study.sweeps.under_way import Lost, UnderWay, result_of, take

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

AHEAD: Final = 2
"""Items handed out per process: one is worked on, one waits."""
_ALONE: Final = 2
"""Times that an item is tried alone."""
_STARTS: Final = 5
"""Times that processes are started that are killed before they have done anything."""


class Local:
    """Evaluates in processes of this machine, which are replaced when they die.

    Parameters
    ----------
    workers
        How many; as many as there are processors by default. Also a single one is a process of
        its own: what dies is not the sweep.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._together = Workers(workers, compile_here=False)
        self._alone = Workers(1, compile_here=False)
        self._ready: set[Workers] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.abandon()

    def abandon(self) -> None:
        """End the processes; see `sendcap.study.sweeps.execution.Execution.abandon`."""
        self._ready = set()
        self._together.abandon()
        self._alone.abandon()

    def completed(
        self, function: Callable[[_Item], _Result], items: Iterable[_Item]
    ) -> Iterator[list[tuple[_Item, _Result | Lost]]]:
        """Yield items with their results; see `Execution.completed`."""
        left = iter(items)
        under_way: UnderWay[_Item, _Result] = UnderWay()
        suspects: deque[_Item] = deque()
        try:
            while True:
                while suspects:
                    item = suspects.popleft()
                    yield [(item, self._tried_alone(function, item))]
                    if not suspects:
                        # It may have been memory that they lacked.
                        self._give_up(self._alone)
                for item in take(left, AHEAD * self._together.count - len(under_way)):
                    try:
                        future = self._started(self._together).submit(function, item)
                    except BrokenProcessPool:
                        suspects.append(item)
                        break
                    under_way.add(item, future)
                if not len(under_way) and not suspects:
                    return
                finished = under_way.done() if len(under_way) else []
                if suspects or any(_is_broken(future) for _, future in finished):
                    # All the others are lost as well; some of them may have finished before.
                    while len(under_way):
                        finished += under_way.done()
                    suspects += [item for item, future in finished if _is_broken(future)]
                    self._give_up(self._together)
                results = [
                    (item, result_of(future)) for item, future in finished if not _is_broken(future)
                ]
                if results:
                    yield results
        finally:
            under_way.cancel()

    def _tried_alone(self, function: Callable[[_Item], _Result], item: _Item) -> _Result | Lost:
        """Evaluate an item that may have killed its process, with no other at risk."""
        reason = ""
        for _ in range(_ALONE):
            try:
                result: _Result | Lost = result_of(
                    self._started(self._alone).submit(function, item)
                )
            except BrokenProcessPool:
                reason = _how(self._alone.exit_codes())
                self._give_up(self._alone)
            else:
                return result
        return Lost(f"its process ended before its time, {_ALONE + 1} times: {reason}")

    def _started(self, workers: Workers) -> Workers:
        """Return workers of whom one has shown that it can begin: if not, no item is to blame.

        It compiles, too, before there are others that would do so at the same time.
        """
        if workers in self._ready:
            return workers
        for _ in range(_STARTS):
            try:
                workers.submit(_begin, None).result()
            except BrokenProcessPool:
                codes = workers.exit_codes()
                self._give_up(workers)
                if any(code > 0 for code in codes):
                    # They ended themselves, and would again.
                    break
            else:
                self._ready.add(workers)
                return workers
        raise SendcapError(
            "worker processes end as soon as they have started: for want of memory, or because "
            "the program that asked has no 'if __name__ == \"__main__\":'"
        )

    def _give_up(self, workers: Workers) -> None:
        self._ready.discard(workers)
        workers.abandon()


def _begin(_nothing: None) -> None:
    compiled()


def _is_broken(future: Future[Any]) -> bool:
    return not future.cancelled() and isinstance(future.exception(), BrokenProcessPool)


def _how(codes: list[int]) -> str:
    """Say how a process ended."""
    if not codes:
        return "the system does not tell how"
    code = codes[0]
    if code == -signal.SIGKILL:
        return "it was killed, as a system does that runs out of memory"
    if code < 0:
        names = {its.value: its.name for its in signal.Signals}
        return f"signal {names.get(-code, -code)}"
    return f"exit code {code}"
