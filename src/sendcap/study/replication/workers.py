"""Workers that simulate side by side: processes of this machine, or the user's executor."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any, Final, NamedTuple, Self, TypeVar

from sendcap.errors import SendcapError, SendcapWarning
from sendcap.files.cleaning import register, unregister
from sendcap.scenario import Scenario
from sendcap.study.replication import replication_seed
from sendcap.study.replication.estimates import require_count
from sendcap.study.replication.processes import AHEAD, Finished, Processes, WorkerDiedError
from sendcap.text.notebook_bar import notebook_bar
from sendcap.text.quantities import counted
from sendcap.version import MODEL_VERSION, __version__

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_MOST: Final = 1024
_AHEAD_UNKNOWN: Final = 256
"""Items handed out to an executor of unknown size."""
_PATIENCE_S: Final = 60.0
"""After so long without a result it is worth a look whether a cluster has workers."""


class Lost(NamedTuple):
    """In place of a result: the item's function has failed, or its process died."""

    reason: str


class Workers:
    """Workers; a context manager that stops them on exit, and if the process is stopped.

    They are processes of this machine (default: one per CPU), or those of an executor, a
    `concurrent.futures.Executor` or a ``dask.distributed.Client``, which the caller shuts down.
    """

    def __init__(self, count: int | None = None, executor: Any = None) -> None:
        if executor is not None and count is not None:
            raise SendcapError("give an executor or a number of workers, not both")
        count = (os.cpu_count() or 1) if count is None else count
        self.count = require_count(count, most=_MOST, name="workers:")
        self.local = executor is None
        self._backend = Processes(count) if executor is None else _elsewhere(executor)

    @classmethod
    def of(cls, workers: Any) -> AbstractContextManager[Workers]:
        """Return a context with `Workers`, or with new ones that stop on exit.

        New ones are made of a number of processes, None for one per CPU, or an executor.
        """
        if isinstance(workers, Workers):
            return nullcontext(workers)
        if workers is None or isinstance(workers, int):
            return cls(workers)
        return cls(executor=workers)

    def __enter__(self) -> Self:
        register(self.abandon)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._backend.close()
        self.abandon()
        unregister(self.abandon)

    def abandon(self) -> None:
        """Stop whatever is under way; may be called at any moment, and repeatedly."""
        self._backend.abandon()

    def map(
        self, function: Callable[[_Item], _Result], items: Iterable[_Item]
    ) -> Iterator[_Result]:
        """Evaluate a function for each item and yield the results in the order of the items.

        Items are taken as needed; only a few results are in memory at a time. Other processes must
        be able to import the function; a single process is this one. An item whose process dies is
        evaluated again.
        """
        if self.local and self.count == 1:
            yield from map(function, items)
            return
        early: dict[int, Future[_Result]] = {}
        position = 0
        numbered = partial(_to_numbered, function)
        for batch in self._finished(numbered, enumerate(items), early.__len__):
            early |= {number: future for (number, _), future in batch}
            while position in early:
                yield _raised(early.pop(position))
                position += 1

    def completed(
        self, function: Callable[[_Item], _Result], items: Iterable[_Item]
    ) -> Iterator[list[tuple[_Item, _Result | Lost]]]:
        """Yield items with their results as they come, those together that are there together.

        Also a single process is another one than this: what dies is not the caller.
        """
        for batch in self._finished(function, iter(items), lambda: 0):
            yield [(item, _result(future)) for item, future in batch]

    def _finished(
        self, function: Callable[[Any], Any], items: Iterator[Any], held: Callable[[], int]
    ) -> Iterator[list[Finished]]:
        """Yield items as they are done, each by a worker of the same version as this process."""
        checked = partial(_if_same_version, _version(), function)
        return self._backend.finished(checked, items, held)


def _to_numbered(function: Callable[[_Item], _Result], numbered: tuple[int, _Item]) -> _Result:
    return function(numbered[1])


def _version() -> str:
    return f"{__version__} with model {MODEL_VERSION}"


# Keep the name: a worker of another version finds the function by it.
def _if_same_version(version: str, function: Callable[[_Item], _Result], item: _Item) -> _Result:
    """Evaluate a function in a worker, unless it has another version than its caller."""
    if version != _version():
        raise SendcapError(
            f"the worker has another version of sendcap: {_version()}, not {version}; "
            f"install the same one"
        )
    return function(item)


def _raised(future: Future[_Result]) -> _Result:
    try:
        return future.result()
    except WorkerDiedError as error:
        raise SendcapError(f"a {error}; try fewer workers") from None


def _result(future: Future[_Result]) -> _Result | Lost:
    try:
        return future.result()
    except WorkerDiedError as error:
        return Lost(f"its {error}")
    except SendcapError as error:
        return Lost(str(error).splitlines()[0])
    except Exception as error:
        # Each executor has exceptions of its own, such as KilledWorker.
        return Lost(_first_line(error))


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    kind = type(error).__name__
    return f"{kind}: {lines[0]}" if lines else kind


