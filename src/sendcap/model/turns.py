"""The tournament of a group of queues before anything has happened."""

import numpy as np

from sendcap.model.kernel import state
from sendcap.model.records import power_of_two


def first_turns(players: int) -> state.Turns:
    """Return a tournament in which the first of equals has won, also where no queue is."""
    leaves = power_of_two(players)
    winners = np.arange(-leaves, leaves, dtype=np.int32)
    for place in range(leaves - 1, 0, -1):
        winners[place] = winners[2 * place]
    winners[0] = 0
    return state.Turns(
        winners=winners[:leaves],
        next_s=np.full(players, np.inf),
        phase=np.zeros(players, np.int32),
        rank=np.zeros(players, np.int32),
        ready_s=np.zeros(players),
        queue=np.arange(players, dtype=np.int32),
    )
