"""When the messages of a backlog leave the queue: accepted, bounced hard or expired."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from sendcap.ledger import Counts, Event, SparseCounts, summed
from sendcap.readings.convergence import Floats
from sendcap.run import Run

ALL: Final = "all"
"""Stands for all providers."""
_FINAL: Final[tuple[Event, ...]] = ("accepted", "hard", "expired")
"""Events with which a message leaves the queue."""


@dataclass(frozen=True)
class Gone:
    """When the messages of a provider are gone, in seconds from now; infinite for never."""

    provider: str  # or `ALL`
    messages: int
    accepted: int
    hard: int
    expired: int
    gone_50_pct_s: float
    gone_90_pct_s: float
    gone_99_pct_s: float
    gone_s: float
    first_expiry_s: float  # NaN where none expires
    last_expiry_s: float


def gone_of_each(run: Run) -> Iterator[Gone]:
    """Yield when the messages of each provider are gone, the last one first; then those of all."""
    providers = dict.fromkeys(held.provider for held in run.scenario.backlog)
    each = [gone_of(run, provider) for provider in providers]
    yield from sorted(each, key=lambda gone: (-gone.gone_90_pct_s, -gone.gone_s))
    yield gone_of(run)


def left_of(run: Run, provider: str | None = None) -> tuple[Floats, Counts]:
    """Return the messages that are left; see `sendcap.Drain.left`."""
    ends = summed([_sparse(run, provider, event) for event in _FINAL])
    times_s = np.concatenate(([0.0], (ends.bins + 1.0) * run.ledger.bin_s))
    held = run.scenario.backlog
    messages = sum(each.messages for each in held if provider in (None, each.provider))
    return times_s, messages - np.cumsum(np.concatenate(([0], ends.counts)))


def gone_of(run: Run, provider: str | None = None) -> Gone:
    """Return when the messages of the backlog to a provider are gone, or all of them."""
    times_s, left = left_of(run, provider)
    messages = int(left[0])
    expired = _sparse(run, provider, "expired")
    first_s, last_s = math.nan, math.nan
    if len(expired.bins):
        first_s, last_s = ((expired.bins[[0, -1]] + 1.0) * run.ledger.bin_s).tolist()

    def gone_s(pct: int) -> float:
        moments_s = times_s[100 * (messages - left) >= pct * messages]
        return float(moments_s[0]) if len(moments_s) else math.inf

    accepted, hard, expires = (int(_sparse(run, provider, event).counts.sum()) for event in _FINAL)
    return Gone(
        *(provider or ALL, messages, accepted, hard, expires),
        *(gone_s(50), gone_s(90), gone_s(99), gone_s(100)),
        *(first_s, last_s),
    )


def _sparse(run: Run, provider: str | None, event: Event) -> SparseCounts:
    counts = (
        run.ledger.sparse(event, clock="happened", delivery=each.name, provider=provider)
        for each in run.scenario.deliveries
        if each.is_held
    )
    return summed(list(counts))
