"""Connections that are opened as the queue grows, as KumoMTA opens them."""

import math

import numpy as np
import numpy.typing as npt


def wanted_connections(waiting: int, limit: int) -> int:
    """Return the number of connections that KumoMTA wants for a queue of this length.

    Source: KumoMTA, ``crates/kumod/src/ready_queue.rs``, ``ideal_connection_count``.

    >>> [wanted_connections(waiting, 32) for waiting in (0, 1, 10, 32, 128, 256)]
    [0, 1, 7, 17, 31, 32]
    """
    return min(waiting, math.ceil(limit * (1.0 - math.exp(-0.023 * waiting))))


def waiting_for(limit: int) -> npt.NDArray[np.int64]:
    """Return the shortest queue for which one more connection is wanted, by those open."""
    # The exponential is below one connection from here on.
    longest = max(limit, math.ceil(math.log(max(limit, 2)) / 0.023) + 1)
    lengths = np.arange(longest + 1)
    wanted = np.minimum(lengths, np.ceil(limit * (1.0 - np.exp(-0.023 * lengths)))).astype(np.int64)
    return np.searchsorted(wanted, np.arange(1, limit + 1))
