"""Worker processes that simulate side by side; results come in the order of the items.

Processes are spawned, never forked: a fork copies the locks of threads that it does not copy.
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
from itertools import islice
from typing import Final, Self, TypeVar

from sendcap.errors import SendcapError
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import Scenario, from_dict
from sendcap.study.replication.seeds import replication_seed

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_AHEAD: Final = 2
"""Items handed out per process: one under way, one waiting."""
_PATIENCE_S: Final = 5.0
_CODES_S: Final = 1.0


class Workers:
    """Worker processes; a context manager that stops them on exit.

    No worker outlives this process, even after Ctrl-C or ``kill -9``.

    Parameters
    ----------
    count
        Number of processes (default: one per CPU). With 1 this process does the work.
    compile_here
        Compile the kernels in this process first, so that the workers need not each do so;
        otherwise the caller does.

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
        """Return a context with these workers, or with new ones that stop on exit."""
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

        Items are taken as needed; only a few results are in memory at a time.

        Parameters
        ----------
        function
            A module-level function, which other processes can import.
        items
            Arguments that can be pickled.

        Raises
        ------
        SendcapError
            The function's own, or if a worker process has died.
        """
        if self.count == 1:
            yield from map(function, items)
            return
        # Nothing submitted is cancelled: an executor whose processes are killed prints a traceback
        # for each cancelled item.
        pending: deque[Future[_Result]] = deque()
        remaining = iter(items)
        try:
            while True:
                for item in islice(remaining, _AHEAD * self.count - len(pending)):
                    pending.append(self.submit(function, item))
                if not pending:
                    return
                yield pending.popleft().result()
        except BrokenProcessPool:
            raise SendcapError(
                "a worker process died: out of memory, or the calling script has no "
                "'if __name__ == \"__main__\":'; try 1 worker"
            ) from None

    def submit(self, function: Callable[[_Item], _Result], item: _Item) -> Future[_Result]:
        """Evaluate a function in a worker process, even with a count of 1; see `map`."""
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
        """Return the exit codes of dead workers; a negative code is minus a signal.

        The code is unknown while the executor's own thread waits for the process.
        """
        until = time.monotonic() + _CODES_S
        while True:
            codes = [process.exitcode for process in self._processes]
            if None not in codes or time.monotonic() > until:
                return [code for code in codes if code is not None]
            time.sleep(0.01)

    def abandon(self) -> None:
        """Kill the workers, whatever they do; may be called at any moment, and repeatedly."""
        executor, self._executor = self._executor, None
        for process in self._processes:
            with suppress(ValueError):  # closed by the executor
                process.kill()
        self._processes = []
        if executor is not None:
            # The executor's lock may be held by the code that a signal has interrupted.
            ending = threading.Thread(target=executor.shutdown, daemon=True)
            ending.start()
            ending.join(_PATIENCE_S)


class Simulations:
    """Counts the simulations that workers do.

    Parameters
    ----------
    workers
        The workers.
    progress
        Called with the number of simulations so far.
    """

    def __init__(self, workers: Workers, progress: Callable[[int], None] | None = None) -> None:
        self._workers = workers
        self._progress = progress
        self.done = 0

    def map(
        self, function: Callable[[_Item], _Result], items: Iterable[_Item]
    ) -> Iterator[_Result]:
        """Do a simulation for each item; see `Workers.map`."""
        for result in self._workers.map(function, items):
            self.done += 1
            if self._progress is not None:
                self._progress(self.done)
            yield result


def each_replication(
    function: Callable[[Scenario], _Result],
    scenario: Scenario,
    numbers: Iterable[int],
    workers: Workers | Simulations,
) -> Iterator[_Result]:
    """Evaluate a function of a scenario for some replications; yield the results in order.

    Parameters
    ----------
    function
        A module-level function; small results come faster from another process.
    numbers
        Numbers of the replications, see `replication_seed`.
    workers
        The workers; results do not depend on their number.
    """
    seeds = (replication_seed(scenario.seed, number) for number in numbers)
    return workers.map(function, map(scenario.with_seed, seeds))


def compiled() -> None:
    """Compile the kernels unless they are on disk, where worker processes find them."""
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
    """Block signals, here and in the processes started meanwhile.

    Ctrl-C reaches all processes of a terminal; each worker would print a traceback.
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
    """Leave Ctrl-C to the parent process, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WAITING)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
