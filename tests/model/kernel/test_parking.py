"""Who is parked at a shared limit, and who goes first when that has room."""

from __future__ import annotations

import numpy as np

from sendcap.model.kernel import fields, state
from sendcap.model.kernel.pointer import by_pointer
from sendcap.model.kernel.shared import call_first, leave, park
from sendcap.model.records import records

ROOM = 12


def two_limits() -> state.Shared:
    limits = records(fields.SHARED, [{"first": 0}, {"first": ROOM}])
    numbers, ready_s = np.zeros((5, 2 * ROOM), np.int32), np.zeros(2 * ROOM)
    shared: state.Shared = by_pointer(state.Shared(limits, *numbers, ready_s))
    return shared


def test_those_parked_go_by_rank_then_by_ready_time_then_by_number() -> None:
    """As a sorted list has it, also when some leave; two limits do not disturb each other."""
    rng, shared = np.random.default_rng(5), two_limits()
    waiting: tuple[list[tuple[int, float, int]], ...] = ([], [])
    for _ in range(2000):
        number = int(rng.integers(2))
        there = waiting[number]
        if len(there) == ROOM or (there and rng.random() < 0.5):
            first = min(there)
            there.remove(first)
            assert call_first(shared, number) == first[-1]
        elif there and rng.random() < 0.2:
            gone = there.pop(int(rng.integers(len(there))))
            leave(shared, number, gone[-1])
        else:
            others = set(range(ROOM)) - {who for *_, who in there}
            who, rank = int(rng.choice(list(others))), int(rng.integers(2))
            ready_s = float(rng.integers(3))
            there.append((rank, ready_s, who))
            park(shared, number, who, rank, ready_s)
