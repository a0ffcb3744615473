"""The calendar queue of the connections at work against a sorted list, over random sequences."""

from __future__ import annotations

import heapq
from collections.abc import Callable

import numpy as np
import pytest

from sendcap.model.kernel import state
from sendcap.model.kernel.busy import COUNT, WORD, begin_work, end_work, next_busy_s
from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.fields import CONNECTION, NEVER, NONE
from sendcap.model.kernel.pointer import by_pointer

YEAR_S = 365 * 86_400.0
Times = Callable[[np.random.Generator, int], np.ndarray]
TIMES: dict[str, Times] = {
    "all alike": lambda rng, count: np.ones(count),
    "no time": lambda rng, count: np.zeros(count),
    "exponential": lambda rng, count: rng.exponential(1.0, count),
    "many ties": lambda rng, count: rng.integers(0, 4, count) / 4.0,
    "seconds or years": lambda rng, count: rng.choice([0.5, 1.0, YEAR_S], count, p=[0.5, 0.4, 0.1]),
    "years apart": lambda rng, count: YEAR_S * rng.exponential(1.0, count),
    "from microseconds to years": lambda rng, count: 10.0 ** rng.uniform(-6.0, 8.0, count),
    # As of gamma distributions with a large cv.
    "of any size": lambda rng, count: 10.0 ** rng.uniform(-320.0, 12.0, count),
    "nearly none or long": lambda rng, count: (
        10.0 ** np.where(rng.random(count) < 0.9, -22.0, rng.uniform(-5.0, 5.0, count))
    ),
    "none, or of any size": lambda rng, count: np.where(
        rng.random(count) < 0.8, 0.0, 10.0 ** rng.uniform(-320.0, 9.0, count)
    ),
}


def plan(rng: np.random.Generator, connections: int, steps: int) -> np.ndarray:
    """Whether each step begins work, in bursts, so that the queue grows and shrinks."""
    begins, at_work = [], 0
    while len(begins) < steps:
        for begin in [True, False] if rng.random() < 0.5 else [bool(rng.random() < 0.5)]:
            for _ in range(int(rng.integers(1, connections + 1))):
                possible = at_work < connections if begin else at_work > 0
                if possible:
                    begins.append(begin)
                    at_work += 1 if begin else -1
    return np.array(begins[:steps])


@compiled
def run(busy, connections, free, begins, lasts_s, taken, next_s) -> None:
    """Begin and end work as planned; note who ends, and when the next would."""
    now_s, left, ends = 0.0, len(free), 0
    for step in range(len(begins)):
        if begins[step]:
            left -= 1
            number = free[left]
            connections[number].event_s = now_s + lasts_s[step]
            begin_work(busy, connections, number, now_s)
        else:
            number = end_work(busy, connections)
            now_s = connections[number].event_s
            free[left] = number
            left += 1
            taken[ends] = number
            ends += 1
        next_s[step] = next_busy_s(busy)


def expected(connections: int, begins: np.ndarray, lasts_s: np.ndarray) -> tuple[list, list]:
    """The same with a heap of time and order."""
    free, heap, now_s = list(range(connections)), [], 0.0
    taken, next_s = [], []
    for step, begin in enumerate(begins.tolist()):
        if begin:
            heapq.heappush(heap, (now_s + lasts_s[step], step, free.pop()))
        else:
            now_s, _, number = heapq.heappop(heap)
            free.append(number)
            taken.append(number)
        next_s.append(heap[0][0] if heap else NEVER)
    return taken, next_s


@pytest.mark.parametrize("connections", [1, 2, 12, 60, 1000])
@pytest.mark.parametrize("times", TIMES)
def test_the_next_event_is_the_soonest_and_of_one_moment_the_first(times, connections) -> None:
    for seed in range(20):
        rng = np.random.default_rng([seed, connections])
        begins = plan(rng, connections, 300 + connections)
        lasts_s = TIMES[times](rng, len(begins))
        buckets = WORD << seed % 3
        busy = by_pointer(
            state.Busy(
                first=np.full(buckets, NONE, np.int32),
                last=np.full(buckets, NONE, np.int32),
                used=np.zeros(buckets // WORD, np.uint64),
                times_s=np.array([1.0, NEVER]),
                numbers=np.array([0, NONE, 0]),
            )
        )
        ends = int((~begins).sum())
        taken, next_s = np.zeros(ends, np.int64), np.zeros(len(begins))
        free = np.arange(connections)
        table = np.zeros(connections, CONNECTION)
        run(busy, table, free, begins, lasts_s, taken, next_s)
        assert (taken.tolist(), next_s.tolist()) == expected(connections, begins, lasts_s)
        assert busy.numbers[COUNT] == len(begins) - 2 * ends
