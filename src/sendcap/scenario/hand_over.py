"""Servers and a rate that get in each other's way: workers at the relay, connections at a queue.

A batch starts when a worker is free and the rate has come. While one of the two waits for the
other it is idle, and the bucket of the rate holds no more than its burst. So a relay whose workers
and whose rate nearly match is slower than either. One worker and a burst of one batch take
``max(batch / rate, batch time)`` for each, in closed form. With more workers or a larger burst
there is no formula: the starts are worked out one after the other, for a number of relays side by
side that always have the same draws.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from sendcap.scenario.random_time import RandomTime, Seconds

_RELAYS: Final = 128
"""Relays side by side. The batch times of each turn are evenly spread over the distribution."""
_DRAWS: Final = 16
"""Draws for each of them."""
_TURNS: Final = 1024
_FOR_EACH_WORKER: Final = 8
_POINTS: Final = 1024
"""Points at which a distribution function is integrated."""
_MOST_AT_ONCE: Final = 200.0
"""Batches that workers and burst take at once; with more, chance is evened out."""
_NOTHING: Final = 0.002
"""A loss below this share is none."""


class Together(NamedTuple):
    """What servers and a rate let through together in the long run."""

    per_s: float  # messages
    ahead: float  # messages by which they are ahead of that after a pause


@lru_cache(maxsize=512)
def together(
    servers: int, takes: RandomTime, sizes: tuple[int, ...], per_s: float, burst: float
) -> Together | None:
    """Return what servers and a rate in messages per second let through, None where no less.

    Each server takes a batch at a time; the sizes of batches are all as frequent as each other.
    """
    size = sum(sizes) / len(sizes)
    varies = takes.second_moment_s2 > takes.mean_s**2 * (1.0 + 1e-9) or len(set(sizes)) > 1
    if not varies or takes.mean_s == 0.0 or servers + burst / size > _MOST_AT_ONCE:
        return None
    if servers == 1 and burst <= min(sizes):
        found = Together(size / _longer_s(takes, sizes, per_s), 0.0)
    else:
        found = _in_turn(servers, takes, sizes, per_s, burst)
    least = min(per_s, servers * size / takes.mean_s)
    return found if found.per_s < (1.0 - _NOTHING) * least else None


def _longer_s(takes: RandomTime, sizes: tuple[int, ...], per_s: float) -> float:
    """Return the mean of the longer of the rate's time for a batch and the server's.

    It is the server's mean and the integral of the distribution function up to the rate's time.
    """
    waits_s = []
    for size in sizes:
        until_s = np.linspace(0.0, size / per_s, _POINTS)
        waits_s.append(np.trapezoid(takes.cdf(until_s), until_s))
    return takes.mean_s + float(np.mean(waits_s))


def _in_turn(
    servers: int, takes: RandomTime, sizes: tuple[int, ...], per_s: float, burst: float
) -> Together:
    rng = np.random.default_rng(1)
    turns = max(_TURNS, _FOR_EACH_WORKER * servers)
    takes_s = rng.permuted(np.tile(_spread_s(takes, rng), (turns, 1)), axis=1)
    each = np.array(sizes)[np.arange(_RELAYS) * len(sizes) // _RELAYS]
    batches = rng.permuted(np.tile(each, (turns, 1)), axis=1)
    relays = np.arange(_RELAYS)
    free_s = np.zeros((_RELAYS, servers))
    start_s, due_s = np.zeros(_RELAYS), np.full(_RELAYS, -np.inf)
    means_s = np.empty(turns)
    for turn in range(turns):
        first = free_s.argmin(axis=1)
        slack_s = np.maximum(burst - batches[turn], 0.0) / per_s
        start_s = np.maximum.reduce((start_s, free_s[relays, first], due_s - slack_s))
        due_s = np.maximum(due_s, start_s) + batches[turn] / per_s
        free_s[relays, first] = start_s + takes_s[turn]
        means_s[turn] = start_s.mean()
    # At first the burst is full and all servers are free.
    late_s = means_s[turns // 2 :]
    rate = (len(late_s) - 1) / float(late_s[-1] - late_s[0])
    ahead = float(np.mean(np.arange(turns // 2, turns) - rate * late_s))
    return Together(rate * each.mean(), max(ahead, 0.0) * each.mean())


def _spread_s(takes: RandomTime, rng: np.random.Generator) -> Seconds:
    """Return times that stand for equal parts of the distribution, with its mean."""
    draws_s = np.sort(takes.sample(rng, _RELAYS * _DRAWS)).reshape(_RELAYS, _DRAWS)
    spread_s = draws_s.mean(axis=1)
    evened: Seconds = spread_s * (takes.mean_s / spread_s.mean())
    return evened
