"""Messages that back off against sorted order: by due time, and then by failure."""

from __future__ import annotations

import heapq

import numpy as np
import pytest

from sendcap.model.kernel import state
from sendcap.model.kernel.backoff import ALL, NEAR, back_off, next_due_s, take_due
from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.fields import MESSAGE, NEVER, NONE
from sendcap.model.kernel.pointer import by_pointer

DAY_S, DAYS = 64.0, 8
"""A year of the calendar is so short here that many messages are due in a later one."""
DELAYS = {
    "alike": lambda rng, count: np.full(count, 60.0),
    "none": lambda rng, count: np.zeros(count),
    "on edges of days": lambda rng, count: DAY_S * rng.integers(0, 4 * DAYS, count),
    "exponential": lambda rng, count: rng.exponential(100.0, count),
    "minutes or weeks": lambda rng, count: rng.choice([60.0, 90.0, 7 * 86_400.0], count),
    "from milliseconds to months": lambda rng, count: 10.0 ** rng.uniform(-3.0, 7.0, count),
}


@compiled
def run(backoff, messages, backs_off, delays_s, taken, next_s) -> None:
    """Let messages back off and be due as planned: the n-th that backs off has number n."""
    now_s, failures, due = 0.0, 0, 0
    for step in range(len(backs_off)):
        if backs_off[step]:
            messages[failures].ready_s = now_s + delays_s[step]
            back_off(backoff, messages, failures)
            failures += 1
        else:
            now_s = next_due_s(backoff)
            taken[due] = take_due(backoff, messages)
            due += 1
        next_s[step] = next_due_s(backoff)


def expected(backs_off: np.ndarray, delays_s: np.ndarray) -> tuple[list, list]:
    heap, now_s, failures, taken, next_s = [], 0.0, 0, [], []
    for step, begin in enumerate(backs_off.tolist()):
        if begin:
            heapq.heappush(heap, (now_s + delays_s[step], failures))
            failures += 1
        else:
            now_s, number = heapq.heappop(heap)
            taken.append(number)
        next_s.append(heap[0][0] if heap else NEVER)
    return taken, next_s


@pytest.mark.parametrize("delays", DELAYS)
def test_messages_are_due_by_time_and_then_in_the_order_of_their_failures(delays) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        # Bursts of failures, each of which is due in part before the next.
        backs_off, waiting = [], 0
        while len(backs_off) < 2000:
            burst, due = rng.integers(1, 200, 2).tolist()
            due = min(waiting + burst, due)
            backs_off += [True] * burst + [False] * due
            waiting += burst - due
        plan = np.array(backs_off)
        delays_s = DELAYS[delays](rng, len(plan)).astype(float)
        count = int(plan.sum())
        backoff = by_pointer(
            state.Backoff(
                at_s=np.full(count, NEVER),
                order=np.zeros(count, np.int64),
                message=np.zeros(count, np.int32),
                first=np.full(DAYS, NONE, np.int32),
                day_s=np.array([DAY_S]),
                numbers=np.array([0, 0, -1, 0]),
            )
        )
        taken, next_s = np.zeros(len(plan) - count, np.int64), np.zeros(len(plan))
        run(backoff, np.zeros(count, MESSAGE), plan, delays_s, taken, next_s)
        assert (taken.tolist(), next_s.tolist()) == expected(plan, delays_s)
        assert backoff.numbers[ALL] == waiting
        assert (backoff.numbers[NEAR] > 0) == (waiting > 0)
