"""Servers and a rate that get in each other's way: workers at the relay, connections at a queue.

A batch starts when a worker is free and the rate has come. While one of the two waits for the
other it is idle, and the bucket of the rate holds no more than its burst. So a relay whose workers
and whose rate nearly match is slower than either. One worker and a burst of one batch take
``max(batch / rate, batch time)`` for each, in closed form. With more workers or a larger burst
there is no formula: the starts are worked out one after the other, for a number of relays side by
side that always have the same draws.
"""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple, Self

import numpy as np

from sendcap.scenario.provider import Provider
from sendcap.scenario.random_time import RandomTime, Seconds

RELAYS: Final = 128
"""Relays side by side. The batch times of each turn are evenly spread over the distribution."""
_DRAWS: Final = 16
"""Draws for each of them."""
_TURNS: Final = 1024
_LIMITS: Final = 16
"""Limits that are worked out at once: NumPy takes as long for the relays of one."""
_FOR_EACH_WORKER: Final = 8
_POINTS: Final = 1024
"""Points at which a distribution function is integrated."""
_MOST_AT_ONCE: Final = 200.0
"""Batches that workers and burst take at once; with more, chance is evened out."""
_NOTHING: Final = 0.002
"""A loss below this share is none."""
_SEED: Final = 1
"""Of the times that all relays have."""


def connect_s(provider: Provider) -> float:
    """Return the time for connecting that falls on each attempt."""
    if provider.messages_per_connection == "unlimited":
        return 0.0
    return provider.connect_time.mean_s / provider.messages_per_connection


class Attempt(NamedTuple):
    """A connection's time for an attempt: a transaction, and its part of a regular connecting."""

    transaction: RandomTime
    connecting_s: float

    @classmethod
    def of(cls, provider: Provider) -> Self:
        """Return the time of an attempt at a provider."""
        return cls(provider.transaction_time, connect_s(provider))

    def sample(self, rng: np.random.Generator, size: int) -> Seconds:
        """See `RandomTime`."""
        return self.transaction.sample(rng, size) + self.connecting_s

    def cdf(self, within_s: Seconds) -> Seconds:
        """See `RandomTime`."""
        return self.transaction.cdf(within_s - self.connecting_s)

    @property
    def mean_s(self) -> float:
        """See `RandomTime`."""
        return self.transaction.mean_s + self.connecting_s

    @property
    def second_moment_s2(self) -> float:
        """See `RandomTime`."""
        variance_s2 = self.transaction.second_moment_s2 - self.transaction.mean_s**2
        return self.mean_s**2 + max(variance_s2, 0.0)


Takes = RandomTime | Attempt
"""A random time for which a server is taken."""


class Limit(NamedTuple):
    """A rate in the long run, and what is let through beyond it after a pause."""

    per_s: float  # messages
    burst: float


@lru_cache(maxsize=512)
def together(
    servers: int, takes: Takes, sizes: tuple[int, ...], limits: tuple[Limit, ...]
) -> dict[Limit, Limit]:
    """Return what servers and each of the limits let through, but for limits where it is no less.

    Each server takes a batch at a time; the sizes of batches are all as frequent as each other.
    """
    size = sum(sizes) / len(sizes)
    varies = takes.second_moment_s2 > takes.mean_s**2 * (1.0 + 1e-9) or len(set(sizes)) > 1
    if not varies or takes.mean_s == 0.0:
        return {}
    longest_s = float(_spread_s(takes, np.random.default_rng(_SEED)).max())
    found, others = {}, []
    for limit in dict.fromkeys(limits):
        if servers + limit.burst / size > _MOST_AT_ONCE:
            continue
        # Of the batches that the rate lets start while one takes the longest, each has a server.
        if (limit.burst + limit.per_s * longest_s) / min(sizes) + 1.0 <= servers:
            continue
        if servers == 1 and limit.burst <= min(sizes):
            found[limit] = Limit(size / _longer_s(takes, sizes, limit.per_s), 0.0)
        else:
            others.append(limit)
    for first in range(0, len(others), _LIMITS):
        found |= _in_turn(servers, takes, sizes, others[first : first + _LIMITS])
    most_per_s = servers * size / takes.mean_s
    return {
        limit: both
        for limit, both in found.items()
        if both.per_s < (1.0 - _NOTHING) * min(limit.per_s, most_per_s)
    }


