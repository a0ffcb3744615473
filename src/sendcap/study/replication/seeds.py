"""Replications: the same scenario again with other draws."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, TypeVar

from sendcap.study.replication.workers import Workers

if TYPE_CHECKING:
    from sendcap.scenario import Scenario

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_KEY: Final = int.from_bytes(b"repl", "little")
"""Keeps these seeds apart from all that is derived of the same seed for other ends."""


def replication_seed(seed: int, replication: int) -> int:
    """Return the seed of a replication; ``sendcap run --seed`` simulates that one alone.

    Replication 0 has the scenario's own seed, so it is the plain run. The others have 128-bit
    numbers, which NumPy's `SeedSequence` derives from the seed and the replication's number.

    Parameters
    ----------
    seed
        The scenario's.
    replication
        Its number, from 0.

    Examples
    --------
    >>> replication_seed(7, 0)
    7
    """
    import numpy as np

    if replication == 0:
        return seed
    words = np.random.SeedSequence(seed, spawn_key=(_KEY, replication)).generate_state(4)
    return int.from_bytes(words.astype("<u4").tobytes(), "little")


class Simulations:
    """Simulations in other processes, counted.

    Parameters
    ----------
    workers
        Who does them.
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


def replications(
    function: Callable[[Scenario], _Result],
    scenario: Scenario,
    numbers: Iterable[int],
    workers: Workers,
) -> Iterator[_Result]:
    """Evaluate a function of a scenario for some replications; yield the results in order.

    Parameters
    ----------
    function
        Of a module. What it returns should be small: it comes from another process.
    numbers
        Of the replications, see `replication_seed`.
    workers
        Who does it; the results do not depend on how many they are.
    """
    return workers.map(
        function,
        (scenario.with_seed(replication_seed(scenario.seed, number)) for number in numbers),
    )
