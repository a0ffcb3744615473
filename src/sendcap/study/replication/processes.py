"""Processes of this machine that evaluate functions, and are replaced when they die.

Each process has a pipe of its own, so a death shows which item it had. (The standard library's pool
breaks as a whole when one process is killed.) That item is tried again while nothing else is under
way, because memory may have been short; after its third death it is given up, and no other item is.

Processes are spawned, never forked: a fork copies the locks of threads that it does not copy.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from typing import Any, Final

from sendcap.errors import SendcapError
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import from_dict

Finished = tuple[Any, Future[Any]]
"""An item and its result."""

AHEAD: Final = 2
"""Items handed out per process: one under way, one waiting."""
_DEATHS: Final = 3
_STARTS: Final = 5
"""Starts of a process that is killed before it has done anything."""
STARTS_WITHIN_S: Final = 300.0
"""A process that starts takes a second; one short of memory may spin in a library for ever."""
_PATIENCE_S: Final = 5.0
_END: Final = b""


class WorkerDiedError(SendcapError):
    """The process of an item died, every time it was tried."""


@dataclass(eq=False)
class _Task:
    item: Any
    deaths: int = 0


class Processes:
    """Evaluates functions in processes of this machine.

    No process outlives this one, even after Ctrl-C or ``kill -9``. A single one is another process
    than this one, too. If they simulate, the kernels are compiled first.
    """

    def __init__(self, count: int, *, simulates: bool = True) -> None:
        self.count = count
        self._simulates = simulates
        self._workers: list[_Worker] = []
        self._failed_starts = 0

    def finished(
        self, function: Callable[[Any], Any], items: Iterator[Any], held: Callable[[], int]
    ) -> Iterator[list[Finished]]:
        """Yield items as they are done, fewer ahead for each that is held by the caller."""
        if self._simulates:
            # Processes import while this one compiles, once and not in each at the same time.
            first = list(islice(items, self.count))
            while len(self._workers) < len(first):
                self._start()
            compiled()
            items = chain(first, items)
        again: deque[_Task] = deque()
        try:
            while True:
                busy = sum(len(worker.tasks) for worker in self._workers)
                if again and not busy:
                    self._least_busy().give(function, again.popleft())
                elif not again:
                    for item in islice(items, max(AHEAD * self.count - busy - held(), 0)):
                        self._least_busy().give(function, _Task(item))
                if not again and not any(each for worker in self._workers for each in worker.tasks):
                    return
                pipes = {worker.pipe: worker for worker in self._workers if worker.tasks}
                results: list[Finished] = []
                for worker in _spoken(pipes):
                    results += self._received(worker, again)
                if results:
                    yield results
        finally:
            for worker in self._workers:
                worker.tasks = deque([None] * len(worker.tasks))

    def close(self) -> None:
        """Let the processes end by themselves: nothing is under way."""
        for worker in self._workers:
            worker.end()
        self.abandon()

    def abandon(self) -> None:
        """Kill the processes, whatever they do; may be called at any moment, and repeatedly."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.process.kill()
        for worker in workers:
            worker.process.join(_PATIENCE_S)

    def _least_busy(self) -> _Worker:
        worker = min(self._workers, key=lambda each: len(each.tasks), default=None)
        if worker is None or (worker.tasks and len(self._workers) < self.count):
            worker = self._start()
        return worker

    def _start(self) -> _Worker:
        with _signals_wait():
            worker = _Worker()
            self._workers.append(worker)
        return worker

    def _received(self, worker: _Worker, again: deque[_Task]) -> Iterator[Finished]:
        """Take a message of a worker: that it has started, or a result; or its death."""
        try:
            message = worker.pipe.recv_bytes()
        except (EOFError, OSError):
            yield from self._replaced(worker, again)
            return
        if not worker.started:
            worker.started, self._failed_starts = True, 0
            return
        task = worker.tasks.popleft()
        if task is not None:
            yield task.item, _future(message)

    def _replaced(self, worker: _Worker, again: deque[_Task]) -> Iterator[Finished]:
        """Forget a dead worker; the first of its items may be the cause."""
        if worker not in self._workers:  # abandoned, by another thread
            raise SendcapError("the worker processes have been stopped")
        self._workers.remove(worker)
        worker.process.join(_PATIENCE_S)
        code = worker.process.exitcode or 0
        if not worker.started:
            self._failed_starts += 1
            # What ended by itself would do so again.
            if code > 0 or self._failed_starts == _STARTS:
                raise SendcapError(
                    "worker processes die as soon as they start: out of memory, or the calling "
                    "script has no 'if __name__ == \"__main__\":'"
                )
        elif (suspect := worker.tasks[0]) is not None:
            suspect.deaths += 1
            if suspect.deaths == _DEATHS:
                worker.tasks.popleft()
                died = WorkerDiedError(f"worker process died {_DEATHS} times ({_how(code)})")
                yield suspect.item, _future(pickle.dumps((False, died)))
        again.extend(task for task in worker.tasks if task is not None)