def _longer_s(takes: Takes, sizes: tuple[int, ...], per_s: float) -> float:
    """Return the mean of the longer of the rate's time for a batch and the server's.

    It is the server's mean and the integral of the distribution function up to the rate's time.
    """
    waits_s = []
    for size in sizes:
        until_s = np.linspace(0.0, size / per_s, _POINTS)
        waits_s.append(np.trapezoid(takes.cdf(until_s), until_s))
    return takes.mean_s + float(np.mean(waits_s))


def _in_turn(
    servers: int, takes: Takes, sizes: tuple[int, ...], limits: Sequence[Limit]
) -> dict[Limit, Limit]:
    turns = max(_TURNS, _FOR_EACH_WORKER * servers)
    each = np.array(sizes, np.float64)[np.arange(RELAYS) * len(sizes) // RELAYS]
    batches = np.tile(each, (turns, 1))
    if len(set(sizes)) > 1:
        batches = np.random.default_rng(2).permuted(batches, axis=1)
    per_s, burst = np.array(limits).T[:, :, None]
    starting = starts(servers, takes, batches, np.zeros(turns), per_s, burst)
    late_half = [start_s for start_s, _ in islice(starting, turns // 2, None)]
    means_s = np.array(late_half).mean(axis=-1)
    size = float(each.mean())
    found = {}
    # At first the burst is full and all servers are free.
    for limit, late_s in zip(limits, means_s.T, strict=True):
        rate = (len(late_s) - 1) / float(late_s[-1] - late_s[0])
        ahead = float(np.mean(np.arange(turns // 2, turns) - rate * late_s))
        found[limit] = Limit(rate * size, max(ahead, 0.0) * size)
    return found


def starts(
    servers: int,
    takes: Takes,
    sizes: Seconds,
    ready_s: Seconds,
    per_s: float | Seconds = math.inf,
    burst: float | Seconds = math.inf,
) -> Iterator[tuple[Seconds, Seconds]]:
    """Yield when the batches start and end at all relays side by side.

    Sizes have a row for each batch, with a size for each relay or one for all. A batch starts when
    it is ready, after the one before it, when a server is free and the rate has come. Rates and
    bursts may be columns: each is that of a row of relays, and all rows have the same draws.
    """
    rng = np.random.default_rng(_SEED)
    times_s = rng.permuted(np.tile(_spread_s(takes, rng), (len(ready_s), 1)), axis=1)
    shape = np.broadcast_shapes(np.shape(per_s), (RELAYS,))
    free_s = np.zeros((*shape, servers))
    servers_s = free_s.reshape(-1)  # all of them in one row, which is indexed sooner
    relays = np.arange(0, servers_s.size, servers).reshape(shape)
    start_s, due_s = np.zeros(shape), np.full(shape, -np.inf)
    is_limited = bool(np.less(per_s, math.inf).all())
    same_sizes = bool((sizes == sizes[:1]).all())
    slack_s = needs_s = np.zeros(())
    for turn, at_s in enumerate(ready_s.tolist()):
        first = relays + free_s.argmin(axis=-1)
        start_s = np.maximum(start_s, servers_s[first])
        if at_s > 0.0:
            start_s = np.maximum(start_s, at_s)
        if is_limited:
            if turn == 0 or not same_sizes:
                slack_s = np.maximum(burst - sizes[turn], 0.0) / per_s
                needs_s = sizes[turn] / per_s
            start_s = np.maximum(start_s, due_s - slack_s)
            due_s = np.maximum(due_s, start_s) + needs_s
        servers_s[first] = end_s = start_s + times_s[turn]
        yield start_s, end_s


def _spread_s(takes: Takes, rng: np.random.Generator) -> Seconds:
    """Return times that stand for equal parts of the distribution, with its mean."""
    draws_s = np.sort(takes.sample(rng, RELAYS * _DRAWS)).reshape(RELAYS, _DRAWS)
    spread_s: Seconds = draws_s.mean(axis=1)
    if takes.mean_s > 0.0:
        spread_s *= takes.mean_s / spread_s.mean()
    return spread_s
