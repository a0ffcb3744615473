"""Processes that simulate at the same time, and give their results in the order of the questions.

They are spawned, never forked: a fork copies the locks of threads that it does not copy.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Final, Self, TypeVar

from sendcap.errors import SendcapError

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_AHEAD: Final = 2
"""Questions handed out per process: one is worked on, one waits."""
_PATIENCE_S: Final = 5.0
_CODES_S: Final = 1.0


class Workers:
    """Evaluates functions in other processes; a context manager, at whose end they are gone.

    However it ends, none of them outlives this process: not by Ctrl-C, nor by ``kill -9``.

    Parameters
    ----------
    count
        How many processes; by default as many as the machine has processors. With 1 everything is
        done in this process.
    compile_here
        Compile in this process first, so that no two others do so at the same time; otherwise it
        is left to who gives them work.

    Raises
    ------
    SendcapError
        If the count is less than 1.
    """

    def __init__(self, count: int | None = None, *, compile_here: bool = True) -> None:
        self.count = (os.cpu_count() or 1) if count is None else count
        if isinstance(self.count, bool) or not isinstance(self.count, int) or self.count < 1:
            raise SendcapError(f"workers: must be a whole number from 1, not {count!r}")
        self._compile_here = compile_here
        self._executor: ProcessPoolExecutor | None = None
        self._processes: list[multiprocessing.process.BaseProcess] = []

    @classmethod
    def of(cls, workers: int | Workers | None) -> AbstractContextManager[Workers]:
        """Return a context of these workers, or of new ones, who leave at its end."""
        return nullcontext(workers) if isinstance(workers, Workers) else cls(workers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._executor is not None:
            self._executor.shutdown()
        self.abandon()

    def map(
        self, function: Callable[[_Item], _Result], items: Iterable[_Item]
    ) -> Iterator[_Result]:
        """Evaluate a function for each item and yield the results in the order of the items.

        Items are taken as they are needed, and no more than a few results are kept.

        Parameters
        ----------
        function
            Of a module, so that other processes can import it.
        items
            What can be pickled.

        Raises
        ------
        SendcapError
            The function's own, or if a process has ended before its time.
        """
        if self.count == 1:
            yield from map(function, items)
            return
        # What has been asked is never taken back: an executor whose processes are ended would
        # stumble over questions that are cancelled, with a traceback of its own.
        asked: deque[Future[_Result]] = deque()
        left = iter(items)
        try:
            while True:
                while len(asked) < _AHEAD * self.count:
                    try:
                        item = next(left)
                    except StopIteration:
                        break
                    asked.append(self.submit(function, item))
                if not asked:
                    return
                yield asked.popleft().result()
        except BrokenProcessPool:
            raise SendcapError(
                "a worker process has ended before its time: for want of memory, or because the "
                "program that asked has no 'if __name__ == \"__main__\":'; try 1 worker"
            ) from None

    def submit(self, function: Callable[[_Item], _Result], item: _Item) -> Future[_Result]:
        """Evaluate a function in another process, even if there is but one; see `map`."""
        if self._executor is None:
            if self._compile_here:
                compiled()
            self._executor = ProcessPoolExecutor(
                self.count, multiprocessing.get_context("spawn"), _begin
            )
        before = set(multiprocessing.active_children())
        with _signals_wait():
            future = self._executor.submit(function, item)
        self._processes += set(multiprocessing.active_children()) - before
        return future

    def exit_codes(self) -> list[int]:
        """Return the codes of the processes that have ended; below zero, minus a signal.

        While an executor's own thread waits for a process, its code is not known yet.
        """
        until = time.monotonic() + _CODES_S
        while True:
            codes = [process.exitcode for process in self._processes]
            if None not in codes or time.monotonic() > until:
                return [code for code in codes if code is not None]
            time.sleep(0.01)

    def abandon(self) -> None:
        """End the processes, whatever they do; at any moment, and more than once."""
        executor, self._executor = self._executor, None
        for process in self._processes:
            with suppress(ValueError):  # closed by the executor
                process.kill()
        self._processes = []
        if executor is not None:
            # The executor's own lock may be held by what a signal has interrupted.
            ending = threading.Thread(target=executor.shutdown, daemon=True)
            ending.start()
            ending.join(_PATIENCE_S)


def compiled() -> None:
    """Compile the kernels, unless that has been done before; the processes find them on disk."""
    from sendcap.model.engine import simulate_ledger
    from sendcap.scenario import from_dict

    plain = {"connect_time": "0s", "transaction_time": "1s"}
    simulate_ledger(
        from_dict(
            {
                "deliveries": [{"name": "d", "messages": 2, "audience": {"p": 0.5, "q": 0.5}}],
                "relay": {"batch_time": "0s"},
                "mta": {"ingress_rate": "1/s"},
                "providers": {"p": plain, "q": plain | {"tolerance": "1/s"}},
            }
        )
    )


_WAITING: Final = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


@contextmanager
def _signals_wait() -> Iterator[None]:
    """Let signals wait, here and in the processes that are started meanwhile.

    Ctrl-C goes to all processes of the terminal; these would each print a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _WAITING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """Leave Ctrl-C to the process that asks, and end when that has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WAITING)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
