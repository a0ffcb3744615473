"""Executions: ways to evaluate a function for many items somewhere else.

Everything is done through `concurrent.futures.Executor`: by the standard library's process pool
(`sendcap.study.sweeps.local`), or by any executor of the user's, such as that of a Dask cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from typing import Any, Final, Protocol, Self, TypeVar

from sendcap.errors import SendcapError
from sendcap.study.sweeps.local import AHEAD, Local
from sendcap.study.sweeps.under_way import Lost, UnderWay, first_line, result_of, take

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_AHEAD_UNKNOWN: Final = 256
"""Items handed out to an executor that does not tell how many it can do at the same time."""


class Execution(Protocol):
    """A way to evaluate a function for items, somewhere else; a context manager."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception: object) -> None: ...

    def completed(
        self, function: Callable[[_Item], _Result], items: Iterable[_Item]
    ) -> Iterator[list[tuple[_Item, _Result | Lost]]]:
        """Yield items with their results as they come, those together that are there together.

        Parameters
        ----------
        function
            Of a module. It must be possible to evaluate it for an item twice.
        items
            Taken as they are needed.
        """

    def abandon(self) -> None:
        """End what is under way; at any moment, and more than once."""


def execution(executor: Any = None, workers: int | None = None) -> Execution:
    """Return the way to evaluate.

    Parameters
    ----------
    executor
        A `concurrent.futures.Executor` or a ``dask.distributed.Client``; by default a pool of
        processes on this machine.
    workers
        Processes of that pool; as many as there are processors by default.

    Raises
    ------
    SendcapError
        If it is none of these.
    """
    if executor is None:
        return Local(workers)
    if workers is not None:
        raise SendcapError("give an executor or a number of workers, not both")
    if hasattr(executor, "get_executor") and hasattr(executor, "ncores"):
        return _on_cluster(executor)
    if not isinstance(executor, Executor):
        raise SendcapError(
            f"executor: must be a concurrent.futures.Executor or a Dask client, "
            f"not a {type(executor).__name__}"
        )
    return Elsewhere(executor)


def _on_cluster(client: Any) -> Elsewhere:
    try:
        at_a_time = sum(client.ncores().values())
        executor = client.get_executor(pure=False)
    except Exception as error:
        # There are as many kinds as there are ways to be out of reach.
        raise SendcapError(f"the executor cannot be reached: {first_line(error)}") from error
    # More workers may join later.
    return Elsewhere(executor, max(AHEAD * at_a_time, _AHEAD_UNKNOWN))


class Elsewhere:
    """Evaluates by an executor of the user's, who also ends it.

    Parameters
    ----------
    executor
        Whatever has the interface.
    ahead
        How many items to hand out.
    """

    def __init__(self, executor: Executor, ahead: int = _AHEAD_UNKNOWN) -> None:
        self._executor = executor
        self._ahead = ahead
        self._under_way: UnderWay[Any, Any] = UnderWay()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.abandon()

    def abandon(self) -> None:
        """Cancel what has not begun; see `Execution.abandon`."""
        self._under_way.cancel()

    def completed(
        self, function: Callable[[_Item], _Result], items: Iterable[_Item]
    ) -> Iterator[list[tuple[_Item, _Result | Lost]]]:
        """Yield items with their results; see `Execution.completed`."""
        left = iter(items)
        under_way: UnderWay[_Item, _Result] = UnderWay()
        self._under_way = under_way
        try:
            while True:
                for item in take(left, self._ahead - len(under_way)):
                    under_way.add(item, self._submitted(function, item))
                if not len(under_way):
                    return
                yield [(item, self._result(future)) for item, future in under_way.done()]
        finally:
            under_way.cancel()

    def _submitted(self, function: Callable[[_Item], _Result], item: _Item) -> Future[_Result]:
        try:
            return self._executor.submit(function, item)
        except RuntimeError as error:  # it is broken, or has been shut down
            raise SendcapError(f"the executor takes no more: {first_line(error)}") from error

    def _result(self, future: Future[Any]) -> Any:
        try:
            return result_of(future)
        except (BrokenExecutor, CancelledError) as error:
            raise SendcapError(f"the executor has failed: {first_line(error)}") from error
