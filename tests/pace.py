"""Work that has to end in time, on a machine that others slow down, too."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_ROUNDS: Final = 500_000
_ROUNDS_S: Final = 0.007
"""CPU time of the rounds on an idle machine, where what has a limit takes half of it."""


def _slower() -> float:
    """Return how many times as long as there the machine takes now, at least 1."""
    began_s = time.process_time()
    for _ in range(_ROUNDS):
        pass
    return max(1.0, (time.process_time() - began_s) / _ROUNDS_S)


@contextmanager
def in_time(longest_s: float) -> Iterator[None]:
    """Check that what is done takes no more CPU time; more in proportion on a slower machine.

    The machine is slow for moments: it is looked at before and afterwards, if need be.
    """
    before = _slower()
    began_s = time.process_time()
    yield
    took_s = time.process_time() - began_s
    if took_s >= longest_s:
        slower = max(before, _slower())
        assert took_s < longest_s * slower, (took_s, slower)