def _elsewhere(executor: Any) -> _Elsewhere:
    if hasattr(executor, "get_executor") and hasattr(executor, "ncores"):
        try:
            at_a_time = sum(executor.ncores().values())
            cluster = executor.get_executor(pure=False)
        except Exception as error:
            # Each way to be out of reach has an exception of its own.
            raise SendcapError(f"the executor cannot be reached: {_first_line(error)}") from error
        # More workers may join later.
        ahead = max(AHEAD * at_a_time, _AHEAD_UNKNOWN)
        return _Elsewhere(cluster, ahead, lambda: len(executor.ncores()))
    if not isinstance(executor, Executor):
        raise SendcapError(
            f"executor: must be a concurrent.futures.Executor or a Dask client, "
            f"not a {type(executor).__name__}"
        )
    return _Elsewhere(executor, _AHEAD_UNKNOWN)


class _Elsewhere:
    """Evaluates functions by the user's executor, with so many items handed out ahead.

    ``workers`` counts those that a cluster has at the moment.
    """

    def __init__(
        self, executor: Executor, ahead: int, workers: Callable[[], int] = lambda: 1
    ) -> None:
        self._executor, self._ahead, self._workers = executor, ahead, workers
        self._under_way: dict[Future[Any], Any] = {}

    def finished(
        self, function: Callable[[Any], Any], items: Iterator[Any], held: Callable[[], int]
    ) -> Iterator[list[Finished]]:
        """Yield items as they are done, fewer ahead for each that is held by the caller.

        A Dask scheduler blames all tasks of a worker that dies. Each of them is therefore
        evaluated again while nothing else is under way: only the guilty one fails again.
        """
        under_way = self._under_way = {}
        suspects: list[Any] = []
        done: SimpleQueue[Future[Any]] = SimpleQueue()
        try:
            while True:
                for item in islice(items, max(self._ahead - len(under_way) - held(), 0)):
                    self._submit(function, item, done)
                alone = not under_way
                if alone and suspects:
                    self._submit(function, suspects.pop(), done)
                if not under_way:
                    return
                futures = [self._next(done)]
                while not done.empty():
                    futures.append(done.get())
                batch: list[Finished] = []
                for future in futures:
                    _require_executor(future)
                    item = under_way.pop(future)
                    # Dask's name for the death of a worker.
                    if type(future.exception()).__name__ == "KilledWorker" and not alone:
                        suspects.append(item)
                    else:
                        batch.append((item, future))
                if batch:
                    yield batch
        finally:
            _cancel(under_way)

    def _next(self, done: SimpleQueue[Future[Any]]) -> Future[Any]:
        """Return the next that is done; say once if nobody is there to do any."""
        warned = False
        while True:
            try:
                return done.get(timeout=_PATIENCE_S)
            except Empty:
                with suppress(Exception):  # out of reach: what is under way will be cancelled
                    if not warned and self._workers() == 0:
                        warned = True
                        message = "the cluster has no workers at the moment; waiting for one"
                        warnings.warn(message, SendcapWarning, stacklevel=2)

    def _submit(
        self, function: Callable[[Any], Any], item: Any, done: SimpleQueue[Future[Any]]
    ) -> None:
        try:
            future = self._executor.submit(function, item)
        except RuntimeError as error:  # it is broken, or has been shut down
            raise SendcapError(f"the executor takes no more: {_first_line(error)}") from error
        self._under_way[future] = item
        future.add_done_callback(done.put)

    def close(self) -> None:
        """Leave the executor to the caller."""

    def abandon(self) -> None:
        """Cancel what has not begun."""
        _cancel(self._under_way)


def _cancel(futures: Iterable[Future[Any]]) -> None:
    for future in list(futures):
        future.cancel()


def _require_executor(future: Future[Any]) -> None:
    try:
        error = future.exception()
    except CancelledError as cancelled:
        raise SendcapError(
            "the executor has failed: it has cancelled what was under way, as a cluster does when "
            "the scheduler stops or loses the connection"
        ) from cancelled
    if isinstance(error, BrokenExecutor):
        raise SendcapError(f"the executor has failed: {_first_line(error)}") from error


class Simulations:
    """Counts the simulations of workers; ``progress`` is called with their number so far."""

    def __init__(self, workers: Workers, progress: Callable[[int], None] | None = None) -> None:
        self._workers, self._progress = workers, progress
        self.done = 0

    def map(
        self, function: Callable[[_Item], _Result], items: Iterable[_Item]
    ) -> Iterator[_Result]:
        """Do a simulation for each item; see `Workers.map`."""
        with notebook_bar(self._progress, _told) as seen:
            for result in self._workers.map(function, items):
                self.done += 1
                if seen is not None:
                    seen(self.done)
                yield result


def _told(done: int) -> tuple[None, str]:
    # How many there will be depends on what they show.
    return None, counted(done, "simulation")


def each_replication(
    function: Callable[[Scenario], _Result],
    scenario: Scenario,
    numbers: Iterable[int],
    workers: Workers | Simulations,
) -> Iterator[_Result]:
    """Evaluate a function of a scenario for some replications; yield the results in order."""
    seeds = (replication_seed(scenario.seed, number) for number in numbers)
    return workers.map(function, map(scenario.with_seed, seeds))
