"""Whose turn it is, after one of the queues has changed."""

from __future__ import annotations

import numpy as np
import pytest

from sendcap.model.kernel.turns import next_turn_s, set_turn
from sendcap.model.turns import first_turns


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6, 7, 16, 33, 48])
def test_the_soonest_goes_first_of_equals_a_start_then_by_rank_and_ready_time(count: int) -> None:
    rng = np.random.default_rng(count)
    turns = first_turns(count)
    rows = [(np.inf, 0, 0, 0.0, number) for number in range(count)]
    for _ in range(1000):
        number = int(rng.integers(count))
        next_s, phase = rng.choice([0.0, 1.0, 2.0, np.inf]), int(rng.integers(2))
        rows[number] = (next_s, phase, int(rng.integers(2)), rng.choice([3.0, 4.0]), number)
        set_turn(turns, number, *rows[number])
        assert rows[turns.winners[0]] == min(rows)
        assert next_turn_s(turns) == min(rows)[0]
