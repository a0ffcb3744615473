"""The queue with the next event, after one queue's has changed."""

from __future__ import annotations

import numpy as np
import pytest

from sendcap.model.kernel.fields import QUEUE
from sendcap.model.kernel.step import _play
from sendcap.model.queue_group import _first_winners


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6, 7, 16, 33, 48])
def test_the_winner_has_the_soonest_event_and_of_equals_the_lowest_number(count: int) -> None:
    rng = np.random.default_rng(count)
    queues, winners = np.zeros(count, QUEUE), _first_winners(count)
    queues["next_s"] = np.inf
    for _ in range(1000):
        number = int(rng.integers(count))
        queues["next_s"][number] = rng.choice([0.0, 1.0, 2.0, 5.0, np.inf])
        _play(winners, queues, number)
        assert winners[0] == np.argmin(queues["next_s"])
