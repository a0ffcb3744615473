"""A pool of processes on this machine that survives the death of any of them.

Processes are spawned, never forked: a fork copies the locks of threads that it does not copy.

When a process is killed, the standard library's pool is broken as a whole. So the pool is built
anew, and the items under way, any of which may be the cause, are tried again alone, one after the
other. An item whose process then dies as well is given up, and no other item is.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any, Final

from sendcap.errors import SendcapError
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import from_dict
from sendcap.study.replication.under_way import Finished, Keyed, UnderWay

AHEAD: Final = 2
"""Items handed out per process: one under way, one waiting."""
_ALONE: Final = 2
"""Tries of an item alone."""
_STARTS: Final = 5
"""Starts of a process that is killed before it has done anything."""
_PATIENCE_S: Final = 5.0
_CODES_S: Final = 1.0


class WorkerDiedError(SendcapError):
    """The process of an item died, every time it was tried."""


class Processes:
    """Evaluates functions in processes of this machine, which are replaced when they die.

    No process outlives this one, even after Ctrl-C or ``kill -9``.

    Parameters
    ----------
    count
        Number of processes. A single one is another process than this one, too.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._together = _Pool(count)
        self._alone = _Pool(1)

    def finished(
        self, function: Callable[[Any], Any], items: Iterator[Keyed], held: Callable[[], int]
    ) -> Iterator[list[Finished]]:
        """Yield keys with their futures, as they are done; see `Workers.completed`."""
        compiled()  # once, and not in each process at the same time
        # Nothing submitted is cancelled: a pool whose processes are killed would stumble over it.
        under_way = UnderWay()
        suspects: deque[Keyed] = deque()
        while True:
            while suspects:
                key, item = suspects.popleft()
                yield [((key, item), self._tried_alone(function, item))]
                if not suspects:
                    # The cause may have been a lack of memory.
                    self._alone.abandon()
            for key, item in islice(items, max(AHEAD * self.count - len(under_way) - held(), 0)):
                try:
                    future = self._together.submit(function, item)
                except BrokenProcessPool:
                    suspects.append((key, item))
                    break
                under_way.add((key, item), future)
            if not len(under_way) and not suspects:
                return
            done = under_way.done() if len(under_way) else []
            if suspects or any(_is_broken(future) for _, future in done):
                # All the others are lost as well; some of them may have finished before.
                while len(under_way):
                    done += under_way.done()
                suspects += [keyed for keyed, future in done if _is_broken(future)]
                self._together.abandon()
            results = [(keyed, future) for keyed, future in done if not _is_broken(future)]
            if results:
                yield results

    def close(self) -> None:
        """Let the processes end by themselves: nothing is under way."""
        self._together.close()
        self._alone.close()

    def abandon(self) -> None:
        """Kill the processes, whatever they do; may be called at any moment, and repeatedly."""
        self._together.abandon()
        self._alone.abandon()

    def _tried_alone(self, function: Callable[[Any], Any], item: Any) -> Future[Any]:
        """Evaluate an item that may have killed a process, with no other at risk."""
        reason = ""
        for _ in range(_ALONE):
            self._require_start()
            try:
                future = self._alone.submit(function, item)
                future.exception()
            except BrokenProcessPool:
                broken = True
            else:
                broken = _is_broken(future)
            if not broken:
                return future
            reason = _how(self._alone.exit_codes())
            self._alone.abandon()
        lost: Future[Any] = Future()
        died = f"its worker process died {_ALONE + 1} times ({reason})"
        lost.set_exception(WorkerDiedError(died))
        return lost

    def _require_start(self) -> None:
        """Start the lone process; if it cannot start, no item is to blame."""
        for _ in range(_STARTS):
            try:
                self._alone.submit(_nothing, None).result()
            except BrokenProcessPool:
                codes = self._alone.exit_codes()
                self._alone.abandon()
                if any(code > 0 for code in codes):
                    # It ended by itself, and would again.
                    break
            else:
                return
        raise SendcapError(
            "worker processes die as soon as they start: out of memory, or the calling script has "
            "no 'if __name__ == \"__main__\":'"
        )


class _Pool:
    """The standard library's pool of processes, which can be killed and built anew."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._executor: ProcessPoolExecutor | None = None
        self._processes: list[multiprocessing.process.BaseProcess] = []

    def submit(self, function: Callable[[Any], Any], item: Any) -> Future[Any]:
        if self._executor is None:
            context = multiprocessing.get_context("spawn")
            self._executor = ProcessPoolExecutor(self._count, context, _begin)
        before = set(multiprocessing.active_children())
        with _signals_wait():
            future = self._executor.submit(function, item)
        self._processes += set(multiprocessing.active_children()) - before
        return future

    def exit_codes(self) -> list[int]:
        """Return the exit codes of dead processes; a negative code is minus a signal.

        The code is unknown while the executor's own thread waits for the process.
        """
        until = time.monotonic() + _CODES_S
        while True:
            codes = [process.exitcode for process in self._processes]
            if None not in codes or time.monotonic() > until:
                return [code for code in codes if code is not None]
            time.sleep(0.01)

    def close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown()
        self.abandon()

    def abandon(self) -> None:
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


def _nothing(_: None) -> None:
    """Show that a process can start."""


def _is_broken(future: Future[Any]) -> bool:
    return isinstance(future.exception(), BrokenProcessPool)


def _how(codes: list[int]) -> str:
    """Return how a process died, by its exit code."""
    if not codes:
        return "for an unknown reason"
    code = codes[0]
    if code == -signal.SIGKILL:
        return "killed, probably out of memory"
    if code < 0:
        names = {number.value: number.name for number in signal.Signals}
        return f"signal {names.get(-code, -code)}"
    return f"exit code {code}"


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