class _Worker:
    """A process, with a pipe to it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs,))
        self.process.start()
        theirs.close()
        self.started = False
        self.tasks: deque[_Task | None] = deque()  # None: nobody wants the result any more

    def give(self, function: Callable[[Any], Any], task: _Task) -> None:
        message = pickle.dumps((function, task.item))
        self.tasks.append(task)
        with suppress(OSError):  # it is dead, as the next look at the pipe shows
            self.pipe.send_bytes(message)

    def end(self) -> None:
        with suppress(OSError):
            self.pipe.send_bytes(_END)
        self.process.join()


def _spoken(workers: dict[Any, _Worker]) -> list[_Worker]:
    """Wait for a message or a death, by pipe; not for ever while none of them has started."""
    has_started = any(worker.started for worker in workers.values())
    ready = wait(list(workers), timeout=None if has_started else STARTS_WITHIN_S)
    if not ready:
        raise SendcapError(f"worker processes do not start within {STARTS_WITHIN_S:.0f} s")
    return [workers[pipe] for pipe in ready]


def _future(message: bytes) -> Future[Any]:
    future: Future[Any] = Future()
    try:
        succeeded, value = pickle.loads(message)
    except Exception as error:
        succeeded, value = False, error
    if succeeded:
        future.set_result(value)
    else:
        future.set_exception(value)
    return future


def _how(code: int) -> str:
    """Return how a process died, by its exit code."""
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

    Ctrl-C reaches all processes of a terminal; each worker would print a traceback. So would one
    whose parent ended while it started.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _WAITING)
    try:
        # Multiprocessing unblocks signals when it starts this process, once.
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, _WAITING)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@cache
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


# In a worker process.


def _work(pipe: Connection) -> None:
    """Evaluate what comes through the pipe; leave Ctrl-C to the parent process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WAITING)
    messages: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_receive, args=(pipe, messages), daemon=True).start()
    _send(pipe, b"started")
    while (message := messages.get()) != _END:
        _send(pipe, _answer(message))


def _send(pipe: Connection, message: bytes) -> None:
    """Tell the parent; end without a word where it is gone, before or after `_receive` sees it."""
    try:
        pipe.send_bytes(message)
    except OSError:
        os._exit(1)


def _receive(pipe: Connection, messages: SimpleQueue[bytes]) -> None:
    """Read messages at once, so that the parent never waits; end with the parent."""
    message = None
    while message != _END:
        try:
            message = pipe.recv_bytes()
        except (EOFError, OSError):
            os._exit(1)
        messages.put(message)


def _answer(message: bytes) -> bytes:
    try:
        function, item = pickle.loads(message)
        return pickle.dumps((True, function(item)))
    except BaseException as error:
        error.add_note(traceback.format_exc())
        try:
            return pickle.dumps((False, error))
        except Exception:
            return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))
