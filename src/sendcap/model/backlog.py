"""The messages that the MTA holds at t = 0: how old they are, how often tried, and when due."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sendcap.ledger import CLOCKS
from sendcap.model.addresses import NOT_ATTEMPTED, TRANSIENT, is_judged, kinds_of
from sendcap.model.batches import BatchRows
from sendcap.model.kernel.held import HELD
from sendcap.model.kernel.state import Floats, Ints, Records
from sendcap.model.shared import Shared
from sendcap.scenario import BEFORE, Held, RetryPolicy

_MOST_ATTEMPTS: Final = 10_000
"""No message is tried more often within its validity."""
AN_INSTANT_S: Final = 1e-3
"""Time over which those that are due at one moment, as after a flush, come in random order."""


def held_messages(shared: Shared) -> Iterator[tuple[Records, BatchRows]]:
    """Yield the messages of each entry of the backlog, and a batch for each age.

    Numbers of batches count from the first one of the entry.
    """
    scenario, streams = shared.scenario, shared.streams
    deliveries = [number for number, each in enumerate(scenario.deliveries) if each.is_held]
    of_pool = {scenario.deliveries[number].pool: number for number in deliveries}
    before = dict.fromkeys(deliveries, 0)
    for number, held in enumerate(scenario.backlog):
        delivery, count = of_pool[held.pool], held.messages
        age_s = held.age.sample(streams.generator(f"backlog {number} age"), count)
        draw = streams.generator(f"backlog {number} attempts").random
        past = _past(scenario.retry_of(held.provider), held, -age_s, draw)
        if held.due is not None:
            due_s = held.due.sample(streams.generator(f"backlog {number} due"), count)
            past = past._replace(due_s=due_s)
        past.due_s[:] += AN_INSTANT_S * streams.generator(f"backlog {number} order").random(count)
        tried = past.failures > 0
        born_s, batch = np.unique(-age_s, return_inverse=True)
        messages = np.zeros(count, HELD)
        pool = scenario.pool_of(scenario.deliveries[delivery])
        messages["batch"], messages["queue"] = batch, _queue_of(shared, held.provider, pool)
        messages["number"] = before[delivery] + np.arange(count)
        uniform = streams.generator(f"backlog {number} addresses").random(count)
        messages["kind"] = _kinds(shared, held, tried, uniform)
        reasons = (NOT_ATTEMPTED, held.reason or TRANSIENT)
        messages["reason"] = np.array([shared.reasons.index(each) for each in reasons])[
            tried.astype(np.int64)
        ]
        for name, values in past._asdict().items():
            messages[name] = values
        before[delivery] += count
        _count(shared, held, delivery, int(tried.sum()))
        sizes = np.bincount(batch, minlength=len(born_s))
        yield messages, BatchRows(sizes, born_s, np.full(len(born_s), delivery))


class Past(NamedTuple):
    """What has become of some messages before t = 0, with an entry for each."""

    failures: Ints
    due_s: Floats  # infinite where the policy gives up
    first_failed_s: Floats
    previous_delay_s: Floats


def _past(
    policy: RetryPolicy,
    held: Held,
    born_s: Floats,
    draw: Callable[[int], Floats],
) -> Past:
    """Return the attempts that the policy has made, or so many, and what it does next."""
    count, most = len(born_s), _MOST_ATTEMPTS if held.attempts is None else held.attempts
    past = Past(np.zeros(count, np.int64), born_s.copy(), np.zeros(count), np.zeros(count))
    last_s = born_s.copy()
    for _ in range(most):
        goes_on = np.isfinite(past.due_s)
        if held.attempts is None:
            goes_on &= past.due_s < 0.0
        again = np.flatnonzero(goes_on)
        if not len(again):
            break
        _try_again(policy, past, born_s, last_s, again, draw)
    if held.attempts is None:
        return past
    # Where the age does not fit so many attempts, any part of the last delay may be over.
    fits = (last_s <= 0.0) & (past.due_s >= 0.0)
    rest_s = np.where(np.isfinite(past.due_s), draw(count) * past.previous_delay_s, np.inf)
    return past._replace(due_s=np.where(fits, past.due_s, rest_s))


def _try_again(
    policy: RetryPolicy,
    past: Past,
    born_s: Floats,
    last_s: Floats,
    again: Ints | npt.NDArray[np.intp],
    draw: Callable[[int], Floats],
) -> None:
    """Let some messages have been tried when they were due, and bounce softly."""
    last_s[again] = past.due_s[again]
    first = again[past.failures[again] == 0]
    past.first_failed_s[first] = last_s[first]
    due_s = policy.due_s(
        past.failures[again],
        last_s[again],
        born_s[again],
        past.first_failed_s[again],
        past.previous_delay_s[again],
        draw(len(again)) if policy.needs_uniform else None,
    )
    past.due_s[again] = due_s
    past.previous_delay_s[again] = due_s - last_s[again]
    past.failures[again] += 1


def _queue_of(shared: Shared, provider: str, pool: str | None) -> int:
    """Return the queue of a provider and pool: the first, where each address has one."""
    paths = [(each.provider, each.pool) for each in shared.queues]
    return paths.index((provider, pool))


def _kinds(
    shared: Shared, held: Held, tried: npt.NDArray[np.bool_], uniform: Floats
) -> npt.NDArray[np.intp]:
    """Return the kind of each address: a fault with the reason, or one of new messages."""
    kinds = kinds_of(shared.scenario.providers[held.provider])
    found = _among([kind.share for kind in kinds], uniform, 1.0)
    if is_judged(held.reason):
        hard = np.array([False, *(kind.hard for kind in kinds)])
        found[tried & hard[found]] = 0
    own = [0.0 if kind.hard or kind.reason != held.reason else kind.share for kind in kinds]
    if sum(own) > 0.0:
        found = np.where(tried, _among(own, uniform, sum(own)), found)
    return found


def _among(shares: list[float], uniform: Floats, total: float) -> npt.NDArray[np.intp]:
    """Return numbers from 1 on by shares of a total; 0 with the rest of that."""
    until = np.cumsum(shares)
    place = np.searchsorted(until, uniform * total, side="right") + 1
    return np.where(place > len(shares), 0, place)


def _count(shared: Shared, held: Held, delivery: int, tried: int) -> None:
    """Count, as of t = 0, that the MTA has the messages, and a soft bounce of those tried."""
    tally, provider = shared.tally, shared.providers.index(held.provider)
    now = np.zeros(1)
    tally.add("happened", "relayed", delivery, provider, now, weights=np.array([held.messages]))
    for clock in CLOCKS if tried else ():
        for event in ("soft", "soft_first"):
            tally.add(clock, event, delivery, provider, now, BEFORE, np.array([tried]))
