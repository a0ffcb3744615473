"""Binary heaps of (time, member) in two arrays, the earliest first."""

from __future__ import annotations

from sendcap.model.kernel.arrays import Floats, Ints
from sendcap.model.kernel.compiled import compiled


@compiled
def push(times: Floats, members: Ints, size: int, time: float, member: int) -> None:
    """Add to a heap of ``size`` entries."""
    hole = size
    while hole > 0:
        parent = (hole - 1) >> 1
        if times[parent] <= time:
            break
        times[hole] = times[parent]
        members[hole] = members[parent]
        hole = parent
    times[hole] = time
    members[hole] = member


@compiled
def replace(times: Floats, members: Ints, size: int, time: float, member: int) -> None:
    """Replace the earliest entry of a heap of ``size`` entries.

    With the last entry, and ``size`` without it, this removes the earliest.
    """
    hole = 0
    child = 1
    while child < size:
        if child + 1 < size and times[child + 1] < times[child]:
            child += 1
        if times[child] >= time:
            break
        times[hole] = times[child]
        members[hole] = members[child]
        hole = child
        child = 2 * hole + 1
    times[hole] = time
    members[hole] = member
